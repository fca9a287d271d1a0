/** All SQL of recalls and returns (migrations/0014-recalls.sql). */
import { constraintOf, type Database, type Tx } from '@kontor/kernel/database';
import { newEvent, type Event, type EventContext } from '@kontor/kernel/events';
import { idempotent, type IdempotentAnswer } from '@kontor/kernel/idempotency';
import { newId } from '@kontor/kernel/ids';
import { formatMoney, type Money } from '@kontor/kernel/money';
import { appendEvent } from '@kontor/kernel/outbox';
import { problem } from '@kontor/kernel/problem';
import type { Kind, Status } from './payment.js';
import { requireRecallable, type PaymentReturn, type Recall, type Recallable } from './recalls.js';

interface RecallRow { recall_id: string; reason: string; status: Recall['status']; answer_reason: string | null; requested_at: Date; answered_at: Date | null }
const toRecall = (row: RecallRow): Recall => ({
  recallId: row.recall_id, reason: row.reason, status: row.status, answerReason: row.answer_reason, requestedAt: row.requested_at, answeredAt: row.answered_at,
});

interface PaymentRow {
  payment_id: string; client_id: string; customer_id: string; status: Status; kind: Kind; on_us: boolean; amount_minor: string; currency: string;
  creditor_name: string; creditor_iban: string; debtor_name: string | null; debtor_iban: string | null; end_to_end_id: string; uetr: string;
  returned_minor: string; has_open_recall: boolean;
}
const toRecallable = (row: PaymentRow): Recallable => ({
  paymentId: row.payment_id, clientId: row.client_id, customerId: row.customer_id, status: row.status, kind: row.kind, onUs: row.on_us,
  amount: { minor: BigInt(row.amount_minor), currency: row.currency }, returnedMinor: BigInt(row.returned_minor),
  creditor: { name: row.creditor_name, iban: row.creditor_iban }, debtor: row.debtor_name && row.debtor_iban ? { name: row.debtor_name, iban: row.debtor_iban } : null,
  endToEndId: row.end_to_end_id, uetr: row.uetr, hasOpenRecall: row.has_open_recall,
});

/** Whose payment an event is told about. */
export interface Told { paymentId: string; clientId: string; customerId: string; debtorAccountId: string }

export type RecallsRepository = ReturnType<typeof recallsRepository>;

export function recallsRepository(database: Database) {
  /** The payment, held against change: it neither ends nor gets another recall meanwhile. */
  const locked = async (paymentId: string, tx: Tx): Promise<Recallable> => {
    await database.query('select 1 from payments where payment_id = $1 for update', [paymentId], tx);
    const [row] = await database.query<PaymentRow>(
      `select p.*, (select coalesce(sum(r.amount_minor), 0) from payment_returns r where r.payment_id = p.payment_id)::text as returned_minor,
         exists (select 1 from payment_recalls c where c.payment_id = p.payment_id and c.status = 'requested') as has_open_recall
       from payments p where p.payment_id = $1`, [paymentId], tx);
    if (!row) throw problem('payment_not_found', 'There is no payment with this id.');
    return toRecallable(row);
  };

  return {
    /** Asks the rail for a payment back, once for an Idempotency-Key. @throws Problem of requireRecallable, payment_not_found */
    request<Body>(
      asked: { key: string | undefined; clientId: string; body: unknown; paymentId: string; reason: string; now: Date; context: EventContext }, answer: (recall: Recall) => IdempotentAnswer<Body>,
    ): Promise<IdempotentAnswer<Body>> {
      const { key, clientId, body, paymentId, reason, now, context } = asked;
      return idempotent(database, { key, clientId, operation: 'recallPayment', body, params: { paymentId } }, async (tx) => {
        const payment = await locked(paymentId, tx);
        const debtor = requireRecallable(payment, clientId);
        const recallId = newId();
        await database.query(`insert into payment_recalls (recall_id, payment_id, reason, status, requested_at) values ($1, $2, $3, 'requested', $4)`, [recallId, paymentId, reason, now], tx)
          .catch((fault: unknown) => {
            throw constraintOf(fault) === 'payment_recalls_one_open' ? problem('invalid_state', 'A recall of this payment waits for its answer.') : fault;
          });
        const { customerId, amount, creditor, endToEndId, uetr } = payment;
        await appendEvent(database, tx, newEvent('payment.recall-requested', {
          subject: paymentId, source: 'payment', context,
          data: { recallId, paymentId, clientId, customerId, amount: formatMoney(amount), debtor, creditor, endToEndId, uetr, reason },
        }) as Event);
        return answer({ recallId, reason, status: 'requested', answerReason: null, requestedAt: now, answeredAt: null });
      });
    },

    /** Keeps the rail's answer, once. An answer that names only the payment is to the recall that is open. @returns undefined when there is none to answer */
    async answered(tx: Tx, answer: { recallId: string | null; paymentId: string | null; outcome: 'accepted' | 'refused'; reason: string | null; now: Date }): Promise<(Told & { recallId: string }) | undefined> {
      const [row] = await database.query<{ recall_id: string; payment_id: string; client_id: string; customer_id: string; debtor_account_id: string }>(
        `update payment_recalls c set status = $3, answer_reason = $4, answered_at = $5 from payments p
         where p.payment_id = c.payment_id and c.status = 'requested' and (c.recall_id = $1 or ($1::uuid is null and c.payment_id = $2))
         returning c.recall_id, p.payment_id, p.client_id, p.customer_id, p.debtor_account_id`,
        [answer.recallId, answer.paymentId, answer.outcome, answer.outcome === 'refused' ? answer.reason : null, answer.now], tx);
      return row && { recallId: row.recall_id, paymentId: row.payment_id, clientId: row.client_id, customerId: row.customer_id, debtorAccountId: row.debtor_account_id };
    },

    /** Keeps money that came back, once for its reference. @returns undefined when it was kept before; 'unknown' when there is no such payment */
    async returned(tx: Tx, back: { paymentId: string; railReference: string; amount: Money; reason: string | null; now: Date }): Promise<Told | undefined | 'unknown'> {
      const [payment] = await database.query<{ client_id: string; customer_id: string; debtor_account_id: string }>(
        'select client_id, customer_id, debtor_account_id from payments where payment_id = $1', [back.paymentId], tx);
      if (!payment) return 'unknown';
      const fresh = await database.query(
        `insert into payment_returns (rail_reference, payment_id, amount_minor, currency, reason, returned_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (rail_reference) do nothing returning 1 as fresh`,
        [back.railReference, back.paymentId, back.amount.minor.toString(), back.amount.currency, back.reason, back.now], tx);
      return fresh.length === 0 ? undefined
        : { paymentId: back.paymentId, clientId: payment.client_id, customerId: payment.customer_id, debtorAccountId: payment.debtor_account_id };
    },

    /** The latest recall and the returns of a payment, oldest first. */
    async of(paymentId: string): Promise<{ recall: Recall | undefined; returns: PaymentReturn[] }> {
      const [[recall], returns] = await Promise.all([
        database.query<RecallRow>('select * from payment_recalls where payment_id = $1 order by requested_at desc, recall_id desc limit 1', [paymentId]),
        database.query<{ amount_minor: string; currency: string; reason: string | null; returned_at: Date }>(
          'select * from payment_returns where payment_id = $1 order by returned_at, rail_reference', [paymentId]),
      ]);
      return {
        recall: recall && toRecall(recall),
        returns: returns.map((row) => ({ amount: { minor: BigInt(row.amount_minor), currency: row.currency }, reason: row.reason, at: row.returned_at })),
      };
    },
  };
}
