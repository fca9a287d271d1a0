import { readdirSync, readFileSync } from 'node:fs';

/**
 * Memory of processes and all their descendants, in bytes: the proportional set size (a page shared by n processes counts 1/n in
 * each). Null where the kernel does not tell (not Linux).
 */
export function memoryOf(pids: Iterable<number>): number | null {
  try {
    const children = new Map<number, number[]>();
    for (const entry of readdirSync('/proc')) {
      if (!/^\d+$/.test(entry)) continue;
      const parent = parentOf(Number(entry));
      if (parent !== null) children.set(parent, [...children.get(parent) ?? [], Number(entry)]);
    }
    let total = 0;
    const waiting = [...pids];
    const seen = new Set<number>();
    for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
      if (seen.has(pid)) continue;
      seen.add(pid);
      total += proportionalSetSize(pid);
      waiting.push(...children.get(pid) ?? []);
    }
    return total;
  } catch {
    return null;
  }
}

function parentOf(pid: number): number | null {
  try {
    return Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return null; // it ended meanwhile
  }
}

function proportionalSetSize(pid: number): number {
  try {
    return Number(/^Pss:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return 0;
    throw error;
  }
}
