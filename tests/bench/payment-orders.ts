/** Orders of payments as the benches give them: each under a consent of its own, of one of many debtor accounts, with an end-to-end id of its own. */
import { createHash, randomUUID } from 'node:crypto';
import type pg from 'pg';
import { newEvent, type Event } from '@kontor/kernel/events';
import { requestHash } from '@kontor/kernel/idempotency';
import { newId } from '@kontor/kernel/ids';
import { gatewayToken } from '@kontor/testing/gateway-token';

const CUSTOMER = newId();
export const CREDITOR = { name: 'Green Grocer', iban: 'DE89370400440532013000' };
/** Below FRAUD_FREE_BELOW, so that no payment is assessed and none is held for a review. */
export const AMOUNT = { amount: '12.50', currency: 'EUR' };
export const AMOUNT_MINOR = 1250;
const ACCOUNTS = Array.from({ length: 1_000 }, () => newId());
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
/** As PAYMENT_DUPLICATE_MINUTES unless it is set. */
const DUPLICATE_MINUTES = 10;

/** One order: the facts from which the service, the SQL function and the ORM make the same rows. */
export interface BenchOrder {
  key: string;
  paymentId: string;
  clientId: string;
  customerId: string;
  consentId: string;
  debtorAccountId: string;
  endToEndId: string;
  uetr: string;
  createdAt: string;
  fingerprint: Buffer;
  hash: Buffer;
  events: Event[];
}

export interface Orders {
  /** Authorises so many more; those that are left lapse. */
  more(count: number): Promise<void>;
  /** Makes so many requests ready, so that signing their tokens (the gateway's work) is not measured. They are good for half a minute. */
  sign(count: number): void;
  /** What a POST carries. */
  request(): Request;
  /** The next order with its events. */
  next(): BenchOrder;
  /** One call of initiate_payment with what the service would give it. @returns the payment's id */
  inSql(pool: pg.Pool): Promise<string>;
}

interface Request { headers: Record<string, string>; body: string }
interface Ready { consentId: string; account: string }

/** @param count consents to begin with */
export async function ordersOf(pool: pg.Pool, clientId: string, count: number): Promise<Orders> {
  const ready: Ready[] = [];
  const take = (): Ready => {
    const one = ready.pop();
    if (!one) throw new Error('the consents of this round are used up');
    return one;
  };
  let signed: Request[] = [];
  const orders: Orders = {
    async more(wanted) {
      const { rows } = await pool.query<{ consent_id: string; account: string }>(
        `insert into authorised_consents (consent_id, kind, client_id, customer_id, debtor_account_ids, amount_minor, currency, creditor_name, creditor_iban)
         select gen_random_uuid(), 'payment', $1, $2, array[($3::uuid[])[1 + n % cardinality($3::uuid[])]], $7, 'EUR', $4, $5 from generate_series(1, $6::int) n
         returning consent_id, debtor_account_ids[1] as account`,
        [clientId, CUSTOMER, ACCOUNTS, CREDITOR.name, CREDITOR.iban, wanted, AMOUNT_MINOR]);
      ready.splice(0, ready.length, ...rows.map(({ consent_id: consentId, account }) => ({ consentId, account })));
    },
    sign(wanted) {
      signed = [];
      signed = Array.from({ length: wanted }, () => orders.request());
    },
    request() {
      const before = signed.pop();
      if (before) return before;
      const { consentId, account } = take();
      const consent = { id: consentId, version: 2, permissions: ['payments:initiate'], accounts: [account], customerId: CUSTOMER };
      return {
        headers: { 'x-gateway-token': gatewayToken({ aud: 'payment', op: 'initiatePayment', sub: clientId, scopes: ['payments'], roles: ['pisp'], consent }), 'idempotency-key': newId() },
        body: JSON.stringify({ debtorAccountId: account, amount: AMOUNT, creditor: CREDITOR, endToEndId: newId().replaceAll('-', '') }),
      };
    },
    next() {
      const { consentId, account: debtorAccountId } = take();
      const [paymentId, uetr, key] = [newId(), randomUUID(), newId()];
      const endToEndId = paymentId.replaceAll('-', '');
      const fields = { paymentId, clientId, customerId: CUSTOMER, consentId, debtorAccountId };
      const envelope = { subject: paymentId, source: 'payment', customerId: CUSTOMER, context: { correlationId: paymentId, traceparent: TRACE, clientId } };
      return {
        ...fields, key, uetr, endToEndId, createdAt: new Date().toISOString(), hash: requestHash(fields),
        fingerprint: createHash('sha256').update(JSON.stringify([clientId, debtorAccountId, AMOUNT_MINOR, 'EUR', CREDITOR.iban, endToEndId])).digest(),
        events: [
          newEvent('payment.initiated', { ...envelope, data: { ...fields, amount: AMOUNT, creditor: CREDITOR, endToEndId, uetr } }),
          newEvent('payment.status-changed', { ...envelope, data: { paymentId, clientId, customerId: CUSTOMER, status: 'RCVD' } }),
        ],
      };
    },
    async inSql(on) {
      const { key, hash, events, fingerprint, ...fields } = orders.next();
      const parameters = {
        ...fields, amountMinor: String(AMOUNT_MINOR), currency: 'EUR', creditorName: CREDITOR.name, creditorIban: CREDITOR.iban,
        fingerprint: fingerprint.toString('hex'), checks: { duplicateMinutes: DUPLICATE_MINUTES },
      };
      const { rows } = await on.query<{ outcome: string }>('select * from initiate_payment($1, $2, $3, $4)', [key, hash, JSON.stringify(parameters), JSON.stringify(events)]);
      if (rows[0]?.outcome !== 'created') throw new Error(`initiate_payment answered ${rows[0]?.outcome}`);
      return fields.paymentId;
    },
  };
  await orders.more(count);
  return orders;
}
