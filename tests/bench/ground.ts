/** What the gateway benches stand on: stores of their own, a fast upstream, Kong nodes, the embedded gateway, a caller. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Redis } from 'ioredis';
import { Agent, request } from 'undici';
import { decisionKey, type DecisionRecord } from '@kontor/kernel/consent-decision';
import { newId } from '@kontor/kernel/ids';
import { embeddedGateway } from '../../scripts/gateway/embedded.js';
import { kongGateway } from '../../scripts/gateway/kong.js';
import { freePort } from '../../scripts/infra/ports.js';
import { elsewhere } from '../../scripts/infra/unprivileged.js';
import { AdminApi } from '../../scripts/platform/admin-api.js';
import { developmentCertificate } from '../../scripts/platform/certificates.js';
import { answersOk, publicUrls, type PlatformContext } from '../../scripts/platform/processes.js';
import { Progress } from '../../scripts/platform/progress.js';
import { ownSandboxApps, seedApps, type SandboxApp } from '../../scripts/platform/sandbox.js';
import { Secrets } from '../../scripts/platform/secrets.js';
import { platformSettings, PORTS, type PortName } from '../../scripts/platform/settings.js';
import { startStores } from '../../scripts/platform/stores.js';
import { Supervisor } from '../../scripts/platform/supervisor.js';
import { scratchDirectory } from '../../scripts/testing/infrastructure.js';
import { PERMISSION, SCOPE, writeState, type Chain } from './gateway-state.js';

export const ROOT = resolve(new URL('../..', import.meta.url).pathname);

/** A gateway that runs, and a token that opens its chains. */
export interface Node {
  url: string;
  token: string;
  /** The processes that serve requests (Kong: workers). */
  workers(): number[];
}

/** The ground of one bench. */
export interface Ground {
  progress: Progress;
  redis: Redis;
  /** The account the consent covers. */
  account: string;
  /** A Kong node; all share a database, Redis and consumers. */
  kong(chains: Chain[]): Promise<Node>;
  embedded(chains: Chain[]): Promise<Node>;
  stop(): Promise<void>;
}

const CONSENT = newId();

/** Starts stores and upstream; gateways when asked for. */
async function prepareGround(): Promise<Ground> {
  const home = scratchDirectory();
  const progress = new Progress({ started: Date.now() });
  const supervisors: Supervisor[] = [];
  const supervised = (): Supervisor => {
    const folder = join(home, `node-${supervisors.length}`);
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    supervisors.unshift(new Supervisor(folder, () => undefined));
    return supervisors[0]!;
  };
  const stop = async (): Promise<void> => {
    for (const supervisor of supervisors) await supervisor.stop();
    progress.end();
    // As root, data of servers that refuse root stand elsewhere.
    for (const folder of [home, ...supervisors.map((_, i) => join(home, `node-${i}`))]) rmSync(elsewhere(join(folder, 'data')), { recursive: true, force: true });
    rmSync(home, { recursive: true, force: true });
  };
  try {
    const base = supervised();
    // No broker is needed: an address keeps the stores from starting one.
    const settings = platformSettings(ROOT, { ...process.env, ...await freePorts(), KONTOR_HOME: home, AMQP_URL: 'amqp://127.0.0.1:1' });
    const secrets = new Secrets(home);
    const stores = await progress.step('stores', () => startStores({ settings, secrets, supervisor: base, progress, further: ['kong'] }), () => 'stores are up');
    const context: PlatformContext = { settings, secrets, stores, tls: await developmentCertificate(home) };
    const upstream = await startUpstream(base, home);
    const redis = new Redis(stores.redisUrl);
    const account = newId();
    const apps = ownSandboxApps(secrets, home);
    await redis.set(decisionKey(CONSENT), JSON.stringify(recordFor(apps.fintech, account)), 'EX', 3600);

    const node = async (start: (own: PlatformContext, file: string, supervisor: Supervisor) => Promise<void>, chains: Chain[]): Promise<Node> => {
      const supervisor = supervised();
      const own = await ownContext(context, join(home, `node-${supervisors.length - 1}`));
      await start(own, writeState(ROOT, own.settings.home, upstream, chains), supervisor);
      const urls = publicUrls(own.settings);
      await seedApps(new AdminApi(urls.admin), apps);
      const token = await consentToken({ gateway: urls.gateway, authority: context.tls.authority, provisionKey: secrets.get('oauth2ProvisionKey'), client: apps.fintech });
      return { url: urls.gatewayHttp.replace('localhost', '127.0.0.1'), token, workers: () => childrenOf(supervisor.pid('gateway') ?? 0) };
    };
    return {
      progress, redis, account,
      kong: (chains) => node(async (own, file, supervisor) => (await kongGateway(own, progress.say, [file])).start(supervisor), chains),
      embedded: (chains) => node((own, file, supervisor) => embeddedGateway(own, [file]).start(supervisor), chains),
      async stop() {
        redis.disconnect();
        await stop();
      },
    };
  } catch (fault) {
    await stop();
    throw fault;
  }
}

async function freePorts(): Promise<Record<string, string>> {
  const ports: Record<string, string> = {};
  for (const name of Object.keys(PORTS)) ports[`${name}_PORT`] = String(await freePort());
  return ports;
}

/** The same stores and secrets, ports and a folder of its own. */
async function ownContext(context: PlatformContext, home: string): Promise<PlatformContext> {
  const ports = { ...context.settings.ports } as Record<PortName, number>;
  for (const name of ['GATEWAY_HTTP', 'GATEWAY_HTTPS', 'GATEWAY_ADMIN', 'GATEWAY_STATUS'] as const) ports[name] = await freePort();
  mkdirSync(join(home, 'data'), { recursive: true, mode: 0o755 });
  return { ...context, settings: { ...context.settings, home, ports } };
}

function recordFor(client: SandboxApp, account: string): DecisionRecord {
  return {
    version: 1, status: 'authorised', clientId: client.clientId, customerId: newId(), permissions: [PERMISSION], accounts: [account],
    expiresAt: Math.floor(Date.now() / 1000) + 3600,
  };
}

/** Prepares the ground, measures on it, and clears it away, also when somebody ends the bench. */
export async function onGround(measure: (ground: Ground) => Promise<void>): Promise<void> {
  const ground = await prepareGround();
  const end = (): void => void ground.stop().then(() => process.exit(130));
  process.once('SIGINT', end);
  try {
    await measure(ground);
  } finally {
    process.off('SIGINT', end);
    await ground.stop();
  }
}

/** nginx where it is there, else a few lines of Node: what stands behind the gateway must not be what is measured. */
async function startUpstream(supervisor: Supervisor, home: string): Promise<string> {
  const port = await freePort();
  const nginx = '/usr/local/openresty/nginx/sbin/nginx';
  const folder = join(home, 'upstream');
  mkdirSync(join(folder, 'logs'), { recursive: true });
  let command = { command: process.execPath, args: ['-e', `require('http').createServer((q,s)=>{s.setHeader('content-type','application/json');s.end('{"data":[]}')}).listen(${port},'127.0.0.1')`] };
  if (existsSync(nginx)) {
    writeFileSync(join(folder, 'nginx.conf'), `daemon off; worker_processes 1; error_log stderr error; pid nginx.pid; events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000000; server { listen 127.0.0.1:${port}; location / { default_type application/json; return 200 '{"data":[]}'; } } }\n`);
    command = { command: nginx, args: ['-p', folder, '-c', join(folder, 'nginx.conf')] };
  }
  const url = `http://127.0.0.1:${port}`;
  await supervisor.start({ name: 'upstream', ...command, env: {}, cwd: folder, port, stopSignal: 'SIGTERM', ready: () => answersOk(url) });
  return url;
}

interface TokenRequest { gateway: string; authority: string; provisionKey: string; client: SandboxApp }

/** A token on the consent, as the consent service and the client get it: authorize with the provision key, then PKCE. */
async function consentToken({ gateway, authority, provisionKey, client }: TokenRequest): Promise<string> {
  const dispatcher = new Agent({ connect: { ca: readFileSync(authority) } });
  const verifier = 'v'.repeat(64);
  const ask = async (path: string, form: Record<string, string>): Promise<Record<string, string>> => {
    for (let attempt = 1; ; attempt++) {
      const answer = await request(`${gateway}${path}`, { method: 'POST', dispatcher, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(form).toString() });
      const text = await answer.body.text();
      const told = answer.statusCode === 200 ? JSON.parse(text) as Record<string, string> : {};
      if (told.redirect_uri !== undefined || told.access_token !== undefined) return told;
      // Routes, then their plugins, and consumers reach Kong's proxy with its next look at the database: until then the upstream answers.
      if (attempt === 40) throw new Error(`${path} answered ${answer.statusCode}: ${text.slice(0, 200)}`);
      await new Promise((done) => setTimeout(done, 250));
    }
  };
  const { redirect_uri } = await ask('/oauth2/authorize', {
    response_type: 'code', client_id: client.clientId, redirect_uri: client.redirectUri, provision_key: provisionKey, scope: SCOPE, authenticated_userid: CONSENT,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
  });
  const code = new URL(redirect_uri!).searchParams.get('code')!;
  const { access_token } = await ask('/oauth2/token', {
    grant_type: 'authorization_code', client_id: client.clientId, client_secret: client.clientSecret, code, code_verifier: verifier, redirect_uri: client.redirectUri,
  });
  await dispatcher.close();
  return access_token!;
}

/** Worker processes of nginx; none for a program of one process. */
function childrenOf(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number) : [];
}
