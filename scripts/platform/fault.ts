import { SettingsError } from '@kontor/kernel/config';

/**
 * A fault the person at the terminal can act on: its message is one sentence that names what is wrong and what to do.
 * The launcher prints it without a stack and exits with 1.
 */
export class Fault extends Error {
  override readonly name = 'Fault';
}

/** The sentence for any thrown value: a Fault's own, a system error with its code explained, anything else with its stack. */
export function explain(error: unknown): string {
  if (error instanceof Fault || error instanceof SettingsError) return error.message;
  const system = error as NodeJS.ErrnoException;
  const where = system?.path ? ` at ${system.path}` : '';
  switch (system?.code) {
    case 'ENOSPC': return `The disk is full${where}: free at least 1 GiB and start again.`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS': return `This user may not write${where}: change its owner, or set KONTOR_HOME to a directory you can write to.`;
    case 'ENOTDIR': return `There can be no directory${where}, for a part of that path is a file: name another one.`;
    default: return error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
}
