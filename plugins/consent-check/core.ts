/**
 * consent-check: the operation's scopes, then the customer's consent.
 *
 * Enforced, in order: every scope of the operation is in the access token; the token was issued on a consent; the
 * consent service (or its record in Redis) answered; the record is whole; it belongs to this client; it is authorised
 * and not expired; it grants the operation's permission; it covers the account in the path. Whatever cannot be
 * established is refused (DESIGN D3).
 */
import { allow, failClosed, isResourceId, refuse } from '../plugin.js';
import type { ConsentLookup, ConsentRecord, Decision, Refuse, RequestFacts } from '../plugin.js';

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

/** Whether the host has to look the consent up before it can ask for a decision. */
export function needsConsent(facts: RequestFacts, config: ConsentCheckConfig): boolean {
  return config.permission !== undefined && isResourceId(facts.consentId) && missingScope(facts, config) === undefined;
}

/**
 * Decides one request.
 * @param lookup what looking up `facts.consentId` gave; read only where `needsConsent` is true.
 */
export function decide(facts: RequestFacts, config: ConsentCheckConfig, lookup: ConsentLookup): Decision {
  const decision = judge(facts, config, lookup);
  const log: Record<string, string> = { operation: config.operation, audience: config.audience, decision: decision.kind };
  if (config.permission !== undefined && facts.consentId !== undefined) log.consentId = facts.consentId;
  if (config.permission !== undefined && lookup.kind === 'found' && typeof lookup.record.customerId === 'string') {
    log.customerId = lookup.record.customerId;
  }
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
    && typeof record.accounts === 'object';
}

function denied(reason: string | undefined): Refuse {
  if (reason === 'revoked') return refuse('consent_revoked', 'The customer revoked this consent. Ask for a new one.');
  if (reason === 'expired') return refuse('consent_expired', 'This consent has expired. Ask the customer for a new one.');
  if (reason === 'consumed') return refuse('consent_consumed', 'This payment consent has been used. Each payment needs its own.');
  return notActive();
}

/** Also for the consent of another client: whose it is stays unsaid. */
function notActive(): Refuse {
  return refuse('consent_not_active', 'The consent does not exist or is not authorised.');
}

function unchecked(): Refuse {
  return refuse('consent_check_unavailable', 'The consent cannot be checked right now. Try again shortly.', { 'retry-after': '1' });
}
