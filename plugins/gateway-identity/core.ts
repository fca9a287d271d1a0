/**
 * gateway-identity: takes off what a client may have forged, and orders the gateway token a service believes.
 *
 * Runs on every route, authenticated or not: Kong's own plugins clear only the identity headers they set themselves,
 * so on a key-auth route a client's X-Authenticated-Userid would reach the service, on an open one its X-Consumer-*.
 */
import { allow, refuse } from '../plugin.js';
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

/** A token is reused until this many seconds before it expires, so that a slow hop still arrives in time. */
const MARGIN_SECONDS = 5;

/**
 * Decides one request.
 * @param consent the record consent-check decided on; absent where the operation needs none.
 */
export function decide(facts: RequestFacts, config: GatewayIdentityConfig, consent?: ConsentRecord): Decision {
  if (facts.headersTruncated === true) {
    return refuse('invalid_request', 'The request has too many headers.');
  }
  if (facts.headers['x-gateway-token'] !== undefined) {
    return refuse('invalid_token', 'X-Gateway-Token is a forged identity header: only the gateway sets it.');
  }
  const decision = allow();
  decision.clearRequestHeaders = headersToStrip(facts, config);
  if (config.audience === undefined) return decision;
  if (config.operation === undefined || facts.clientId === undefined || facts.clientId.length < 1) {
    return refuse('unauthenticated', 'Send a valid access token or API key.');
  }
  decision.token = orderToken(facts, config, { audience: config.audience, operation: config.operation, clientId: facts.clientId }, consent);
  return decision;
}

/** The list itself where a request has no others: nobody changes it. */
function headersToStrip(facts: RequestFacts, config: GatewayIdentityConfig): string[] {
  let names = IDENTITY_HEADERS;
  for (const name of Object.keys(facts.headers)) {
    if (!name.startsWith('x-') || IDENTITY_HEADERS.includes(name)) continue;
    // Routes without an audience have no bian-mapping that would clear the BIAN headers.
    if (isIdentityHeader(name) || (config.audience === undefined && name.startsWith('x-bian-'))) names = [...names, name];
  }
  return names;
}

function isIdentityHeader(name: string): boolean {
  for (const prefix of IDENTITY_PREFIXES) if (name.startsWith(prefix)) return true;
  return false;
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
