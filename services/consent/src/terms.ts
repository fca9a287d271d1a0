/**
 * What may be asked of a customer: the terms of each type of consent, and of an amendment. Pure.
 * What only a fast clock or the contract can say (patterns, lengths) is in openapi.yaml.
 */
import { extractIBAN } from 'ibantools';
import { compareMoney, parseMoney } from '@kontor/kernel/money';
import { problem } from '@kontor/kernel/problem';
import type { BulkTerms, RecurringTerms } from '@kontor/kernel/events';
import { DAY_MS, type Amendment, type Consent, type ConsentedPayment, type ConsentType } from './consent.js';

type WireMoney = ConsentedPayment['amount'];
type Creditor = ConsentedPayment['creditor'];

export type NewConsent =
  | { type: 'account-access'; permissions: string[]; validUntil: string; recurring?: boolean; frequencyPerDay?: number; redirectUri: string }
  | { type: 'payment'; payment: ConsentedPayment; redirectUri: string }
  | { type: 'variable-recurring'; recurring: Omit<RecurringTerms, 'validFrom'> & { validFrom?: string }; redirectUri: string }
  | { type: 'bulk-payment'; bulk: BulkTerms; redirectUri: string }
  | { type: 'funds-confirmation'; validUntil: string; redirectUri: string };

export interface AmendedTerms { permissions?: string[]; validUntil?: string; frequencyPerDay?: number }

/** Which application may ask, and which OAuth scope its tokens carry. */
export const ROLE_OF: Record<ConsentType, string> = {
  'account-access': 'aisp', payment: 'pisp', 'variable-recurring': 'pisp', 'bulk-payment': 'pisp', 'funds-confirmation': 'cbpii',
};
export const SCOPE_OF: Record<ConsentType, string> = {
  'account-access': 'accounts', payment: 'payments', 'variable-recurring': 'payments', 'bulk-payment': 'payments', 'funds-confirmation': 'funds',
};

/** RTS on SCA, article 10(2) as amended in 2022: account access is renewed at least every 180 days. */
const LONGEST_ACCESS_DAYS = 180;
/** As long as a bank keeps a mandate unused; UK VRP and SEPA mandates lapse later. */
const LONGEST_MANDATE_DAYS = 1095;
/** Time enough for a second holder of the account to approve. */
const PAYMENT_LIFE_MS = DAY_MS;

/**
 * Makes a consent that awaits its customer.
 * @throws Problem `role_required`, `unprocessable`, `invalid_iban`, `invalid_amount`
 */
export function requestConsent(input: NewConsent, by: { id: string; clientId: string; roles: readonly string[]; now: Date }): Consent {
  const role = ROLE_OF[input.type];
  if (!by.roles.includes(role)) throw problem('role_required', `A consent of type ${input.type} takes the role ${role}.`);
  requireHttpUrl(input.redirectUri);
  return {
    id: by.id, clientId: by.clientId, type: input.type, status: 'awaiting_authorisation', accounts: [], approvers: [], approvals: [], oneOff: false,
    redirectUri: input.redirectUri, version: 1, createdAt: by.now, updatedAt: by.now, ...termsOf(input, by.now),
  };
}

type Terms = Pick<Consent, 'permissions' | 'expiresAt'> & Partial<Pick<Consent, 'payment' | 'recurring' | 'bulk' | 'oneOff' | 'frequencyPerDay' | 'validFrom'>>;

function termsOf(input: NewConsent, now: Date): Terms {
  switch (input.type) {
    case 'payment':
      requirePayable(input.payment, now);
      return { permissions: ['payments:initiate'], payment: input.payment, expiresAt: paymentEnds(input.payment, now) };
    case 'variable-recurring':
      return recurringTerms(input.recurring, now);
    case 'bulk-payment':
      requireAmount(input.bulk.total, 'bulk.total');
      requireExecutionDate(input.bulk.requestedExecutionDate, 'bulk.requestedExecutionDate', now);
      return { permissions: ['payments:initiate'], bulk: input.bulk, expiresAt: paymentEnds(input.bulk, now) };
    case 'funds-confirmation':
      return { permissions: ['funds:confirm'], expiresAt: endOf(input.validUntil, now, LONGEST_MANDATE_DAYS) };
    case 'account-access': {
      const oneOff = input.recurring === false;
      if (oneOff && input.frequencyPerDay !== undefined) throw problem('unprocessable', 'frequencyPerDay is for recurring access: leave it out with recurring=false.');
      return {
        permissions: input.permissions, expiresAt: endOf(input.validUntil, now, LONGEST_ACCESS_DAYS), oneOff,
        ...(input.frequencyPerDay === undefined ? {} : { frequencyPerDay: input.frequencyPerDay }),
      };
    }
  }
}

/** A day, or to the end of the day (UTC) on which the payment is to be made. */
function paymentEnds({ requestedExecutionDate }: Pick<ConsentedPayment, 'requestedExecutionDate'>, now: Date): Date {
  const dayEnds = requestedExecutionDate === undefined ? 0 : Date.parse(`${requestedExecutionDate}T00:00:00Z`) + DAY_MS;
  return new Date(Math.max(now.getTime() + PAYMENT_LIFE_MS, dayEnds));
}

function recurringTerms(asked: Extract<NewConsent, { type: 'variable-recurring' }>['recurring'], now: Date): Terms {
  requireCreditor(asked.creditor, 'recurring.creditor.iban');
  const each = requireAmount(asked.maximumPerPayment, 'recurring.maximumPerPayment');
  for (const [index, { maximum }] of asked.periodicLimits.entries()) {
    const name = `recurring.periodicLimits[${index}].maximum`;
    const limit = requireAmount(maximum, name);
    if (limit.currency !== each.currency) throw problem('unprocessable', `${name} is in another currency than maximumPerPayment.`);
    if (compareMoney(limit, each) < 0) throw problem('unprocessable', `${name} is less than maximumPerPayment.`);
  }
  const kinds = asked.periodicLimits.map(({ period, alignment }) => `${period} ${alignment}`);
  if (new Set(kinds).size < kinds.length) throw problem('unprocessable', 'recurring.periodicLimits names a period twice.');
  const validFrom = asked.validFrom === undefined ? now : instant(asked.validFrom, 'recurring.validFrom');
  const expiresAt = endOf(asked.validUntil, validFrom > now ? validFrom : now, LONGEST_MANDATE_DAYS, 'recurring.validUntil');
  return {
    permissions: ['payments:initiate'], expiresAt, validFrom,
    recurring: { ...asked, validFrom: validFrom.toISOString(), validUntil: expiresAt.toISOString() },
  };
}

/**
 * Other terms for a consent to account access: what is not named stays. Nothing named: the customer only proves again who he is.
 * @throws Problem `unprocessable`
 */
export function amendedTerms(consent: Consent, asked: AmendedTerms, now: Date): Omit<Amendment, 'requestedAt'> {
  if (consent.type !== 'account-access' || consent.oneOff) throw problem('unprocessable', 'Only recurring account access can be amended; ask for a new consent.');
  const frequencyPerDay = asked.frequencyPerDay ?? consent.frequencyPerDay;
  return {
    permissions: asked.permissions ?? consent.permissions,
    expiresAt: asked.validUntil === undefined ? consent.expiresAt : endOf(asked.validUntil, now, LONGEST_ACCESS_DAYS),
    ...(frequencyPerDay === undefined ? {} : { frequencyPerDay }),
  };
}

function requireHttpUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.hash !== '' || url.username !== '' || url.password !== '') {
    throw problem('unprocessable', 'redirectUri must be an absolute http(s) address without a fragment (RFC 6749 §3.1.2) and without a user in it.');
  }
}

function requirePayable(payment: ConsentedPayment, now: Date): void {
  requireAmount(payment.amount, 'payment.amount');
  requireCreditor(payment.creditor, 'payment.creditor.iban');
  requireExecutionDate(payment.requestedExecutionDate, 'payment.requestedExecutionDate', now);
}

function requireExecutionDate(date: string | undefined, name: string, now: Date): void {
  if (date === undefined) return;
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== date) throw problem('unprocessable', `${name} is not a date that exists.`);
  if (date < now.toISOString().slice(0, 10)) throw problem('unprocessable', `${name} lies in the past.`);
  if (day.getTime() - now.getTime() > 365 * DAY_MS) throw problem('unprocessable', `${name} may be at most a year ahead.`);
}

function requireAmount(amount: WireMoney, name: string): ReturnType<typeof parseMoney> {
  const money = parseMoney(amount);
  if (money.minor <= 0n) throw problem('invalid_amount', `${name} must be more than zero.`);
  return money;
}

function requireCreditor({ iban }: Creditor, name: string): void {
  if (!extractIBAN(iban).valid) throw problem('invalid_iban', `${name} is not a valid IBAN: check the digits.`);
}

function instant(text: string, name: string): Date {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) throw problem('unprocessable', `${name} is not a date that exists.`);
  return at;
}

function endOf(text: string, begin: Date, mostDays: number, name = 'validUntil'): Date {
  const until = instant(text, name);
  if (until <= begin) throw problem('unprocessable', `${name} must lie in the future.`);
  if (until.getTime() - begin.getTime() > mostDays * DAY_MS) throw problem('unprocessable', `${name} may be at most ${mostDays} days ahead.`);
  return until;
}
