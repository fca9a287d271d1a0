/** Accounts with money, and the events of payments about them, given to the account service as its queue gives them. */
import type pg from 'pg';
import { newEvent, type Event, type EventData, type EventType } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { startService } from '@kontor/kernel/service';
import { gatewayToken, testKeys } from '@kontor/testing/gateway-token';
import { options } from '../../services/account/src/main.js';
import { ledgerFixture } from '../../services/account/test/ledger-fixture.js';
import { atOnce, type RequestPlan } from './load.js';

/** As many events as a queue hands out before any is done (prefetch). */
export const AT_ONCE = 16;
const ACCOUNTS = 200;
const CONTEXT = { correlationId: 'bench', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', clientId: 'bench' };
const PARTY = { name: 'Green Grocer', iban: 'DE89370400440532013000' };
const AMOUNT = { amount: '0.01', currency: 'EUR' };
const PLENTY = { minor: 100_000_000n, currency: 'EUR' };

/** `hot`: all on one account; `spread`: over 200. */
export type Spread = 'hot' | 'spread';

export interface BenchAccounts {
  balanceRequest(service: string): RequestPlan;
  selectBalance(pool: pg.Pool): Promise<unknown>;
  /** Payments held and settled a second. */
  paying(spread: Spread, seconds: number): Promise<number>;
  /** Transfers of the rail booked a second. */
  paid(spread: Spread, seconds: number): Promise<number>;
  /** @throws Error when the ledger has breaks: then nothing was measured */
  stop(): Promise<void>;
}

/** The service runs in this process, without a broker and without a relay; its own look at the ledger is that of the other process. */
export async function benchAccounts(databaseUrl: string): Promise<BenchAccounts> {
  const service = await startService(options, {
    PORT: '0', LOG_LEVEL: 'error', DATABASE_URL: databaseUrl, GATEWAY_TOKEN_PUBLIC_KEY: testKeys.publicKey, ACCOUNT_BALANCES_KEY: 'shared-with-the-consent-service', LEDGER_CHECK_EVERY_S: '86400',
  }, { broker: false, relay: false });
  const { accounts, open, credit } = ledgerFixture(service.database!);
  const known: { accountId: string; iban: string }[] = [];
  for (let n = 0; n <= ACCOUNTS; n++) {
    const account = await open();
    await credit(account.iban, PLENTY);
    known.push(account);
  }
  const [hot, ...others] = known as [typeof known[number], ...typeof known];
  let turn = 0;
  const pick = (spread: Spread): typeof hot => spread === 'hot' ? hot : others[turn++ % others.length]!;
  const event = <T extends EventType>(type: T, subject: string, data: EventData<T>): Event<T> => newEvent(type, { subject, data, context: CONTEXT, source: 'bench' });
  let read = 0;
  return {
    balanceRequest: (url) => {
      const { accountId } = hot;
      const consent = { id: newId(), version: 1, permissions: ['balances:read'], accounts: [accountId], customerId: newId() };
      const token = gatewayToken({ aud: 'account', op: 'getBalances', sub: 'bench', scopes: ['accounts'], roles: ['aisp'], consent });
      return { url: `${url}/v1/accounts/${accountId}/balances`, headers: { 'x-gateway-token': token } };
    },
    async selectBalance(pool) {
      const { accountId } = known[read++ % known.length]!;
      const { rowCount } = await pool.query({ name: 'balance', text: 'select booked_minor, held_minor, overdraft_minor from ledger_balances where ledger_account_id = $1 and shard = 0', values: [accountId] });
      if (rowCount !== 1) throw new Error('the balance was not found');
    },
    paying: (spread, seconds) => atOnce(AT_ONCE, async () => {
      const { accountId } = pick(spread);
      const [paymentId, customerId] = [newId(), newId()];
      const payment = { paymentId, clientId: 'bench', customerId, debtorAccountId: accountId, amount: AMOUNT };
      await service.deliver(event('payment.initiated', paymentId, { ...payment, consentId: newId(), creditor: PARTY, endToEndId: paymentId, uetr: newId() }));
      await service.deliver(event('payment.settled', paymentId, payment));
    }, seconds),
    paid: (spread, seconds) => atOnce(AT_ONCE, async () => {
      const railReference = newId();
      await service.deliver(event('rail.credit-transfer-received', railReference,
        { railReference, messageId: railReference, creditorIban: pick(spread).iban, debtor: PARTY, amount: AMOUNT, endToEndId: railReference }));
    }, seconds),
    async stop() {
      const breaks = await accounts.invariantBreaks();
      await service.stop();
      if (breaks.length > 0) throw new Error(`the ledger does not balance: ${JSON.stringify(breaks[0])}`);
    },
  };
}
