import type { Event, EventContext, EventData } from '@kontor/kernel/events';
import type { Money } from '@kontor/kernel/money';
import { formatMoney, parseMoney } from '@kontor/kernel/money';
import type { Announcement, Happening, Kind, Party, Payment, Status } from './life.js';

/** On what terms payments are made; their life is in life.ts. */
export * from './life.js';

/** Why an order was not accepted, besides `created`. The words are those of the SQL function initiate_payment. */
export type InitiationOutcome =
  | { outcome: 'created' }
  | { outcome: 'replay'; payment: Payment }
  | { outcome: 'limit_exceeded'; broken: BrokenLimit }
  | { outcome: 'bank_limit_exceeded'; broken: BrokenBankLimit }
  | { outcome: 'duplicate'; paymentId: string }
  | { outcome: 'mismatch' | 'in_flight' | Refusal };
export type Refusal =
  | 'consent_unknown' | 'consent_revoked' | 'consent_withdrawn' | 'consent_expired' | 'consent_consumed' | 'consent_not_begun'
  | 'consent_of_another' | 'account_differs' | 'amount_differs' | 'currency_differs' | 'creditor_differs' | 'remittance_differs'
  | 'date_differs' | 'date_past' | 'date_ahead' | 'date_beyond_consent'
  | 'not_recurring';

/** What a customer authorised: one payment, recurring ones within limits, or one bulk. */
export type ConsentTerms = {
  consentId: string;
  /** Grows with every change of the consent; 0 where it was not told. */
  version: number;
  clientId: string;
  customerId: string;
  /** Any one of them may be debited. */
  debtorAccountIds: readonly string[];
  /** Of the payment; or the most of one payment; or the total of the bulk. */
  amount: Money;
  /** Of a bulk: nobody (no name, no account), so that no single payment passes under it. */
  creditor: Party;
  remittance?: string;
  expiresAt?: string;
} & (
  | { kind: 'payment'; requestedExecutionDate?: string }
  | { kind: 'bulk-payment'; transactions: number; digest?: string; requestedExecutionDate?: string }
  | { kind: 'variable-recurring'; validFrom: string; validUntil: string; periodicLimits: readonly { maximum: Money; period: string; alignment: string }[] }
);

/**
 * The terms of a consent under which payments are made; undefined for consents of another kind.
 * @throws Error when the consent's limits are not all of one currency, or it names no customer: ours to mend, nobody's request
 */
export function termsOf(consent: EventData<'consent.authorised'>): ConsentTerms | undefined {
  const { consentId, clientId, customerId, consentType, accounts, payment, recurring, bulk, expiresAt, version = 0 } = consent;
  const named = consentType === 'payment' ? payment : consentType === 'variable-recurring' ? recurring : consentType === 'bulk-payment' && bulk ? { ...bulk, creditor: { name: '', iban: '' }, remittance: undefined } : undefined;
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
  if (bulk && consentType === 'bulk-payment') {
    const { transactions, total, debtorAccountId, digest, requestedExecutionDate } = bulk;
    return {
      ...common, kind: 'bulk-payment', debtorAccountIds: debtorAccountId === undefined ? accounts : [debtorAccountId], amount: parseMoney(total), transactions,
      ...(digest === undefined ? {} : { digest }), ...(requestedExecutionDate === undefined ? {} : { requestedExecutionDate }),
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
export const paysUnder = (consentType: EventData<'consent.authorised'>['consentType']): boolean => ['payment', 'variable-recurring', 'bulk-payment'].includes(consentType);

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

/** The limit of the bank a payment would break: so many payments, or so much in one currency, a day from one account. */
export interface BrokenBankLimit {
  limit: 'daily-count' | 'daily-amount';
  /** Payments, or money in the currency of the payment. */
  maximum: number | Money;
  left: number | Money;
  /** When the next day begins. */
  nextAt: Date;
}

/** What is checked where the payment is written, besides the consent; absent is not checked. */
export interface Checks {
  limits?: { timeZone: string; payments?: number; amount?: Money };
  /** An order for the same thing within so many minutes is refused. */
  duplicateMinutes?: number;
}

/** Which payments a list shows. `before` is the payment id the page before ended with. */
export interface PaymentFilter {
  /** Absent: payments of all clients (compliance). */
  clientId?: string;
  status?: Status;
  kind?: Kind;
  /** Ordered on these days (UTC), both included. */
  from?: string;
  to?: string;
  before?: string;
  limit: number;
}

/** A payment that begins, and what is to be told of it. */
export interface Started {
  payment: Payment;
  events: Announcement[];
}

/** What goes with a payment where it is written. */
export interface Checked {
  context: EventContext;
  checks?: Checks;
  fingerprint?: Buffer;
  review?: { score: number; reasons: readonly string[] };
}

/** What the routes need of a store of payments. */
export interface Payments {
  /**
   * Idempotency key, consent, payment, history and events in one transaction. `requestHash` is compared on a repeat.
   * `context` goes into the envelopes of the events. `fingerprint` is what two orders for the same thing
   * have in common; `review` says why a payment is held or refused.
   */
  initiate(started: Started, request: Checked & { key: string; hash: Buffer }): Promise<InitiationOutcome>;
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
