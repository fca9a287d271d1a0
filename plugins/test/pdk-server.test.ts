import { expect } from 'chai';
import type { ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encode } from '@msgpack/msgpack';
import { buildPdkHost, compileServer } from '../host-pdk/build.js';
import { PDK_PLUGINS } from '../host-pdk/parts.js';
import type { Dossier } from '../host-pdk/dossier.js';
import { KongClient, startServer, type ServerStatus } from '../host-pdk/kong-client.js';
import { measureLeak } from '../host-pdk/leak.js';
import { runProgram } from '../../scripts/infra/packages.js';
import { until } from '@kontor/testing/kong';
import { priorities } from '../priorities.js';
import { readVectors } from './vectors.js';

const dossier = (change: Partial<Dossier> = {}): Dossier => ({
  request: 'request-1', decisions: {},
  facts: { method: 'GET', path: '/v1/payments', route: 'listPayments', pathParameters: {}, headers: {}, scopes: ['payments'], roles: ['pisp'], clientId: 'app-1', correlationId: 'c', now: 1_800_000_000 },
  ...change,
});

describe('a kong-pdk plugin server of ours', function () {
  this.timeout(30_000);
  let folder: string;
  let child: ChildProcess;
  let client: KongClient;
  const others: ChildProcess[] = [];
  const path = (name: string): string => join(folder, name);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kontor-pdk-'));
    await buildPdkHost(path('host'));
    await compileServer(fileURLToPath(new URL('../host-pdk/server/probe.ts', import.meta.url)), path('probe.cjs'));
    ({ process: child, client } = await startServer(path('probe.cjs'), path('probe.sock'), ['--expose-gc']));
  });
  after(async () => {
    client?.close();
    for (const one of [child, ...others]) one?.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });

  const status = (): Promise<ServerStatus> => client.call<ServerStatus>('GetStatus', null);

  it('has one directory with one CommonJS file for each plugin, without ts-node, and describes it to Kong', async () => {
    expect((await readdir(path('host'))).sort()).to.deep.equal([...PDK_PLUGINS, 'lua'].sort());
    for (const plugin of PDK_PLUGINS) {
      expect(await readdir(path(`host/${plugin}`))).to.deep.equal(['server.cjs']);
      expect(await readFile(path(`host/${plugin}/server.cjs`), 'utf8')).to.not.match(/require\("ts-node|_instance\.ts"/);
      const described = JSON.parse(await runProgram(process.execPath, [path(`host/${plugin}/server.cjs`), '--dump'])) as Record<string, unknown>[];
      expect(described).to.have.length(1);
      expect(described[0]).to.include({ Name: plugin, Priority: priorities[plugin as keyof typeof priorities] });
      expect(described[0]?.Phases).to.deep.equal(['access']);
    }
  });

  it('returns a decision in two PDK calls, and takes an absent field of Kong\'s (null) as absent', async () => {
    const instance = await client.start({ does: 'allow', absent: null }, 'probe');
    const answered = await client.access(instance, dossier());
    expect(answered.methods).to.deep.equal(['kong.ctx.shared.get', 'kong.ctx.shared.set']);
    expect(answered.dossier.decisions.probe).to.deep.include({ kind: 'allow', setRequestHeaders: { 'x-absent': 'yes' } });
  });

  for (const does of ['throw', 'reject', 'hang']) {
    it(`returns a refusal, and throws nothing, when its core does this: ${does}`, async () => {
      const instance = await client.start({ does }, 'probe');
      const answered = await client.access(instance, dossier());
      expect(answered.dossier.decisions.probe).to.include({ kind: 'refuse', status: 503, code: 'unavailable' });
    });
  }

  it('adds nothing once a plugin before it has refused', async () => {
    const instance = await client.start({ does: 'allow' }, 'probe');
    const refused = dossier({ decisions: { 'consent-check': { kind: 'refuse', status: 403, code: 'consent_revoked', title: 't', detail: 'd', headers: {} } } });
    const answered = await client.access(instance, refused);
    expect(answered.methods).to.deep.equal(['kong.ctx.shared.get']);
    expect(answered.dossier).to.deep.equal(refused);
  });

  it('decides nothing without a dossier, or with one that is not whole', async () => {
    const instance = await client.start({ does: 'allow' }, 'probe');
    for (const data of [null, 'not json', '{}', '{"request":"r"}']) {
      const { EventId } = await client.call<{ EventId: number }>('HandleEvent', { InstanceId: instance, EventName: 'access' });
      expect(await client.call<{ Data: unknown }>('Step', { EventId, Data: data })).to.include({ Data: 'ret' });
    }
  });

  it('ends an event Kong has forgotten, at its deadline', async () => {
    const instance = await client.start({ does: 'allow' }, 'probe');
    const { EventId } = await client.call<{ EventId: number }>('HandleEvent', { InstanceId: instance, EventName: 'access' });
    expect((await status()).Events).to.equal(1);
    for (let tries = 0; (await status()).Events > 0 && tries < 100; tries++) await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await status()).Events).to.equal(0);
    const fault = await client.call('Step', { EventId, Data: null }).then(() => '', (thrown: Error) => thrown.message);
    expect(fault).to.match(/event id \d+ not found/);
  });

  it('understands several messages in one chunk, and messages cut at every byte, inside numbers too', async () => {
    const instance = await client.start({ does: 'allow' }, 'probe');
    const asked: Promise<unknown>[] = [];
    const bytes = Buffer.concat(Array.from({ length: 3 }, () => {
      let made: Uint8Array = new Uint8Array();
      asked.push(new Promise((resolve, reject) => { made = client.request('HandleEvent', { InstanceId: instance, EventName: 'access' }, { resolve, reject }); }));
      return Buffer.from(made);
    }));
    // The instance's id is a number of several bytes: some cut goes through it.
    expect(encode(instance).length).to.be.above(1);
    client.send(bytes);
    expect(await Promise.all(asked)).to.have.length(3);
    asked.length = 0;
    let made: Uint8Array = new Uint8Array();
    const answer = new Promise((resolve, reject) => { made = client.request('HandleEvent', { InstanceId: instance, EventName: 'access' }, { resolve, reject }); });
    for (const byte of made) {
      client.send(Uint8Array.of(byte));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(await answer).to.have.property('EventId');
  });

  it('gives up a connection that speaks no MessagePack, and serves the others', async () => {
    const { connect } = await import('node:net');
    for (const garbage of [Buffer.from([0xc1, 0xc1]), Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.from(encode([0, 'x', 'y'])), Buffer.from(encode([2, 1, 'plugin.GetStatus', []]))]) {
      const socket = connect(path('probe.sock'));
      await new Promise((resolve) => { socket.once('close', resolve); socket.on('error', () => undefined); socket.write(garbage); });
    }
    expect((await status()).Pid).to.equal(child.pid);
  });

  it('takes no call but Kong\'s', async () => {
    for (const method of ['close', 'constructor', 'clearExpiredPlugins', 'SetPluginDir', 'loadPlugins']) {
      expect(await client.call(method, null).then(() => 'answered', (fault: Error) => fault.message), method).to.match(/not implemented/);
    }
  });

  it('starts its ids somewhere else in each life, and does not know an instance of an earlier one', async () => {
    const second = await startServer(path('probe.cjs'), path('second.sock'));
    others.push(second.process);
    const [here, there] = await Promise.all([client.start({ does: 'allow' }, 'probe'), second.client.start({ does: 'allow' }, 'probe')]);
    expect(here).to.not.equal(there);
    const fault = await second.client.call('HandleEvent', { InstanceId: here, EventName: 'access' }).then(() => '', (thrown: Error) => thrown.message);
    // Kong starts the instance anew only when the message begins so.
    expect(fault).to.match(/^no plugin instance/);
    second.client.close();
  });

  it('hands its socket over to a successor and does not take it away when it ends', async () => {
    const first = await startServer(path('probe.cjs'), path('shared.sock'));
    const next = await startServer(path('probe.cjs'), path('shared.sock'));
    others.push(first.process, next.process);
    first.client.close();
    const holder = async (): Promise<number> => {
      const asking = await KongClient.to(path('shared.sock'));
      return asking.call<ServerStatus>('GetStatus', null).then(({ Pid }) => Pid).finally(() => asking.close());
    };
    await until(async () => await holder() === next.process.pid);
    next.client.close();
    first.process.kill('SIGTERM');
    await new Promise((resolve) => first.process.once('exit', resolve));
    expect(await holder()).to.equal(next.process.pid);
    expect((await stat(path('shared.sock'))).mode & 0o777).to.equal(0o600);
  });

  it('ends when its parent is gone', async () => {
    await writeFile(path('parent.cjs'), `
      const { spawn } = require('node:child_process');
      const server = spawn(process.execPath, [${JSON.stringify(path('probe.cjs'))}, '--socket', ${JSON.stringify(path('orphan.sock'))}], { stdio: 'ignore', detached: true });
      process.stdout.write(String(server.pid));
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 700);`);
    const { spawn } = await import('node:child_process');
    const parent = spawn(process.execPath, [path('parent.cjs')], { stdio: ['ignore', 'pipe', 'ignore'] });
    let pid = '';
    parent.stdout.on('data', (text: Buffer) => { pid += text.toString(); });
    await new Promise((resolve) => parent.once('exit', resolve));
    const alive = async (): Promise<boolean> => (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')).split(') ')[1]?.startsWith('Z') === false;
    for (let tries = 0; await alive() && tries < 100; tries++) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await alive()).to.equal(false);
  });

  it('decides each vector of bian-mapping and gateway-identity as the core does', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string).toString('base64');
    for (const plugin of ['bian-mapping', 'gateway-identity']) {
      const started = await startServer(path(`host/${plugin}/server.cjs`), path(`${plugin}.sock`));
      others.push(started.process);
      for (const vector of readVectors().filter((one) => one.plugin === plugin && one.call === 'decide')) {
        const config = { ...vector.config as Record<string, unknown>, ...plugin === 'gateway-identity' ? { private_key: key } : {} };
        const given = dossier({ facts: vector.facts as unknown as Dossier['facts'], ...vector.third ? { consent: vector.third as unknown as NonNullable<Dossier['consent']> } : {} });
        const { decisions } = (await started.client.access(await started.client.start(config, plugin), given)).dossier;
        const decision = decisions[plugin] as unknown as Record<string, unknown>;
        const expected = vector.expect as Record<string, unknown>;
        for (const name of ['kind', 'status', 'code']) if (name in expected) expect(decision[name], `${plugin}: ${vector.title}`).to.equal(expected[name] ?? undefined);
        if (expected.token) expect((decision.setRequestHeaders as Record<string, string>)['x-gateway-token'], vector.title).to.match(/^eyJ/);
      }
      started.client.close();
    }
  });

  it('keeps nothing of 20,000 events: decided, thrown, forgotten, given up by the caller', async () => {
    const rows = await measureLeak({ program: path('probe.cjs'), socket: path('leak.sock'), events: 20_000, steps: 4, tell: () => undefined });
    expect(rows.at(-1)).to.include({ events: 20_000, live: 0 });
    // The first quarter warms caches up; a leak of 100 bytes an event would be 1.5 MB in the rest.
    expect(rows.at(-1)!.heapBytes - rows[0]!.heapBytes).to.be.below(1_000_000);
  });
});
