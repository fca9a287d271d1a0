/** SQL of reviews: what is known of an account, what is held, and who decided. */
import type { Database, Tx } from '@kontor/kernel/database';
import type { EventContext } from '@kontor/kernel/events';
import { appendEvent } from '@kontor/kernel/outbox';
import { problem } from '@kontor/kernel/problem';
import type { Happening, Order, Payment, PaymentEffects } from './payment.js';
import { releaseBy, type Facts, type Review } from './review.js';

interface ReviewRow {
  payment_id: string; client_id: string; customer_id: string; debtor_account_id: string; amount_minor: string; currency: string; creditor_name: string; creditor_iban: string;
  score: number; reasons: string[]; held_at: Date; age_seconds: string; proposed_by: string | null; proposed_at: Date | null;
}

const REVIEW = `select r.*, p.client_id, p.customer_id, p.debtor_account_id, p.amount_minor, p.currency, p.creditor_name, p.creditor_iban,
    floor(extract(epoch from clock_timestamp() - r.held_at)) as age_seconds
  from payment_reviews r join payments p using (payment_id) where p.pending_for = 'review'`;

export type ReviewRepository = ReturnType<typeof reviewRepository>;

export function reviewRepository(database: Database, payments: PaymentEffects<Tx>) {
  /** The review of a held payment, with the payment's row locked: a decision, a cancellation and the watch go one after the other. */
  const held = async (tx: Tx, paymentId: string): Promise<Review> => {
    const [known] = await database.query<{ pending_for: string | null }>(
      'select p.pending_for from payments p join payment_reviews r using (payment_id) where p.payment_id = $1 for update of p', [paymentId], tx);
    if (!known) throw problem('review_not_found');
    const [row] = await database.query<ReviewRow>(`${REVIEW} and p.payment_id = $1`, [paymentId], tx);
    if (!row) throw problem('invalid_state', 'This payment is not held any more: it was released, refused or cancelled.');
    return toReview(row);
  };
  const decide = async (tx: Tx, paymentId: string, { decision, member, note, happening, context }: {
    decision: 'released' | 'refused'; member: string; note: string | undefined; happening: Happening; context: EventContext;
  }): Promise<Payment | undefined> => {
    await database.query('update payment_reviews set decision = $2, decided_by = $3, decided_at = clock_timestamp(), note = coalesce($4, note) where payment_id = $1', [paymentId, decision, member, note ?? null], tx);
    return payments.happenIn(tx, paymentId, happening, { context, emit: (event) => appendEvent(database, tx, event) });
  };

  return {
    async facts({ debtorAccountId, amount, creditor }: Order): Promise<Facts> {
      const [row] = await database.query<{ known_creditor: boolean; settled: number; largest_minor: string | null; creditors_in_hour: number; opened_at: Date | null }>(
        'select * from payment_facts($1, $2, $3)', [debtorAccountId, amount.currency, creditor.iban]);
      if (!row) throw new Error('payment_facts answered nothing');
      return {
        knownCreditor: row.known_creditor, settled: row.settled, creditorsInHour: row.creditors_in_hour,
        ...(row.largest_minor === null ? {} : { largestMinor: BigInt(row.largest_minor) }), ...(row.opened_at === null ? {} : { accountOpenedAt: row.opened_at }),
      };
    },

    /** Remembers when an account was opened; the first telling counts. */
    async opened(tx: Tx, accountId: string, at: string): Promise<void> {
      await database.query('insert into opened_accounts (account_id, opened_at) values ($1, $2) on conflict do nothing', [accountId, at], tx);
    },

    /** Held payments, longest waiting first (payment ids are in the order of creation). */
    async held({ after, limit }: { after?: string | undefined; limit: number }): Promise<Review[]> {
      const rows = await database.query<ReviewRow>(`${REVIEW} and ($1::uuid is null or p.payment_id > $1) order by p.payment_id limit $2`, [after ?? null, limit]);
      return rows.map(toReview);
    },

    /** Proposes the release, or, of another member than the one who proposed, releases. @throws Problem review_not_found, invalid_state, four_eyes_required */
    release: (paymentId: string, { member, note, context }: { member: string; note?: string | undefined; context: EventContext }): Promise<{ released: boolean; review: Review }> =>
      database.transaction(async (tx) => {
        const review = await held(tx, paymentId);
        if (releaseBy(review, member) === 'propose') {
          const [row] = await database.query<{ proposed_at: Date }>(
            'update payment_reviews set proposed_by = $2, proposed_at = clock_timestamp(), note = $3 where payment_id = $1 returning proposed_at', [paymentId, member, note ?? null], tx);
          return { released: false, review: { ...review, proposedBy: member, ...(row ? { proposedAt: row.proposed_at } : {}) } };
        }
        await decide(tx, paymentId, { decision: 'released', member, note, happening: { kind: 'released' }, context });
        return { released: true, review };
      }),

    /** @throws Problem review_not_found, invalid_state */
    refuse: (paymentId: string, { member, note, reason, context }: { member: string; note?: string | undefined; reason: string; context: EventContext }): Promise<Payment | undefined> =>
      database.transaction(async (tx) => {
        await held(tx, paymentId);
        return decide(tx, paymentId, { decision: 'refused', member, note, happening: { kind: 'refused-in-review', reason }, context });
      }),
  };
}

function toReview(row: ReviewRow): Review {
  return {
    paymentId: row.payment_id, clientId: row.client_id, customerId: row.customer_id, debtorAccountId: row.debtor_account_id,
    amount: { minor: BigInt(row.amount_minor), currency: row.currency }, creditor: { name: row.creditor_name, iban: row.creditor_iban },
    score: row.score, reasons: row.reasons, heldAt: row.held_at, ageSeconds: Number(row.age_seconds),
    ...(row.proposed_by === null ? {} : { proposedBy: row.proposed_by }), ...(row.proposed_at === null ? {} : { proposedAt: row.proposed_at }),
  };
}
