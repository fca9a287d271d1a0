/**
 * A real Kong as a target: own prefix, own database, free ports, one worker. Its start takes several seconds, so a process keeps
 * one for each state and hands it out again; what differs between test files, the addresses of services, changes behind relays.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { testServer } from '@kontor/testing/environment';
import { buildPlugins, PLUGIN_NAMES } from '../../plugins/build.js';
import { syncState } from '../../scripts/gateway/deck-sync.js';
import { commonKongSettings } from '../../scripts/gateway/kong-settings.js';
import { AdminApi } from '../../scripts/platform/admin-api.js';
import { certificate, type Target } from './target.js';

const run = promisify(execFile);
const NGINX = '/usr/local/openresty/nginx/sbin/nginx';

/** How our plugins run inside a Kong: further settings (kong.conf names) over the common ones. */
export interface KongHost {
  name: string;
  /** @param prefix the Kong's own folder, to put files into */
  settings(prefix: string): Promise<Record<string, string>>;
  /** Ends what `settings` started. */
  stop?(prefix: string): Promise<void>;
}

/** Our plugins compiled to Lua. */
export const luaHost: KongHost = {
  name: 'Lua host',
  async settings(prefix) {
    await buildPlugins(join(prefix, 'lua'));
    return commonKongSettings(join(prefix, 'lua'), PLUGIN_NAMES);
  },
};

/** What a Kong needs and this machine lacks; empty when it can be started. */
export function missingForKong(): string[] {
  const missing: string[] = [];
  if (!(process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'kong')))) missing.push('kong on the PATH');
  else if (!existsSync(NGINX)) missing.push(NGINX);
  return missing;
}

interface RunningKong {
  prefix: string;
  child: ChildProcess;
  http: number;
  https: number;
  admin: number;
  relays: Map<string, Relay>;
  /** Variables the state was last applied with. */
  applied: string;
  /** How long the log was when the last target was handed out. */
  logFrom: number;
  stop(): Promise<void>;
}

const kept = new Map<string, Promise<RunningKong>>();

/** A Kong with this state, ready to answer. `stop` of the target gives it back; `stopKongs` ends it. */
export async function kongTarget(state: readonly string[], env: Record<string, string>, host: KongHost = luaHost): Promise<Target> {
  const key = createHash('sha256').update([host.name, ...state.map((path) => readFileSync(path, 'utf8'))].join('\0')).digest('hex');
  const starting = kept.get(key) ?? startKong(host);
  kept.set(key, starting);
  const kong = await starting.catch((fault: unknown) => {
    kept.delete(key);
    throw fault;
  });
  await apply(kong, state, env);
  const log = () => readFileSync(join(kong.prefix, 'logs/error.log'), 'utf8');
  kong.logFrom = log().length;
  return {
    proxyUrl: `http://localhost:${kong.http}`, httpsUrl: `https://localhost:${kong.https}`, adminUrl: `http://127.0.0.1:${kong.admin}`,
    embedded: false,
    authority: certificate().cert,
    logged: () => log().slice(kong.logFrom),
    restart: () => Promise.reject(new Error('only the embedded gateway is restarted here')),
    loseDatabase: () => Promise.reject(new Error('only the embedded gateway loses its database here')),
    // Access records of this target are still on their way.
    stop: async () => {
      const to = await sink();
      for (const relay of kong.relays.values()) relay.to = to;
    },
  };
}

/** Ends every Kong of this process. */
export async function stopKongs(): Promise<void> {
  const all = [...kept.values()];
  kept.clear();
  for (const starting of all) await starting.then((kong) => kong.stop(), () => undefined);
}

let draining: Promise<number> | undefined;

/**
 * The port of a service that takes everything: between two test files Kong goes on delivering what it has. It keeps no connection:
 * one that is kept would lead past the next file's services.
 */
function sink(): Promise<number> {
  draining ??= new Promise((resolve) => {
    const server = createServer((request, response) => {
      request.resume();
      request.on('end', () => response.writeHead(202, { connection: 'close' }).end());
    });
    server.listen(0, '127.0.0.1', () => resolve((server.address() as net.AddressInfo).port));
    server.on('connection', (socket) => socket.unref());
    server.unref();
  });
  return draining;
}

/** Points the relays at this run's services and applies the state where it is not there yet. */
async function apply(kong: RunningKong, state: readonly string[], env: Record<string, string>): Promise<void> {
  const values: Record<string, string> = { ...env };
  for (const [name, value] of Object.entries(env)) {
    if (name === 'DECK_HANGING_PORT' && value !== '2') values[name] = String(await relayTo(kong, name, Number(value)));
    if (!name.endsWith('_URL')) continue;
    const url = new URL(value);
    url.port = String(await relayTo(kong, name, Number(url.port)));
    values[name] = url.href.replace(/\/$/, '');
  }
  const wanted = JSON.stringify(values);
  if (kong.applied === wanted) return;
  await syncState({ admin: new AdminApi(`http://127.0.0.1:${kong.admin}`), files: [...state], values });
  kong.applied = wanted;
  await settled(kong);
}

async function relayTo(kong: RunningKong, name: string, port: number): Promise<number> {
  const relay = kong.relays.get(name) ?? await startRelay();
  kong.relays.set(name, relay);
  relay.to = port;
  return relay.port;
}

/** Routes and plugins are rebuilt in the background: waits until a service made last, and only for this, is routed. */
async function settled(kong: RunningKong): Promise<void> {
  const admin = `http://127.0.0.1:${kong.admin}`;
  const name = `settled-${randomBytes(4).toString('hex')}`;
  const send = async (method: string, path: string, body?: object): Promise<void> => {
    const answer = await fetch(admin + path, { method, headers: { 'content-type': 'application/json' }, ...(body ? { body: JSON.stringify(body) } : {}) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  };
  await send('PUT', `/services/${name}`, { host: '127.0.0.1', port: 1, retries: 0 });
  await send('PUT', `/services/${name}/routes/${name}`, { paths: [`/${name}`], protocols: ['http'] });
  await send('PUT', `/services/${name}/plugins/${name.replace(/.*-(.*)/, '00000000-0000-4000-8000-0000$1')}`, { name: 'request-termination', config: { status_code: 418 } });
  await until(async () => (await fetch(`http://127.0.0.1:${kong.http}/${name}`)).status === 418);
  await send('DELETE', `/routes/${name}`);
  await send('DELETE', `/services/${name}`);
}

async function startKong(host: KongHost): Promise<RunningKong> {
  const prefix = await mkdtemp(join(tmpdir(), 'kontor-kong-'));
  const database = `kong_suite_${randomBytes(6).toString('hex')}`;
  const [http, https, admin] = await Promise.all([freePort(), freePort(), freePort()]);
  const server = new URL(testServer('TEST_DATABASE_URL'));
  const tls = certificate();
  const relays = new Map<string, Relay>();
  let child: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    if (child && child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child?.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    }
    for (const relay of relays.values()) relay.stop();
    await host.stop?.(prefix);
    await onServer(`drop database if exists ${database} with (force)`);
    await rm(prefix, { recursive: true, force: true });
  };
  try {
    await writeFile(join(prefix, 'cert.pem'), tls.cert);
    await writeFile(join(prefix, 'key.pem'), tls.key, { mode: 0o600 });
    const settings: Record<string, string> = {
      ...await host.settings(prefix),
      prefix, pg_host: server.hostname, pg_port: server.port || '5432', pg_database: database,
      pg_user: decodeURIComponent(server.username), pg_password: decodeURIComponent(server.password),
      proxy_listen: `127.0.0.1:${http}, 127.0.0.1:${https} ssl http2`, admin_listen: `127.0.0.1:${admin}`, status_listen: 'off',
      ssl_cert: join(prefix, 'cert.pem'), ssl_cert_key: join(prefix, 'key.pem'),
      db_update_frequency: '0.2', nginx_worker_processes: '1',
      ...(process.getuid?.() === 0 ? { nginx_user: 'root root' } : {}),
    };
    const environment = { ...process.env, ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [`KONG_${name.toUpperCase()}`, value])) };
    await onServer(`create database ${database}`);
    await run('kong', ['migrations', 'bootstrap'], { env: environment });
    await run('kong', ['prepare', '-p', prefix], { env: environment });
    child = spawn(NGINX, ['-p', prefix, '-c', 'nginx.conf'], { env: environment, stdio: 'ignore' });
    process.once('exit', () => child?.kill('SIGKILL'));
    await until(async () => (await fetch(`http://127.0.0.1:${admin}/status`)).ok);
    return { prefix, child, http, https, admin, relays, applied: '', logFrom: 0, stop };
  } catch (fault) {
    let log = '';
    try {
      log = readFileSync(join(prefix, 'logs/error.log'), 'utf8').slice(-3000);
    } catch {
      // It did not get as far as a log.
    }
    await stop();
    throw new Error(`Kong did not start: ${(fault as Error).message}\n${log}`, { cause: fault });
  }
}

interface Relay { port: number; to: number; stop(): void }

/** Hands connections on byte by byte; an end or a break on one side is one on the other. */
function startRelay(): Promise<Relay> {
  const open = new Set<net.Socket>();
  const server = net.createServer((near) => {
    const far = net.connect(relay.to, '127.0.0.1');
    for (const [one, other] of [[near, far], [far, near]] as const) {
      open.add(one);
      one.setNoDelay(true);
      one.unref();
      one.on('error', () => other.resetAndDestroy());
      one.on('close', () => {
        open.delete(one);
        other.destroySoon();
      });
      one.pipe(other);
    }
  });
  const relay: Relay = {
    port: 0, to: 0,
    stop() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      relay.port = (server.address() as net.AddressInfo).port;
      server.unref();
      resolve(relay);
    });
  });
}

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: testServer('TEST_DATABASE_URL') });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Waits up to 30 s for a condition; a throw counts as not yet. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!await condition().catch(() => false)) {
    if (Date.now() > deadline) throw new Error('it did not happen within 30 s');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
