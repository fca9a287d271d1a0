/**
 * The decision record of a consent: what the gateway's consent-check reads on every request (one Redis GET) and what the
 * consent service writes. Plain JSON types only, so that the gateway's Lua reads the same record.
 */

/** Why a consent is denied. */
export type DenialReason = 'revoked' | 'withdrawn' | 'expired' | 'consumed' | 'rejected' | 'not_authorised';

/** The record under `decisionKey(consentId)`. A write never replaces a record of a higher `version`. */
export interface DecisionRecord {
  /** Grows with every change of the consent. */
  version: number;
  status: 'authorised' | 'denied';
  /** Only when denied. */
  reason?: DenialReason;
  /** The application (client) the consent was given to. */
  clientId: string;
  customerId: string;
  permissions: string[];
  /** Ids of the accounts the customer chose. */
  accounts: string[];
  /** Seconds since 1970, UTC. */
  expiresAt: number;
  /** Seconds since 1970, UTC; before it nothing is allowed. Absent: from the approval on. */
  validFrom?: number;
  /**
   * How often a day (UTC) each operation may be asked for each account without the customer at the screen (no
   * `x-fapi-customer-ip-address`). Absent: no limit. The consent service counts (`POST /internal/consents/{id}/uses`).
   */
  frequencyPerDay?: number;
}

/** The longest life of a record in seconds; a missing record sends the reader to the consent service. */
export const DECISION_LIFE_SECONDS = 3600;

/** The Redis key of a consent's record. */
export function decisionKey(consentId: string): string {
  return `consent:decision:${consentId}`;
}

const REASONS: readonly string[] = ['revoked', 'withdrawn', 'expired', 'consumed', 'rejected', 'not_authorised'];

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

/**
 * Reads a stored record. Fails closed: anything that is not exactly a record is `undefined`, and the caller must treat
 * it as if the store had not answered.
 */
export function parseDecision(text: string): DecisionRecord | undefined {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof found !== 'object' || found === null) return undefined;
  const r = found as Record<string, unknown>;
  const sound = Number.isSafeInteger(r.version) && (r.version as number) >= 0
    && (r.status === 'authorised' || r.status === 'denied')
    && (r.reason === undefined || REASONS.includes(r.reason as string))
    && typeof r.clientId === 'string' && r.clientId !== '' && typeof r.customerId === 'string'
    && isTextList(r.permissions) && isTextList(r.accounts)
    && Number.isSafeInteger(r.expiresAt)
    && (r.validFrom === undefined || Number.isSafeInteger(r.validFrom))
    && (r.frequencyPerDay === undefined || Number.isSafeInteger(r.frequencyPerDay));
  return sound ? (found as DecisionRecord) : undefined;
}
