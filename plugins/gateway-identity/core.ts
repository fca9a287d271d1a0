/**
 * gateway-identity: takes off what a client may have forged, and orders the gateway token a service believes.
 *
 * Runs on every route, authenticated or not: Kong's own plugins clear only the identity headers they set themselves,
 * so on a key-auth route a client's X-Authenticated-Userid would reach the service, on an open one its X-Consumer-*.
 */
import { allow, isOpaqueId, keepLately, refuse } from '../plugin.js';
import type { ConsentClaims, ConsentRecord, Decision, GatewayClaims, Lately, RequestFacts, TokenOrder } from '../plugin.js';

export interface GatewayIdentityConfig {
  /** Service the token is for; absent on routes without a token (pages, token endpoint). */
  audience?: string;
  /** Operation the token is for. */
  operation?: string;
  /** Life of a token in seconds. */
  lifetime: number;
  /** Base64 of the PKCS8 PEM of a P-256 key; only the host reads it. */
  private_key: string;
}

/** Headers no upstream may ever get from outside. */
export const IDENTITY_HEADERS = [
  'x-gateway-token', 'x-consumer-id', 'x-consumer-custom-id', 'x-consumer-username', 'x-consumer-groups',
  'x-credential-identifier', 'x-authenticated-scope', 'x-authenticated-userid', 'x-authenticated-groups',
  'x-anonymous-consumer', 'forwarded', 'x-original-url', 'x-rewrite-url', 'x-http-method', 'x-http-method-override',
  'x-method-override',
];

/** Families of headers only the gateway may set. `x-bian-*` is set by bian-mapping before this plugin runs. */
const IDENTITY_PREFIXES = ['x-consumer-', 'x-credential-', 'x-authenticated-', 'x-gateway-'];

/** Between the client and the gateway only; Kong passes these on. */
const HOP_BY_HOP = ['te', 'proxy-authorization', 'proxy-connection', 'http2-settings'];

/** A token is reused until this many seconds before it expires, so that a slow hop still arrives in time. */
const MARGIN_SECONDS = 5;

/** Headers that decide something: sent twice, gateway and service might each believe another one. */
export const ONCE = [
  'authorization', 'x-gateway-token', 'idempotency-key', 'host', 'content-type', 'content-length', 'transfer-encoding',
  'x-bian-release', 'x-correlation-id', 'traceparent', 'expect', 'x-provision-key', 'x-fapi-customer-ip-address',
];

/** As many as Kong's own plugins read (`lua_max_req_headers`). */
const MOST_HEADERS = 100;

/** What is looked at before routing and before any other plugin. */
export interface RawRequest {
  /** Lower-case names; repeated ones joined by `, `. */
  headers: Record<string, string>;
  /** Names of headers that came more than once. */
  repeated: string[];
  headerCount: number;
  headersTruncated: boolean;
  /** The request target as it stood in the request line. */
  target: string;
}

/**
 * Refuses what gateway and service could read in two ways, before anyone acts on it.
 * @returns on allow, hop-by-hop headers to take off, and a `connection` header to set where the client's named headers the gateway adds
 */
export function screen(raw: RawRequest): Decision {
  if (raw.headersTruncated || raw.headerCount > MOST_HEADERS) return refuse('invalid_request', `The request has more than ${MOST_HEADERS} headers.`);
  for (const name of raw.repeated) {
    if (ONCE.includes(name)) return refuse('duplicate_header', `Send ${name} once.`);
  }
  if (!raw.target.startsWith('/') || raw.target.includes('#')) {
    return refuse('invalid_request', 'The request target is not a path.');
  }
  if (raw.headers['x-gateway-token'] !== undefined) return forged();
  const { connection } = raw.headers;
  const named = connection !== undefined && connection !== 'keep-alive';
  let hops = false;
  for (const name of HOP_BY_HOP) if (raw.headers[name] !== undefined) hops = true;
  return named || hops ? withoutHops(raw) : UNCHANGED;
}

/** What nearly every request gets. */
export const UNCHANGED: Decision = allow();

function withoutHops(raw: RawRequest): Decision {
  const decision = allow();
  decision.clearRequestHeaders = HOP_BY_HOP.filter((name) => raw.headers[name] !== undefined);
  const { connection } = raw.headers;
  if (connection === undefined) return decision;
  const kept = connection.split(',').map((token) => token.trim()).filter((token) => !isGatewayMade(token.toLowerCase()));
  const cleaned = kept.join(', ');
  if (cleaned !== connection) decision.setRequestHeaders = { connection: cleaned.length > 0 ? cleaned : 'keep-alive' };
  return decision;
}

/** Whether a correlation id may stand in logs and headers: 1 to 64 of `[A-Za-z0-9._-]`. */
export function isSoundCorrelationId(text: string | undefined): boolean {
  return isOpaqueId(text) && text !== undefined && text.length <= 64 && !text.includes('~');
}

/** Headers the gateway adds to a request: a client that declares them hop-by-hop would have them taken off again. */
function isGatewayMade(name: string): boolean {
  return name === 'via' || name === 'x-real-ip' || name === 'x-correlation-id' || name === 'traceparent' || name === 'idempotency-key'
    || name.startsWith('x-forwarded-') || name.startsWith('x-bian-') || isIdentityHeader(name);
}

function forged(): Decision {
  return refuse('invalid_token', 'X-Gateway-Token is a forged identity header: only the gateway sets it.');
}

/** An underscore counts as a hyphen: behind some servers the two are one name. */
function isIdentityHeader(name: string): boolean {
  const plain = name.includes('_') ? name.split('_').join('-') : name;
  if (IDENTITY_HEADERS.includes(plain)) return true;
  for (const prefix of IDENTITY_PREFIXES) if (plain.startsWith(prefix)) return true;
  return false;
}

/**
 * Decides one request.
 * @param consent the record consent-check decided on; absent where the operation needs none.
 */
export function decide(facts: RequestFacts, config: GatewayIdentityConfig, consent?: ConsentRecord): Decision {
  if (facts.headersTruncated === true) {
    return refuse('invalid_request', 'The request has too many headers.');
  }
  if (facts.headers['x-gateway-token'] !== undefined) return forged();
  const decision = allow();
  decision.clearRequestHeaders = headersToStrip(facts, config);
  if (config.audience === undefined) return decision;
  if (config.operation === undefined || facts.clientId === undefined || facts.clientId.length < 1) {
    return refuse('unauthenticated', 'Send a valid access token or API key.');
  }
  decision.token = orderToken(facts, config, consent);
  return decision;
}

/** The list itself where a request has no others: nobody changes it. */
function headersToStrip(facts: RequestFacts, config: GatewayIdentityConfig): string[] {
  let names = IDENTITY_HEADERS;
  for (const name of facts.headerNames ?? Object.keys(facts.headers)) {
    const kind = kindOf(name);
    // Routes without an audience have no bian-mapping that would clear the BIAN headers; bian-mapping sets them with hyphens.
    if (kind === 'identity' || kind === 'bian spelt oddly' || (kind === 'bian' && config.audience === undefined)) names = [...names, name];
  }
  return names;
}

type HeaderKind = 'listed' | 'identity' | 'bian' | 'bian spelt oddly' | 'other';

/** The same names come with every request. */
const kinds: Lately<HeaderKind> = { known: {}, count: 0 };
const MOST_KINDS = 500;

function kindOf(name: string): HeaderKind {
  const known = kinds.known[name];
  if (known !== undefined && typeof known === 'string') return known;
  return keepLately(kinds, name, classify(name), MOST_KINDS);
}

function classify(name: string): HeaderKind {
  if (IDENTITY_HEADERS.includes(name)) return 'listed';
  if (!(name.startsWith('x-') || name.includes('_'))) return 'other';
  if (isIdentityHeader(name)) return 'identity';
  if (name.startsWith('x-bian-')) return 'bian';
  return name.includes('_') && name.split('_').join('-').startsWith('x-bian-') ? 'bian spelt oddly' : 'other';
}

function orderToken(facts: RequestFacts, config: GatewayIdentityConfig, consent: ConsentRecord | undefined): TokenOrder {
  const bound = consent !== undefined && facts.consentId !== undefined ? `|${facts.consentId}|${consent.version}` : '';
  const reuseSeconds = config.lifetime > 2 * MARGIN_SECONDS ? config.lifetime - MARGIN_SECONDS : 0;
  return {
    cacheKey: [facts.clientId, config.audience, config.operation, facts.scopes.join(' '), facts.roles.join(' ')].join('|') + bound,
    reuseSeconds: Math.min(reuseSeconds, leftOf(consent, facts.now) ?? reuseSeconds),
  };
}

/** Seconds a consent still lives; absent where there is none. */
function leftOf(consent: ConsentRecord | undefined, now: number): number | undefined {
  return consent === undefined ? undefined : consent.expiresAt - now;
}

/** What the token of a request says that was allowed with one to sign; arguments as of `decide`. */
export function claims(facts: RequestFacts, config: GatewayIdentityConfig, consent?: ConsentRecord): GatewayClaims {
  const stated: GatewayClaims = {
    iss: 'kontor-gateway',
    aud: config.audience ?? '',
    sub: facts.clientId ?? '',
    op: config.operation ?? '',
    scopes: facts.scopes,
    roles: facts.roles,
    iat: facts.now,
    // A token does not outlive its consent: consent-check lets nobody through whose consent is over.
    exp: facts.now + Math.min(config.lifetime, leftOf(consent, facts.now) ?? config.lifetime),
  };
  const bound = consentClaims(facts, consent);
  if (bound !== undefined) stated.consent = bound;
  return stated;
}

function consentClaims(facts: RequestFacts, consent: ConsentRecord | undefined): ConsentClaims | undefined {
  if (consent === undefined || facts.consentId === undefined) return undefined;
  return {
    id: facts.consentId,
    version: consent.version,
    permissions: consent.permissions,
    accounts: consent.accounts,
    customerId: consent.customerId,
    expiresAt: consent.expiresAt,
  };
}
