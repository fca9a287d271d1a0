import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFree } from '../infra/ports.js';
import { Fault } from './fault.js';
import type { PlatformSettings, PortName } from './settings.js';
import { startOf, type RunState } from './supervisor.js';

const DISK_NEEDED_BYTES = 1024 ** 3;

/**
 * Takes the home directory for this process: refuses when another launcher lives in it, and ends what a killed launcher left.
 * @throws Fault when Kontor already runs here, the directory cannot be written, or the disk has less than 1 GiB free.
 */
export async function claimHome(home: string, tell: (line: string) => void): Promise<void> {
  mkdirSync(home, { recursive: true });
  accessSync(home, constants.W_OK | constants.X_OK);
  const { bavail, bsize } = statfsSync(home);
  if (bavail * bsize < DISK_NEEDED_BYTES) {
    throw new Fault(`The disk of ${home} has ${Math.floor(bavail * bsize / 1024 ** 2)} MiB free, Kontor needs 1 GiB: free some space, or set KONTOR_HOME to a directory on another disk.`);
  }
  const path = join(home, 'run.json');
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const own: RunState = { supervisorPid: process.pid, supervisorStarted: startOf(process.pid), processes: {} };
    try {
      writeFileSync(path, JSON.stringify(own), { flag: 'wx' });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const other = readState(path);
    if (other && other.supervisorStarted !== '' && startOf(other.supervisorPid) === other.supervisorStarted) {
      throw new Fault(`Kontor is already running from ${home} (process ${other.supervisorPid}): stop it there with Ctrl-C, or with kill ${other.supervisorPid}.`);
    }
    await endLeftovers(other, tell);
    rmSync(path, { force: true });
  }
  throw new Fault(`Another start is taking ${home} at the same time: wait for it to finish.`);
}

function readState(path: string): RunState | null {
  try {
    return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) as RunState : null;
  } catch {
    return null;
  }
}

/** Ends the processes a launcher that was killed could not stop; one with the same id but another start time is not ours. */
async function endLeftovers(state: RunState | null, tell: (line: string) => void): Promise<void> {
  const left = Object.entries(state?.processes ?? {}).filter(([, { pid, started }]) => started !== '' && startOf(pid) === started);
  if (left.length === 0) return;
  tell(`ending ${left.length} processes a killed start left behind`);
  for (const [name, { pid }] of left) process.kill(pid, name === 'postgresql' ? 'SIGINT' : 'SIGTERM');
  const deadline = Date.now() + 10_000;
  const alive = (): typeof left => left.filter(([, { pid, started }]) => startOf(pid) === started);
  while (alive().length > 0 && Date.now() < deadline) await sleep(50);
  for (const [, { pid }] of alive()) process.kill(pid, 'SIGKILL');
}

/** Refuses to start when a port of ours is taken, naming the setting that moves it. */
export async function checkPorts(settings: PlatformSettings, needed: PortName[]): Promise<void> {
  const taken: string[] = [];
  for (const name of needed) {
    if (!await isFree(settings.ports[name])) taken.push(`${settings.ports[name]} (${name}_PORT)`);
  }
  if (taken.length === 0) return;
  const [port, ports] = taken.length === 1 ? ['Port', 'is'] : ['Ports', 'are'];
  const named = taken.length > 6 ? `${taken.slice(0, 6).join(', ')} and ${taken.length - 6} more` : taken.join(', ');
  throw new Fault(`${port} ${named} ${ports} in use by another program: stop it, or set ${taken.length === 1 ? 'that variable' : 'those variables'} to a free port (in the environment or in .env).`);
}
