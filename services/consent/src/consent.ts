/**
 * The rules of consent: what may be asked, who may decide, and which decision the gateway must give.
 * Pure: time and ids are passed in.
 */
import { extractIBAN } from 'ibantools';
import { parseMoney } from '@kontor/kernel/money';
import { problem, type Problem } from '@kontor/kernel/problem';
import type { DecisionRecord } from '@kontor/kernel/consent-decision';
import type { EventType } from '@kontor/kernel/events';

export type ConsentEventType = Extract<EventType, `consent.${string}`>;

export type ConsentType = 'account-access' | 'payment';
export type ConsentStatus = 'awaiting_authorisation' | 'authorised' | 'rejected' | 'revoked' | 'expired' | 'consumed';
export type StatusReason = 'by_customer' | 'by_third_party' | 'abandoned' | 'too_many_attempts';

/** What a payment consent allows: exactly this payment, once. Money as on the wire. */
export interface ConsentedPayment {
  amount: { amount: string; currency: string };
  creditor: { name: string; iban: string };
  debtorAccountId?: string;
  remittance?: string;
}

export interface Consent {
  id: string;
  clientId: string;
  type: ConsentType;
  status: ConsentStatus;
  statusReason?: StatusReason;
  permissions: string[];
  accounts: string[];
  customerId?: string;
  payment?: ConsentedPayment;
  redirectUri: string;
  expiresAt: Date;
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

/** A customer's account as the approval page offers it. */
export interface OfferedAccount {
  id: string;
  customerId: string;
  iban: string;
  currency: string;
  product: string;
}

export type NewConsent =
  | { type: 'account-access'; permissions: string[]; validUntil: string; redirectUri: string }
  | { type: 'payment'; payment: ConsentedPayment; redirectUri: string };

type Act = 'authorise' | 'reject' | 'revoke' | 'expire' | 'consume';

/** Every move there is. A pair that is not here cannot happen. */
const MOVES: Record<ConsentStatus, Partial<Record<Act, ConsentStatus>>> = {
  awaiting_authorisation: { authorise: 'authorised', reject: 'rejected', revoke: 'revoked', expire: 'expired' },
  authorised: { revoke: 'revoked', expire: 'expired', consume: 'consumed' },
  rejected: {},
  revoked: {},
  expired: {},
  consumed: {},
};

const EVENT_OF: Record<Exclude<ConsentStatus, 'awaiting_authorisation'>, ConsentEventType> = {
  authorised: 'consent.authorised',
  rejected: 'consent.rejected',
  revoked: 'consent.revoked',
  expired: 'consent.expired',
  consumed: 'consent.consumed',
};

const DAY_MS = 24 * 60 * 60 * 1000;
/** RTS on SCA, article 10(2) as amended in 2022: account access is renewed at least every 180 days. */
const LONGEST_ACCESS_MS = 180 * DAY_MS;
/** A customer who has not decided within an hour has walked away. */
const TIME_TO_DECIDE_MS = 60 * 60 * 1000;

/** True when nothing can move the consent any more. */
export const isOver = (consent: Consent): boolean => Object.keys(MOVES[consent.status]).length === 0;

/**
 * Makes a consent that awaits its customer.
 * @throws Problem `role_required`, `unprocessable`, `invalid_iban`, `invalid_amount`
 */
export function requestConsent(input: NewConsent, by: { id: string; clientId: string; roles: readonly string[]; now: Date }): Consent {
  const role = input.type === 'payment' ? 'pisp' : 'aisp';
  if (!by.roles.includes(role)) throw problem('role_required', `A consent of type ${input.type} takes the role ${role}.`);
  requireHttpUrl(input.redirectUri);
  const base = {
    id: by.id, clientId: by.clientId, status: 'awaiting_authorisation' as const, accounts: [], redirectUri: input.redirectUri,
    version: 1, createdAt: by.now, updatedAt: by.now,
  };
  if (input.type === 'payment') {
    requirePayable(input.payment);
    return { ...base, type: 'payment', permissions: ['payments:initiate'], payment: input.payment, expiresAt: new Date(by.now.getTime() + TIME_TO_DECIDE_MS) };
  }
  return { ...base, type: 'account-access', permissions: input.permissions, expiresAt: accessEnds(input.validUntil, by.now) };
}

function requireHttpUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.hash !== '') {
    throw problem('unprocessable', 'redirectUri must be an absolute http(s) address without a fragment (RFC 6749 §3.1.2).');
  }
}

function requirePayable(payment: ConsentedPayment): void {
  if (parseMoney(payment.amount).minor <= 0n) throw problem('invalid_amount', 'payment.amount must be more than zero.');
  if (!extractIBAN(payment.creditor.iban).valid) throw problem('invalid_iban', 'payment.creditor.iban is not a valid IBAN: check the digits.');
}

function accessEnds(validUntil: string, now: Date): Date {
  const until = new Date(validUntil);
  if (Number.isNaN(until.getTime())) throw problem('unprocessable', 'validUntil is not a date that exists.');
  if (until <= now) throw problem('unprocessable', 'validUntil must lie in the future.');
  if (until.getTime() - now.getTime() > LONGEST_ACCESS_MS) throw problem('unprocessable', 'validUntil may be at most 180 days ahead.');
  return until;
}

/**
 * The customer approves for the accounts chosen.
 * @throws Problem `invalid_state` when it is already decided, `unprocessable` when the accounts do not fit the consent
 */
export function authorise(consent: Consent, by: { customerId: string; chosen: string[]; owned: OfferedAccount[]; now: Date }): Consent {
  if (consent.expiresAt <= by.now || hasBeenAbandoned(consent, by.now)) throw problem('invalid_state', 'This consent has expired; the third party must create a new one.');
  const offered = accountsOffered(consent, by.owned).map((account) => account.id);
  if (by.chosen.length === 0 || !by.chosen.every((id) => offered.includes(id))) throw problem('unprocessable', 'Choose at least one of the accounts shown.');
  if (consent.type === 'payment' && by.chosen.length !== 1) throw problem('unprocessable', 'A payment is made from one account.');
  return { ...move(consent, 'authorise', by.now), customerId: by.customerId, accounts: [...new Set(by.chosen)] };
}

/** The accounts a customer may choose for this consent: a payment takes its own currency and, where named, its own account. */
export function accountsOffered(consent: Consent, owned: OfferedAccount[]): OfferedAccount[] {
  const { payment } = consent;
  if (!payment) return owned;
  return owned.filter((account) => account.currency === payment.amount.currency && (!payment.debtorAccountId || payment.debtorAccountId === account.id));
}

/** The customer says no, or fails to prove who he is. @throws Problem `invalid_state` */
export const reject = (consent: Consent, reason: StatusReason, now: Date, customerId?: string): Consent =>
  ({ ...move(consent, 'reject', now), statusReason: reason, ...(customerId ? { customerId } : {}) });

/** Ends a consent at the wish of the customer or the third party. A consent that is over stays as it is. */
export const revoke = (consent: Consent, reason: 'by_customer' | 'by_third_party', now: Date): Consent =>
  isOver(consent) ? consent : { ...move(consent, 'revoke', now), statusReason: reason };

/** Ends a consent whose time has come; any other stays as it is. */
export function expire(consent: Consent, now: Date): Consent {
  if (isOver(consent)) return consent;
  if (hasBeenAbandoned(consent, now)) return { ...move(consent, 'expire', now), statusReason: 'abandoned' };
  return consent.expiresAt <= now ? move(consent, 'expire', now) : consent;
}

/** The payment it allowed was made. Repeated or late news changes nothing. */
export const consume = (consent: Consent, now: Date): Consent =>
  MOVES[consent.status].consume && consent.type === 'payment' ? move(consent, 'consume', now) : consent;

const hasBeenAbandoned = (consent: Consent, now: Date): boolean =>
  consent.status === 'awaiting_authorisation' && consent.createdAt.getTime() + TIME_TO_DECIDE_MS <= now.getTime();

function move(consent: Consent, act: Act, now: Date): Consent {
  const status = MOVES[consent.status][act];
  if (!status) throw problem('invalid_state', `This consent is ${consent.status.replace('_', ' ')}; it can no longer be decided.`);
  return { ...consent, status, version: consent.version + 1, updatedAt: now };
}

/** The event that tells what the consent has become. */
export const eventOf = (consent: Consent): ConsentEventType =>
  consent.status === 'awaiting_authorisation' ? 'consent.created' : EVENT_OF[consent.status];

/** A record is denied a reason the third party can act on; see `consent_revoked`, `consent_expired` … in the problem table. */
const DENIAL: Record<Exclude<ConsentStatus, 'authorised'>, DecisionRecord['reason']> = {
  awaiting_authorisation: 'not_authorised',
  rejected: 'rejected',
  revoked: 'revoked',
  expired: 'expired',
  consumed: 'consumed',
};

/** What the gateway needs to decide a request under this consent; `expiresAt` in Unix seconds. */
export function decisionOf(consent: Consent): DecisionRecord {
  return {
    version: consent.version,
    status: consent.status === 'authorised' ? 'authorised' : 'denied',
    ...(consent.status === 'authorised' ? {} : { reason: DENIAL[consent.status] }),
    clientId: consent.clientId,
    customerId: consent.customerId ?? '',
    permissions: consent.permissions,
    accounts: consent.accounts,
    expiresAt: Math.floor(consent.expiresAt.getTime() / 1000),
  };
}

/** The parameters of an authorisation request (RFC 6749 §4.1.1, RFC 7636 §4.3), after every check has passed. */
export interface AuthorisationRequest {
  consentId: string;
  clientId: string;
  redirectUri: string;
  scope: string;
  state?: string;
  codeChallenge: string;
}

const SCOPE_OF: Record<ConsentType, string> = { 'account-access': 'accounts', payment: 'payments' };

/**
 * Checks an authorisation request against the consent it names. The customer is sent nowhere before all of it fits.
 * @throws Problem `unprocessable`, `invalid_state`
 */
export function readAuthorisationRequest(query: Record<string, unknown>, consent: Consent): AuthorisationRequest {
  const text = (name: string): string => (typeof query[name] === 'string' ? query[name] : '');
  const refuse = (detail: string): Problem => problem('unprocessable', detail);
  if (text('response_type') !== 'code') throw refuse('response_type must be "code".');
  if (text('client_id') !== consent.clientId) throw refuse('This consent belongs to another application.');
  if (text('redirect_uri') !== consent.redirectUri) throw refuse('redirect_uri differs from the one the consent was created with.');
  if (text('code_challenge_method') !== 'S256') throw refuse('code_challenge_method must be "S256" (RFC 7636).');
  if (!/^[A-Za-z0-9_-]{43}$/.test(text('code_challenge'))) throw refuse('code_challenge must be the base64url SHA-256 of the code verifier (43 characters).');
  const scope = text('scope') || SCOPE_OF[consent.type];
  if (scope !== SCOPE_OF[consent.type]) throw refuse(`A consent of type ${consent.type} carries the scope "${SCOPE_OF[consent.type]}".`);
  if (text('state').length > 512) throw refuse('state may have at most 512 characters.');
  if (consent.status !== 'awaiting_authorisation') throw problem('invalid_state', `This request has already been ${consent.status === 'authorised' ? 'approved' : consent.status}.`);
  return { consentId: consent.id, clientId: consent.clientId, redirectUri: consent.redirectUri, scope, codeChallenge: text('code_challenge'), ...(text('state') ? { state: text('state') } : {}) };
}

/** The port the routes, pages and subscriptions need; `repository.ts` keeps it. */
export interface Consents {
  find(consentId: string): Promise<Consent | undefined>;
  listOfCustomer(customerId: string): Promise<Consent[]>;
  accountsOf(customerId: string): Promise<OfferedAccount[]>;
  applicationName(clientId: string): Promise<string | undefined>;
}
