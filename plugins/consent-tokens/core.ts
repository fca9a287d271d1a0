/**
 * consent-tokens: the gateway's OAuth2 endpoints for the consent service, on routes of their own.
 *
 *     DELETE /oauth2/consents/{consentId}/tokens   ends every token and every code issued on the consent: 204
 *     POST   /oauth2/introspect                    token=<access token>: what it is good for (RFC 7662)
 *
 * Kong's oauth2 plugin has neither. Whoever asks shows the provision key, with which they could mint codes anyway.
 */
import { allow, isOpaqueId, refuse } from '../plugin.js';
import type { Decision, RequestFacts } from '../plugin.js';

export interface ConsentTokensConfig {
  /** The oauth2 plugin's provision key. */
  provision_key: string;
}

/** An access token as the host found it. Times in unix seconds. */
export interface TokenRow {
  clientId: string;
  scope?: string;
  /** `authenticated_userid`; absent for client credentials. */
  consentId?: string;
  createdAt: number;
  /** 0: it does not expire. */
  expiresIn: number;
}

/** RFC 7662 §2.2. `sub` is the consent. Seconds since 1970. */
export interface Introspection {
  active: boolean;
  scope?: string;
  client_id?: string;
  sub?: string;
  token_type?: string;
  iat?: number;
  exp?: number;
}

/** Carries the provision key; no request of these routes goes on to a service. */
export const KEY_HEADER = 'x-provision-key';

/** Who may ask, and for which consent. @returns allow where the host is to do what the method says */
export function decide(facts: RequestFacts, config: ConsentTokensConfig): Decision {
  if (!isSecret(facts.headers[KEY_HEADER] ?? '', config.provision_key)) {
    return refuse('unauthenticated', 'This address is for the consent service.');
  }
  if (facts.method === 'DELETE' && !isOpaqueId(facts.pathParameters.consentId)) {
    return refuse('invalid_request', 'The consent id is no id.');
  }
  if (facts.method !== 'DELETE' && facts.method !== 'POST') return refuse('method_not_allowed', 'This path does not take this method.');
  return allow();
}

/**
 * Refuses a form that does not name one token.
 * @param token the form's field as the host read it: a text where it was sent once
 */
export function decideForm(_facts: RequestFacts, _config: ConsentTokensConfig, token: unknown): Decision {
  if (typeof token === 'string' && token.length > 0) return allow();
  return refuse('invalid_request', 'Send the form field token once (application/x-www-form-urlencoded).');
}

/** What a token is good for. @param token absent: nobody knows it */
export function introspection(facts: RequestFacts, _config: ConsentTokensConfig, token?: TokenRow): Introspection {
  if (token === undefined) return { active: false };
  const issued = Math.floor(token.createdAt);
  if (token.expiresIn > 0 && issued + token.expiresIn <= facts.now) return { active: false };
  const told: Introspection = { active: true, client_id: token.clientId, token_type: 'Bearer', iat: issued };
  if (token.scope !== undefined && token.scope.length > 0) told.scope = token.scope;
  if (token.consentId !== undefined) told.sub = token.consentId;
  if (token.expiresIn > 0) told.exp = issued + token.expiresIn;
  return told;
}

/** Takes equally long wherever two texts of one length differ: no branch depends on a character. */
function isSecret(given: string, expected: string): boolean {
  if (given.length !== expected.length || expected.length < 1) return false;
  let differing = 0;
  for (let i = 0; i < expected.length; i++) differing += Math.abs(given.charCodeAt(i) - expected.charCodeAt(i));
  return differing === 0;
}
