import type { Event, EventContext, EventData, EventType } from '@kontor/kernel/events';
import type { Money } from '@kontor/kernel/money';
import { formatMoney, parseMoney } from '@kontor/kernel/money';

/**
 * The life of a payment, with the status codes of ISO 20022 (ExternalPaymentTransactionStatus1Code):
 *
 *   RCVD ──funds reserved──▶ ACTC ─▶ ACCP (submitted) ──rail──▶ ACSP ──rail──▶ ACSC
 *     │ │                             │  └──────────rail───────────────────────▲
 *     │ └─funds refused──▶ RJCT ◀─────┴────────────rail──────── ACSP
 *     └─cancel───────────▶ CANC
 *
 * Pure: no clock, no ids, no database. Deliveries may be repeated, late or out of order: what does not fit changes nothing.
 */

/** Where a payment stands. */
export const STATUSES = ['RCVD', 'PDNG', 'ACTC', 'ACCP', 'ACSP', 'ACSC', 'ACCC', 'RJCT', 'CANC'] as const;
export type Status = (typeof STATUSES)[number];

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
  /** UTC date, YYYY-MM-DD, if the client named one. */
  requestedExecutionDate?: string;
  /** The client's own; never sent on. */
  reference?: string;
  /** Known once funds are reserved. */
  debtor?: Party;
  status: Status;
  statusReason?: string;
  createdAt: Date;
  history: readonly StatusChange[];
}

/** What can happen to a payment after it was initiated. */
export type Happening =
  | { kind: 'funds-reserved'; debtor: Party }
  | { kind: 'funds-refused'; reason: string }
  | { kind: 'rail-reported'; status: 'ACTC' | 'ACSP' | 'ACSC' | 'ACCC' | 'RJCT'; reason?: string }
  | { kind: 'cancel' };

/** An event to be told, without its envelope. */
export type Announcement = { [T in EventType]: { type: T; data: EventData<T> } }[EventType];

type Trigger = 'funds-reserved' | 'funds-refused' | 'rail-ACTC' | 'rail-ACSP' | 'rail-ACSC' | 'rail-ACCC' | 'rail-RJCT' | 'cancel';

/**
 * Every transition there is: status → trigger → the statuses it walks through. What is not in the table does not happen.
 * The rail's ACTC says less than our ACCP, so it moves nothing; ACSC may overtake ACSP.
 */
const TRANSITIONS: Record<Status, Partial<Record<Trigger, readonly Status[]>>> = {
  RCVD: { 'funds-reserved': ['ACTC', 'ACCP'], 'funds-refused': ['RJCT'], cancel: ['CANC'] },
  PDNG: {},
  ACTC: {},
  ACCP: { 'rail-ACSP': ['ACSP'], 'rail-ACSC': ['ACSC'], 'rail-ACCC': ['ACSC', 'ACCC'], 'rail-RJCT': ['RJCT'] },
  ACSP: { 'rail-ACSC': ['ACSC'], 'rail-ACCC': ['ACSC', 'ACCC'], 'rail-RJCT': ['RJCT'] },
  ACSC: { 'rail-ACCC': ['ACCC'] },
  ACCC: {},
  RJCT: {},
  CANC: {},
};

/** Whether a status cannot move any more. */
export function isFinal(status: Status): boolean {
  return status === 'ACSC' || status === 'ACCC' || status === 'RJCT' || status === 'CANC';
}

/** MS03: "reason has not been specified by agent". */
const UNSPECIFIED = 'MS03';
/** CUST: "at the request of the debtor" (ExternalStatusReason1Code). */
const AT_REQUEST = 'CUST';

/**
 * What a happening makes of a payment.
 * @param now when it happened
 * @returns the payment as it stands then (the same object when nothing changed) and the events to tell, in order.
 */
export function transition(payment: Payment, happening: Happening, now: Date): { payment: Payment; events: Announcement[] } {
  const path = TRANSITIONS[payment.status][triggerOf(happening)];
  if (!path) return { payment, events: [] };
  let next = happening.kind === 'funds-reserved' ? { ...payment, debtor: happening.debtor } : payment;
  const events: Announcement[] = [];
  for (const status of path) {
    next = arrive(next, status, reasonOf(status, happening), now);
    events.push(...announce(next));
  }
  return { payment: next, events };
}

function triggerOf(happening: Happening): Trigger {
  return happening.kind === 'rail-reported' ? `rail-${happening.status}` : happening.kind;
}

function reasonOf(status: Status, happening: Happening): string | undefined {
  if (status === 'CANC') return AT_REQUEST;
  if (status !== 'RJCT') return undefined;
  const given = 'reason' in happening ? happening.reason : undefined;
  return given !== undefined && /^[A-Z0-9]{4}$/.test(given) ? given : UNSPECIFIED;
}

function arrive(payment: Payment, status: Status, reason: string | undefined, at: Date): Payment {
  const change: StatusChange = reason === undefined ? { status, at } : { status, at, reason };
  const { statusReason: _before, ...rest } = payment;
  return { ...rest, status, ...(reason === undefined ? {} : { statusReason: reason }), history: [...payment.history, change] };
}

/** The events that tell of the status a payment has just reached. */
function announce(payment: Payment): Announcement[] {
  const { paymentId, clientId, customerId, debtorAccountId, status, statusReason } = payment;
  const events: Announcement[] = [{
    type: 'payment.status-changed',
    data: { paymentId, clientId, customerId, status, ...(statusReason === undefined ? {} : { reason: statusReason }) },
  }];
  const ended = { paymentId, clientId, customerId, debtorAccountId, reason: statusReason ?? UNSPECIFIED };
  if (status === 'ACCP' && payment.debtor)
    events.push({ type: 'payment.submitted', data: { ...orderOf(payment), debtor: payment.debtor } });
  if (status === 'ACSC')
    events.push({ type: 'payment.settled', data: { paymentId, clientId, customerId, debtorAccountId, amount: formatMoney(payment.amount) } });
  if (status === 'RJCT') events.push({ type: 'payment.rejected', data: ended });
  if (status === 'CANC') events.push({ type: 'payment.cancelled', data: ended });
  return events;
}

/** The order itself, as events carry it. */
function orderOf(payment: Payment): EventData<'payment.initiated'> {
  const { paymentId, clientId, customerId, consentId, debtorAccountId, creditor, endToEndId, uetr, remittance } = payment;
  return {
    paymentId, clientId, customerId, consentId, debtorAccountId, amount: formatMoney(payment.amount), creditor, endToEndId, uetr,
    ...(remittance === undefined ? {} : { remittance }),
  };
}

/** What a client orders, checked, with the ids that were made for it. */
export type Order = Omit<Payment, 'status' | 'statusReason' | 'history' | 'debtor' | 'reference'>;

/** A new payment (RCVD) and the events to tell of it. */
export function initiate(order: Order): { payment: Payment; events: Announcement[] } {
  const payment: Payment = { ...order, status: 'RCVD', history: [{ status: 'RCVD', at: order.createdAt }] };
  return { payment, events: [{ type: 'payment.initiated', data: orderOf(payment) }, ...announce(payment)] };
}

/** The end-to-end id of an order that names none: the payment id without hyphens (32 characters; ISO allows 35). */
export function defaultEndToEndId(paymentId: string): string {
  return paymentId.replaceAll('-', '');
}

/** Why an order was not accepted, besides `created`. The words are those of the SQL function initiate_payment. */
export type InitiationOutcome =
  | { outcome: 'created' }
  | { outcome: 'replay'; payment: Payment }
  | { outcome: 'limit_exceeded'; broken: BrokenLimit }
  | { outcome: 'mismatch' | 'in_flight' | Refusal };
export type Refusal =
  | 'consent_unknown' | 'consent_revoked' | 'consent_withdrawn' | 'consent_expired' | 'consent_consumed' | 'consent_not_begun'
  | 'consent_of_another' | 'account_differs' | 'amount_differs' | 'currency_differs' | 'creditor_differs' | 'remittance_differs'
  | 'date_differs' | 'date_past' | 'date_ahead';

/** What a customer authorised: one payment, or recurring ones within limits. */
export type ConsentTerms = {
  consentId: string;
  /** Grows with every change of the consent; 0 where it was not told. */
  version: number;
  clientId: string;
  customerId: string;
  /** Any one of them may be debited. */
  debtorAccountIds: readonly string[];
  /** Of the payment; or the most of one payment. */
  amount: Money;
  creditor: Party;
  remittance?: string;
  expiresAt?: string;
} & (
  | { kind: 'payment'; requestedExecutionDate?: string }
  | { kind: 'variable-recurring'; validFrom: string; validUntil: string; periodicLimits: readonly { maximum: Money; period: string; alignment: string }[] }
);

/**
 * The terms of a consent under which payments are made; undefined for consents of another kind.
 * @throws Error when the consent's limits are not all of one currency, or it names no customer: ours to mend, nobody's request
 */
export function termsOf(consent: EventData<'consent.authorised'>): ConsentTerms | undefined {
  const { consentId, clientId, customerId, consentType, accounts, payment, recurring, expiresAt, version = 0 } = consent;
  const named = consentType === 'payment' ? payment : consentType === 'variable-recurring' ? recurring : undefined;
  if (!named) return undefined;
  if (customerId === undefined) throw new Error(`consent ${consentId} was authorised by nobody`);
  const common = {
    consentId, version, clientId, customerId, creditor: named.creditor,
    ...(named.remittance === undefined ? {} : { remittance: named.remittance }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
  if (payment && consentType === 'payment') {
    return {
      ...common, kind: 'payment', debtorAccountIds: [payment.debtorAccountId ?? accounts[0] ?? ''], amount: parseMoney(payment.amount),
      ...(payment.requestedExecutionDate === undefined ? {} : { requestedExecutionDate: payment.requestedExecutionDate }),
    };
  }
  const { maximumPerPayment, periodicLimits, debtorAccountId, validFrom, validUntil } = named as NonNullable<typeof recurring>;
  const amount = parseMoney(maximumPerPayment);
  const limits = periodicLimits.map(({ maximum, period, alignment }) => ({ maximum: parseMoney(maximum), period, alignment }));
  if (limits.some(({ maximum }) => maximum.currency !== amount.currency)) throw new Error(`the limits of consent ${consentId} are of several currencies`);
  return {
    ...common, kind: 'variable-recurring', debtorAccountIds: debtorAccountId === undefined ? accounts : [debtorAccountId], amount,
    validFrom, validUntil, periodicLimits: limits,
  };
}

/** Whether payments are made under consents of this type. */
export const paysUnder = (consentType: EventData<'consent.authorised'>['consentType']): boolean => consentType === 'payment' || consentType === 'variable-recurring';

/** How a consent ended, as far as payments are concerned. */
export type ConsentEnd = 'revoked' | 'withdrawn' | 'expired';

/** The limit of a recurring consent a payment would break. */
export interface BrokenLimit {
  /** `payment`: the most of one payment; else the period. */
  limit: 'payment' | 'day' | 'week' | 'fortnight' | 'month' | 'half-year' | 'year';
  maximum: Money;
  /** What may still be paid: in one payment, or in the period that runs. */
  left: Money;
  /** When the next period begins; absent where none begins any more within the consent's time. */
  nextPeriodAt?: Date;
}

/** A broken limit as the caller reads it: which, what is left, and from when there is more. */
export function limitSentence({ limit, maximum, left, nextPeriodAt }: BrokenLimit): string {
  const text = (money: Money): string => Object.values(formatMoney(money)).join(' ');
  if (limit === 'payment') return `The consent allows at most ${text(maximum)} in one payment.`;
  const then = nextPeriodAt ? `the next period begins at ${nextPeriodAt.toISOString()}` : 'no further period begins before the consent ends';
  return `The consent allows ${text(maximum)} a ${limit}; ${text(left)} is left, and ${then}.`;
}

/** Which payments a list shows. `before` is the payment id the page before ended with. */
export interface PaymentFilter {
  /** Absent: payments of all clients (compliance). */
  clientId?: string;
  status?: Status;
  before?: string;
  limit: number;
}

/** What the routes need of a store of payments. */
export interface Payments {
  /**
   * Idempotency key, consent, payment, history and events in one transaction. `requestHash` is compared on a repeat.
   * `context` goes into the envelopes of the events.
   */
  initiate(started: { payment: Payment; events: Announcement[] }, request: { key: string; hash: Buffer; context: EventContext }): Promise<InitiationOutcome>;
  find(paymentId: string): Promise<Payment | undefined>;
  list(filter: PaymentFilter): Promise<Payment[]>;
  setReference(paymentId: string, reference: string): Promise<Payment | undefined>;
  /**
   * Locks the payment, lets `happening` happen to it (`transition`) and stores what came of it with its events.
   * @returns the payment as it stands then; undefined when there is none
   */
  happen(paymentId: string, happening: Happening, context: EventContext): Promise<Payment | undefined>;
}

/** What the subscriptions need, inside the transaction in which an event is heard (`Tx` belongs to the kernel). */
export interface PaymentEffects<Tx> {
  /** As `Payments.happen`, inside a transaction that is already open. */
  happenIn(tx: Tx, paymentId: string, happening: Happening, telling: { context: EventContext; emit: (event: Event) => Promise<void> }): Promise<Payment | undefined>;
  /** Remembers the terms a customer authorised or amended; the newest version counts. An end heard before stays. */
  authorise(tx: Tx, terms: ConsentTerms): Promise<void>;
  /** Remembers that a consent ended, also when its beginning has not been heard yet. */
  endConsent(tx: Tx, consentId: string, ended: ConsentEnd): Promise<void>;
}
