/**
 * The life of a consent: its states, who may move it and why, and which decision the gateway must give.
 *
 *   awaiting ──approve──▶ authorised ──consume──▶ consumed          every state but the last row: ──withdraw──▶ withdrawn
 *    │  │                  ▲   │  ▲▼ amend                           authorised, part-authorised:  ──revoke───▶ revoked
 *    │  └─approve in part─▶ part-authorised                          any of them at its end:       ──expire───▶ expired
 *    └─reject / abandon──▶ rejected ◀─┘
 *
 * Pure: time and ids are passed in. What can be asked for is in terms.ts.
 */
import { problem } from '@kontor/kernel/problem';
import type { DecisionRecord } from '@kontor/kernel/consent-decision';
import type { BulkTerms, EventType, RecurringTerms } from '@kontor/kernel/events';

export type ConsentEventType = Extract<EventType, `consent.${string}`>;

export type ConsentType = 'account-access' | 'payment' | 'variable-recurring' | 'bulk-payment' | 'funds-confirmation';
export const STATUSES = [
  'awaiting_authorisation', 'partially_authorised', 'authorised', 'rejected', 'consumed', 'revoked', 'withdrawn', 'expired',
] as const;
export type ConsentStatus = (typeof STATUSES)[number];

/** Why a consent is no longer what it was; the first word a third party or an officer looks for. */
export const END_REASONS = [
  'by_customer', 'by_third_party', 'by_bank', 'abandoned', 'too_many_attempts', 'end_reached', 'payment_initiated', 'customer_closed',
] as const;
export type EndReason = (typeof END_REASONS)[number];

/** Who moved a consent. `id`: the customer, the application, the staff's application and which of them (`<application>/<member>`); absent for the system. */
export interface Actor { kind: 'customer' | 'third_party' | 'bank' | 'system'; id?: string }

/** What a payment consent allows: exactly this payment, once. Money as on the wire. */
export interface ConsentedPayment {
  amount: { amount: string; currency: string };
  creditor: { name: string; iban: string };
  debtorAccountId?: string;
  remittance?: string;
  /** Calendar date; absent: when the payment is initiated. */
  requestedExecutionDate?: string;
}

/** Other terms a third party has asked for, which hold once the customer approves. */
export interface Amendment {
  permissions: string[];
  expiresAt: Date;
  frequencyPerDay?: number;
  requestedAt: Date;
}

export interface Approval { customerId: string; at: Date }

export interface Consent {
  id: string;
  clientId: string;
  type: ConsentType;
  status: ConsentStatus;
  statusReason?: EndReason;
  permissions: string[];
  /** Chosen by the first customer who approves. */
  accounts: string[];
  /** Who approved first. */
  customerId?: string;
  /** Everybody whose approval it takes, known once accounts are chosen. */
  approvers: string[];
  approvals: Approval[];
  payment?: ConsentedPayment;
  recurring?: RecurringTerms;
  bulk?: BulkTerms;
  /** Access for the moment: ends an hour after the approval. */
  oneOff: boolean;
  /** Accesses a day without the customer, for each operation and account; absent: as many as the plan allows. */
  frequencyPerDay?: number;
  amendment?: Amendment;
  redirectUri: string;
  /** Before it nothing is allowed. */
  validFrom?: Date;
  expiresAt: Date;
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

/** A customer's account as the approval page offers it. */
export interface OfferedAccount {
  id: string;
  /** All who hold it; each of them approves. */
  holders: string[];
  iban: string;
  currency: string;
  product: string;
}

export type Act = 'approve_in_part' | 'approve' | 'amend' | 'reject' | 'abandon' | 'consume' | 'revoke' | 'withdraw' | 'expire';

/** Every move there is. A pair that is not here cannot happen. */
export const MOVES: Readonly<Record<ConsentStatus, Partial<Record<Act, ConsentStatus>>>> = {
  awaiting_authorisation: {
    approve: 'authorised', approve_in_part: 'partially_authorised', reject: 'rejected', abandon: 'rejected', revoke: 'revoked', withdraw: 'withdrawn', expire: 'expired',
  },
  partially_authorised: {
    approve: 'authorised', approve_in_part: 'partially_authorised', reject: 'rejected', abandon: 'rejected', revoke: 'revoked', withdraw: 'withdrawn', expire: 'expired',
  },
  authorised: { amend: 'authorised', consume: 'consumed', revoke: 'revoked', withdraw: 'withdrawn', expire: 'expired' },
  rejected: {},
  consumed: {},
  revoked: {},
  withdrawn: {},
  expired: {},
};

/** A line of the history: what was done to a consent, by whom and why. */
export interface Change {
  act: Act | 'create' | 'ask_amendment' | 'drop_amendment';
  actor: Actor;
  reason: EndReason | 'requested' | 'approved' | 'approved_by_one' | 'amended' | 'reauthenticated';
  /** A staff member's own words. */
  note?: string;
}

/** A consent after a change; `change` undefined when nothing changed. */
export interface Outcome { consent: Consent; change?: Change }

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
/** A customer who has not decided within an hour has walked away. */
const TIME_TO_DECIDE_MS = HOUR_MS;
/** The other holders of a joint account are not at the screen. */
const TIME_FOR_OTHERS_MS = 3 * DAY_MS;
const ONE_OFF_MS = HOUR_MS;

/** True when nothing can move the consent any more. */
export const isOver = (consent: Consent): boolean => Object.keys(MOVES[consent.status]).length === 0;

/** True while a customer has something to decide: the consent itself, or other terms for it. */
export const awaitsCustomer = (consent: Consent): boolean => consent.status === 'awaiting_authorisation' || (consent.status === 'authorised' && consent.amendment !== undefined);

/** True when this customer holds one of the accounts and has yet to approve. */
export const awaitsApprovalOf = (consent: Consent, customerId: string): boolean =>
  consent.status === 'partially_authorised' && consent.approvers.includes(customerId) && !consent.approvals.some((approval) => approval.customerId === customerId);

/** The accounts a customer may choose: a payment takes its own currency and, where named, its own account. */
export function accountsOffered(consent: Consent, owned: OfferedAccount[]): OfferedAccount[] {
  const currency = (consent.payment?.amount ?? consent.recurring?.maximumPerPayment ?? consent.bulk?.total)?.currency;
  const named = (consent.payment ?? consent.recurring ?? consent.bulk)?.debtorAccountId;
  return owned.filter((account) => (!currency || account.currency === currency) && (!named || named === account.id));
}

/** Whether more than one account may be chosen: for reading, and for a bulk that names none (each of its batches has a debtor of its own). */
export const takesSeveralAccounts = (consent: Consent): boolean =>
  consent.type === 'account-access' || (consent.type === 'bulk-payment' && consent.bulk?.debtorAccountId === undefined);

/** Whether what it allows can be done once only. */
export const isSingleUse = ({ type }: Consent): boolean => type === 'payment' || type === 'bulk-payment';

/**
 * The customer approves for the accounts chosen; where an account has more holders, theirs is still needed. With an amendment
 * pending, its terms begin to hold.
 * @throws Problem `invalid_state` when there is nothing to decide (any more), `unprocessable` when the accounts do not fit
 */
export function approve(consent: Consent, by: { customerId: string; chosen: string[]; owned: OfferedAccount[]; now: Date }): Outcome {
  if (!awaitsCustomer(consent)) throw decided(consent);
  const accounts = chosenAccounts(consent, by);
  if (consent.status === 'authorised') return approveAmendment(consent, { ...by, accounts });
  const approvers = [...new Set([by.customerId, ...accounts.flatMap((account) => account.holders)])];
  return approved({ ...consent, customerId: by.customerId, accounts: accounts.map(({ id }) => id), approvers }, by.customerId, by.now);
}

/**
 * A further holder of a joint account approves what the first has chosen.
 * @throws Problem `invalid_state` when this customer has nothing to approve
 */
export function approveJointly(consent: Consent, by: { customerId: string; now: Date }): Outcome {
  if (!awaitsApprovalOf(consent, by.customerId)) throw decided(consent);
  return approved(consent, by.customerId, by.now);
}

function chosenAccounts(consent: Consent, { chosen, owned }: { chosen: string[]; owned: OfferedAccount[] }): OfferedAccount[] {
  const accounts = accountsOffered(consent, owned).filter(({ id }) => chosen.includes(id));
  if (accounts.length === 0 || accounts.length !== new Set(chosen).size) throw problem('unprocessable', 'Choose at least one of the accounts shown.');
  if (accounts.length > 1 && !takesSeveralAccounts(consent)) throw problem('unprocessable', 'This consent takes one account.');
  return accounts;
}

function approved(consent: Consent, customerId: string, now: Date): Outcome {
  const approvals = [...consent.approvals, { customerId, at: now }];
  const complete = consent.approvers.every((holder) => approvals.some((approval) => approval.customerId === holder));
  const after = { ...move(consent, complete ? 'approve' : 'approve_in_part', now), approvals };
  if (complete && consent.oneOff) after.expiresAt = earlier(consent.expiresAt, new Date(now.getTime() + ONE_OFF_MS));
  return { consent: after, change: { act: complete ? 'approve' : 'approve_in_part', actor: { kind: 'customer', id: customerId }, reason: complete ? 'approved' : 'approved_by_one' } };
}

function approveAmendment(consent: Consent, by: { customerId: string; accounts: OfferedAccount[]; now: Date }): Outcome {
  const { amendment, ...rest } = consent;
  if (!amendment || consent.customerId !== by.customerId) throw problem('invalid_state', 'Only the customer who gave this consent can change it.');
  if (by.accounts.some(({ holders }) => holders.length > 1)) throw problem('unprocessable', 'A joint account takes the approval of all who hold it: ask for a new consent.');
  const same = amendment.permissions.join() === consent.permissions.join() && amendment.frequencyPerDay === consent.frequencyPerDay;
  const { frequencyPerDay: _before, ...without } = rest;
  const amended: Consent = {
    ...move(without, 'amend', by.now), permissions: amendment.permissions, expiresAt: amendment.expiresAt, accounts: by.accounts.map(({ id }) => id),
    approvals: [{ customerId: by.customerId, at: by.now }],
    ...(amendment.frequencyPerDay === undefined ? {} : { frequencyPerDay: amendment.frequencyPerDay }),
  };
  return { consent: amended, change: { act: 'amend', actor: { kind: 'customer', id: by.customerId }, reason: same ? 'reauthenticated' : 'amended' } };
}

/**
 * The customer says no, or fails to prove who he is. What was authorised before an amendment was asked for stays so.
 * @throws Problem `invalid_state`
 */
export function reject(consent: Consent, reason: 'by_customer' | 'too_many_attempts', now: Date, customerId?: string): Outcome {
  const actor: Actor = { kind: 'customer', ...(customerId ? { id: customerId } : {}) };
  if (consent.status === 'authorised' && consent.amendment) return dropAmendment(consent, { actor, reason, now });
  if (consent.status === 'partially_authorised' && (!customerId || !consent.approvers.includes(customerId))) throw decided(consent);
  return { consent: { ...move(consent, 'reject', now), statusReason: reason, ...(customerId && !consent.customerId ? { customerId } : {}) }, change: { act: 'reject', actor, reason } };
}

/** Ends a consent at the bank: the customer's wish, or the bank's with its reason. A consent that is over stays as it is. */
export function revoke(consent: Consent, by: { actor: Actor; reason: 'by_customer' | 'by_bank' | 'customer_closed'; note?: string }, now: Date): Outcome {
  return end(consent, 'revoke', { ...by, now });
}

/** The third party gives the consent up. A consent that is over stays as it is. */
export function withdraw(consent: Consent, clientId: string, now: Date): Outcome {
  return end(consent, 'withdraw', { actor: { kind: 'third_party', id: clientId }, reason: 'by_third_party', now });
}

/** The bank ends a consent as if its time had come. A consent that is over stays as it is. */
export function expireByBank(consent: Consent, by: { actor: Actor; note?: string }, now: Date): Outcome {
  return end(consent, 'expire', { ...by, reason: 'by_bank', now });
}

/** What time alone makes of a consent: expired at its end, rejected when abandoned, an amendment nobody answered dropped. */
export function age(consent: Consent, now: Date): Outcome {
  const system: Actor = { kind: 'system' };
  if (isOver(consent)) return { consent };
  const abandoned = abandonedAt(consent);
  // Whichever came first, so that it makes no difference who reads it when.
  if (abandoned && abandoned <= now && abandoned < consent.expiresAt) return end(consent, 'abandon', { actor: system, reason: 'abandoned', now });
  if (consent.expiresAt <= now) return end(consent, 'expire', { actor: system, reason: 'end_reached', now });
  const asked = consent.amendment?.requestedAt;
  return asked && asked.getTime() + TIME_TO_DECIDE_MS <= now.getTime() ? dropAmendment(consent, { actor: system, reason: 'abandoned', now }) : { consent };
}

/**
 * What it allowed was done: a payment was initiated, or a bulk of payments taken. Repeated or late news changes nothing, nor does
 * a payment under a recurring consent, or each of those a bulk is made of.
 */
export const consume = (by: 'payment' | 'bulk-payment') => (consent: Consent, now: Date): Outcome => {
  if (consent.type !== by || !MOVES[consent.status].consume) return { consent };
  return end(consent, 'consume', { actor: { kind: 'third_party', id: consent.clientId }, reason: 'payment_initiated', now });
};

/**
 * The third party asks for other terms, or for the customer to prove again who he is (the same terms).
 * @throws Problem `invalid_state` when the consent is not authorised
 */
export function askAmendment(consent: Consent, amendment: Omit<Amendment, 'requestedAt'>, now: Date): Outcome {
  if (consent.status !== 'authorised') throw problem('invalid_state', `This consent is ${inWords(consent)}; only an authorised one can be amended.`);
  if (consent.approvers.length > 1) throw problem('unprocessable', 'This consent was given by several holders of an account: ask for a new one instead.');
  const asked: Consent = { ...consent, amendment: { ...amendment, requestedAt: now }, version: consent.version + 1, updatedAt: now };
  return { consent: asked, change: { act: 'ask_amendment', actor: { kind: 'third_party', id: consent.clientId }, reason: 'requested' } };
}

function dropAmendment(consent: Consent, { actor, reason, now }: { actor: Actor; reason: EndReason; now: Date }): Outcome {
  const { amendment: _dropped, ...rest } = consent;
  return { consent: { ...rest, version: consent.version + 1, updatedAt: now }, change: { act: 'drop_amendment', actor, reason } };
}

function end(consent: Consent, act: Act, { actor, reason, note, now }: { actor: Actor; reason: EndReason; note?: string; now: Date }): Outcome {
  if (isOver(consent)) return { consent };
  const { amendment: _pending, ...rest } = move(consent, act, now);
  return { consent: { ...rest, statusReason: reason }, change: { act, actor, reason, ...(note ? { note } : {}) } };
}

/** When an undecided consent counts as given up; undefined where nobody has to decide. */
function abandonedAt(consent: Consent): Date | undefined {
  if (consent.status === 'awaiting_authorisation') return new Date(consent.createdAt.getTime() + TIME_TO_DECIDE_MS);
  const first = consent.approvals[0]?.at;
  return consent.status === 'partially_authorised' && first ? new Date(first.getTime() + TIME_FOR_OTHERS_MS) : undefined;
}

/** When an undecided consent is given up. */
export const decideUntil = (consent: Consent): Date => earlier(consent.expiresAt, new Date((consent.amendment?.requestedAt ?? consent.createdAt).getTime() + TIME_TO_DECIDE_MS));

function move(consent: Consent, act: Act, now: Date): Consent {
  const status = MOVES[consent.status][act];
  if (!status) throw decided(consent);
  return { ...consent, status, version: consent.version + 1, updatedAt: now };
}

const decided = (consent: Consent): Error => problem('invalid_state', `This consent is ${inWords(consent)}; it can no longer be decided.`);

export const inWords = (consent: Consent): string => consent.status.replaceAll('_', ' ');

const earlier = (one: Date, other: Date): Date => (one < other ? one : other);

/** How many days before its end a customer and the third party are told; days still to tell of, or undefined. */
export function noticeDue(consent: Consent, now: Date, told: number | undefined): 7 | 1 | undefined {
  if (consent.status !== 'authorised' || isSingleUse(consent) || consent.oneOff) return undefined;
  const left = consent.expiresAt.getTime() - now.getTime();
  const since = consent.approvals.at(-1)?.at ?? consent.createdAt;
  const whole = consent.expiresAt.getTime() - since.getTime();
  if (left <= DAY_MS) return whole > DAY_MS && told !== 1 ? 1 : undefined;
  return left <= 7 * DAY_MS && whole > 7 * DAY_MS && told === undefined ? 7 : undefined;
}

/** The event that tells of a change; undefined for what only the bank and the third party need to know. */
export function eventOf(consent: Consent, { act }: Change): ConsentEventType | undefined {
  if (act === 'create') return 'consent.created';
  if (act === 'amend') return 'consent.amended';
  if (act === 'ask_amendment' || act === 'drop_amendment') return undefined;
  return EVENT_OF[consent.status];
}

const EVENT_OF: Record<ConsentStatus, ConsentEventType> = {
  awaiting_authorisation: 'consent.created',
  partially_authorised: 'consent.partially-authorised',
  authorised: 'consent.authorised',
  rejected: 'consent.rejected',
  consumed: 'consent.consumed',
  revoked: 'consent.revoked',
  withdrawn: 'consent.withdrawn',
  expired: 'consent.expired',
};

/** A record is denied a reason the third party can act on; see `consent_revoked`, `consent_expired` … in the problem table. */
const DENIAL: Record<Exclude<ConsentStatus, 'authorised'>, DecisionRecord['reason']> = {
  awaiting_authorisation: 'not_authorised',
  partially_authorised: 'not_authorised',
  rejected: 'rejected',
  consumed: 'consumed',
  revoked: 'revoked',
  withdrawn: 'withdrawn',
  expired: 'expired',
};

/**
 * What the gateway needs to decide a request under this consent. Seconds are rounded so that nothing passes early or late; a
 * beginning that was over at the last change is left out, or what is valid at once would wait for the next full second.
 */
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
    ...(consent.validFrom && consent.validFrom > consent.updatedAt ? { validFrom: Math.ceil(consent.validFrom.getTime() / 1000) } : {}),
    ...(consent.frequencyPerDay === undefined ? {} : { frequencyPerDay: consent.frequencyPerDay }),
  };
}

/** The port the routes, pages and subscriptions need; `repository.ts` keeps it. Consents are read as time has made them. */
export interface Consents {
  find(consentId: string): Promise<Consent | undefined>;
  listOfCustomer(customerId: string): Promise<Consent[]>;
  accountsOf(customerId: string): Promise<OfferedAccount[]>;
  applicationName(clientId: string): Promise<string | undefined>;
}
