/**
 * `npm run bench -- payments`: what ordering a payment, booking on a hot account and reading a balance cost beside the bare work of the
 * database, in one interleaved run; then how long payments take from the order to settlement at 100 a second (settling.ts).
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { testKeys } from '@kontor/testing/gateway-token';
import { freePort } from '../../scripts/infra/ports.js';
import { postgresql } from '../../scripts/infra/postgresql.js';
import { elsewhere } from '../../scripts/infra/unprivileged.js';
import { ownDatabases } from '../../scripts/platform/databases.js';
import { answersOk } from '../../scripts/platform/processes.js';
import { Progress } from '../../scripts/platform/progress.js';
import { password } from '../../scripts/platform/secrets.js';
import { Supervisor } from '../../scripts/platform/supervisor.js';
import { scratchDirectory } from '../../scripts/testing/infrastructure.js';
import { AT_ONCE, benchAccounts, type BenchAccounts } from './accounts.js';
import { CONNECTIONS, interleaved, overConnections, overHttp, printRates, ratio, type Measurement, type Rates } from './load.js';
import { ormPayments, type OrmPayments } from './orm-payment.js';
import { ordersOf, type Orders } from './payment-orders.js';
import { settle } from './settling.js';
import { printTargets, type Target } from './targets.js';

const ROOT = resolve(new URL('../..', import.meta.url).pathname);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 9);
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 2);
const CLIENT = 'bench';
/** More than a round can use. */
const CONSENTS_A_ROUND = Math.ceil(9_000 * SECONDS);
/** About as many as a round can use. */
const SIGNED_A_ROUND = Math.ceil(2_000 * SECONDS);

const POST = 'payment POST at the service';
const FUNCTION = 'raw SQL function initiate_payment';
const ORM = 'the same rows in an ORM transaction';
const BALANCE = 'balance at the service';
const SELECT = 'prepared SELECT of the balance by key';
const [PAYING_HOT, PAYING] = ['payments of one account', 'payments of 200 accounts'];
const [PAID_HOT, PAID] = ['transfers to one account', 'transfers to 200 accounts'];

const RATIOS: { what: string; over: string; under: string; least: number }[] = [
  { what: 'payment POST / SQL function', over: POST, under: FUNCTION, least: 0.35 },
  { what: 'payment POST / ORM transaction', over: POST, under: ORM, least: 4 },
  { what: 'one account pays / uncontended', over: PAYING_HOT, under: PAYING, least: 0.4 },
  { what: 'one account is paid / uncontended', over: PAID_HOT, under: PAID, least: 0.4 },
  { what: 'balance read / prepared SELECT', over: BALANCE, under: SELECT, least: 0.35 },
];

/** What the measurements stand on. */
interface Ground { pools: Record<'payment' | 'account', pg.Pool>; urls: Record<'payment' | 'account', string>; orders: Orders; orm: OrmPayments; accounts: BenchAccounts }

async function prepare(home: string, supervisor: Supervisor, progress: Progress): Promise<Ground> {
  const data = join(home, 'data');
  mkdirSync(data, { recursive: true, mode: 0o755 });
  const store = await postgresql({ directory: data, port: await freePort(), password: password(), tell: progress.say });
  await supervisor.start(store.plan);
  const databases = await ownDatabases(store.url, (['payment', 'account'] as const).map((name) => ({ name, password: password() })));
  const urls = { payment: '', account: '' };
  for (const name of ['payment', 'account'] as const) {
    const port = await freePort();
    urls[name] = `http://127.0.0.1:${port}`;
    await supervisor.start({
      name, cwd: ROOT, port, command: process.execPath, args: ['--import', 'tsx', join(ROOT, `tests/bench/${name}-service.ts`)], stopSignal: 'SIGTERM',
      env: { NODE_ENV: 'production', PORT: String(port), DATABASE_URL: databases[name]!, GATEWAY_TOKEN_PUBLIC_KEY: testKeys.publicKey, LOG_LEVEL: 'warn', ACCOUNT_BALANCES_KEY: password() },
      ready: () => answersOk(`${urls[name]}/livez`),
    });
  }
  const pool = (name: 'payment' | 'account'): pg.Pool => new pg.Pool({ connectionString: databases[name], max: CONNECTIONS });
  const pools = { payment: pool('payment'), account: pool('account') };
  return { pools, urls, orders: await ordersOf(pools.payment, CLIENT, 1), orm: ormPayments(databases.payment!), accounts: await benchAccounts(databases.account!) };
}

function measurements({ pools, urls, orders, orm, accounts }: Ground): Record<string, Measurement> {
  const withConsents = (run: Measurement): Measurement => async (seconds) => {
    await orders.more(CONSENTS_A_ROUND);
    return run(seconds);
  };
  return {
    [POST]: withConsents((seconds) => {
      orders.sign(SIGNED_A_ROUND);
      return overHttp({ url: `${urls.payment}/v1/payments`, method: 'POST', headers: { 'content-type': 'application/json' }, next: () => orders.request() }, seconds);
    }),
    [FUNCTION]: withConsents((seconds) => overConnections(pools.payment, (pool) => orders.inSql(pool), seconds)),
    [ORM]: withConsents((seconds) => overConnections(pools.payment, () => orm.initiate(orders.next()), seconds)),
    [BALANCE]: (seconds) => overHttp(accounts.balanceRequest(urls.account), seconds),
    [SELECT]: (seconds) => overConnections(pools.account, (pool) => accounts.selectBalance(pool), seconds),
    [PAYING_HOT]: (seconds) => accounts.paying('hot', seconds),
    [PAYING]: (seconds) => accounts.paying('spread', seconds),
    [PAID_HOT]: (seconds) => accounts.paid('hot', seconds),
    [PAID]: (seconds) => accounts.paid('spread', seconds),
  };
}

async function measureRatios(progress: Progress): Promise<Rates> {
  const home = scratchDirectory();
  const supervisor = new Supervisor(home, progress.say);
  const end = async (): Promise<void> => {
    await supervisor.stop();
    rmSync(elsewhere(join(home, 'data')), { recursive: true, force: true });
    rmSync(home, { recursive: true, force: true });
  };
  const interrupted = (): void => void end().then(() => process.exit(130));
  process.once('SIGINT', interrupted);
  try {
    const ground = await progress.step('ground', () => prepare(home, supervisor, progress), () => 'payment and account services are up');
    const rates = await interleaved(measurements(ground), { rounds: ROUNDS, seconds: SECONDS, say: progress.say });
    await ground.accounts.stop();
    await ground.orm.close();
    for (const pool of Object.values(ground.pools)) await pool.end();
    return rates;
  } finally {
    process.off('SIGINT', interrupted);
    await end();
  }
}

async function main(): Promise<boolean> {
  const progress = new Progress({ started: Date.now() });
  const rates = await measureRatios(progress);
  printRates(rates, { rounds: ROUNDS, seconds: SECONDS });
  console.log(`\n  Accounts: ${AT_ONCE} events at a time through the service's own delivery. Payments there are two events each: held, then settled.
  Payments: as the service runs without settings of its own. Duplicates are looked for; no daily limits are set, and below 30 EUR no payment is
  assessed (FRAUD_FREE_BELOW). The ORM's transaction looks for no duplicates. Nothing was switched off.`);
  const targets = RATIOS.map(({ what, over, under, least }): Target => {
    const found = ratio(rates, over, under);
    return { what, met: found.median >= least, numbers: `${found.text}, at least ${least}` };
  });
  const ratios = printTargets(targets);
  const settled = await settle({ perSecond: 100, seconds: Math.max(5, SECONDS * 15), progress });
  progress.end();
  return printTargets([settled]) && ratios;
}

await main().then((met) => process.exit(met ? 0 : 1), (fault: Error) => {
  console.error(`The bench could not run: ${fault.stack ?? fault.message}`);
  process.exit(1);
});
