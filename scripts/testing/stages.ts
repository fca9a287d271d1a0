import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { mochaResult, wholeResult, type StageResult } from './results.js';

/** The kinds of tests, in the order they run. Every test file belongs to exactly one. */
export const KINDS = ['tidy', 'contracts', 'kernel', 'rules', 'plugins', 'repository', 'service', 'contract', 'gateway', 'faults', 'simulation', 'oracle', 'payment-faults', 'journeys'] as const;
export type Kind = (typeof KINDS)[number];

const ROOMS = ['kernel', 'plugins', 'services', 'adapters', 'portal', 'kong', 'deck', 'scripts', 'tests'];

/** Which kind a test file is, by its folder and name. What no other kind claims are rules. */
export function kindOf(path: string): Kind {
  if (path.startsWith('tests/tidy/')) return 'tidy';
  if (path.startsWith('tests/contracts/')) return 'contracts';
  if (path.startsWith('tests/journeys/')) return 'journeys';
  if (path.startsWith('tests/faults/payments/')) return 'payment-faults';
  if (path.startsWith('tests/faults/')) return 'faults';
  if (path.startsWith('tests/simulation/')) return 'simulation';
  if (path.startsWith('tests/oracle/')) return 'oracle';
  if (path.startsWith('tests/gateway/') || path.startsWith('kong/')) return 'gateway';
  if (path.startsWith('kernel/')) return 'kernel';
  if (path.startsWith('plugins/')) return 'plugins';
  const kind = /\b(repository|service|contract)\b[^/]*\.test\.ts$/.exec(path)?.[1] as Kind | undefined;
  return kind ?? 'rules';
}

/** All test files of the checkout by kind, relative to its root. */
export function testFiles(root: string): Record<Kind, string[]> {
  const files = Object.fromEntries(KINDS.map((kind) => [kind, [] as string[]])) as Record<Kind, string[]>;
  for (const room of ROOMS) {
    for (const entry of readdirSync(join(root, room), { recursive: true, withFileTypes: true })) {
      const path = relative(root, join(entry.parentPath, entry.name));
      if (entry.isFile() && path.endsWith('.test.ts') && !/(^|\/)(node_modules|dist)\//.test(path)) files[kindOf(path)].push(path);
    }
  }
  for (const kind of KINDS) files[kind].sort();
  // The last process that was killed may still be starting when its test ends: nothing comes after it.
  files.journeys.sort((one, other) => Number(one.endsWith('/kill.test.ts')) - Number(other.endsWith('/kill.test.ts')));
  return files;
}

const running = new Set<number>();

/** Ends every program a stage has running. */
export function stopStages(): void {
  for (const pid of running) {
    try { process.kill(-pid, 'SIGKILL'); } catch { /* it has just ended */ }
  }
}

interface Run { code: number | null; output: string; hung: boolean }

/** Runs a program in a process group of its own. `ended` tells when its work is done: it then has 15 s to go. */
function run(root: string, args: string[], options: { env?: NodeJS.ProcessEnv; limitMs?: number; ended?: () => boolean }): Promise<Run> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let output = '';
    let hung = false;
    const keep = (chunk: Buffer): void => { output = (output + chunk.toString()).slice(-100_000); };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    if (child.pid) running.add(child.pid);
    const kill = (): void => {
      hung = true;
      if (child.pid) { try { process.kill(-child.pid, 'SIGKILL'); } catch { /* it has just ended */ } }
    };
    const limit = setTimeout(kill, options.limitMs ?? 600_000);
    let endedAt = 0;
    const watch = setInterval(() => {
      if (!options.ended?.()) return;
      endedAt ||= Date.now();
      if (Date.now() - endedAt > 15_000) kill();
    }, 1000);
    child.once('error', (error) => keep(Buffer.from(error.message)));
    child.once('close', (code) => {
      clearTimeout(limit);
      clearInterval(watch);
      if (child.pid) running.delete(child.pid);
      resolve({ code, output, hung });
    });
  });
}

/** A stage that is one Node program. */
export async function programStage(root: string, name: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<StageResult> {
  const started = Date.now();
  const done = await run(root, args, { env });
  return wholeResult(name, (Date.now() - started) / 1000, done);
}

/** A stage of mocha tests. */
export async function mochaStage(options: { root: string; name: string; files: string[]; env?: NodeJS.ProcessEnv; scratch: string; limitMs?: number; jobs?: number }): Promise<StageResult> {
  const { root, name, files, scratch } = options;
  const started = Date.now();
  const results = join(scratch, `${name}.results`);
  const read = (): string => { try { return readFileSync(results, 'utf8'); } catch { return ''; } };
  const parallel = options.jobs && options.jobs > 1 && files.length > 1 ? ['--parallel', '--jobs', String(options.jobs)] : [];
  // A Kong that has been told to end may hold on for longer than the 15 s a run has to go, with the handle of its process.
  const exit = name === 'gateway' || name === 'oracle' ? ['--exit'] : [];
  const done = await run(root, ['node_modules/mocha/bin/mocha.js', '--reporter', 'scripts/testing/reporter.cjs', ...exit, ...parallel, ...files], {
    env: { KONTOR_TEST_RESULTS: results, ...options.env }, limitMs: options.limitMs, ended: () => read().includes('"kind":"end"'),
  });
  const result = mochaResult(name, (Date.now() - started) / 1000, read(), done);
  rmSync(results, { force: true });
  return result;
}
