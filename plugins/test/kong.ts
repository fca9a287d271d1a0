/** A private Kong for one test file: own prefix, own database, free ports, the decK state of this repository. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { buildPlugins, PLUGIN_NAMES } from '../build.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const STATE = ['deck/kong.yaml', 'deck/policies.yaml'];
const AUDIENCES = ['ACCOUNT', 'AUDIT', 'CONSENT', 'CUSTOMER', 'KYC', 'PAYMENT', 'PAYMENT_RAIL', 'WEBHOOKS'];

export interface PrivateKong {
  https: string;
  http: string;
  admin: string;
  /** Base64 of the SPKI PEM that verifies gateway tokens. */
  publicKey: string;
  /** What Kong has written to its error log so far. */
  log(): Promise<string>;
  /** `deck gateway diff`: its summary. */
  diff(): Promise<string>;
  stop(): Promise<void>;
}

export const PROVISION_KEY = 'provision-key-of-the-test';
export const DECISION_KEY = 'decision-key-of-the-test';
export const AUDIT_KEY = 'audit-key-of-the-test';

/** What a private Kong needs and this machine lacks; empty when it can be started. */
export function missingForKong(): string[] {
  const missing: string[] = [];
  for (const program of ['kong', 'deck']) if (!onPath(program)) missing.push(`${program} on the PATH`);
  if (!existsSync(nginx())) missing.push(`${nginx()} (NGINX)`);
  for (const name of ['TEST_DATABASE_URL', 'TEST_REDIS_URL']) if (!process.env[name]) missing.push(name);
  return missing;
}

export interface StartOptions {
  upstream: string;
  /** Further settings of Kong's, as in kong.conf; `prefix` is Kong's own folder. */
  settings?: (prefix: string) => Promise<Record<string, string>>;
  /** Another form of the decK state: the files, from the repository's. */
  state?: (files: string[], prefix: string) => Promise<string[]>;
}

/** Starts Kong with the whole decK state, every service at one upstream. Takes about half a minute: its tables are made anew. */
export async function startKong(options: StartOptions): Promise<PrivateKong> {
  const prefix = await mkdtemp(join(tmpdir(), 'kontor-kong-'));
  const database = `kong_test_${process.pid}`;
  const [http, https, admin] = await Promise.all([freePort(), freePort(), freePort()]);
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let environment: NodeJS.ProcessEnv = { ...process.env, ...kongSettings({ prefix, database, http, https, admin }) };
  let state = STATE.map((file) => join(ROOT, file));
  let child: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    if (child && child.exitCode === null) {
      child.kill('SIGTERM');
      await new Promise((resolve) => child?.once('exit', resolve));
    }
    await withServer((client) => client.query(`drop database if exists ${database} with (force)`));
    await rm(prefix, { recursive: true, force: true });
  };
  try {
    await buildPlugins(join(prefix, 'lua'));
    for (const [name, value] of Object.entries(await options.settings?.(prefix) ?? {})) environment = { ...environment, [`KONG_${name.toUpperCase()}`]: value };
    state = await options.state?.(state, prefix) ?? state;
    await withServer((client) => client.query(`create database ${database}`));
    await run('kong', ['migrations', 'bootstrap'], { env: environment });
    await run('kong', ['prepare', '-p', prefix], { env: environment });
    child = spawn(nginx(), ['-p', prefix, '-c', 'nginx.conf'], { env: environment, stdio: 'ignore' });
    const adminUrl = `http://127.0.0.1:${admin}`;
    await until(async () => (await fetch(`${adminUrl}/status`)).ok);
    const deck = (command: string): Promise<string> => runDeck(command, state, adminUrl, deckValues(options.upstream, keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string));
    await deck('sync');
    const addresses = { http: `http://localhost:${http}`, https: `https://localhost:${https}`, admin: adminUrl };
    // Routes reach the proxy with the next look at the database.
    await until(async () => (await fetch(`${addresses.http}/v1/payments`)).status === 426);
    return {
      ...addresses,
      publicKey: Buffer.from(keys.publicKey.export({ type: 'spki', format: 'pem' }) as string).toString('base64'),
      log: () => readFile(join(prefix, 'logs/error.log'), 'utf8'),
      diff: () => deck('diff'),
      stop,
    };
  } catch (fault) {
    const log = await readFile(join(prefix, 'logs/error.log'), 'utf8').catch(() => '');
    await stop();
    throw new Error(`Kong did not start: ${(fault as Error).message}\n${log.slice(-3000)}`, { cause: fault });
  }
}

function kongSettings(own: { prefix: string; database: string; http: number; https: number; admin: number }): Record<string, string> {
  const server = new URL(process.env.TEST_DATABASE_URL as string);
  return {
    KONG_PREFIX: own.prefix,
    KONG_DATABASE: 'postgres',
    KONG_PG_HOST: server.hostname,
    KONG_PG_PORT: server.port,
    KONG_PG_USER: decodeURIComponent(server.username),
    KONG_PG_PASSWORD: decodeURIComponent(server.password),
    KONG_PG_DATABASE: own.database,
    KONG_PLUGINS: ['bundled', ...PLUGIN_NAMES].join(','),
    KONG_LUA_PACKAGE_PATH: `${join(own.prefix, 'lua')}/?.lua;;`,
    KONG_PROXY_LISTEN: `127.0.0.1:${own.http}, 127.0.0.1:${own.https} ssl`,
    KONG_ADMIN_LISTEN: `127.0.0.1:${own.admin}`,
    KONG_ADMIN_GUI_LISTEN: 'off',
    KONG_STATUS_LISTEN: 'off',
    KONG_DB_UPDATE_FREQUENCY: '0.2',
    KONG_NGINX_WORKER_PROCESSES: '1',
    KONG_NGINX_DAEMON: 'off',
    KONG_ANONYMOUS_REPORTS: 'off',
    KONG_PROXY_ACCESS_LOG: 'off',
    KONG_ADMIN_ACCESS_LOG: 'off',
    KONG_LOG_LEVEL: 'warn',
    ...(process.getuid?.() === 0 ? { KONG_NGINX_USER: 'root root' } : {}),
  };
}

/** The values the state takes from the environment (deck/README.md). */
export function deckValues(upstream: string, privateKeyPem: string): Record<string, string> {
  const redis = new URL(process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379');
  return {
    DECK_GATEWAY_TOKEN_PRIVATE_KEY: Buffer.from(privateKeyPem).toString('base64'),
    DECK_OAUTH2_PROVISION_KEY: PROVISION_KEY,
    DECK_OAUTH2_TOKEN_EXPIRATION: '900',
    DECK_CONSENT_DECISION_KEY: DECISION_KEY,
    DECK_REDIS_HOST: redis.hostname,
    DECK_REDIS_PORT: redis.port,
    DECK_REDIS_PASSWORD: decodeURIComponent(redis.password),
    DECK_AUDIT_INGEST_KEY: AUDIT_KEY,
    DECK_PORTAL_ORIGIN: 'http://localhost:8080',
    ...Object.fromEntries(AUDIENCES.map((audience) => [`DECK_${audience}_URL`, upstream])),
  };
}

async function runDeck(command: string, state: string[], admin: string, values: Record<string, string>): Promise<string> {
  const { stdout } = await run('deck', ['gateway', command, ...state, '--kong-addr', admin], {
    cwd: ROOT, env: { ...process.env, ...values, DECK_ANALYTICS: 'off' }, maxBuffer: 1 << 26,
  });
  return stdout;
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}

function nginx(): string {
  return process.env.NGINX ?? '/usr/local/openresty/nginx/sbin/nginx';
}

async function withServer(use: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL });
  await client.connect();
  await use(client).finally(() => client.end());
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Waits up to 20 s for a condition; a throw counts as not yet. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    if (await condition().catch(() => false)) return;
    if (Date.now() > deadline) throw new Error('the condition did not come true within 20 s');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
