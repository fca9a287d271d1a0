import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** The user that runs what must not or should not run as root: `nobody` on Linux. */
export const UNPRIVILEGED = { uid: 65534, gid: 65534, name: 'nobody', group: 'nogroup' } as const;

/** Whether this process is root: then servers that refuse root need another user and directories that user can reach. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Whether `nobody` may walk down to the path (parts of it that do not exist yet will be made reachable). */
export async function reachable(path: string): Promise<boolean> {
  for (let at = resolve(path); ; at = dirname(at)) {
    const entry = await stat(at).catch(() => null);
    if (entry && (entry.mode & 0o001) === 0 && entry.uid !== UNPRIVILEGED.uid) return false;
    if (at === dirname(at)) return true;
  }
}

/** A directory outside closed homes that stands for `directory`, always the same for the same one. */
export function elsewhere(directory: string): string {
  return join('/var/lib/kontor', createHash('sha256').update(resolve(directory)).digest('hex').slice(0, 12));
}

/** Where a server started by root but run by `nobody` keeps `name`: below `directory`, or elsewhere when that is closed to it. */
export async function placeFor(directory: string, name: string): Promise<string> {
  return isRoot() && !await reachable(directory) ? join(elsewhere(directory), name) : join(directory, name);
}
