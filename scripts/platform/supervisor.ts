import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from './fault.js';
import { LogFile } from './log-file.js';

/** How to run, probe and stop one process. */
export interface ProcessPlan {
  name: string;
  command: string;
  args: string[];
  /** Its whole environment, on top of PATH, HOME, LANG and TZ. */
  env: Record<string, string>;
  cwd: string;
  port: number;
  uid?: number;
  gid?: number;
  stopSignal: NodeJS.Signals;
  /** How long a clean stop may take before SIGKILL; 10 s when absent. */
  stopWithinMs?: number;
  /** How long the start may take; 60 s when absent. */
  readyWithinMs?: number;
  /** Clears what an earlier life left; runs before each start of the process. */
  beforeStart?: () => void;
  /** Whether it can do its work now. Never throws. */
  ready: () => Promise<boolean>;
}

interface Running { plan: ProcessPlan; child: ChildProcess | null; log: LogFile; since: number; restarts: number; recent: string }

/** What `<home>/run.json` holds. */
export interface RunState {
  supervisorPid: number;
  supervisorStarted: string;
  processes: Record<string, { pid: number; port: number; started: string }>;
}

const FIRST_BACKOFF_MS = 200;
const LONGEST_BACKOFF_MS = 10_000;
const STEADY_AFTER_MS = 30_000;

/**
 * Starts processes, keeps them alive, and stops exactly those it started. A child has a process group of its own, so a Ctrl-C
 * at the terminal reaches only the supervisor, which then stops everything in the right order.
 */
export class Supervisor {
  readonly #home: string;
  readonly #tell: (line: string) => void;
  readonly #running = new Map<string, Running>();
  readonly #batches: string[][] = [];
  #stopping: Promise<void> | null = null;

  constructor(home: string, tell: (line: string) => void = () => undefined) {
    this.#home = home;
    this.#tell = tell;
    mkdirSync(join(home, 'logs'), { recursive: true });
  }

  /**
   * Starts the processes together and waits until each is ready. What is started together is stopped together.
   * @throws Fault naming the process that died or did not become ready, with the end of its log.
   */
  async start(...plans: ProcessPlan[]): Promise<void> {
    this.#batches.push(plans.map((plan) => plan.name));
    const results = await Promise.allSettled(plans.map((plan) => this.#startOne(plan)));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  /** The process id a name has now, or null while it is down. */
  pid(name: string): number | null {
    return this.#running.get(name)?.child?.pid ?? null;
  }

  pids(): Map<string, number> {
    return new Map([...this.#running].flatMap(([name, { child }]) => (child?.pid ? [[name, child.pid] as const] : [])));
  }

  /** Stops everything this supervisor started, last started first. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #startOne(plan: ProcessPlan): Promise<void> {
    const running: Running = { plan, child: null, log: new LogFile(join(this.#home, 'logs', `${plan.name}.log`)), since: 0, restarts: 0, recent: '' };
    this.#running.set(plan.name, running);
    let died: string | null = null;
    this.#spawn(running, (reason) => { died = reason; });
    const deadline = Date.now() + (plan.readyWithinMs ?? 60_000);
    while (!await plan.ready()) {
      if (died !== null) throw new Fault(`${plan.name} ${died} while starting. ${this.#endOfLog(running)}`);
      if (this.#stopping) throw new Fault(`${plan.name} was stopped while starting.`);
      if (Date.now() > deadline) throw new Fault(`${plan.name} was not ready within ${Math.round((plan.readyWithinMs ?? 60_000) / 1000)} s. ${this.#endOfLog(running)}`);
      await sleep(50);
    }
    if (died !== null) throw new Fault(`${plan.name} ${died} while starting, and something else answers on its port ${plan.port}. ${this.#endOfLog(running)}`);
    running.child?.removeAllListeners('exit');
    if (running.child && running.child.exitCode === null && running.child.signalCode === null) {
      running.child.once('exit', (code, signal) => this.#onDeath(running, describe(code, signal)));
    } else this.#onDeath(running, 'ended');
  }

  #spawn(running: Running, onDeath: (reason: string) => void): void {
    const { plan, log } = running;
    plan.beforeStart?.();
    const child = spawn(plan.command, plan.args, {
      cwd: plan.cwd, uid: plan.uid, gid: plan.gid, detached: true, stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...basicEnvironment(), ...plan.env },
    });
    running.child = child;
    running.since = Date.now();
    const keep = (chunk: Buffer): void => {
      running.recent = (running.recent + chunk.toString()).slice(-4000);
      try { log.write(chunk); } catch (error) { running.recent += `\n(log not written: ${(error as Error).message})`; }
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.once('error', (error) => { running.child = null; onDeath(`could not be run (${error.message})`); });
    child.once('exit', (code, signal) => onDeath(describe(code, signal)));
    this.#saveState();
  }

  #onDeath(running: Running, reason: string): void {
    if (running.child?.pid) killGroup(running.child.pid); // workers of a server whose head was killed
    running.child = null;
    this.#saveState();
    if (this.#stopping) return;
    if (Date.now() - running.since > STEADY_AFTER_MS) running.restarts = 0;
    const waitMs = Math.min(FIRST_BACKOFF_MS * 2 ** running.restarts, LONGEST_BACKOFF_MS);
    running.restarts += 1;
    this.#tell(`${running.plan.name} ${reason}: starting it again in ${waitMs} ms (log ${running.log.path})`);
    setTimeout(() => {
      if (!this.#stopping) this.#spawn(running, (next) => this.#onDeath(running, next));
    }, waitMs).unref();
  }

  async #stopAll(): Promise<void> {
    for (const batch of [...this.#batches].reverse()) {
      await Promise.all(batch.map((name) => this.#stopOne(this.#running.get(name))));
    }
    rmSync(join(this.#home, 'run.json'), { force: true });
  }

  async #stopOne(running: Running | undefined): Promise<void> {
    const child = running?.child;
    if (running && child?.pid && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise<void>((resolve) => { child.once('exit', () => resolve()); });
      child.kill(running.plan.stopSignal);
      const inTime = await Promise.race([gone.then(() => true), sleep(running.plan.stopWithinMs ?? 10_000, false, { ref: false })]);
      if (!inTime) {
        child.kill('SIGKILL');
        await gone;
      }
      killGroup(child.pid);
    }
    running?.log.close();
  }

  #endOfLog(running: Running): string {
    const lines = running.recent.trim().split('\n').slice(-6).join('\n  ');
    return lines ? `Its last lines (${running.log.path}):\n  ${lines}` : `Its log ${running.log.path} is empty.`;
  }

  #saveState(): void {
    const processes: RunState['processes'] = {};
    for (const [name, { child, plan }] of this.#running) {
      if (child?.pid) processes[name] = { pid: child.pid, port: plan.port, started: startOf(child.pid) };
    }
    const state: RunState = { supervisorPid: process.pid, supervisorStarted: startOf(process.pid), processes };
    const path = join(this.#home, 'run.json');
    writeFileSync(`${path}.new`, `${JSON.stringify(state, null, 2)}\n`);
    renameSync(`${path}.new`, path);
  }
}

/** Ends what is left of the process group a child of ours led: it can only hold descendants of that child. */
function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** When the process began, in the kernel's ticks since boot: tells a process from a later one with the same id. '' when it is gone or only waits to be reaped. */
export function startOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' '); // from the state on: proc(5), field 3
    return fields[0] === 'Z' || fields[0] === 'X' ? '' : fields[19] ?? '';
  } catch {
    return '';
  }
}

function describe(code: number | null, signal: NodeJS.Signals | null): string {
  return signal ? `was ended by ${signal}` : `ended with exit code ${code}`;
}

function basicEnvironment(): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR']) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return kept;
}
