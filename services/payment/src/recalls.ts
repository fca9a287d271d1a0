/** Rules of what happens to a payment after the rail has it: recalls, and money that came back. */
import { formatMoney, type Money } from '@kontor/kernel/money';
import { problem } from '@kontor/kernel/problem';
import type { Kind, Party, Status } from './payment.js';

/** A request to give a payment back. */
export interface Recall {
  recallId: string;
  /** ExternalCancellationReason1Code. */
  reason: string;
  status: 'requested' | 'accepted' | 'refused';
  /** ExternalPaymentCancellationRejection1Code. */
  answerReason: string | null;
  requestedAt: Date;
  answeredAt: Date | null;
}

/** Money of a payment that came back. */
export interface PaymentReturn {
  amount: Money;
  /** ExternalReturnReason1Code. */
  reason: string | null;
  at: Date;
}

/** What a recall must know of the payment. */
export interface Recallable {
  paymentId: string;
  clientId: string;
  customerId: string;
  status: Status;
  kind: Kind;
  onUs: boolean;
  amount: Money;
  /** Of it has come back. */
  returnedMinor: bigint;
  creditor: Party;
  debtor: Party | null;
  endToEndId: string;
  uetr: string;
  hasOpenRecall: boolean;
}

const WITH_RAIL: readonly Status[] = ['ACCP', 'ACSP', 'ACSC', 'ACCC'];

/**
 * Whether the payment may be recalled now.
 * @returns its debtor, whom the recall names
 * @throws Problem not_your_resource, invalid_state (never at the rail, one recall is open, all has come back, a refund)
 */
export function requireRecallable(payment: Recallable, clientId: string): Party {
  if (payment.clientId !== clientId) throw problem('not_your_resource', 'This payment was initiated by another application.');
  if (!WITH_RAIL.includes(payment.status))
    throw problem('invalid_state', `The payment stands at ${payment.status}: only one that is under way or settled can be recalled. Cancel it while it is RCVD or PDNG.`);
  if (payment.onUs || !payment.debtor) throw problem('invalid_state', 'The payment never left the bank. Ask the creditor to pay it back.');
  if (payment.kind === 'refund') throw problem('invalid_state', 'A refund cannot be recalled.');
  if (payment.hasOpenRecall) throw problem('invalid_state', 'A recall of this payment waits for its answer.');
  if (payment.returnedMinor >= payment.amount.minor) throw problem('invalid_state', 'All of the payment has come back already.');
  return payment.debtor;
}

export function toRecall({ recallId, status, reason, requestedAt, answeredAt, answerReason }: Recall) {
  return {
    recallId, status, reason, requestedAt: requestedAt.toISOString(),
    ...(answeredAt === null ? {} : { answeredAt: answeredAt.toISOString() }), ...(answerReason === null ? {} : { answerReason }),
  };
}

/** The latest recall and the returns of a payment, as its resource shows them. */
export function toExceptions({ recall, returns }: { recall: Recall | undefined; returns: readonly PaymentReturn[] }) {
  return {
    ...(recall ? { recall: toRecall(recall) } : {}),
    ...(returns.length === 0 ? {} : { returns: returns.map(({ amount, reason, at }) => ({ amount: formatMoney(amount), ...(reason === null ? {} : { reason }), at: at.toISOString() })) }),
  };
}
