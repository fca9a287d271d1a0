/** Payment service, account service, rail adapter and simulated rail as processes of the built bundles, with accounts that can pay. */
import { PassThrough } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'undici';
import { EVENT_TYPES } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { createLogger } from '@kontor/kernel/logger';
import { connectBroker, type Broker } from '@kontor/kernel/messaging';
import { gatewayToken } from '@kontor/testing/gateway-token';
import { scratchDirectory } from '../../scripts/testing/infrastructure.js';
import { startLoad } from '../faults/payments/load.js';
import { startSmallPlatform, type SmallPlatform } from '../faults/payments/platform.js';

/** Below FRAUD_FREE_BELOW, so that no payment is assessed and none is held for a review. */
const AMOUNT = { amount: '1.00', currency: 'EUR' };
const CREDITOR = { name: 'Green Grocer', iban: 'DE89370400440532013000' };
const CLIENT = 'bench';
const FINAL = ['ACSC', 'ACCC', 'RJCT', 'CANC'];

export interface Bank {
  platform: SmallPlatform;
  /** Authorises so many payments, straight in the database: giving consent is not what is measured. */
  authorise(count: number): Promise<void>;
  /** Orders one. @returns its id. @throws Error when it was not answered 201 */
  pay(): Promise<string>;
  /** Payments that have not ended. */
  open(): Promise<number>;
  /** Waits until every payment has ended and everything was told. @throws Error when that takes longer */
  rest(withinMs: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startBank(): Promise<Bank> {
  const platform = await startSmallPlatform(scratchDirectory(), { usual: true });
  let client: Pool | undefined;
  let listener: Broker | undefined;
  const stop = async (): Promise<void> => {
    await client?.destroy();
    await listener?.close();
    await platform.stop();
  };
  try {
    const broker = await connectBroker(platform.amqpUrl, { name: 'bench', logger: createLogger('bench', 'error', new PassThrough().resume()) });
    listener = broker;
    // As the audit trail and the webhooks do: what nobody hears is not confirmed, and told again and again.
    await broker.subscribe({ queue: 'witness', types: EVENT_TYPES, prefetch: 500, handler: () => Promise.resolve() });
    const { book } = await startLoad(platform, broker, 1);
    const payers = book.accounts.filter(({ poor }) => !poor);
    const minor = async (): Promise<number> => Number((await platform.query<{ n: string }>('account', `select count(*) as n from ledger_transactions where type = 'incoming-payment'`))[0]?.n);
    for (const giveUpAt = Date.now() + 60_000; await minor() < payers.length; await pause(200)) if (Date.now() > giveUpAt) throw new Error('the accounts were not funded within 60 s');
    const owners = new Map(payers.map((account) => [account.accountId, account.customerId]));
    client = new Pool(platform.urls.payment, { connections: 64, headersTimeout: 30_000 });
    const http = client;
    const ready: { consentId: string; accountId: string }[] = [];
    const count = async (sql: string, name: 'payment' | 'account', values: unknown[] = []): Promise<number> => (await platform.query<{ n: number }>(name, sql, values))[0]?.n ?? 0;
    const open = (): Promise<number> => count('select count(*)::int as n from payments where status <> all ($1)', 'payment', [FINAL]);
    return {
      platform, open, stop,
      async authorise(wanted) {
        const rows = await platform.query<{ consent_id: string; account: string }>('payment',
          `insert into authorised_consents (consent_id, kind, client_id, customer_id, debtor_account_ids, amount_minor, currency, creditor_name, creditor_iban)
           select gen_random_uuid(), 'payment', $1, ($3::uuid[])[at], array[($2::uuid[])[at]], 100, 'EUR', $4, $5
           from (select 1 + n % cardinality($2::uuid[]) as at from generate_series(1, $6::int) n) each returning consent_id, debtor_account_ids[1] as account`,
          [CLIENT, [...owners.keys()], [...owners.values()], CREDITOR.name, CREDITOR.iban, wanted]);
        ready.push(...rows.map(({ consent_id: consentId, account: accountId }) => ({ consentId, accountId })));
      },
      async pay() {
        const next = ready.pop();
        if (!next) throw new Error('no consent is left');
        const { consentId, accountId } = next;
        const consent = { id: consentId, version: 2, permissions: ['payments:initiate'], accounts: [accountId], customerId: owners.get(accountId)! };
        const { statusCode, body } = await http.request({
          path: '/v1/payments', method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': newId(), 'x-gateway-token': gatewayToken({ aud: 'payment', op: 'initiatePayment', sub: CLIENT, scopes: ['payments'], roles: ['pisp'], consent }) },
          body: JSON.stringify({ debtorAccountId: accountId, amount: AMOUNT, creditor: CREDITOR, endToEndId: newId().replaceAll('-', '') }),
        });
        const text = await body.text();
        if (statusCode !== 201) throw new Error(`an order was answered ${statusCode}: ${text.slice(0, 300)}`);
        return (JSON.parse(text) as { paymentId: string }).paymentId;
      },
      async rest(withinMs) {
        const unpublished = 'select count(*)::int as n from outbox where published_at is null';
        const moving = async (): Promise<number> => await open() + await count(unpublished, 'payment') + await count(unpublished, 'account')
          + await count(`select count(*)::int as n from holds where state in ('reserved', 'settling')`, 'account');
        let left = 0;
        for (const giveUpAt = Date.now() + withinMs; (left = await moving()) > 0; await pause(200)) if (Date.now() > giveUpAt) throw new Error(`not at rest within ${withinMs / 1000} s: ${left} things still move`);
      },
    };
  } catch (fault) {
    await stop();
    throw fault;
  }
}
