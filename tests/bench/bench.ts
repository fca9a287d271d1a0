/**
 * `npm run bench`: ratios of speed, from one interleaved run (this, that, this, that …), because only ratios within a run
 * say anything on a machine that others use too. Rates are of this machine and this moment.
 */
import { createPrivateKey } from 'node:crypto';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { parse, stringify } from 'yaml';
import { gatewayToken, type TestKeys } from '@kontor/testing/gateway-token';
import { embeddedGateway } from '../../scripts/gateway/embedded.js';
import { freePort } from '../../scripts/infra/ports.js';
import { AdminApi } from '../../scripts/platform/admin-api.js';
import { developmentCertificate } from '../../scripts/platform/certificates.js';
import { answersOk, publicUrls, type PlatformContext } from '../../scripts/platform/processes.js';
import { Progress } from '../../scripts/platform/progress.js';
import { ownSandboxApps, seedApps } from '../../scripts/platform/sandbox.js';
import { Secrets } from '../../scripts/platform/secrets.js';
import { platformSettings, PORTS } from '../../scripts/platform/settings.js';
import { startStores } from '../../scripts/platform/stores.js';
import { Supervisor } from '../../scripts/platform/supervisor.js';
import { scratchDirectory } from '../../scripts/testing/infrastructure.js';
import { CONNECTIONS, interleaved, overConnections, overHttp, printRates, ratio, type Measurement, type Rates } from './load.js';
import { ordersOf } from './payment-orders.js';

const ROOT = resolve(new URL('../..', import.meta.url).pathname);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 9);
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 2);

interface Bench {
  context: PlatformContext;
  pool: pg.Pool;
  clientId: string;
  accessToken: string;
  paymentId: string;
}

/**
 * The state of production without its rate limits, which would be all that is measured, without access records, whose reader
 * does not run here, and over plain HTTP, so that encryption is not compared with none.
 */
function stateWithoutLimits(home: string): string[] {
  const folder = join(home, 'deck');
  cpSync(join(ROOT, 'deck'), folder, { recursive: true });
  return ['kong.yaml', 'policies.yaml'].map((name) => {
    const file = join(folder, name);
    const state = parse(readFileSync(file, 'utf8')) as { plugins?: { name: string }[]; services?: { routes?: { protocols?: string[]; plugins?: { name: string }[] }[] }[] };
    const kept = (plugins: { name: string }[] = []): { name: string }[] => plugins.filter((plugin) => plugin.name !== 'rate-limiting' && plugin.name !== 'http-log');
    if (state.plugins) state.plugins = kept(state.plugins);
    for (const route of state.services?.flatMap((service) => service.routes ?? []) ?? []) Object.assign(route, { plugins: kept(route.plugins), protocols: ['http', 'https'] });
    writeFileSync(file, stringify(state));
    return file;
  });
}

async function setUp(home: string, supervisor: Supervisor, progress: Progress): Promise<Bench> {
  const ports: Record<string, string> = {};
  for (const name of Object.keys(PORTS)) ports[`${name}_PORT`] = String(await freePort());
  const settings = platformSettings(ROOT, { ...process.env, ...ports, KONTOR_HOME: home });
  const secrets = new Secrets(home);
  const stores = await progress.step('stores', () => startStores({ settings, secrets, supervisor, progress }), () => 'stores are up');
  const context: PlatformContext = { settings, secrets, stores, tls: await developmentCertificate(home) };
  await progress.step('gateway', () => embeddedGateway(context, stateWithoutLimits(home)).start(supervisor), () => 'the embedded gateway is up');
  await progress.step('service', () => supervisor.start(paymentService(context)), () => 'the payment service is up');
  const apps = ownSandboxApps(secrets, home);
  const { fintech } = apps;
  await seedApps(new AdminApi(publicUrls(settings).admin), apps);
  const pool = new pg.Pool({ connectionString: stores.databases['payment'], max: CONNECTIONS });
  const bench = { context, pool, clientId: fintech.clientId, accessToken: await accessToken(context, fintech), paymentId: '' };
  const orders = await progress.step('consents', () => ordersOf(pool, fintech.clientId, 10), () => 'a first payment to read');
  return { ...bench, paymentId: await orders.inSql(pool) };
}

function paymentService({ settings, secrets, stores }: PlatformContext) {
  const port = settings.ports.PAYMENT;
  return {
    name: 'payment', cwd: ROOT, port, command: process.execPath, args: ['--import', 'tsx', join(ROOT, 'tests/bench/payment-service.ts')], stopSignal: 'SIGTERM' as const,
    env: { NODE_ENV: 'production', PORT: String(port), DATABASE_URL: stores.databases['payment']!, GATEWAY_TOKEN_PUBLIC_KEY: secrets.gatewayTokenKeys().publicKey, LOG_LEVEL: 'warn' },
    ready: () => answersOk(`http://127.0.0.1:${port}/livez`),
  };
}

async function accessToken({ settings, tls }: PlatformContext, client: { clientId: string; clientSecret: string }): Promise<string> {
  const { Agent, request } = await import('undici');
  const { body } = await request(`${publicUrls(settings).gateway}/oauth2/token`, {
    method: 'POST', dispatcher: new Agent({ connect: { ca: readFileSync(tls.authority) } }),
    headers: { authorization: `Basic ${Buffer.from(`${client.clientId}:${client.clientSecret}`).toString('base64')}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=client_credentials&scope=payments',
  });
  return ((await body.json()) as { access_token: string }).access_token;
}

const keysOf = (keys: { publicKey: string; privateKey: string }): TestKeys =>
  ({ publicKey: keys.publicKey, privateKeyBase64: keys.privateKey, privateKey: createPrivateKey(Buffer.from(keys.privateKey, 'base64')) });

/** A gateway token as the gateway makes it. */
const tokenToRead = ({ context, clientId }: Bench): string =>
  gatewayToken({ aud: 'payment', op: 'getPayment', sub: clientId, scopes: ['payments'], roles: ['pisp'], keys: keysOf(context.secrets.gatewayTokenKeys()) });

const MEASUREMENTS: Record<string, (bench: Bench, seconds: number) => Promise<number>> = {
  'read through the gateway': ({ context, accessToken: token, paymentId }, seconds) =>
    overHttp({ url: `http://127.0.0.1:${context.settings.ports.GATEWAY_HTTP}/v1/payments/${paymentId}`, headers: { authorization: `Bearer ${token}` } }, seconds),
  'read at the service': (bench, seconds) =>
    overHttp({ url: `http://127.0.0.1:${bench.context.settings.ports.PAYMENT}/v1/payments/${bench.paymentId}`, headers: { 'x-gateway-token': tokenToRead(bench) } }, seconds),
  'raw SELECT of the payment': ({ pool, paymentId }, seconds) => overConnections(pool, (p) => p.query('select * from payments where payment_id = $1', [paymentId]), seconds),
};

const RATIOS: [string, string, string][] = [
  ['gateway / direct service', 'read through the gateway', 'read at the service'],
  ['read / raw SELECT', 'read at the service', 'raw SELECT of the payment'],
];

function report(rates: Rates): void {
  printRates(rates, { rounds: ROUNDS, seconds: SECONDS });
  console.log('\nratios, round by round\n');
  for (const [name, over, under] of RATIOS) console.log(`  ${name.padEnd(44)} ${ratio(rates, over, under).text}`);
}

async function main(): Promise<void> {
  const home = scratchDirectory();
  const progress = new Progress({ started: Date.now() });
  const supervisor = new Supervisor(home, progress.say);
  const end = async (): Promise<void> => {
    await supervisor.stop();
    progress.end();
    rmSync(home, { recursive: true, force: true });
  };
  process.once('SIGINT', () => void end().then(() => process.exit(130)));
  try {
    const bench = await setUp(home, supervisor, progress);
    const measurements = Object.fromEntries(Object.entries(MEASUREMENTS).map(([name, run]): [string, Measurement] => [name, (seconds) => run(bench, seconds)]));
    const rates = await interleaved(measurements, { rounds: ROUNDS, seconds: SECONDS, say: progress.say });
    await bench.pool.end();
    report(rates);
  } finally {
    await end();
  }
}

await main().catch((error: Error) => {
  console.error(`The bench could not run: ${error.message}`);
  process.exitCode = 1;
});
