import type { EventData, EventType } from '@kontor/kernel/events';
import type { Money } from '@kontor/kernel/money';
import { formatMoney } from '@kontor/kernel/money';

/**
 * The life of a payment, with the status codes of ISO 20022 (ExternalPaymentTransactionStatus1Code):
 *
 *   RCVD ──funds reserved──▶ ACTC ─▶ ACCP (submitted) ──rail──▶ ACSP ──rail──▶ ACSC ──rail, or on-us captured──▶ ACCC
 *    │ │                      │       │  └──────────rail───────────────────────▲
 *    │ │                      └─on-us─┼────────────────────────▶ ACSP ─────────┘
 *    │ └─funds refused, expired─▶ RJCT ◀─────────rail─────────── ACSP
 *    ├─cancel─▶ CANC           ▲      ▲
 *    └─put off─▶ PDNG ─────────┘      └─ refused in review
 *               (execution date, review; then, let go, as RCVD)
 *
 * Pure: no clock, no ids, no database. Deliveries may be repeated, late or out of order: what does not fit changes nothing.
 * `initiate` begins a payment, `transition` lets one of the `Happening`s happen to it; there is no other way.
 */

/** Where a payment stands. */
export const STATUSES = ['RCVD', 'PDNG', 'ACTC', 'ACCP', 'ACSP', 'ACSC', 'ACCC', 'RJCT', 'CANC'] as const;
export type Status = (typeof STATUSES)[number];

/** How a payment came about. */
export const KINDS = ['single', 'scheduled', 'standing-order', 'bulk', 'refund'] as const;
export type Kind = (typeof KINDS)[number];

/** What a payment that is put off (PDNG) waits for. One that stands at PDNG and waits for neither was let go: its funds are being reserved. */
export type PendingFor = 'execution-date' | 'review';

/** A name and an account, as on a payment order. */
export interface Party {
  name: string;
  iban: string;
}

/** One line of the status history. `reason` is an ISO 20022 ExternalStatusReason1Code. */
export interface StatusChange {
  status: Status;
  at: Date;
  reason?: string;
}

/** A transfer we received, as the rail identified it: what a refund pays back. */
export type OriginalTransfer = NonNullable<EventData<'funds.reserved'>['original']>;

/** A payment order and where it stands. `history` is never empty; its last line is the status. */
export interface Payment {
  paymentId: string;
  clientId: string;
  customerId: string;
  consentId: string;
  debtorAccountId: string;
  amount: Money;
  creditor: Party;
  endToEndId: string;
  uetr: string;
  remittance?: string;
  /** YYYY-MM-DD, if the client named one. */
  requestedExecutionDate?: string;
  kind: Kind;
  /** Settled within ten seconds of `acceptedAt`, or not at all. */
  instant?: true;
  /** The received transaction this pays back. */
  refundOf?: string;
  bulkPaymentId?: string;
  standingOrderId?: string;
  /** The client's own; never sent on. */
  reference?: string;
  /** Known once funds are reserved. */
  debtor?: Party;
  /** The creditor's account is ours: the payment never leaves the bank. Known once funds are reserved. */
  onUs?: true;
  /** Of a refund, known once funds are reserved. */
  original?: OriginalTransfer;
  /** When it was accepted (ACCP). */
  acceptedAt?: Date;
  status: Status;
  statusReason?: string;
  /** Only while it stands at PDNG. */
  pendingFor?: PendingFor;
  /** When a payment that waits for its day goes on. */
  dueAt?: Date;
  /** How often and when last something was done because it stands too long at its status; both begin again with each status. */
  attempts?: number;
  retriedAt?: Date;
  /** Since when the staff is to look at it. */
  escalatedAt?: Date;
  createdAt: Date;
  history: readonly StatusChange[];
}

/** What can happen to a payment after it was initiated. */
export type Happening =
  /** The account service holds the amount; `onUs`: the creditor banks with us; `original`: what a refund pays back. */
  | { kind: 'funds-reserved'; debtor: Party; onUs?: boolean; original?: OriginalTransfer }
  | { kind: 'funds-refused'; reason: string }
  /** The hold reached its end: fatal before the payment is submitted, a matter for the staff afterwards. */
  | { kind: 'funds-expired' }
  /** The amount has left the account; of an on-us payment it is on the creditor's. */
  | { kind: 'funds-captured' }
  | { kind: 'rail-reported'; status: 'ACTC' | 'ACSP' | 'ACSC' | 'ACCC' | 'RJCT'; reason?: string }
  /** The execution date has come. */
  | { kind: 'due' }
  /** The staff let a held payment go; one with a later day then waits for it. */
  | { kind: 'released' }
  | { kind: 'refused-in-review'; reason?: string }
  | { kind: 'cancel' }
  /** It stands too long at its status (src/watch.ts): retried while fewer than `most` attempts were made, then escalated once. */
  | { kind: 'overdue'; most: number };

/** An event to be told, without its envelope. */
export type Announcement = { [T in EventType]: { type: T; data: EventData<T> } }[EventType];

/** A status, and of PDNG what is waited for. */
type Stage = Status | 'PDNG for execution-date' | 'PDNG for review';
type Trigger =
  | Exclude<Happening['kind'], 'rail-reported' | 'overdue'> | 'funds-reserved on-us' | 'funds-captured on-us' | 'released before its day'
  | 'rail-ACTC' | 'rail-ACSP' | 'rail-ACSC' | 'rail-ACCC' | 'rail-RJCT';

const UNTIL_SUBMITTED = {
  'funds-reserved': ['ACTC', 'ACCP'], 'funds-reserved on-us': ['ACTC', 'ACCP', 'ACSP', 'ACSC'],
  'funds-refused': ['RJCT'], 'funds-expired': ['RJCT'], cancel: ['CANC'],
} as const;

/**
 * Every transition there is: stage → trigger → the stages it walks through. What is not in the table does not happen.
 * The rail's ACTC says less than our ACCP, so it moves nothing; ACSC may overtake ACSP. Nothing leaves a review but a decision.
 */
const TRANSITIONS: Record<Stage, Partial<Record<Trigger, readonly Stage[]>>> = {
  RCVD: UNTIL_SUBMITTED,
  'PDNG for review': { released: ['PDNG'], 'released before its day': ['PDNG for execution-date'], 'refused-in-review': ['RJCT'], cancel: ['CANC'] },
  'PDNG for execution-date': { due: ['PDNG'], cancel: ['CANC'] },
  PDNG: UNTIL_SUBMITTED,
  ACTC: {},
  ACCP: { 'rail-ACSP': ['ACSP'], 'rail-ACSC': ['ACSC'], 'rail-ACCC': ['ACSC', 'ACCC'], 'rail-RJCT': ['RJCT'] },
  ACSP: { 'rail-ACSC': ['ACSC'], 'rail-ACCC': ['ACSC', 'ACCC'], 'rail-RJCT': ['RJCT'] },
  ACSC: { 'rail-ACCC': ['ACCC'], 'funds-captured on-us': ['ACCC'] },
  ACCC: {},
  RJCT: {},
  CANC: {},
};

/** Whether the outcome is certain: settled or not. A settled payment can only learn that the creditor has the money (ACCC). */
export function isFinal(status: Status): boolean {
  return status === 'ACSC' || status === 'ACCC' || status === 'RJCT' || status === 'CANC';
}

/** ISO 20022 ExternalStatusReason1Code. */
export const REASONS = {
  /** "Reason has not been specified by agent." */
  unspecified: 'MS03',
  /** "At the request of the debtor." */
  atRequest: 'CUST',
  fraud: 'FR01',
  /** "Associated message was received after agreed processing cut-off time": the hold, or the time of an instant payment, ran out before it was submitted. */
  tooLate: 'TM01',
} as const;

/**
 * What a happening makes of a payment.
 * @param now when it happened
 * @returns the payment as it stands then (the same object when nothing changed) and the events to tell, in order.
 */
export function transition(payment: Payment, happening: Happening, now: Date): { payment: Payment; events: Announcement[] } {
  if (happening.kind === 'overdue') return lookAfter(payment, happening.most, now);
  const path = TRANSITIONS[stageOf(payment)][triggerOf(payment, happening, now)];
  if (!path) return happening.kind === 'funds-expired' && isWithRail(payment) ? escalate(payment, now) : { payment, events: [] };
  let next = happening.kind === 'funds-reserved' ? withFunds(payment, happening) : payment;
  const events: Announcement[] = [];
  for (const stage of path) {
    const before = next;
    next = arrive(next, stage, reasonOf(stage, happening), now);
    if (next.status !== before.status) events.push(...announce(next));
    else if (stage === 'PDNG') events.push({ type: 'payment.due', data: orderOf(next) });
  }
  return { payment: next, events };
}

function stageOf({ status, pendingFor }: Payment): Stage {
  return status === 'PDNG' && pendingFor ? `PDNG for ${pendingFor}` : status;
}

function isWithRail({ status }: Payment): boolean {
  return status === 'ACCP' || status === 'ACSP';
}

function triggerOf(payment: Payment, happening: Exclude<Happening, { kind: 'overdue' }>, now: Date): Trigger {
  switch (happening.kind) {
    case 'rail-reported': return `rail-${happening.status}`;
    case 'funds-reserved': return happening.onUs ? 'funds-reserved on-us' : 'funds-reserved';
    case 'funds-captured': return payment.onUs ? 'funds-captured on-us' : 'funds-captured';
    case 'released': return payment.dueAt && payment.dueAt > now ? 'released before its day' : 'released';
    default: return happening.kind;
  }
}

function withFunds(payment: Payment, { debtor, onUs, original }: Extract<Happening, { kind: 'funds-reserved' }>): Payment {
  return { ...payment, debtor, ...(onUs ? { onUs: true } : {}), ...(original ? { original } : {}) };
}

function reasonOf(stage: Stage, happening: Happening): string | undefined {
  if (stage === 'CANC') return REASONS.atRequest;
  if (stage !== 'RJCT') return undefined;
  const given = 'reason' in happening ? happening.reason : undefined;
  if (given !== undefined && /^[A-Z0-9]{4}$/.test(given)) return given;
  return happening.kind === 'refused-in-review' ? REASONS.fraud : happening.kind === 'funds-expired' ? REASONS.tooLate : REASONS.unspecified;
}

function arrive(payment: Payment, stage: Stage, reason: string | undefined, at: Date): Payment {
  const { statusReason: _reason, pendingFor: _pending, attempts: _attempts, retriedAt: _retried, escalatedAt: _escalated, ...rest } = payment;
  const [status, pendingFor] = stage.split(' for ') as [Status, PendingFor | undefined];
  const change: StatusChange = reason === undefined ? { status, at } : { status, at, reason };
  return {
    ...rest, status, ...(reason === undefined ? {} : { statusReason: reason }), ...(pendingFor ? { pendingFor } : {}),
    ...(status === 'ACCP' ? { acceptedAt: at } : {}), ...(stage === 'PDNG' ? { dueAt: at } : {}), history: status === payment.status ? payment.history : [...payment.history, change],
  };
}

/**
 * What is done about a payment that stands too long: what should move it is told again (who hears it is idempotent), or the rail
 * is asked what became of it. Funds are never released on a guess: only an answer moves a payment that went to the rail. An instant
 * one that was not submitted in time never is.
 */
function lookAfter(payment: Payment, most: number, now: Date): { payment: Payment; events: Announcement[] } {
  if (payment.escalatedAt || isAtRest(payment)) return { payment, events: [] };
  if (payment.instant && (stageOf(payment) === 'RCVD' || stageOf(payment) === 'PDNG')) return ended(payment, REASONS.tooLate, now);
  const attempt = (payment.attempts ?? 0) + 1;
  const nudge = attempt > most ? undefined : nudgeOf(payment, attempt);
  return nudge ? { payment: { ...payment, attempts: attempt, retriedAt: now }, events: [nudge] } : escalate(payment, now);
}

function ended(payment: Payment, reason: string, at: Date): { payment: Payment; events: Announcement[] } {
  const refused = arrive(payment, 'RJCT', reason, at);
  return { payment: refused, events: announce(refused) };
}

/** Nothing is expected of it, or not yet. */
function isAtRest(payment: Payment): boolean {
  return (isFinal(payment.status) && !(payment.status === 'ACSC' && payment.onUs)) || payment.pendingFor === 'execution-date';
}

/** What is told again; undefined where only people can help. */
function nudgeOf(payment: Payment, attempt: number): Announcement | undefined {
  const { paymentId, clientId, customerId, endToEndId, uetr, status, instant } = payment;
  if (payment.pendingFor) return undefined;
  if (status === 'RCVD') return { type: 'payment.initiated', data: orderOf(payment) };
  if (status === 'PDNG') return { type: 'payment.due', data: orderOf(payment) };
  if (status === 'ACSC') return settlementOf(payment);
  // The same message again: the rail knows it by its ids. An instant payment is only asked after, since its time is over.
  if (status === 'ACCP' && !instant && attempt === 1) return submissionOf(payment);
  return { type: 'payment.investigation-requested', data: { paymentId, clientId, customerId, endToEndId, uetr, attempt } };
}

function escalate(payment: Payment, now: Date): { payment: Payment; events: Announcement[] } {
  if (payment.escalatedAt) return { payment, events: [] };
  const { paymentId, clientId, customerId, status, attempts = 0 } = payment;
  const since = (payment.history.at(-1)?.at ?? payment.createdAt).toISOString();
  return { payment: { ...payment, escalatedAt: now }, events: [{ type: 'payment.escalated', data: { paymentId, clientId, customerId, status, since, attempts } }] };
}

/** The events that tell of the status a payment has just reached. */
function announce(payment: Payment): Announcement[] {
  const { paymentId, clientId, customerId, debtorAccountId, status, statusReason, onUs } = payment;
  const sequence = payment.history.length;
  const events: Announcement[] = [{
    type: 'payment.status-changed',
    data: { paymentId, clientId, customerId, status, ...(statusReason === undefined ? {} : { reason: statusReason }), sequence },
  }];
  const ended = { paymentId, clientId, customerId, debtorAccountId, reason: statusReason ?? REASONS.unspecified, sequence };
  const submission = status === 'ACCP' && !onUs ? submissionOf(payment) : undefined;
  if (submission) events.push(submission);
  if (status === 'ACSC') events.push(settlementOf(payment));
  if (status === 'RJCT') events.push({ type: 'payment.rejected', data: ended });
  if (status === 'CANC') events.push({ type: 'payment.cancelled', data: ended });
  return events;
}

function settlementOf({ paymentId, clientId, customerId, debtorAccountId, amount, history }: Payment): Announcement {
  return { type: 'payment.settled', data: { paymentId, clientId, customerId, debtorAccountId, amount: formatMoney(amount), sequence: history.length } };
}

function submissionOf(payment: Payment): Announcement | undefined {
  const { debtor, instant, acceptedAt, original } = payment;
  if (!debtor) return undefined;
  return {
    type: 'payment.submitted',
    data: {
      ...transferOf(payment), debtor, ...(instant ? { instant } : {}), ...(acceptedAt ? { acceptedAt: acceptedAt.toISOString() } : {}), ...(original ? { original } : {}),
    },
  };
}

/** What goes to the creditor, and from where. */
function transferOf(payment: Payment) {
  const { paymentId, clientId, customerId, consentId, debtorAccountId, creditor, endToEndId, uetr, remittance } = payment;
  return {
    paymentId, clientId, customerId, consentId, debtorAccountId, amount: formatMoney(payment.amount), creditor, endToEndId, uetr,
    ...(remittance === undefined ? {} : { remittance }),
  };
}

/** The order itself, as events carry it. */
function orderOf(payment: Payment): EventData<'payment.initiated'> {
  const { requestedExecutionDate, instant, refundOf, bulkPaymentId, standingOrderId } = payment;
  return {
    ...transferOf(payment),
    ...(requestedExecutionDate === undefined ? {} : { requestedExecutionDate }), ...(instant ? { instant } : {}),
    ...(refundOf === undefined ? {} : { refundOf }), ...(bulkPaymentId === undefined ? {} : { bulkPaymentId }),
    ...(standingOrderId === undefined ? {} : { standingOrderId }),
  };
}

/** What a client orders, checked, with the ids that were made for it. `kind` is `single` unless it says otherwise. */
export type Order = Omit<Payment, 'kind' | 'status' | 'statusReason' | 'history' | 'debtor' | 'onUs' | 'original' | 'acceptedAt' | 'reference' | 'pendingFor' | 'dueAt'
  | 'attempts' | 'retriedAt' | 'escalatedAt'> & { kind?: Kind };

/** What the bank decided about an order before it began: absent, it goes at once. */
export interface Decision {
  /** Held until the staff decides. */
  hold?: boolean;
  /** Waits for this moment. */
  dueAt?: Date;
  /** Refused with this reason. */
  refuse?: string;
}

/**
 * A new payment and the events to tell of it: RCVD, and at once PDNG where it is held or put off, RJCT where it is refused. Then
 * payment.initiated says `deferred`: no funds are reserved before payment.due, which a refused payment never sees.
 */
export function initiate(order: Order, { hold, dueAt, refuse }: Decision = {}): { payment: Payment; events: Announcement[] } {
  const { createdAt } = order;
  const received: Payment = { ...order, kind: order.kind ?? 'single', status: 'RCVD', history: [{ status: 'RCVD', at: createdAt }], ...(dueAt ? { dueAt } : {}) };
  const stage: Stage | undefined = refuse !== undefined ? 'RJCT' : hold ? 'PDNG for review' : dueAt ? 'PDNG for execution-date' : undefined;
  const ordered: Announcement = { type: 'payment.initiated', data: { ...orderOf(received), ...(stage ? { deferred: true } : {}) } };
  if (!stage) return { payment: received, events: [ordered, ...announce(received)] };
  const payment = arrive(received, stage, refuse, createdAt);
  return { payment, events: [ordered, ...announce(received), ...announce(payment)] };
}

/** The end-to-end id of an order that names none: the payment id without hyphens (32 characters; ISO allows 35). */
export function defaultEndToEndId(paymentId: string): string {
  return paymentId.replaceAll('-', '');
}
