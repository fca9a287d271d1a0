/** Processes that are killed and started again at once: no back-off, which would be all there is to see after the tenth kill. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { LogFile } from '../../../scripts/platform/log-file.js';
import type { ProcessPlan } from '../../../scripts/platform/supervisor.js';

export interface Part {
  readonly name: string;
  readonly pid: number | undefined;
  /** Starts it, and again whenever it ends, until `stop`. Resolves when it is ready. @throws Error after 60 s without */
  start(): Promise<void>;
  /** Resolves when it is ready, as often as it may be killed meanwhile. */
  ready(withinMs?: number): Promise<void>;
  /** SIGKILL to it and what it has started; resolves when it is gone and started again (not yet ready). */
  kill(): Promise<void>;
  /** Times it ended without having been killed. */
  readonly ownEnds: readonly string[];
  stop(): Promise<void>;
}

export function partOf(plan: ProcessPlan, logs: string): Part {
  const log = new LogFile(join(logs, `${plan.name}.log`));
  const ownEnds: string[] = [];
  let child: ChildProcess | undefined;
  let state: 'idle' | 'running' | 'killing' | 'stopping' = 'idle';

  const run = (): void => {
    plan.beforeStart?.();
    const begun = spawn(plan.command, plan.args, {
      cwd: plan.cwd, uid: plan.uid, gid: plan.gid, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...surroundings(), ...plan.env },
    });
    child = begun;
    begun.stdout?.on('data', (chunk: Buffer) => log.write(chunk));
    begun.stderr?.on('data', (chunk: Buffer) => log.write(chunk));
    begun.once('exit', (code, signal) => {
      if (begun.pid) killGroup(begun.pid);
      if (state !== 'running') return;
      ownEnds.push(`${plan.name} ended by itself (${signal ?? `exit ${code}`})`);
      setTimeout(() => { if (state === 'running' && child === begun) run(); }, 200);
    });
    state = 'running';
  };
  const end = async (next: 'killing' | 'stopping', signal: NodeJS.Signals): Promise<void> => {
    state = next;
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    if (signal === 'SIGKILL') killGroup(child.pid);
    else child.kill(signal);
    await gone;
  };
  const part: Part = {
    name: plan.name,
    ownEnds,
    get pid() {
      return child?.pid;
    },
    async start() {
      run();
      await part.ready();
    },
    async ready(withinMs = 60_000) {
      for (const giveUpAt = Date.now() + withinMs; !(await plan.ready()); await pause(25))
        if (Date.now() > giveUpAt) throw new Error(`${plan.name} is not ready within ${withinMs / 1000} s`);
    },
    async kill() {
      await end('killing', 'SIGKILL');
      run();
    },
    async stop() {
      const bound = setTimeout(() => { if (child?.pid) killGroup(child.pid); }, 15_000);
      await end('stopping', plan.stopSignal);
      clearTimeout(bound);
      if (child?.pid) killGroup(child.pid);
      log.close();
    },
  };
  return part;
}

/** A child leads a process group of its own: only what descends from it is in there. */
function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'ESRCH') throw fault;
  }
}

function surroundings(): Record<string, string> {
  return Object.fromEntries(['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]!]])));
}
