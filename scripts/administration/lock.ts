import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { startOf } from '../platform/supervisor.js';
import { Fault } from '../platform/fault.js';

/** Who works on a folder: processes of one machine, with their start times, since ids are used again. */
interface Holder { host: string; processes: { pid: number; started: string }[] }

/** @param pid of a process that works for this command and may outlive it, as decK does when only its parent is killed */
export type Hold = (pid: number) => void;

/**
 * Runs work while no other command works on the same folder. What a killed command of this machine left behind does not count, once
 * everything it started has ended.
 * @throws Fault when another is at it
 */
export async function inTurn<T>(folder: string, work: (hold: Hold) => Promise<T>): Promise<T> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'lock');
  const own: Holder = { host: hostname(), processes: [{ pid: process.pid, started: startOf(process.pid) }] };
  take(path, own);
  const hold: Hold = (pid) => {
    own.processes.push({ pid, started: startOf(pid) });
    renameSync(draft(path, own), path);
  };
  try {
    return await work(hold);
  } finally {
    rmSync(path, { force: true });
  }
}

/** Whether a command is at work on a folder now. */
export function isBusy(folder: string): boolean {
  return isAlive(read(join(folder, 'lock')));
}

/** A lock appears with its content (a hard link does that), so nobody ever reads half of one. */
function take(path: string, own: Holder): void {
  const mine = draft(path, own);
  try {
    if (linked(mine, path)) return;
    const left = read(path);
    if (isAlive(left)) throw busy(path, left);
    // Of those who find a dead lock one may clear it away, and only while it is still that one.
    const clearing = `${path}.clearing`;
    if (!linked(mine, clearing)) throw busy(clearing, read(clearing));
    try {
      if (JSON.stringify(read(path)) === JSON.stringify(left)) rmSync(path, { force: true });
      if (!linked(mine, path)) throw busy(path, read(path));
    } finally {
      rmSync(clearing, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

function draft(path: string, holder: Holder): string {
  const file = `${path}.${process.pid}`;
  writeFileSync(file, JSON.stringify(holder));
  return file;
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

/** The processes of another machine cannot be seen from here. */
function isAlive(holder: Holder | undefined): boolean {
  if (!holder) return false;
  return holder.host !== hostname() || holder.processes.some(lives);
}

function lives({ pid, started }: Holder['processes'][number]): boolean {
  return started !== '' && startOf(pid) === started;
}

function busy(path: string, holder: Holder | undefined): Fault {
  const away = holder && holder.host !== hostname() ? ` on ${holder.host}` : '';
  const dead = away || !isAlive(holder) ? ` If it has died, remove ${path}.` : '';
  return new Fault(`Another command is changing the gateway (process ${(holder?.processes.find(lives) ?? holder?.processes[0])?.pid ?? 'unknown'}${away}): nothing was changed, wait for it to end.${dead}`);
}

function read(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}
