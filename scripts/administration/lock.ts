import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOf } from '../platform/supervisor.js';
import { Fault } from '../platform/fault.js';

/**
 * Runs work while no other command of this machine works on the same folder. What a killed command left behind does not count.
 * @throws Fault when another is at it
 */
export async function inTurn<T>(folder: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'lock');
  const own = `${process.pid} ${startOf(process.pid)}`;
  for (let attempt = 0; ; attempt += 1) {
    try {
      writeFileSync(path, own, { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pid = '', started = ''] = read(path).split(' ');
    if (attempt > 2 || (started !== '' && startOf(Number(pid)) === started)) throw new Fault(`Another command is changing the gateway (process ${pid}): nothing was changed, wait for it to end.`);
    rmSync(path, { force: true });
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
