/**
 * `npm run bench`: ratios of speed, from one interleaved run (this, that, this, that …), because only ratios within a run
 * say anything on a machine that others use too. Rates are of this machine and this moment.
 */
import { createPrivateKey, createSign, randomUUID } from 'node:crypto';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { parse, stringify } from 'yaml';
import { newEvent } from '@kontor/kernel/events';
import { requestHash } from '@kontor/kernel/idempotency';
import { newId } from '@kontor/kernel/ids';
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
import { CONNECTIONS, median, overConnections, overHttp } from './load.js';

const ROOT = resolve(new URL('../..', import.meta.url).pathname);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 9);
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 2);
const CUSTOMER = newId();
const ACCOUNT = newId();
const CREDITOR = { name: 'Green Grocer', iban: 'DE89370400440532013000' };
const AMOUNT = { amount: '12.50', currency: 'EUR' };
/** More than a round can use. */
const CONSENTS_A_ROUND = 9_000 * SECONDS;

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
  await progress.step('consents', () => moreConsents(pool, fintech.clientId, 10), () => 'a first payment to read');
  const first = await initiateInSql(bench)(pool);
  return { ...bench, paymentId: first };
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

/** Ids of authorised consents, each given out once. */
const ready: string[] = [];

function nextConsent(): string {
  const id = ready.pop();
  if (!id) throw new Error('the consents of this round are used up: raise CONSENTS_A_ROUND');
  return id;
}

async function moreConsents(pool: pg.Pool, clientId: string, count: number): Promise<void> {
  const { rows } = await pool.query<{ consent_id: string }>(
    `insert into authorised_consents (consent_id, kind, client_id, customer_id, debtor_account_ids, amount_minor, currency, creditor_name, creditor_iban)
     select gen_random_uuid(), 'payment', $1, $2, array[$3::uuid], 1250, 'EUR', $4, $5 from generate_series(1, $6) returning consent_id`,
    [clientId, CUSTOMER, ACCOUNT, CREDITOR.name, CREDITOR.iban, count]);
  ready.length = 0;
  ready.push(...rows.map((row) => row.consent_id));
}

/** One call of the SQL function with what the service would give it. @returns the payment's id */
function initiateInSql({ clientId }: Bench) {
  return async (pool: pg.Pool): Promise<string> => {
    const paymentId = newId();
    const consentId = nextConsent();
    const createdAt = new Date().toISOString();
    const fields = { paymentId, clientId, customerId: CUSTOMER, consentId, debtorAccountId: ACCOUNT };
    const envelope = { subject: paymentId, source: 'payment', customerId: CUSTOMER, context: { correlationId: paymentId, traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', clientId } };
    const uetr = randomUUID();
    const events = [
      newEvent('payment.initiated', { ...envelope, data: { ...fields, amount: AMOUNT, creditor: CREDITOR, endToEndId: 'bench', uetr } }),
      newEvent('payment.status-changed', { ...envelope, data: { paymentId, clientId, customerId: CUSTOMER, status: 'RCVD' } }),
    ];
    const parameters = { ...fields, amountMinor: '1250', currency: 'EUR', creditorName: CREDITOR.name, creditorIban: CREDITOR.iban, endToEndId: 'bench', uetr, createdAt };
    const { rows } = await pool.query<{ outcome: string }>('select * from initiate_payment($1, $2, $3, $4)', [newId(), requestHash(fields), JSON.stringify(parameters), JSON.stringify(events)]);
    if (rows[0]?.outcome !== 'created') throw new Error(`initiate_payment answered ${rows[0]?.outcome}`);
    return paymentId;
  };
}

/** A gateway token as the gateway makes it. */
function gatewayToken({ context, clientId }: Bench, op: string, consentId?: string): string {
  const key = createPrivateKey(Buffer.from(context.secrets.gatewayTokenKeys().privateKey, 'base64'));
  const now = Math.floor(Date.now() / 1000);
  const consent = consentId && { id: consentId, version: 2, permissions: ['payments:initiate'], accounts: [ACCOUNT], customerId: CUSTOMER };
  const claims = { iss: 'kontor-gateway', aud: 'payment', sub: clientId, op, scopes: ['payments'], roles: ['pisp'], iat: now, exp: now + 30, ...(consent ? { consent } : {}) };
  const signed = [{ alg: 'ES256', typ: 'JWT' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${createSign('SHA256').update(signed).sign({ key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

type Measurement = (bench: Bench, seconds: number) => Promise<number>;

const MEASUREMENTS: Record<string, Measurement> = {
  'read through the gateway': ({ context, accessToken: token, paymentId }, seconds) =>
    overHttp({ url: `http://127.0.0.1:${context.settings.ports.GATEWAY_HTTP}/v1/payments/${paymentId}`, headers: { authorization: `Bearer ${token}` } }, seconds),
  'read at the service': (bench, seconds) =>
    overHttp({ url: `http://127.0.0.1:${bench.context.settings.ports.PAYMENT}/v1/payments/${bench.paymentId}`, headers: { 'x-gateway-token': gatewayToken(bench, 'getPayment') } }, seconds),
  'raw SELECT of the payment': ({ pool, paymentId }, seconds) => overConnections(pool, (p) => p.query('select * from payments where payment_id = $1', [paymentId]), seconds),
  'payment POST at the service': async (bench, seconds) => {
    await moreConsents(bench.pool, bench.clientId, CONSENTS_A_ROUND);
    return overHttp({
      url: `http://127.0.0.1:${bench.context.settings.ports.PAYMENT}/v1/payments`, method: 'POST', headers: { 'content-type': 'application/json' },
      next: () => ({
        headers: { 'x-gateway-token': gatewayToken(bench, 'initiatePayment', nextConsent()), 'idempotency-key': newId() },
        body: JSON.stringify({ debtorAccountId: ACCOUNT, amount: AMOUNT, creditor: CREDITOR }),
      }),
    }, seconds);
  },
  'raw SQL function initiate_payment': async (bench, seconds) => {
    await moreConsents(bench.pool, bench.clientId, CONSENTS_A_ROUND);
    return overConnections(bench.pool, initiateInSql(bench), seconds);
  },
};

const RATIOS: [string, keyof typeof MEASUREMENTS, keyof typeof MEASUREMENTS][] = [
  ['gateway / direct service', 'read through the gateway', 'read at the service'],
  ['payment POST / raw SQL function', 'payment POST at the service', 'raw SQL function initiate_payment'],
  ['read / raw SELECT', 'read at the service', 'raw SELECT of the payment'],
];

async function measure(bench: Bench, progress: Progress): Promise<Record<string, number[]>> {
  const rates: Record<string, number[]> = Object.fromEntries(Object.keys(MEASUREMENTS).map((name) => [name, []]));
  for (const run of Object.values(MEASUREMENTS)) await run(bench, Math.min(1, SECONDS)); // warm
  for (let round = 1; round <= ROUNDS; round++) {
    for (const [name, run] of Object.entries(MEASUREMENTS)) rates[name]!.push(await run(bench, SECONDS));
    progress.say(`round ${round} of ${ROUNDS}`);
  }
  return rates;
}

function report(rates: Record<string, number[]>): void {
  console.log(`\n${ROUNDS} interleaved rounds of ${SECONDS} s, ${CONNECTIONS} connections; median (least to most)\n`);
  for (const [name, values] of Object.entries(rates)) console.log(`  ${name.padEnd(36)} ${median(values).toFixed(0).padStart(7)} /s   (${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)})`);
  console.log('\nratios, round by round\n');
  for (const [name, over, under] of RATIOS) {
    const pairs = rates[over]!.map((value, round) => value / rates[under]![round]!);
    console.log(`  ${name.padEnd(36)} ${median(pairs).toFixed(3).padStart(7)}      (${Math.min(...pairs).toFixed(3)} to ${Math.max(...pairs).toFixed(3)})`);
  }
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
    const rates = await measure(bench, progress);
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
