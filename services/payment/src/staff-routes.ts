/** What the bank's staff do with payments: decide on held ones, see those that stand too long. */
import { decodeCursor, encodeCursor } from '@kontor/kernel/cursor';
import { isId } from '@kontor/kernel/ids';
import { formatMoney } from '@kontor/kernel/money';
import { problem } from '@kontor/kernel/problem';
import type { Routes } from '@kontor/kernel/service';
import type { components, operations } from './openapi.generated.js';
import { isFinal, type Payment } from './payment.js';
import type { Review } from './review.js';
import type { ReviewRepository } from './review-repository.js';
import type { WatchedPayments } from './watch.js';

type Schemas = components['schemas'];
type Operation = 'listPaymentReviews' | 'releasePaymentReview' | 'refusePaymentReview' | 'listStuckPayments';

interface Parts {
  reviews: Pick<ReviewRepository, 'held' | 'release' | 'refuse'>;
  watched: Pick<WatchedPayments, 'escalated'>;
  find: (paymentId: string) => Promise<Payment | undefined>;
}

export function staffRoutes({ reviews, watched, find }: Parts): Pick<Routes<operations>, Operation> {
  return {
    async listPaymentReviews({ query }) {
      const { limit = 25, cursor } = query as { limit?: number; cursor?: string };
      const found = await reviews.held({ after: cursor === undefined ? undefined : lastOf(cursor), limit: limit + 1 });
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return { status: 200, body: { data: page.map(reviewOnTheWire), nextCursor: found.length > limit && last ? encodeCursor({ after: last.paymentId }) : null } };
    },

    async releasePaymentReview({ params, body, caller, context }) {
      const { staffMember, note } = body as Schemas['ReleaseDecision'];
      const { released, review } = await reviews.release(params.paymentId, { member: `${caller.clientId}/${staffMember}`, note, context });
      return { status: 200, body: await decided(params.paymentId, released ? 'released' : 'proposed', review.proposedBy) };
    },

    async refusePaymentReview({ params, body, caller, context }) {
      const { staffMember, note, reason } = body as Schemas['RefusalDecision'];
      await reviews.refuse(params.paymentId, { member: `${caller.clientId}/${staffMember}`, note, reason, context });
      return { status: 200, body: await decided(params.paymentId, 'refused', undefined) };
    },

    async listStuckPayments({ query }) {
      const { limit = 25 } = query as { limit?: number };
      const found = await watched.escalated(limit);
      return { status: 200, body: { data: found.map(stuckOnTheWire) } };
    },
  };

  async function decided(paymentId: string, decision: Schemas['ReviewDecision']['decision'], proposedBy: string | undefined): Promise<Schemas['ReviewDecision']> {
    const payment = await find(paymentId);
    if (!payment) throw problem('payment_not_found');
    const { status, pendingFor } = payment;
    return { paymentId, decision, status, ...(pendingFor ? { pendingFor } : {}), ...(proposedBy === undefined ? {} : { proposedBy }) };
  }
}

function lastOf(cursor: string): string {
  const { after } = decodeCursor<{ after: string }>(cursor, ['after']);
  if (!isId(after)) throw problem('invalid_cursor', 'Use the cursor exactly as nextCursor gave it.');
  return after;
}

function reviewOnTheWire({ amount, heldAt, proposedAt, reasons, ...review }: Review): Schemas['PaymentReview'] {
  return { ...review, reasons: [...reasons], amount: formatMoney(amount), heldAt: heldAt.toISOString(), ...(proposedAt ? { proposedAt: proposedAt.toISOString() } : {}) };
}

function stuckOnTheWire(payment: Payment): Schemas['StuckPayment'] {
  const { paymentId, clientId, customerId, debtorAccountId, status, pendingFor, amount, uetr, endToEndId, attempts = 0, escalatedAt, createdAt, history } = payment;
  return {
    paymentId, clientId, customerId, debtorAccountId, status, ...(pendingFor ? { pendingFor } : {}), final: isFinal(status), amount: formatMoney(amount), uetr, endToEndId, attempts,
    since: (history.at(-1)?.at ?? createdAt).toISOString(), escalatedAt: (escalatedAt ?? createdAt).toISOString(),
  };
}
