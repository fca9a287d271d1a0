import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { freePort, isFree } from '../infra/ports.js';
import { LogFile } from '../platform/log-file.js';
import { checkPorts, claimHome } from '../platform/run-state.js';
import { platformSettings } from '../platform/settings.js';
import { startOf, Supervisor, type ProcessPlan, type RunState } from '../platform/supervisor.js';

const alive = (pid: number): boolean => startOf(pid) !== '';
const state = (home: string): RunState => JSON.parse(readFileSync(join(home, 'run.json'), 'utf8')) as RunState;

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 10_000; !condition();) {
    if (Date.now() > end) throw new Error(`not within 10 s: ${what}`);
    await sleep(20);
  }
}

describe('the supervisor', () => {
  let home: string;
  let supervisor: Supervisor;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'kontor-supervisor-'));
    supervisor = new Supervisor(home);
  });
  afterEach(async () => {
    await supervisor.stop();
    rmSync(home, { recursive: true, force: true });
  });

  /** A program that listens on a port of its own and runs `extra` first. */
  async function program(name: string, extra = ''): Promise<ProcessPlan> {
    const port = await freePort();
    return {
      name, port, cwd: home, env: {}, command: process.execPath, stopSignal: 'SIGTERM', stopWithinMs: 1000, readyWithinMs: 10_000,
      args: ['-e', `${extra}; require('net').createServer().listen(${port}, '127.0.0.1')`], ready: async () => !await isFree(port),
    };
  }

  it('starts a killed process again and writes its new id to run.json', async () => {
    await supervisor.start(await program('one'));
    const before = supervisor.pid('one')!;
    expect(state(home).processes['one']?.pid).to.equal(before);
    process.kill(before, 'SIGKILL');
    await until(() => ![null, before].includes(supervisor.pid('one')), 'another process');
    expect(state(home).processes['one']?.pid).to.equal(supervisor.pid('one'));
  });

  it('ends what a killed process left in its group before it starts the next', async () => {
    const childFile = join(home, 'child');
    await supervisor.start(await program('parent', `require('fs').writeFileSync('${childFile}', String(require('child_process').spawn('sleep', ['60']).pid))`));
    const orphan = Number(readFileSync(childFile, 'utf8'));
    expect(alive(orphan)).to.equal(true);
    process.kill(supervisor.pid('parent')!, 'SIGKILL');
    await until(() => !alive(orphan), 'the orphan is gone');
  });

  it('stops all it started, and nothing else, also what ignores the signal', async () => {
    const other = spawn('sleep', ['60']);
    await supervisor.start(await program('polite'), await program('stubborn', 'process.on("SIGTERM", () => {})'));
    const pids = [...supervisor.pids().values()];
    await supervisor.stop();
    expect(pids.map(alive)).to.deep.equal([false, false]);
    expect(alive(other.pid!)).to.equal(true);
    expect(existsSync(join(home, 'run.json'))).to.equal(false);
    other.kill();
  });

  it('tells why a process did not start, with the end of its log', async () => {
    const plan = await program('broken', 'console.error("the disk is upside down"); process.exit(3)');
    const error = await supervisor.start(plan).then(() => null, (thrown: Error) => thrown);
    expect(error?.message).to.include('broken ended with exit code 3 while starting').and.to.include('the disk is upside down');
  });

  it('tells when a process does not become ready in its time', async () => {
    const plan = { ...await program('slow'), ready: () => Promise.resolve(false), readyWithinMs: 300 };
    const error = await supervisor.start(plan).then(() => null, (thrown: Error) => thrown);
    expect(error?.message).to.match(/^slow was not ready within 0 s/);
  });
});

describe('the home directory', () => {
  let home: string;
  beforeEach(() => { home = mkdtempSync(join(tmpdir(), 'kontor-home-')); });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  it('belongs to one launcher at a time', async () => {
    await claimHome(home, () => undefined);
    const error = await claimHome(home, () => undefined).then(() => null, (thrown: Error) => thrown);
    expect(error?.message).to.equal(`Kontor is already running from ${home} (process ${process.pid}): stop it there with Ctrl-C, or with kill ${process.pid}.`);
  });

  it('is freed of what a killed launcher left running, and of nothing that only has the same id', async () => {
    const ours = spawn('sleep', ['60']);
    const foreign = spawn('sleep', ['60']);
    await until(() => startOf(ours.pid!) !== '' && startOf(foreign.pid!) !== '', 'both run');
    const left: RunState = {
      supervisorPid: 999_999_9, supervisorStarted: '1',
      processes: { ours: { pid: ours.pid!, port: 1, started: startOf(ours.pid!) }, foreign: { pid: foreign.pid!, port: 2, started: '12345' } },
    };
    writeFileSync(join(home, 'run.json'), JSON.stringify(left));
    const lines: string[] = [];
    await claimHome(home, (line) => lines.push(line));
    expect(alive(ours.pid!)).to.equal(false);
    expect(alive(foreign.pid!)).to.equal(true);
    expect(lines).to.deep.equal(['ending 1 processes a killed start left behind']);
    foreign.kill();
  });

  it('must be writable', async function () {
    if (process.getuid?.() === 0) {
      console.log('      skipped: root may write everywhere');
      return this.skip();
    }
    chmodSync(home, 0o500);
    const error = await claimHome(home, () => undefined).then(() => null, (thrown: NodeJS.ErrnoException) => thrown);
    expect(error?.code).to.equal('EACCES');
  });

  it('has each port checked: one in use is named with its setting', async () => {
    const port = await freePort();
    const server = await new Promise<Server>((resolve) => { const made = createServer().listen(port, '127.0.0.1', () => resolve(made)); });
    try {
      const settings = platformSettings(home, { PORTAL_PORT: String(port) });
      const error = await checkPorts(settings, ['PORTAL']).then(() => null, (thrown: Error) => thrown);
      expect(error?.message).to.equal(`Port ${port} (PORTAL_PORT) is in use by another program: stop it, or set that variable to a free port (in the environment or in .env).`);
    } finally {
      server.close();
    }
    await checkPorts(platformSettings(home, { PORTAL_PORT: String(port) }), ['PORTAL']);
  });
});

describe('a log file', () => {
  it('is put aside when full, so that two files are the most there is', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kontor-log-'));
    const log = new LogFile(join(folder, 'x.log'), 100);
    for (let line = 0; line < 30; line += 1) log.write(`line ${line} of thirty\n`);
    log.close();
    expect(statSync(join(folder, 'x.log')).size).to.be.at.most(100);
    expect(statSync(join(folder, 'x.log.1')).size).to.be.at.most(100);
    expect(readFileSync(join(folder, 'x.log'), 'utf8')).to.include('line 29 of thirty');
    rmSync(folder, { recursive: true });
  });
});
