/** A private Kong for one test file: own prefix, own database, free ports, the decK state of this repository; further nodes on its database. */
import { execFile, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseEnv, promisify } from 'node:util';
import pg from 'pg';
import { buildPlugins, PLUGIN_NAMES } from '../../plugins/build.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const STATE = ['deck/kong.yaml', 'deck/policies.yaml', 'deck/environments/sandbox.yaml'];
const AUDIENCES = ['ACCOUNT', 'AUDIT', 'CONSENT', 'CUSTOMER', 'KYC', 'PAYMENT', 'PAYMENT_RAIL', 'WEBHOOKS'];

/** One node: a process of its own, which may share its database with others. */
export interface KongNode {
  https: string;
  http: string;
  admin: string;
  /** Folder its plugins are loaded from: `kong/plugins/<name>/handler.lua`. */
  lua: string;
  /** Its worker processes that take requests, by their ids (Linux): not those a reload has told to finish. */
  workers(): Promise<number[]>;
  /** Starts new workers with the plugin files as they are now; when those cannot be loaded, Kong keeps the old ones. */
  reload(): void;
  /** What it has written to its error log so far. */
  log(): Promise<string>;
  /** Kills the node and all its workers at once, as a power cut would. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

export interface PrivateKong extends KongNode {
  /** Base64 of the SPKI PEM that verifies gateway tokens. */
  publicKey: string;
  /** Values of the state's variables. */
  values: Record<string, string>;
  /** Its database, `postgresql://…`. */
  databaseUrl: string;
  /** `deck gateway diff`: its summary. */
  diff(): Promise<string>;
  /** `deck gateway sync` of other files. */
  sync(files: readonly string[]): Promise<string>;
  /** A further node on the same database, with the same settings but its own ports and prefix. */
  another(): Promise<KongNode>;
}

export interface KongOptions {
  /** Where every service is, unless `values` say otherwise. */
  upstream: string;
  /** decK files; the repository's own by default. */
  state?: readonly string[];
  /** `DECK_…` values that win over those of the test. */
  values?: Record<string, string>;
  /** The server Kong keeps its database on, as Kong reaches it (a proxy); TEST_DATABASE_URL by default. */
  postgres?: string;
  /** `KONG_…` settings that win over those of the test. */
  settings?: Record<string, string>;
  /** Runs before Kong is made: writes what it needs into `folder`, and gives further settings and the decK files to use. */
  prepare?: (folder: string, state: readonly string[]) => Promise<{ settings: Record<string, string>; state: readonly string[] }>;
}

/** How often a worker looks for changes, in seconds; Kong's own are 5 s. */
const LOOK_S = '0.2';

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

/** Starts Kong with the whole decK state, every service at one upstream. Takes about half a minute: its tables are made anew. */
export async function startKong(given: KongOptions): Promise<PrivateKong> {
  let options = given;
  const folder = await mkdtemp(join(tmpdir(), 'kontor-kong-'));
  const database = `kong_test_${process.pid}_${(made++).toString()}`;
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const nodes: KongNode[] = [];
  const stop = async (): Promise<void> => {
    for (const node of nodes) await node.stop();
    await withServer((client) => client.query(`drop database if exists ${database} with (force)`));
    await rm(folder, { recursive: true, force: true });
  };
  const another = async (): Promise<KongNode> => {
    const prefix = join(folder, String(nodes.length));
    await cp(join(folder, 'lua'), join(prefix, 'lua'), { recursive: true });
    const node = await startNode(prefix, { ...await kongSettings(prefix, database, options), ...options.settings });
    nodes.push(node);
    return node;
  };
  try {
    await buildPlugins(join(folder, 'lua'));
    const prepared = await given.prepare?.(folder, (given.state ?? STATE).map((file) => resolve(ROOT, file)));
    if (prepared) options = { ...given, state: prepared.state, settings: { ...given.settings, ...prepared.settings } };
    await withServer((client) => client.query(`create database ${database}`));
    await run('kong', ['migrations', 'bootstrap'], { env: { ...process.env, ...await kongSettings(folder, database, options) } });
    const first = await another();
    const values = { ...deckValues(options.upstream, keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string), ...options.values };
    const deck = (command: string, files = options.state ?? STATE): Promise<string> => runDeck(command, first.admin, values, files);
    await deck('sync');
    // Routes reach the proxy with the next look at the database, each worker by itself.
    await until(async () => (await fetch(`${first.http}/v1/payments`)).status === 426);
    if (Number(options.settings?.KONG_NGINX_WORKER_PROCESSES ?? 1) > 1) await pause(2_000 * Number(options.settings?.KONG_WORKER_STATE_UPDATE_FREQUENCY ?? LOOK_S));
    return {
      ...first,
      publicKey: Buffer.from(keys.publicKey.export({ type: 'spki', format: 'pem' }) as string).toString('base64'),
      values,
      databaseUrl: Object.assign(new URL(process.env.TEST_DATABASE_URL as string), { pathname: `/${database}` }).href,
      diff: () => deck('diff'),
      sync: (files) => deck('sync', files),
      another,
      stop,
    };
  } catch (fault) {
    const log = await nodes[0]?.log().catch(() => '') ?? '';
    await stop();
    throw new Error(`Kong did not start: ${(fault as Error).message}\n${log.slice(-3000)}`, { cause: fault });
  }
}

let made = 0;

/** Starts a node on a database that is there, and waits for its Admin API. */
async function startNode(prefix: string, settings: Record<string, string>): Promise<KongNode> {
  const environment = { ...process.env, ...settings };
  await run('kong', ['prepare', '-p', prefix], { env: environment });
  const child = spawn(nginx(), ['-p', prefix, '-c', 'nginx.conf'], { env: environment, stdio: 'ignore' });
  const children = async (): Promise<number[]> =>
    (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').catch(() => '')).split(' ').filter(Boolean).map(Number);
  const workers = async (): Promise<number[]> => {
    const titles = await Promise.all((await children()).map(async (pid) => ({ pid, title: await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') })));
    return titles.filter(({ title }) => title.startsWith('nginx: worker process') && !title.includes('shutting down')).map(({ pid }) => pid);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    const before = signal === 'SIGKILL' ? await children() : [];
    child.kill(signal);
    for (const worker of before) try { process.kill(worker, signal); } catch { /* it went with its master */ }
    await gone;
  };
  const port = (listen: string): string => /:(\d+)/.exec(listen)?.[1] as string;
  const [http, https] = (settings.KONG_PROXY_LISTEN as string).split(', ') as [string, string];
  const node: KongNode = {
    http: `http://localhost:${port(http)}`, https: `https://localhost:${port(https)}`, admin: `http://127.0.0.1:${port(settings.KONG_ADMIN_LISTEN as string)}`,
    lua: join(prefix, 'lua'),
    workers,
    reload: () => void child.kill('SIGHUP'),
    log: () => readFile(join(prefix, 'logs/error.log'), 'utf8'),
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
  await until(async () => (await fetch(`${node.admin}/status`)).ok).catch(async (fault: unknown) => {
    await node.kill();
    throw fault;
  });
  return node;
}

async function kongSettings(prefix: string, database: string, options: KongOptions): Promise<Record<string, string>> {
  const server = new URL(options.postgres ?? process.env.TEST_DATABASE_URL as string);
  const [http, https, admin] = await Promise.all([freePort(), freePort(), freePort()]);
  return {
    KONG_PREFIX: prefix,
    KONG_DATABASE: 'postgres',
    KONG_PG_HOST: server.hostname,
    KONG_PG_PORT: server.port,
    KONG_PG_USER: decodeURIComponent(server.username),
    KONG_PG_PASSWORD: decodeURIComponent(server.password),
    KONG_PG_DATABASE: database,
    KONG_PLUGINS: ['bundled', ...PLUGIN_NAMES].join(','),
    KONG_LUA_PACKAGE_PATH: `${join(prefix, 'lua')}/?.lua;;`,
    KONG_PROXY_LISTEN: `127.0.0.1:${http}, 127.0.0.1:${https} ssl`,
    KONG_ADMIN_LISTEN: `127.0.0.1:${admin}`,
    KONG_ADMIN_GUI_LISTEN: 'off',
    KONG_STATUS_LISTEN: 'off',
    KONG_DB_UPDATE_FREQUENCY: LOOK_S,
    KONG_WORKER_STATE_UPDATE_FREQUENCY: LOOK_S,
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
    ...parseEnv(readFileSync(join(ROOT, 'deck/environments/sandbox.env'), 'utf8')) as Record<string, string>,
    DECK_GATEWAY_TOKEN_PRIVATE_KEY: Buffer.from(privateKeyPem).toString('base64'),
    DECK_OAUTH2_PROVISION_KEY: PROVISION_KEY,
    DECK_CONSENT_DECISION_KEY: DECISION_KEY,
    DECK_REDIS_HOST: redis.hostname,
    DECK_REDIS_PORT: redis.port,
    DECK_REDIS_PASSWORD: decodeURIComponent(redis.password),
    DECK_AUDIT_INGEST_KEY: AUDIT_KEY,
    DECK_PORTAL_ORIGIN: 'http://localhost:8080',
    ...Object.fromEntries(AUDIENCES.map((audience) => [`DECK_${audience}_URL`, upstream])),
  };
}

async function runDeck(command: string, admin: string, values: Record<string, string>, files: readonly string[]): Promise<string> {
  const { stdout } = await run('deck', ['gateway', command, ...files, '--kong-addr', admin], {
    cwd: ROOT, env: { ...process.env, ...values, DECK_ANALYTICS: 'off' }, maxBuffer: 1 << 26,
  });
  return stdout;
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}

function nginx(): string {
  return '/usr/local/openresty/nginx/sbin/nginx';
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
