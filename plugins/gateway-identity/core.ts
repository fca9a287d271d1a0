/**
 * gateway-identity: takes off what a client may have forged, and orders the gateway token a service believes.
 *
 * Runs on every route, authenticated or not: Kong's own plugins clear only the identity headers they set themselves,
 * so on a key-auth route a client's X-Authenticated-Userid would reach the service, on an open one its X-Consumer-*.
 */
import { allow, isOpaqueId, refuse } from '../plugin.js';
import type { ConsentClaims, ConsentRecord, Decision, RequestFacts, TokenOrder } from '../plugin.js';

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
const ONCE = [
  'authorization', 'x-gateway-token', 'idempotency-key', 'host', 'content-type', 'content-length', 'transfer-encoding',
  'x-bian-release', 'x-correlation-id', 'traceparent', 'expect',
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
  const decision = allow();
  decision.clearRequestHeaders = HOP_BY_HOP.filter((name) => raw.headers[name] !== undefined);
  const connection = raw.headers.connection;
  if (connection !== undefined) {
    const kept = connection.split(',').map((token) => token.trim()).filter((token) => !isGatewayMade(token.toLowerCase()));
    const cleaned = kept.join(', ');
    if (cleaned !== connection) decision.setRequestHeaders.connection = cleaned.length > 0 ? cleaned : 'keep-alive';
  }
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
  return IDENTITY_HEADERS.includes(plain) || IDENTITY_PREFIXES.some((prefix) => plain.startsWith(prefix));
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
  decision.token = orderToken(facts, config, { audience: config.audience, operation: config.operation, clientId: facts.clientId }, consent);
  return decision;
}

function headersToStrip(facts: RequestFacts, config: GatewayIdentityConfig): string[] {
  const names: string[] = [...IDENTITY_HEADERS];
  for (const name of Object.keys(facts.headers)) {
    if (names.includes(name)) continue;
    if (isIdentityHeader(name)) names.push(name);
    // Routes without an audience have no bian-mapping that would clear these; bian-mapping sets them with hyphens.
    else if (config.audience === undefined && name.startsWith('x-bian-')) names.push(name);
    else if (name.includes('_') && name.split('_').join('-').startsWith('x-bian-')) names.push(name);
  }
  return names;
}

function orderToken(
  facts: RequestFacts, config: GatewayIdentityConfig,
  to: { audience: string; operation: string; clientId: string }, consent: ConsentRecord | undefined,
): TokenOrder {
  const bound = consentClaims(facts, consent);
  let cacheKey = `${to.clientId}|${to.audience}|${to.operation}|${facts.scopes.join(' ')}|${facts.roles.join(' ')}`;
  if (bound !== undefined) cacheKey = `${cacheKey}|${bound.id}|${bound.version}`;
  const order: TokenOrder = {
    cacheKey,
    reuseSeconds: config.lifetime > 2 * MARGIN_SECONDS ? config.lifetime - MARGIN_SECONDS : 0,
    claims: {
      iss: 'kontor-gateway',
      aud: to.audience,
      sub: to.clientId,
      op: to.operation,
      scopes: facts.scopes,
      roles: facts.roles,
      iat: facts.now,
      exp: facts.now + config.lifetime,
    },
  };
  if (bound !== undefined) order.claims.consent = bound;
  return order;
}

function consentClaims(facts: RequestFacts, consent: ConsentRecord | undefined): ConsentClaims | undefined {
  if (consent === undefined || facts.consentId === undefined) return undefined;
  return {
    id: facts.consentId,
    version: consent.version,
    permissions: consent.permissions,
    accounts: consent.accounts,
    customerId: consent.customerId,
  };
}
