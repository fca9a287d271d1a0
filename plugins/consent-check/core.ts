/**
 * consent-check: the operation's scopes, then the customer's consent.
 *
 * Enforced, in order: every scope of the operation is in the access token; the token was issued on a consent; the
 * consent service (or its record in Redis) answered; the record is whole; it belongs to this client; it is authorised,
 * has begun and is not expired; it grants the operation's permission; it covers the account in the path; where it limits
 * how often a day it is used without the customer, the consent service has counted this use. Whatever cannot be
 * established is refused (DESIGN D3). The terms of a payment stand in the body: the payment service holds them (D2).
 */
import { allow, failClosed, isResourceId, refuse } from '../plugin.js';
import type { ConsentLookup, ConsentRecord, ConsentUse, Decision, Refuse, RequestFacts } from '../plugin.js';

export interface ConsentCheckConfig {
  /** Contract operation, e.g. `getBalances`. */
  operation: string;
  /** Service that owns the operation. */
  audience: string;
  /** All of them are needed. */
  scopes: string[];
  /** Consent permission; absent: the operation needs no consent. */
  permission?: string;
  /** Path parameter that names the account; absent: the service filters by the token's accounts. */
  accountParameter?: string;
  /**
   * The operation uses its consent up, so its repetition (same Idempotency-Key) finds the consent consumed: let it through
   * to the service, which gives the first answer again or refuses with consent_consumed, in one transaction.
   */
  replays?: boolean;
  /** Where the host reads decision records first; `timeoutMs` bounds connecting and reading. */
  redis: { host: string; port: number; password?: string; timeoutMs: number };
  /** Consent service, asked with `X-Decision-Key` when Redis has no record or no answer. */
  fallback: { url: string; key: string; timeoutMs: number };
}

/** Says that the customer is there (UK Open Banking, FAPI): present and not empty. */
export const CUSTOMER_HEADER = 'x-fapi-customer-ip-address';

/** Whether the host has to look the consent up before it can ask for a decision. */
export function needsConsent(facts: RequestFacts, config: ConsentCheckConfig): boolean {
  return config.permission !== undefined && isResourceId(facts.consentId) && missingScope(facts, config) === undefined;
}

/**
 * Decides one request.
 * @param lookup what looking up `facts.consentId` gave; read only where `needsConsent` is true.
 */
export function decide(facts: RequestFacts, config: ConsentCheckConfig, lookup: ConsentLookup): Decision {
  return recorded(judge(facts, config, lookup), facts, config, lookup.kind === 'found' ? lookup.record : undefined);
}

/**
 * Whether an allowed request has to be counted before it goes on: the consent limits how often a day it is used without the
 * customer (`x-fapi-customer-ip-address` says that they are there), and the customer is not.
 */
export function needsUse(facts: RequestFacts, _config: ConsentCheckConfig, record: ConsentRecord): boolean {
  if (record.frequencyPerDay === undefined) return false;
  const customer = facts.headers[CUSTOMER_HEADER];
  return customer === undefined || customer.trim().length < 1;
}

/** What the consent service counts under: the account in the path, or an empty text. */
export function accountOf(facts: RequestFacts, config: ConsentCheckConfig): string {
  return config.accountParameter === undefined ? '' : facts.pathParameters[config.accountParameter] ?? '';
}

/**
 * Decides a request that was allowed but for its count, where `needsUse` is true.
 * @param counted the record it was allowed on, and what the consent service said; no `use` when it did not answer with 200 and an object.
 */
export function decideUse(facts: RequestFacts, config: ConsentCheckConfig, counted: { record: ConsentRecord; use?: ConsentUse }): Decision {
  return recorded(judgeUse(counted.use), facts, config, counted.record);
}

/** Nothing but a clear yes lets the request through, and nothing but a clear no is told as one. */
function judgeUse(use: ConsentUse | undefined): Decision {
  if (use === undefined) return unchecked();
  const { allowed, limit, retryAfter } = use;
  if (allowed === true) return allow();
  if (allowed !== false || typeof limit !== 'number' || typeof retryAfter !== 'number') return unchecked();
  return refuse('consent_frequency_exceeded', `The consent allows this ${limit} times a day without the customer. Ask again after midnight UTC, or while the customer is there.`, {
    'retry-after': `${Math.max(1, Math.ceil(retryAfter))}`,
  });
}

/** The decision with the fields of the access record: every decision has them, allowed or refused. */
function recorded(decision: Decision, facts: RequestFacts, config: ConsentCheckConfig, record: ConsentRecord | undefined): Decision {
  const log: Record<string, string> = { operation: config.operation, audience: config.audience, decision: decision.kind };
  if (facts.clientId !== undefined) log.clientId = facts.clientId;
  if (config.permission !== undefined && facts.consentId !== undefined) log.consentId = facts.consentId;
  if (config.permission !== undefined && record !== undefined && typeof record.customerId === 'string') log.customerId = record.customerId;
  if (decision.kind === 'refuse') log.code = decision.code;
  decision.log = log;
  return decision;
}

function judge(facts: RequestFacts, config: ConsentCheckConfig, lookup: ConsentLookup): Decision {
  const scope = missingScope(facts, config);
  if (scope !== undefined) {
    return refuse('insufficient_scope', `The access token lacks the scope ${scope}.`, {
      'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"`,
    });
  }
  if (config.permission === undefined) return allow();
  if (!isResourceId(facts.consentId)) {
    return refuse('consent_required', 'Use an access token issued on a customer\'s consent (authorization code).');
  }
  if (lookup.kind === 'unavailable') return unchecked();
  if (lookup.kind === 'missing') return notActive();
  const refusal = judgeRecord(facts, config, lookup.record) ?? judgeReach(facts, config, config.permission, lookup.record);
  return refusal ?? allow();
}

function judgeRecord(facts: RequestFacts, config: ConsentCheckConfig, record: ConsentRecord): Refuse | undefined {
  if (!isWhole(record)) return unchecked();
  if (facts.clientId === undefined || record.clientId !== facts.clientId) return notActive();
  const replay = config.replays === true && record.status === 'denied' && record.reason === 'consumed';
  if (record.status !== 'authorised' && !replay) return denied(record.reason);
  if (record.expiresAt <= facts.now) return denied('expired');
  if (record.validFrom !== undefined && facts.now < record.validFrom) return notYet(record.validFrom);
  return undefined;
}

function judgeReach(facts: RequestFacts, config: ConsentCheckConfig, permission: string, record: ConsentRecord): Refuse | undefined {
  if (!record.permissions.includes(permission)) {
    return refuse('consent_permission_missing', `The customer did not grant ${permission}.`);
  }
  if (config.accountParameter === undefined) return undefined;
  const account = facts.pathParameters[config.accountParameter];
  if (account === undefined) return failClosed('The consent check');
  if (!record.accounts.includes(account)) {
    return refuse('consent_account_not_covered', 'The consent does not cover this account.');
  }
  return undefined;
}

function missingScope(facts: RequestFacts, config: ConsentCheckConfig): string | undefined {
  for (const scope of config.scopes) {
    if (!facts.scopes.includes(scope)) return scope;
  }
  return undefined;
}

/** A record from outside: every field is checked before one is believed. */
export function isWhole(record: ConsentRecord): boolean {
  return typeof record.version === 'number'
    && typeof record.status === 'string'
    && typeof record.clientId === 'string'
    && typeof record.customerId === 'string'
    && typeof record.expiresAt === 'number'
    && typeof record.permissions === 'object'
    && typeof record.accounts === 'object'
    && (record.validFrom === undefined || typeof record.validFrom === 'number')
    && (record.frequencyPerDay === undefined || typeof record.frequencyPerDay === 'number');
}

function denied(reason: string | undefined): Refuse {
  if (reason === 'revoked') return refuse('consent_revoked', 'The customer revoked this consent. Ask for a new one.');
  if (reason === 'withdrawn') return refuse('consent_withdrawn', 'The application withdrew this consent. Ask the customer for a new one.');
  if (reason === 'expired') return refuse('consent_expired', 'This consent has expired. Ask the customer for a new one.');
  if (reason === 'consumed') return refuse('consent_consumed', 'This payment consent has been used. Each payment needs its own.');
  return notActive();
}

/** Also for the consent of another client: whose it is stays unsaid. */
function notActive(): Refuse {
  return refuse('consent_not_active', 'The consent does not exist or is not authorised.');
}

function notYet(validFrom: number): Refuse {
  return refuse('consent_not_active', `The consent is valid from ${utcText(validFrom)} on.`);
}

const DAY_SECONDS = 86400;

/** RFC 3339 of unix seconds, `2026-11-22T08:00:00Z`. Lua has no Date; the calendar counts from 1 March 0000 in eras of 400 years. */
function utcText(seconds: number): string {
  const days = Math.floor(seconds / DAY_SECONDS);
  const ofDay = seconds - days * DAY_SECONDS;
  const sinceMarch0000 = days + 719468;
  const era = Math.floor(sinceMarch0000 / 146097);
  const dayOfEra = sinceMarch0000 - era * 146097;
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const hour = Math.floor(ofDay / 3600);
  const minute = Math.floor((ofDay - hour * 3600) / 60);
  const second = Math.floor(ofDay - hour * 3600 - minute * 60);
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}Z`;
}

function two(count: number): string {
  return count < 10 ? `0${count}` : `${count}`;
}

function unchecked(): Refuse {
  return refuse('consent_check_unavailable', 'The consent cannot be checked right now. Try again shortly.', { 'retry-after': '1' });
}
