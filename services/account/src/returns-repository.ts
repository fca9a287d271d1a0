/** All SQL of money that goes back (migrations/0012-payment-returns.sql, 0013-recalls.sql). */
import { decodeCursor } from '@kontor/kernel/cursor';
import { constraintOf, type Database, type Tx } from '@kontor/kernel/database';
import { newEvent, type Event, type EventContext, type EventData, type EventType } from '@kontor/kernel/events';
import { idempotent, type IdempotentAnswer } from '@kontor/kernel/idempotency';
import { isId, newId } from '@kontor/kernel/ids';
import { formatMoney, type Money } from '@kontor/kernel/money';
import { appendEvent } from '@kontor/kernel/outbox';
import { problem } from '@kontor/kernel/problem';
import type { Found, Page } from './account.js';
import { paged, strangeCursor } from './paging.js';
import { FOLLOWING_RECALL, recallAnswered, recalledTransfer, requireReturned, undecided, type CreditReturned, type Recall } from './returns.js';

interface RecallRow {
  recall_id: string; rail_reference: string; end_to_end_id: string; amount_minor: string; currency: string; reason: string; status: Recall['status'];
  received_at: Date; decided_at: Date | null; decided_by: string | null; decision_reason: string | null; transaction_id: string | null;
  account_id: string | null; customer_id: string | null; client_id: string | null; return_transaction_id: string | null;
}
const RECALL = `select r.*, t.transaction_id, a.account_id, a.customer_id, a.client_id, c.transaction_id as return_transaction_id
  from recalls r left join ledger_transactions t on t.reference = 'rail:' || r.original_reference
  left join ledger_entries e on e.transaction_id = t.transaction_id and e.side = 'credit'
  left join accounts a on a.account_id = e.ledger_account_id
  left join credit_returns c on c.recall_id = r.recall_id`;

const toRecall = (row: RecallRow): Recall => ({
  recallId: row.recall_id, railReference: row.rail_reference, endToEndId: row.end_to_end_id, amount: { minor: BigInt(row.amount_minor), currency: row.currency },
  reason: row.reason, status: row.status, receivedAt: row.received_at, decidedAt: row.decided_at, decidedBy: row.decided_by, decisionReason: row.decision_reason,
  transactionId: row.transaction_id, returnTransactionId: row.return_transaction_id,
  account: row.account_id && row.customer_id && row.client_id ? { accountId: row.account_id, customerId: row.customer_id, clientId: row.client_id } : null,
});

/** A return as the ledger booked it. */
export type PaymentReturned =
  | { outcome: 'returned'; transactionId: string; accountId: string }
  | { outcome: 'suspense'; fault: string; breakId: string }
  | { outcome: 'repeated' };

/** A return that lay in suspense until its payment was heard of. */
export interface EarlyReturn { railReference: string; transactionId: string; accountId: string; amount: Money; reason: string | null; breakId: string }

export type ReturnsRepository = ReturnType<typeof returnsRepository>;

export function returnsRepository(database: Database) {
  const recall = async (recallId: string, tx?: Tx): Promise<Recall> => {
    const [row] = await database.query<RecallRow>(`${RECALL} where r.recall_id = $1`, [recallId], tx);
    if (!row) throw problem('recall_not_found', 'There is no recall with this id.');
    return toRecall(row);
  };
  /** The row is the lock of the decision. */
  const lockedRecall = async (recallId: string, tx: Tx): Promise<Recall> => {
    await database.query('select 1 from recalls where recall_id = $1 for update', [recallId], tx);
    return recall(recallId, tx);
  };
  const decide = (recallId: string, decided: { status: 'accepted' | 'refused'; by: string; reason: string | null; now: Date }, tx: Tx): Promise<unknown> =>
    database.query('update recalls set status = $2, decided_by = $3, decision_reason = $4, decided_at = $5 where recall_id = $1',
      [recallId, decided.status, decided.by, decided.reason, decided.now], tx);

  const tell = <T extends EventType>(tx: Tx, type: T, subject: string, data: EventData<T>, context: EventContext, owner: Recall['account']): Promise<void> =>
    appendEvent(database, tx, newEvent(type, {
      subject, data, source: 'account', context: { ...context, ...(owner ? { clientId: owner.clientId } : {}) }, ...(owner ? { customerId: owner.customerId } : {}),
    }) as Event);

  /** Debits the account and tells it. @throws Problem of requireReturned; the transaction is to be rolled back then */
  const giveBack = async (tx: Tx, order: {
    returnedId: string; reference: string; type: 'return' | 'recall'; recall: Recall | null; amount: Money; reason: string; by: string; now: Date; context: EventContext;
  }): Promise<string> => {
    const transactionId = newId();
    const [row] = await database.query<{ outcome: CreditReturned['outcome']; account_id: string; rail_reference: string; end_to_end_id: string }>(
      'select * from return_credit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)',
      [order.returnedId, order.reference, order.type, order.recall?.recallId ?? null, order.amount.minor.toString(), order.amount.currency, order.reason, order.by,
        transactionId, order.now], tx).catch((fault: unknown) => {
      if (constraintOf(fault) === 'funds_cover') return [{ outcome: 'not_covered' as const, account_id: '', rail_reference: '', end_to_end_id: '' }];
      throw fault;
    });
    if (!row) throw new Error('return_credit answered nothing');
    const { accountId, railReference, endToEndId } = requireReturned(row.outcome === 'returned'
      ? { outcome: 'returned', accountId: row.account_id, transactionId, railReference: row.rail_reference, endToEndId: row.end_to_end_id } : { outcome: row.outcome });
    const [owner] = await database.query<{ customer_id: string; client_id: string }>('select customer_id, client_id from accounts where account_id = $1', [accountId], tx);
    if (!owner) throw new Error(`account ${accountId} was debited and is not there`);
    const { customer_id: customerId, client_id: clientId } = owner;
    await tell(tx, 'account.credit-returned', accountId, {
      accountId, customerId, clientId, transactionId, railReference, amount: formatMoney(order.amount), endToEndId, reason: order.reason,
      ...(order.recall ? { recallReference: order.recall.railReference } : {}),
    }, order.context, { accountId, customerId, clientId });
    return transactionId;
  };

  return {
    recall,

    /** Books money of one of our payments that came back, once for its reference. */
    async bookReturn(returned: { railReference: string; paymentId: string | null; amount: Money; reason: string | null; endToEndId: string | null; now: Date }, tx: Tx): Promise<PaymentReturned> {
      const breakId = newId();
      const [row] = await database.query<{ outcome: PaymentReturned['outcome']; fault: string; transaction_id: string; account_id: string }>(
        'select * from book_payment_return($1, $2, $3, $4, $5, $6, $7, $8, $9)',
        [returned.railReference, returned.paymentId, returned.amount.minor.toString(), returned.amount.currency, returned.reason, returned.endToEndId, newId(), breakId, returned.now], tx);
      if (!row) throw new Error('book_payment_return answered nothing');
      switch (row.outcome) {
        case 'returned': return { outcome: 'returned', transactionId: row.transaction_id, accountId: row.account_id };
        case 'suspense': return { outcome: 'suspense', fault: row.fault, breakId };
        case 'repeated': return { outcome: 'repeated' };
      }
    },

    /** Returns that came before their payment was heard to have settled, now that it has. */
    async settleEarly(paymentId: string, now: Date, tx: Tx): Promise<EarlyReturn[]> {
      const rows = await database.query<{ rail_reference: string; transaction_id: string; account_id: string; amount_minor: string; currency: string; reason: string | null; break_id: string }>(
        'select * from settle_early_returns($1, $2)', [paymentId, now], tx);
      return rows.map((row) => ({
        railReference: row.rail_reference, transactionId: row.transaction_id, accountId: row.account_id, reason: row.reason, breakId: row.break_id,
        amount: { minor: BigInt(row.amount_minor), currency: row.currency },
      }));
    },

    /** Opens a case for a recall, once for its reference. Answers undefined when there is one. */
    async openCase(asked: { railReference: string; originalReference: string; endToEndId: string; amount: Money; reason: string; now: Date }, tx: Tx): Promise<Recall | undefined> {
      const recallId = newId();
      const fresh = await database.query(
        `insert into recalls (recall_id, rail_reference, original_reference, end_to_end_id, amount_minor, currency, reason, status, received_at)
         values ($1, $2, $3, $4, $5, $6, $7, 'open', $8) on conflict (rail_reference) do nothing returning 1 as fresh`,
        [recallId, asked.railReference, asked.originalReference, asked.endToEndId, asked.amount.minor.toString(), asked.amount.currency, asked.reason, asked.now], tx);
      return fresh.length === 0 ? undefined : recall(recallId, tx);
    },

    /** Recalls, newest first. */
    async list(filter: { status?: string | undefined }, page: Page): Promise<Found<Recall>> {
      const before = page.cursor === undefined ? null : decodeCursor<{ at: string; id: string }>(page.cursor, ['at', 'id']);
      if (before && (!isId(before.id) || Number.isNaN(Date.parse(before.at)))) throw strangeCursor();
      const rows = await database.query<RecallRow>(
        `${RECALL} where ($1::text is null or r.status = $1) and ($2::timestamptz is null or (r.received_at, r.recall_id) < ($2, $3::uuid))
         order by r.received_at desc, r.recall_id desc limit $4`, [filter.status ?? null, before?.at ?? null, before?.id ?? null, page.limit + 1]);
      return paged(rows.map(toRecall), page.limit, (last) => ({ at: last.receivedAt.toISOString(), id: last.recallId }));
    },

    /** Accepts a recall: the money goes back, and the rail is answered. Once; a repeat answers the same. @throws Problem */
    accept: (order: { recallId: string; by: string; now: Date; context: EventContext }): Promise<Recall> => database.transaction(async (tx) => {
      const found = await lockedRecall(order.recallId, tx);
      if (!undecided(found, 'accepted')) return found;
      await giveBack(tx, {
        returnedId: recalledTransfer(found), reference: `recall:${found.recallId}`, type: 'recall', recall: found, amount: found.amount, reason: FOLLOWING_RECALL, ...order,
      });
      await decide(found.recallId, { status: 'accepted', by: order.by, reason: null, now: order.now }, tx);
      await tell(tx, 'account.recall-answered', found.recallId, recallAnswered(found, 'accepted'), order.context, found.account);
      return recall(found.recallId, tx);
    }),

    /** Refuses a recall, and the rail is answered. Once; a repeat answers the same. @throws Problem */
    refuse: (order: { recallId: string; reason: string; by: string; now: Date; context: EventContext }): Promise<Recall> => database.transaction(async (tx) => {
      const found = await lockedRecall(order.recallId, tx);
      if (!undecided(found, 'refused')) return found;
      await decide(found.recallId, { status: 'refused', by: order.by, reason: order.reason, now: order.now }, tx);
      await tell(tx, 'account.recall-answered', found.recallId, recallAnswered(found, 'refused', order.reason), order.context, found.account);
      return recall(found.recallId, tx);
    }),

    /** Sends a received transfer back without a recall, once for an Idempotency-Key. @throws Problem */
    returnTransfer<Body>(
      request: { key: string | undefined; clientId: string; body: unknown; transactionId: string; amount: Money; reason: string; by: string; now: Date; context: EventContext },
      answer: (transactionId: string) => IdempotentAnswer<Body>,
    ): Promise<IdempotentAnswer<Body>> {
      const { key, clientId, body, transactionId: returnedId, ...order } = request;
      return idempotent(database, { key, clientId, operation: 'returnTransaction', body, params: { transactionId: returnedId } }, async (tx) =>
        answer(await giveBack(tx, { ...order, returnedId, reference: `credit-return:${newId()}`, type: 'return', recall: null })));
    },
  };
}
