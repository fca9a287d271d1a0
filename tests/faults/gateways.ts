/** The gateways that are put to the test: Kong with each host of our plugins, and the embedded one as a process of its own. */
import { execFileSync, fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { testDatabase } from '@kontor/testing/database';
import { startKong, type PrivateKong } from '@kontor/testing/kong';
import { pluginServers, type PluginServers } from '@kontor/testing/pdk-servers';
import { eventually } from '@kontor/testing/wait';
import { PDK_PLUGINS } from '../../plugins/host-pdk/parts.js';
import { writePdkState } from '../../scripts/gateway/kong-pdk.js';
import { freePort } from '../../scripts/infra/ports.js';
import { certificate, deckVariables, houseState } from '../gateway/target.js';
import type { Condition, Order } from './embedded-node.js';
import type { Surroundings } from './surroundings.js';

/** A gateway that can be broken. */
export interface Breakable {
  name: string;
  proxyUrl: string;
  httpsUrl: string;
  adminUrl: string;
  /** Its consent-check throws on every request, its own guard included. */
  breakPlugin(): Promise<void>;
  mendPlugin(): Promise<void>;
  /** A plugin's file becomes one that does not parse and the gateway is told to load it; absent: it has no such files. */
  spoilPlugin?(): Promise<void>;
  /** The servers its plugins run in; absent: they run inside it. */
  servers?: Servers;
  /** kill -9 of what handles requests: a worker of Kong, the process of the embedded gateway (which is started anew). */
  killWorker(): Promise<void>;
  stop(): Promise<void>;
}

/** Plugin servers out of process, all of them at once. */
export interface Servers {
  /** kill -9; Kong starts them again. */
  kill(): Promise<void>;
  /** Each is killed again, kill -9, a moment after it has come back. */
  loop(): Promise<void>;
  /** SIGSTOP: they take connections and never answer. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Something else answers in their place. */
  spoil(): Promise<void>;
  /** They are themselves again. */
  mend(): Promise<void>;
}

/** A gateway as the trials name it: how it starts, and which faults that not every gateway can have it has. */
export interface Kind {
  name: string;
  kong: boolean;
  has: readonly ('spoilPlugin' | 'servers')[];
  start(around: Surroundings): Promise<Breakable & { node?: PrivateKong }>;
}

export const KINDS: readonly Kind[] = [
  { name: 'Kong with the Lua host', kong: true, has: ['spoilPlugin'], start: kong },
  { name: 'Kong with the kong-pdk host', kong: true, has: ['servers'], start: kongPdk },
  { name: 'the embedded gateway', kong: false, has: [], start: embedded },
];

const WORKERS = 2;

/** Settings of the Kongs under trial: workers, and how often they look for changes, as in production. */
const KONG_SETTINGS = { KONG_NGINX_WORKER_PROCESSES: String(WORKERS), KONG_DB_UPDATE_FREQUENCY: '1', KONG_WORKER_STATE_UPDATE_FREQUENCY: '1' };

/** The values of the state, with the parts that can be taken away in their places. */
function variables({ redis, consents, upstream }: Surroundings): Record<string, string> {
  const { hostname, port, password } = new URL(redis.url);
  return deckVariables(upstream.url, { DECK_REDIS_HOST: hostname, DECK_REDIS_PORT: port, DECK_REDIS_PASSWORD: password, DECK_CONSENT_URL: consents.url });
}

/** Kong's certificate, which the clients of the suite trust. */
function kongCertificate(): { settings: Record<string, string>; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'kontor-tls-'));
  const { cert, key } = certificate();
  writeFileSync(join(folder, 'cert.pem'), cert);
  writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 });
  return {
    settings: { KONG_SSL_CERT: join(folder, 'cert.pem'), KONG_SSL_CERT_KEY: join(folder, 'key.pem') },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A real Kong with our plugins in Lua. */
async function kong(around: Surroundings): Promise<Breakable & { node: PrivateKong }> {
  const tls = kongCertificate();
  const node = await startKong({
    upstream: around.upstream.url, state: houseState(), values: variables(around), postgres: around.database.address,
    settings: { ...tls.settings, ...KONG_SETTINGS },
  });
  const handler = join(node.lua, 'kong/plugins/consent-check/handler.lua');
  const whole = await readFile(handler, 'utf8');
  /** Writes the plugin and waits until the workers with the file before it take no requests any more. */
  const load = async (text: string): Promise<void> => {
    const before = await node.workers();
    await writeFile(handler, text);
    node.reload();
    await eventually('new workers', async () => !(await node.workers()).some((worker) => before.includes(worker)), 30_000);
  };
  return {
    node,
    name: kongName(),
    proxyUrl: node.http, httpsUrl: node.https, adminUrl: node.admin,
    breakPlugin: () => load(whole.replace(/\nreturn (____entry\.handler)\s*$/, '\nlocal broken = $1\nbroken.access = function() error("broken on purpose") end\nreturn broken\n')),
    mendPlugin: () => load(whole),
    async spoilPlugin() {
      await writeFile(handler, 'this is not Lua');
      node.reload();
      await eventually('Kong has read the file', async () => (await node.log()).includes('this is not Lua') || (await node.log()).includes('handler.lua:1:'), 30_000);
    },
    killWorker: () => killOne(node),
    async stop() {
      await node.stop();
      tls.remove();
    },
  };
}

/** A real Kong with our plugins in servers of their own. */
async function kongPdk(around: Surroundings): Promise<Breakable> {
  const tls = kongCertificate();
  let servers: PluginServers | undefined;
  const node = await startKong({
    upstream: around.upstream.url, state: houseState(), values: variables(around), postgres: around.database.address,
    settings: { ...tls.settings, ...KONG_SETTINGS },
    async prepare(folder, files) {
      servers = await pluginServers(join(folder, 'pdk'));
      await mkdir(join(folder, 'state'));
      return { settings: servers.settings, state: await writePdkState(files, join(folder, 'state')) };
    },
  });
  const broken = breakable(servers!);
  return {
    name: `${kongName()} kong-pdk`,
    proxyUrl: node.http, httpsUrl: node.https, adminUrl: node.admin,
    breakPlugin: () => broken.become((plugin) => servers!.with(plugin, POISON)),
    mendPlugin: () => broken.mend(),
    servers: broken,
    killWorker: () => killOne(node),
    async stop() {
      await node.stop();
      tls.remove();
    },
  };
}

/** Loaded before a plugin server: it throws over each decision it has reached. */
const POISON = `
const { stringify } = JSON;
JSON.stringify = (...given) => { if (given[0]?.decisions) throw new Error('broken on purpose'); return stringify(...given); };
`;

/** Loaded before a plugin server: it lives long enough to decide for some requests. */
const CRASH = 'setTimeout(() => process.kill(process.pid, "SIGKILL"), 400);';

function breakable(servers: PluginServers): Servers & { become(line: (plugin: string) => Promise<string>): Promise<void> } {
  const each = async (work: (plugin: string) => Promise<void>): Promise<void> => void await Promise.all(PDK_PLUGINS.map(work));
  // One that has just died comes back by itself.
  const signal = (name: NodeJS.Signals): Promise<void> => each((plugin) => servers.kill(plugin, name).catch(() => undefined));
  /** Kong starts each again with this line; waits until it has. */
  const become = (line: (plugin: string) => Promise<string>): Promise<void> => each(async (plugin) => {
    const before = await servers.pid(plugin);
    await servers.starts(plugin, await line(plugin));
    await servers.kill(plugin, 'SIGKILL').catch(() => undefined);
    await eventually(`${plugin} is started again`, async () => await servers.pid(plugin) !== before, 20_000);
  });
  return {
    become,
    kill: () => signal('SIGKILL'),
    loop: () => become((plugin) => servers.with(plugin, CRASH)),
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    spoil: () => become((plugin) => servers.garbage(plugin, 'bytes')),
    mend: () => become((plugin) => Promise.resolve(servers.whole(plugin))),
  };
}

const kongName = (): string => `Kong ${execFileSync('kong', ['version'], { encoding: 'utf8' }).trim()}`;

async function killOne(node: PrivateKong): Promise<void> {
  const [worker] = (await node.workers()).sort(() => Math.random() - 0.5);
  if (worker) process.kill(worker, 'SIGKILL');
}

/** The embedded gateway; killed, it is started again at once, as a supervisor would. */
async function embedded(around: Surroundings): Promise<Breakable> {
  const { url, database, drop } = await testDatabase(new URL('../../kong/', import.meta.url));
  await database.close();
  const through = new URL(url);
  through.port = String(around.database.port);
  const [httpPort, httpsPort, adminPort] = [await freePort(), await freePort(), await freePort()];
  const order: Order = { state: houseState(), env: variables(around), databaseUrl: through.href, tls: certificate(), ports: { httpPort, httpsPort, adminPort } };
  let child: ChildProcess;
  let last = Promise.resolve();
  const said = (): Promise<string> => new Promise((resolve, reject) => {
    child.once('message', (text) => (String(text).startsWith('failed') ? reject(new Error(String(text))) : resolve(String(text))));
    child.once('exit', (code) => reject(new Error(`the embedded gateway ended (${String(code)})`)));
  });
  const start = async (): Promise<void> => {
    child = fork(fileURLToPath(new URL('./embedded-node.ts', import.meta.url)), { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const ready = said();
    child.send(order);
    await ready;
  };
  const end = (): Promise<void> => new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
  const become = async (condition: Condition): Promise<void> => {
    const done = said();
    child.send(condition);
    await done;
  };
  await start();
  return {
    name: 'embedded', proxyUrl: `http://localhost:${httpPort}`, httpsUrl: `https://localhost:${httpsPort}`, adminUrl: `http://127.0.0.1:${adminPort}`,
    breakPlugin: () => become({ broken: true }),
    mendPlugin: () => become({ broken: false }),
    killWorker: () => (last = last.then(end).then(start)),
    async stop() {
      await last;
      await end();
      await drop();
    },
  };
}
