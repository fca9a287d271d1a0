/** All SQL of bulks of payments. */
import type { Database, Tx } from '@kontor/kernel/database';
import { newEvent, type Event, type EventContext } from '@kontor/kernel/events';
import { idempotent, type IdempotentAnswer } from '@kontor/kernel/idempotency';
import { appendEvent } from '@kontor/kernel/outbox';
import { groupStatus, type BulkOrder, type Counts, type ItemState, type TransferRefusal } from './bulk.js';
import type { Money } from '@kontor/kernel/money';
import type { Announcement, Payment, Status } from './payment.js';

/** A bulk as it stands. */
export interface Bulk extends Counts {
  bulkPaymentId: string;
  clientId: string;
  customerId: string;
  consentId: string;
  source: 'json' | 'pain.001';
  messageId: string;
  messageCreatedAt?: string;
  controlSum?: string;
  digest: string;
  total: Money;
  createdAt: Date;
  completedAt?: Date;
}

/** One transfer of a bulk, as it stands. */
export interface BulkItem {
  item: number;
  batch: number;
  batchId: string;
  state: ItemState;
  paymentId?: string;
  /** Of its payment. */
  status?: Status;
  statusReason?: string;
  endToEndId: string;
  instructionId?: string;
  uetr?: string;
  amount?: Money;
  creditorName?: string;
  creditorIban?: string;
  remittance?: string;
  refusal?: TransferRefusal;
}

export interface BulkBatch { batch: number; batchId: string; debtorAccountId: string; transactions: number; controlSum?: string; requestedExecutionDate?: string }

/** A transfer whose day has come, with all that its payment needs. */
export interface DueItem {
  bulkPaymentId: string;
  item: number;
  clientId: string;
  customerId: string;
  consentId: string;
  debtorAccountId: string;
  requestedExecutionDate?: string;
  endToEndId: string;
  uetr?: string;
  amount: Money;
  creditor: { name: string; iban: string };
  remittance?: string;
  context: EventContext;
}

/** A bulk that is to be taken. `dueAt` of each batch: when its payments are made. */
export interface NewBulk extends Pick<Bulk, 'bulkPaymentId' | 'clientId' | 'customerId' | 'consentId' | 'source' | 'messageId' | 'messageCreatedAt' | 'controlSum' | 'digest' | 'createdAt'> {
  order: BulkOrder;
  dueAt: readonly Date[];
}

/** Why a bulk was not taken; the words are those of the SQL function take_bulk. */
export type BulkRefusal =
  | 'consent_unknown' | 'consent_revoked' | 'consent_withdrawn' | 'consent_expired' | 'consent_consumed' | 'consent_of_another'
  | 'kind_differs' | 'account_differs' | 'transactions_differ' | 'total_differs' | 'digest_differs' | 'date_differs';

/** Rolls everything back, the idempotency key too. */
export class NotTaken extends Error {
  constructor(readonly outcome: BulkRefusal) {
    super(`the bulk was not taken: ${outcome}`);
    this.name = 'NotTaken';
  }
}

/** What a payment that is released is written with: the seam of single payments. */
export interface PaymentWriting {
  insertAllIn(tx: Tx, started: readonly { payment: Payment; events: Announcement[]; context: EventContext }[]): Promise<void>;
}

export interface BulkRepository {
  /** The account of each IBAN that is an account of this bank. */
  accountsOf(ibans: readonly string[]): Promise<Map<string, string>>;
  /** In which currency a consent is given; undefined before its news has come. */
  currencyOf(consentId: string): Promise<string | undefined>;
  putAccount(tx: Tx, account: { accountId: string; iban: string }): Promise<void>;
  /** All or nothing, once for each Idempotency-Key. @throws NotTaken */
  take<Body>(bulk: NewBulk, request: { key: string | undefined; operation: string; hashed: unknown; context: EventContext; answer: (bulk: Bulk) => Body }): Promise<IdempotentAnswer<Body>>;
  find(bulkPaymentId: string): Promise<Bulk | undefined>;
  batches(bulkPaymentId: string): Promise<BulkBatch[]>;
  /** In the order of the bulk, after `after`. */
  items(bulkPaymentId: string, page: { after: number; limit: number }): Promise<BulkItem[]>;
  /** Cancels what is not released yet. @returns the bulk as it stands then, and how many were cancelled now */
  cancel(bulkPaymentId: string, context: EventContext): Promise<{ bulk: Bulk; cancelled: number } | undefined>;
  /** Makes payments of up to `limit` transfers whose day has come. Several nodes may: each transfer is taken by one (SKIP LOCKED). @returns how many */
  release(limit: number, paymentOf: (item: DueItem) => { payment: Payment; events: Announcement[] }): Promise<number>;
  /** Bulks of which something was still waiting at its time: seconds since. */
  oldestDueSeconds(): Promise<number>;
}

/** Items written with one statement: 10,000 take ten. */
const WRITTEN_AT_ONCE = 1_000;

interface BulkRow {
  bulk_payment_id: string; client_id: string; customer_id: string; consent_id: string; source: Bulk['source']; message_id: string; message_created_at: string | null; control_sum: string | null;
  digest: string; transactions: number; total_minor: string; currency: string; refused: number; cancelled: number; settled: number; rejected: number; open: number;
  created_at: Date; completed_at: Date | null;
}

const bulkOf = (row: BulkRow): Bulk => ({
  bulkPaymentId: row.bulk_payment_id, clientId: row.client_id, customerId: row.customer_id, consentId: row.consent_id, source: row.source, messageId: row.message_id,
  ...(row.message_created_at === null ? {} : { messageCreatedAt: row.message_created_at }), ...(row.control_sum === null ? {} : { controlSum: row.control_sum }),
  digest: row.digest, total: { minor: BigInt(row.total_minor), currency: row.currency },
  transactions: row.transactions, refused: row.refused, cancelled: row.cancelled, settled: row.settled, rejected: row.rejected, open: row.open,
  createdAt: row.created_at, ...(row.completed_at ? { completedAt: row.completed_at } : {}),
});

/** Tells that the last payment of a bulk has ended. */
function completed(bulk: Bulk, context: EventContext): Event {
  const { bulkPaymentId, clientId, customerId, transactions, settled } = bulk;
  return newEvent('bulk-payment.completed', {
    subject: bulkPaymentId, source: 'payment', context: { ...context, clientId }, customerId,
    data: { bulkPaymentId, clientId, customerId, status: groupStatus(bulk) as 'ACSC' | 'PART' | 'RJCT', settled, refused: transactions - settled },
  });
}

/**
 * Counts a payment of a bulk that has just ended, in the transaction of its end. Ends of one bulk wait for each other at its row: one of
 * them, and only one, sees that nothing is open any more, and tells it.
 */
export async function countEnd(database: Database, tx: Tx, payment: Pick<Payment, 'bulkPaymentId' | 'status'>, { context, emit }: { context: EventContext; emit: (event: Event) => Promise<void> }): Promise<void> {
  const settled = payment.status === 'ACSC' || payment.status === 'ACCC' ? 1 : 0;
  const [row] = await database.query<BulkRow>(
    `update bulk_payments set open = open - 1, settled = settled + $2, rejected = rejected + 1 - $2, completed_at = case when open = 1 then clock_timestamp() end
     where bulk_payment_id = $1 returning *`, [payment.bulkPaymentId, settled], tx);
  if (row?.open === 0) await emit(completed(bulkOf(row), context));
}

export function bulkRepository(database: Database, writing: PaymentWriting): BulkRepository {
  const find = async (bulkPaymentId: string, tx?: Tx): Promise<Bulk | undefined> => {
    const [row] = await database.query<BulkRow>('select * from bulk_payments where bulk_payment_id = $1', [bulkPaymentId], tx);
    return row && bulkOf(row);
  };

  const write = async (tx: Tx, { order, dueAt, ...bulk }: NewBulk, context: EventContext): Promise<Bulk> => {
    const { items, batches, total, transactions, refused } = order;
    const [answer] = await database.query<{ outcome: 'taken' | BulkRefusal }>('select take_bulk($1) as outcome', [JSON.stringify({
      ...bulk, transactions, refused, totalMinor: total.minor.toString(), currency: total.currency, context: { correlationId: context.correlationId, traceparent: context.traceparent },
      debtorAccountIds: batches.map(({ debtorAccountId }) => debtorAccountId), executionDates: batches.map(({ requestedExecutionDate }) => requestedExecutionDate ?? null),
    })], tx);
    if (answer?.outcome !== 'taken') throw new NotTaken(answer?.outcome ?? 'consent_unknown');
    await database.query(
      `insert into bulk_batches (bulk_payment_id, batch, batch_id, debtor_account_id, requested_execution_date, transactions, control_sum)
       select $1, n - 1, b->>'batchId', (b->>'debtorAccountId')::uuid, (b->>'requestedExecutionDate')::date, (b->>'transactions')::integer, b->>'controlSum'
       from jsonb_array_elements($2) with ordinality as t(b, n)`, [bulk.bulkPaymentId, JSON.stringify(batches)], tx);
    for (let at = 0; at < items.length; at += WRITTEN_AT_ONCE) {
      const rows = items.slice(at, at + WRITTEN_AT_ONCE).map(({ amount, batch, ...item }) => ({
        ...item, batch, dueAt: dueAt[batch], ...(amount ? { amountMinor: amount.minor.toString(), currency: amount.currency } : {}),
      }));
      await database.query(
        `insert into bulk_items (bulk_payment_id, item, batch, state, due_at, end_to_end_id, instruction_id, uetr, amount_minor, currency, creditor_name, creditor_iban, remittance, refusal)
         select $1, $2 + n, (i->>'batch')::integer, case when i ? 'refusal' then 'refused' else 'waiting' end, (i->>'dueAt')::timestamptz, i->>'endToEndId', i->>'instructionId',
           case when not i ? 'refusal' then (i->>'uetr')::uuid end, (i->>'amountMinor')::bigint, i->>'currency', i->>'creditorName', i->>'creditorIban', i->>'remittance', i->'refusal'
         from jsonb_array_elements($3) with ordinality as t(i, n)`, [bulk.bulkPaymentId, at, JSON.stringify(rows)], tx);
    }
    const { bulkPaymentId, clientId, customerId, consentId } = bulk;
    await appendEvent(database, tx, newEvent('bulk-payment.received', {
      subject: bulkPaymentId, source: 'payment', context: { ...context, clientId }, customerId, data: { bulkPaymentId, clientId, customerId, consentId, transactions, refused },
    }));
    const taken = (await find(bulkPaymentId, tx))!;
    if (taken.open === 0) await appendEvent(database, tx, completed(taken, context));
    return taken;
  };

  return {
    find,
    async accountsOf(ibans) {
      const rows = await database.query<{ iban: string; account_id: string }>('select iban, account_id from account_ibans where iban = any($1)', [ibans]);
      return new Map(rows.map((row) => [row.iban, row.account_id]));
    },
    async currencyOf(consentId) {
      const [row] = await database.query<{ currency: string | null; ended: string | null }>('select currency, ended from authorised_consents where consent_id = $1', [consentId]);
      // Where the end was heard before the beginning there is none, and none is needed.
      return row?.currency ?? (row?.ended ? 'XXX' : undefined);
    },
    async putAccount(tx, { accountId, iban }) {
      await database.query('insert into account_ibans (iban, account_id) values ($1, $2) on conflict (iban) do nothing', [iban, accountId], tx);
    },
    take: (bulk, { key, operation, hashed, context, answer }) =>
      idempotent(database, { key, clientId: bulk.clientId, operation, body: hashed, params: { consentId: bulk.consentId } }, async (tx) => {
        const taken = await write(tx, bulk, context);
        return { status: 201, body: answer(taken), headers: { Location: `/v1/bulk-payments/${taken.bulkPaymentId}` } };
      }),
    async batches(bulkPaymentId) {
      const rows = await database.query<{ batch: number; batch_id: string; debtor_account_id: string; transactions: number; control_sum: string | null; requested_execution_date: string | null }>(
        'select * from bulk_batches where bulk_payment_id = $1 order by batch', [bulkPaymentId]);
      return rows.map((row) => ({
        batch: row.batch, batchId: row.batch_id, debtorAccountId: row.debtor_account_id, transactions: row.transactions,
        ...(row.control_sum === null ? {} : { controlSum: row.control_sum }), ...(row.requested_execution_date === null ? {} : { requestedExecutionDate: row.requested_execution_date }),
      }));
    },
    async items(bulkPaymentId, { after, limit }) {
      const rows = await database.query<ItemRow>(
        `select i.*, b.batch_id, p.status, p.status_reason, p.uetr as payment_uetr from bulk_items i join bulk_batches b using (bulk_payment_id, batch) left join payments p using (payment_id)
         where i.bulk_payment_id = $1 and i.item > $2 order by i.item limit $3`, [bulkPaymentId, after, limit]);
      return rows.map(itemOf);
    },
    cancel: (bulkPaymentId, context) => database.transaction(async (tx) => {
      // What a node is just releasing is waited for, and then is no longer waiting.
      const gone = await database.query(`update bulk_items set state = 'cancelled' where bulk_payment_id = $1 and state = 'waiting' returning item`, [bulkPaymentId], tx);
      if (gone.length === 0) {
        const bulk = await find(bulkPaymentId, tx);
        return bulk && { bulk, cancelled: 0 };
      }
      const [row] = await database.query<BulkRow>(
        `update bulk_payments set open = open - $2, cancelled = cancelled + $2, completed_at = case when open = $2 then clock_timestamp() end where bulk_payment_id = $1 returning *`,
        [bulkPaymentId, gone.length], tx);
      const bulk = bulkOf(row!);
      if (bulk.open === 0) await appendEvent(database, tx, completed(bulk, context));
      return { bulk, cancelled: gone.length };
    }),
    release: (limit, paymentOf) => database.transaction(async (tx) => {
      const rows = await database.query<DueRow>(
        `select i.bulk_payment_id, i.item, k.client_id, k.customer_id, k.consent_id, k.context, b.debtor_account_id, b.requested_execution_date, i.end_to_end_id, i.uetr, i.amount_minor, i.currency,
           i.creditor_name, i.creditor_iban, i.remittance
         from bulk_items i join bulk_batches b using (bulk_payment_id, batch) join bulk_payments k using (bulk_payment_id)
         where i.state = 'waiting' and i.due_at <= clock_timestamp() order by i.due_at, i.bulk_payment_id, i.item limit $1 for update of i skip locked`, [limit], tx);
      if (rows.length === 0) return 0;
      const started = rows.map((row) => ({ ...paymentOf(dueOf(row)), context: row.context }));
      await writing.insertAllIn(tx, started);
      await database.query(
        `update bulk_items i set state = 'released', payment_id = r.payment_id
         from unnest($1::uuid[], $2::integer[], $3::uuid[]) as r(bulk_payment_id, item, payment_id) where i.bulk_payment_id = r.bulk_payment_id and i.item = r.item`,
        [rows.map((row) => row.bulk_payment_id), rows.map(({ item }) => item), started.map(({ payment }) => payment.paymentId)], tx);
      return rows.length;
    }),
    async oldestDueSeconds() {
      const [row] = await database.query<{ seconds: number | null }>(
        `select extract(epoch from clock_timestamp() - min(due_at))::float8 as seconds from bulk_items where state = 'waiting' and due_at <= clock_timestamp()`);
      return row?.seconds ?? 0;
    },
  };
}

interface ItemRow {
  item: number; batch: number; batch_id: string; state: ItemState; payment_id: string | null; status: Status | null; status_reason: string | null; end_to_end_id: string; instruction_id: string | null;
  uetr: string | null; payment_uetr: string | null; amount_minor: string | null; currency: string | null; creditor_name: string | null; creditor_iban: string | null; remittance: string | null; refusal: TransferRefusal | null;
}

function itemOf(row: ItemRow): BulkItem {
  const named = {
    paymentId: row.payment_id, status: row.status, statusReason: row.status_reason, instructionId: row.instruction_id, uetr: row.payment_uetr ?? row.uetr,
    amount: row.amount_minor === null || row.currency === null ? null : { minor: BigInt(row.amount_minor), currency: row.currency },
    creditorName: row.creditor_name, creditorIban: row.creditor_iban, remittance: row.remittance, refusal: row.refusal,
  };
  return {
    item: row.item, batch: row.batch, batchId: row.batch_id, state: row.state, endToEndId: row.end_to_end_id,
    ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== null)),
  };
}

interface DueRow {
  bulk_payment_id: string; item: number; client_id: string; customer_id: string; consent_id: string; context: EventContext; debtor_account_id: string; requested_execution_date: string | null;
  end_to_end_id: string; uetr: string | null; amount_minor: string; currency: string; creditor_name: string; creditor_iban: string; remittance: string | null;
}

const dueOf = (row: DueRow): DueItem => ({
  bulkPaymentId: row.bulk_payment_id, item: row.item, clientId: row.client_id, customerId: row.customer_id, consentId: row.consent_id, debtorAccountId: row.debtor_account_id,
  ...(row.requested_execution_date === null ? {} : { requestedExecutionDate: row.requested_execution_date }), endToEndId: row.end_to_end_id, ...(row.uetr === null ? {} : { uetr: row.uetr }),
  amount: { minor: BigInt(row.amount_minor), currency: row.currency }, creditor: { name: row.creditor_name, iban: row.creditor_iban },
  ...(row.remittance === null ? {} : { remittance: row.remittance }), context: row.context,
});
