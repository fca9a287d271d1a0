/** What fintechs are told: which events, and what of each. */
import type { AnyEvent, EventType } from '@kontor/kernel/events';

/** The events of the feed, which are those one may subscribe to, and what each tells: ids, status and codes, never personal data. */
export const TOLD = {
  'customer.activated': { fields: ['customerId'], status: 'active' },
  'customer.placed-under-review': { fields: ['customerId'], status: 'under_review' },
  'customer.rejected': { fields: ['customerId'], status: 'rejected' },
  'customer.closed': { fields: ['customerId'], status: 'closed' },
  'account.opened': { fields: ['accountId', 'customerId'], status: 'enabled' },
  'account.opening-failed': { fields: ['accountId', 'customerId', 'reason'], status: 'failed' },
  'account.blocked': { fields: ['accountId', 'customerId'], status: 'blocked' },
  'account.unblocked': { fields: ['accountId', 'customerId'], status: 'enabled' },
  'account.closed': { fields: ['accountId', 'customerId'], status: 'closed' },
  'account.overdraft-changed': { fields: ['accountId', 'customerId'] },
  'account.credited': { fields: ['accountId', 'customerId', 'transactionId'] },
  'account.credit-returned': { fields: ['accountId', 'customerId', 'transactionId', 'reason'], status: 'returned' },
  'account.recall-received': { fields: ['recallId', 'accountId', 'customerId', 'reason'], status: 'received' },
  'account.recall-answered': { fields: ['recallId', 'accountId', 'customerId', 'outcome', 'reason'] },
  'consent.authorised': { fields: ['consentId', 'customerId'], status: 'authorised' },
  'consent.partially-authorised': { fields: ['consentId', 'customerId'], status: 'partially_authorised' },
  'consent.amended': { fields: ['consentId', 'customerId', 'expiresAt'], status: 'authorised' },
  'consent.expiring': { fields: ['consentId', 'customerId', 'expiresAt', 'daysLeft'], status: 'authorised' },
  'consent.consumed': { fields: ['consentId', 'customerId'], status: 'consumed' },
  'consent.rejected': { fields: ['consentId', 'customerId', 'reason'], status: 'rejected' },
  'consent.revoked': { fields: ['consentId', 'customerId', 'reason'], status: 'revoked' },
  'consent.withdrawn': { fields: ['consentId', 'customerId', 'reason'], status: 'withdrawn' },
  'consent.expired': { fields: ['consentId', 'customerId', 'reason'], status: 'expired' },
  'payment.initiated': { fields: ['paymentId', 'customerId', 'consentId', 'bulkPaymentId', 'standingOrderId', 'requestedExecutionDate'], status: 'initiated' },
  'payment.status-changed': { fields: ['paymentId', 'customerId', 'status', 'reason', 'sequence'] },
  'payment.settled': { fields: ['paymentId', 'customerId'], status: 'settled' },
  'payment.rejected': { fields: ['paymentId', 'customerId', 'reason'], status: 'rejected' },
  'payment.cancelled': { fields: ['paymentId', 'customerId', 'reason'], status: 'cancelled' },
  'payment.investigation-requested': { fields: ['paymentId', 'customerId', 'attempt'] },
  'payment.escalated': { fields: ['paymentId', 'customerId', 'status'] },
  'payment.recall-requested': { fields: ['recallId', 'paymentId', 'customerId', 'reason'] },
  'payment.recall-answered': { fields: ['recallId', 'paymentId', 'customerId', 'outcome', 'reason'] },
  'payment.returned': { fields: ['paymentId', 'customerId', 'reason'], status: 'returned' },
  'bulk-payment.received': { fields: ['bulkPaymentId', 'customerId', 'consentId', 'transactions', 'refused'], status: 'received' },
  'bulk-payment.completed': { fields: ['bulkPaymentId', 'customerId', 'status', 'settled', 'refused'] },
  'standing-order.created': { fields: ['standingOrderId', 'customerId', 'consentId', 'firstExecutionDate'], status: 'active' },
  'standing-order.cancelled': { fields: ['standingOrderId', 'customerId', 'reason'], status: 'cancelled' },
  'standing-order.ended': { fields: ['standingOrderId', 'customerId', 'reason'], status: 'ended' },
  'standing-order.payment-failed': { fields: ['standingOrderId', 'customerId', 'executionDate', 'reason'] },
  'webhook.endpoint-disabled': { fields: ['endpointId'], status: 'disabled' },
} as const satisfies { [T in EventType]?: { fields: readonly string[]; status?: string } };

export type ToldType = keyof typeof TOLD;
export const TOLD_TYPES = Object.keys(TOLD) as ToldType[];

/**
 * What is told of an event: `{ type, timestamp, data }`. Only listed fields with the look of an id, a status, a code or a
 * count pass, so that a field added to an event later is not told by accident.
 */
export function bodyOf(event: AnyEvent): string {
  const told: { fields: readonly string[]; status?: string } = TOLD[event.type as ToldType];
  const from = event.data as unknown as Record<string, unknown>;
  const plain = (value: unknown): boolean => Number.isSafeInteger(value) || (typeof value === 'string' && /^[A-Za-z0-9._:-]{1,128}$/.test(value));
  const listed = told.fields.map((field) => [field, from[field]] as const).filter(([, value]) => plain(value));
  const data = { ...Object.fromEntries(listed), ...(told.status === undefined ? {} : { status: told.status }) };
  return JSON.stringify({ type: event.type, timestamp: event.time, data });
}

/** The place of a numbered event among those of its subject. */
export interface Turn {
  sequence: number;
  /** How far the status changes must have come before it is told. */
  follows: number;
}

/**
 * Whose turn it is. A payment numbers its status changes 1, 2, 3, …: one follows the one before it. Other events that name a
 * number were told together with that change, and follow it. Undefined: told as it is heard.
 */
export function turnOf(event: AnyEvent): Turn | undefined {
  const { sequence } = event.data as { sequence?: unknown };
  if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || sequence < 1) return undefined;
  return { sequence, follows: counts(event.type) ? sequence - 1 : sequence };
}

/** Whether events of this type are the ones that are counted. */
export function counts(type: string): boolean {
  return type === 'payment.status-changed';
}
