/** Rules of money that goes back: returns of our payments, recalls of transfers we received, and what the staff send back. */
import type { EventData } from '@kontor/kernel/events';
import { formatMoney, type Money } from '@kontor/kernel/money';
import { problem } from '@kontor/kernel/problem';

/** A transfer the rail wants back, and what became of that. */
export interface Recall {
  recallId: string;
  /** Of the camt.056. */
  railReference: string;
  endToEndId: string;
  amount: Money;
  /** ExternalCancellationReason1Code. */
  reason: string;
  status: 'open' | 'accepted' | 'refused';
  receivedAt: Date;
  decidedAt: Date | null;
  /** `<clientId>/<staffMember>`. */
  decidedBy: string | null;
  decisionReason: string | null;
  /** The transfer as it was booked; null while it was never received here. */
  transactionId: string | null;
  account: { accountId: string; customerId: string; clientId: string } | null;
  /** The booking that sent the money back, when accepted. */
  returnTransactionId: string | null;
}

/** FOCR: return following a cancellation request (ExternalReturnReason1Code). */
export const FOLLOWING_RECALL = 'FOCR';

/** What sending a received transfer back came to. */
export type CreditReturned =
  | { outcome: 'returned'; accountId: string; transactionId: string; railReference: string; endToEndId: string }
  | { outcome: 'unknown' | 'too_much' | 'currency' | 'closed' | 'not_covered' };

/** @throws Problem transaction_not_found, unprocessable (currency, more than is left), invalid_state (closed account, the money is gone) */
export function requireReturned(returned: CreditReturned): Extract<CreditReturned, { outcome: 'returned' }> {
  switch (returned.outcome) {
    case 'returned': return returned;
    case 'unknown': throw problem('transaction_not_found', 'No transfer of the rail was booked under this id.');
    case 'currency': throw problem('unprocessable', 'amount must be in the currency of the transfer.');
    case 'too_much': throw problem('unprocessable', 'amount is more than is left of the transfer after what was sent back before.');
    case 'closed': throw problem('invalid_state', 'The account that received the transfer is closed.');
    case 'not_covered': throw problem('invalid_state', 'The account no longer has the money. Refuse with AM04, or wait for it.');
  }
}

/**
 * Whether a recall is still to be decided this way; false when it was decided so before.
 * @throws Problem invalid_state when it was decided the other way
 */
export function undecided(recall: Recall, wanted: 'accepted' | 'refused'): boolean {
  if (recall.status === 'open') return true;
  if (recall.status === wanted) return false;
  throw problem('invalid_state', `The recall was ${recall.status} at ${recall.decidedAt?.toISOString()}.`);
}

/** The transfer a recall is about. @throws Problem invalid_state when it was never received here */
export function recalledTransfer(recall: Recall): string {
  if (recall.transactionId === null) throw problem('invalid_state', 'The transfer was never received here. Refuse the recall with NOOR.');
  return recall.transactionId;
}

/** What is told of a decision. */
export function recallAnswered({ recallId, railReference, account }: Recall, outcome: 'accepted' | 'refused', reason?: string): EventData<'account.recall-answered'> {
  return { recallId, recallReference: railReference, outcome, ...account, ...(reason === undefined ? {} : { reason }) };
}

/** The recall as the staff see it. */
export function toRecall(recall: Recall) {
  const { recallId, status, reason, endToEndId, amount, receivedAt, decidedAt, decidedBy, decisionReason, transactionId, account, returnTransactionId } = recall;
  return {
    recallId, status, amount: formatMoney(amount), reason, endToEndId, receivedAt: receivedAt.toISOString(),
    ...(account === null ? {} : { accountId: account.accountId }),
    ...(transactionId === null ? {} : { transactionId }),
    ...(decidedAt === null || decidedBy === null ? {} : { decidedAt: decidedAt.toISOString(), decidedBy }),
    ...(decisionReason === null ? {} : { decisionReason }),
    ...(returnTransactionId === null ? {} : { returnTransactionId }),
  };
}
