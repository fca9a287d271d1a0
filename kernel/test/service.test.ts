import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect as connectAmqp } from 'amqplib';
import { expect } from 'chai';
import { SettingsError } from '@kontor/kernel/config';
import { newEvent, type Event } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { connectBroker, Transient } from '@kontor/kernel/messaging';
import { defineService, isMain, startService } from '@kontor/kernel/service';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';
import { testServer } from '@kontor/testing/environment';
import { gatewayToken, testKeys } from '@kontor/testing/gateway-token';
import { proxyFor, type Proxy } from '@kontor/testing/proxy';
import { testService, type TestService } from '@kontor/testing/service';
import { eventually } from '@kontor/testing/wait';
import { during, options } from './desk/main.js';

const root = options.root;
const context = { correlationId: 'c-1', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const closed = (clientId = 'app'): Event => {
  const accountId = newId();
  return newEvent('account.closed', { subject: accountId, source: 'account', context, data: { accountId, customerId: newId(), clientId } });
};
const writeHeaders = (key: string): Record<string, string> =>
  ({ 'content-type': 'application/json', 'idempotency-key': key, 'x-gateway-token': gatewayToken({ aud: 'desk', op: 'writeNote', scopes: ['notes'], roles: ['writer'] }) });
const note = JSON.stringify({ word: 'w', amount: '1' });

describe('a subscription', () => {
  let service: TestService;
  before(async () => { service = await testService(options); });
  after(() => service.stop());

  it('takes effect once however often the event is delivered', async () => {
    const event = closed();
    await Promise.all([service.deliver(event), service.deliver(event), service.deliver(event)]);
    await service.deliver(event);
    expect(await service.database.query('select word from note where note_id = $1', [event.subject])).to.have.length(1);
    expect(await service.events()).to.have.length(1);
  });

  it('leaves no trace of an attempt that failed, and works when delivered again', async () => {
    const event = closed('crash');
    expect(await service.deliver(event).catch((fault: Error) => fault.message)).to.equal('after the effect');
    expect(await service.database.query('select 1 from note where note_id = $1', [event.subject])).to.have.length(0);
    expect(await service.database.query('select 1 from inbox where event_id = $1', [event.id])).to.have.length(0);
    await service.deliver({ ...event, data: { ...event.data, clientId: 'app' } } as Event);
    expect(await service.database.query('select 1 from note where note_id = $1', [event.subject])).to.have.length(1);
  });

  it('lets an event pass that it does not hear', async () => {
    await service.deliver({ ...closed(), type: 'account.blocked' });
  });
});

describe('a subscription outside', function () {
  this.timeout(30_000);

  it('is tried until the other system answers, and keeps no other event waiting meanwhile', async () => {
    const tried: string[] = [];
    const worked: string[] = [];
    let away = true;
    const name = `outside-${newId()}`;
    const service = await startService(defineService({
      name, root: new URL('../src/', root),
      wire: () => ({
        subscriptions: { 'account.closed': async (event) => { worked.push(event.subject); } },
        outside: {
          'account.closed': async (event) => {
            tried.push(event.subject);
            if (away) throw new Transient('it is away');
          },
        },
      }),
    }), { PORT: '0', AMQP_URL: testServer('TEST_AMQP_URL'), LOG_LEVEL: 'error' });
    const broker = await connectBroker(testServer('TEST_AMQP_URL'), { name: 'told', logger: service.logger });
    try {
      const events = [closed(), closed()];
      const all = (seen: string[]): boolean => events.every(({ subject }) => seen.includes(subject));
      for (const event of events) await broker.publish(event);
      await eventually('both were worked on while the other system is away', () => all(worked) && all(tried) && tried.length > 2);
      away = false;
      const before = tried.length;
      await eventually('both were tried again', () => all(tried.slice(before)));
    } finally {
      await broker.close();
      await service.stop();
      await forgetQueues(name, `${name}.outside`);
    }
  });
});

/** Queues are durable: those of a name used once go with the test. */
async function forgetQueues(...names: string[]): Promise<void> {
  const connection = await connectAmqp(testServer('TEST_AMQP_URL'));
  const channel = await connection.createChannel();
  for (const name of names) for (const queue of [name, `${name}.dead`]) await channel.deleteQueue(queue);
  await connection.close();
}

describe('a service without a database', () => {
  const adapter = defineService({
    name: 'adapter',
    root: new URL('../src/', root),
    wire: (parts) => ({
      subscriptions: {
        'account.closed': async (event, { emit }) => emit(newEvent('account.blocked', { subject: event.subject, source: 'adapter', context, data: event.data })),
      },
      extend: (app) => {
        app.get('/database', () => {
          void parts.database;
        });
      },
    }),
  });

  it('tells what it has to tell at once', async () => {
    const service = await testService(adapter);
    await service.deliver(closed());
    expect((await service.events()).map(({ type }) => type)).to.deep.equal(['account.blocked']);
    expect((await service.request('GET', '/readyz')).body).to.deep.equal({ status: 'ready', checks: { running: 'up' } });
    expect((await service.request('GET', '/database')).status).to.equal(500);
    await service.stop();
  });
});

describe('a service that loses its database', () => {
  let stored: TestDatabase;
  let proxy: Proxy;
  let stop: () => Promise<void>;
  let url: string;

  before(async () => {
    stored = await testDatabase(root);
    proxy = await proxyFor(stored.url);
    const service = await startService(options, { PORT: '0', DATABASE_URL: proxy.address, GATEWAY_TOKEN_PUBLIC_KEY: testKeys.publicKey, LOG_LEVEL: 'error' }, { broker: false });
    ({ stop, url } = service);
  });
  after(async () => {
    proxy.mend();
    await stop();
    await proxy.close();
    await stored.drop();
  });

  const ready = async (): Promise<number> => (await fetch(`${url}/readyz`)).status;

  it('says so within 2 s, answers 503 and recovers by itself', async () => {
    expect(await ready()).to.equal(200);
    proxy.cut({ refuse: true });
    await eventually('readiness flips', async () => (await ready()) === 503, 2_000);
    expect((await fetch(`${url}/livez`)).status).to.equal(200);
    const answer = await fetch(`${url}/v1/notes`, { method: 'POST', headers: writeHeaders('down'), body: note });
    expect(answer.status).to.equal(503);
    expect(answer.headers.get('retry-after')).to.equal('1');
    expect(await answer.json()).to.include({ code: 'unavailable' });
    proxy.mend();
    await eventually('readiness flips back', async () => (await ready()) === 200, 2_000);
    expect((await fetch(`${url}/v1/notes`, { method: 'POST', headers: writeHeaders('down'), body: note })).status).to.equal(201);
  });

  it('says so within 2 s when the database hangs', async () => {
    proxy.holdAnswers();
    const began = Date.now();
    expect(await ready()).to.equal(503);
    expect(Date.now() - began).to.be.below(2_000);
    proxy.release();
    await eventually('readiness flips back', async () => (await ready()) === 200, 2_000);
  });

  it('answers 503 when the commit was lost on the way, and the repeat gives what took effect', async () => {
    during.write = async () => {
      proxy.holdAnswers();
      setTimeout(() => proxy.cut(), 300);
    };
    const send = (): Promise<Response> => fetch(`${url}/v1/notes`, { method: 'POST', headers: writeHeaders('unknown'), body: note });
    // The insert after the hold is answered late, so the request fails whether or not its commit arrived: only the repeat can tell.
    expect((await send()).status).to.equal(503);
    during.write = async () => undefined;
    proxy.release();
    await eventually('the repeat is answered', async () => (await send()).status === 201, 5_000);
    expect(await stored.database.query("select count(*)::int as n from idempotency_keys where key = 'unknown'")).to.deep.equal([{ n: 1 }]);
  });

  it('answers 503, not 500, when the server ends its connections under load', async () => {
    const statuses = new Set<number>();
    const calls = Array.from({ length: 40 }, async (_, i) => {
      await pause(i * 10);
      const answer = await fetch(`${url}/v1/notes`, { method: 'POST', headers: writeHeaders(`load-${i}`), body: note });
      statuses.add(answer.status);
      await answer.text();
    });
    for (let i = 0; i < 5; i++) {
      await pause(60);
      await stored.database.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()');
    }
    await Promise.all(calls);
    expect([...statuses].filter((status) => status !== 201 && status !== 503)).to.deep.equal([]);
    expect(statuses.has(201)).to.equal(true);
  });
});

describe('a service as a process', () => {
  const main = fileURLToPath(new URL('main.ts', root));
  const running: ChildProcess[] = [];
  let stored: TestDatabase;
  before(async () => { stored = await testDatabase(root); });
  after(async () => {
    await stored.drop();
    const model = await connectAmqp(testServer('TEST_AMQP_URL'));
    const channel = await model.createChannel();
    for (const queue of ['desk', 'desk.dead']) await channel.deleteQueue(queue);
    await model.close();
  });
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });

  const start = (env: Record<string, string>): ChildProcess => {
    const child = spawn(process.execPath, ['--import', 'tsx', main], { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    running.push(child);
    return child;
  };
  const settings = (): Record<string, string> => ({ PORT: '0', DATABASE_URL: stored.url, AMQP_URL: testServer('TEST_AMQP_URL'), GATEWAY_TOKEN_PUBLIC_KEY: testKeys.publicKey, LOG_LEVEL: 'error' });
  const portOf = async (child: ChildProcess): Promise<number> => {
    for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
      const said = JSON.parse(line) as { message: string; port: number };
      if (said.message === 'listening') return said.port;
    }
    throw new Error('it ended without listening');
  };

  it('tells every missing setting and ends', async () => {
    const child = start({ PORT: '99999' });
    let said = '';
    child.stderr?.on('data', (bytes: Buffer) => { said += bytes.toString(); });
    const [code] = await once(child, 'exit') as [number];
    expect(code).to.equal(1);
    expect(said).to.include('PORT must be a whole number').and.not.include('    at ');
  });

  it('finishes a request under way when told to end, takes no new one, and ends well', async () => {
    const child = start(settings());
    const port = await portOf(child);
    // The body arrives in two halves: the request is under way until the second.
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.on('data', (bytes) => { answer += bytes.toString(); });
    const head = Object.entries({ ...writeHeaders('last'), 'content-length': String(note.length) }).map(([name, value]) => `${name}: ${value}`);
    socket.write(['POST /v1/notes HTTP/1.1', 'host: desk', ...head, '', note.slice(0, 5)].join('\r\n'));
    await pause(200);
    child.kill('SIGTERM');
    await eventually('no new connection is taken', () => new Promise<boolean>((resolve) => {
      const other = connect(port, '127.0.0.1', () => { other.destroy(); resolve(false); });
      other.on('error', () => resolve(true));
    }));
    socket.write(note.slice(5));
    const [code] = await once(child, 'exit') as [number];
    expect(answer).to.match(/^HTTP\/1\.1 201 /);
    expect(code).to.equal(0);
    expect(await stored.database.query("select 1 from idempotency_keys where key = 'last'")).to.have.length(1);
  });

  it('is the main module only where it was started', () => {
    expect(isMain(new URL('main.ts', root).href)).to.equal(false);
    expect(isMain(new URL(`file://${process.argv[1]}`).href)).to.equal(true);
  });
});

describe('starting a service', () => {
  it('needs what its folder asks for', async () => {
    const fault = await startService(options, { PORT: '0' }).catch((thrown: unknown) => thrown) as SettingsError;
    expect(fault).to.be.instanceOf(SettingsError);
    expect(fault.faults.map((line) => line.split(' ')[0])).to.deep.equal(['DATABASE_URL', 'AMQP_URL', 'GATEWAY_TOKEN_PUBLIC_KEY']);
  });
});
