/** The parameters with which an application sends a customer to the bank (RFC 6749 §4.1.1, RFC 7636 §4.3), checked against a consent. Pure. */
import { awaitsCustomer, inWords, type Consent } from './consent.js';
import { SCOPE_OF } from './terms.js';

/** A request that fits its consent. */
export interface AuthorisationRequest {
  consentId: string;
  clientId: string;
  redirectUri: string;
  scope: string;
  state?: string;
  codeChallenge: string;
  /** Languages the application asks the pages in, as it sent them (OpenID Connect Core §3.1.2.1). */
  uiLocales?: string;
}

/** RFC 6749 §4.1.2.1 */
export type AuthorisationError =
  | 'invalid_request' | 'unauthorized_client' | 'access_denied' | 'unsupported_response_type' | 'invalid_scope' | 'server_error' | 'temporarily_unavailable';

export interface AuthorisationRefusal {
  error: AuthorisationError;
  description: string;
  /** Where to send the browser with it; absent until the application and its address are proven: then only a page may say it. */
  redirectTo?: string;
}

export type ReadRequest = { request: AuthorisationRequest } | { refusal: AuthorisationRefusal };

const LONGEST_STATE = 512;

/** Checks a request. The customer is shown nothing, and sent nowhere, before client and address fit the consent. */
export function readAuthorisationRequest(query: Record<string, unknown>, consent: Consent): ReadRequest {
  const text = (name: string): string => (typeof query[name] === 'string' ? query[name] : '');
  const refuse = (error: AuthorisationError, description: string): ReadRequest => ({ refusal: { error, description } });
  if (text('client_id') !== consent.clientId) return refuse('unauthorized_client', 'This consent belongs to another application.');
  if (text('redirect_uri') !== consent.redirectUri) return refuse('invalid_request', 'redirect_uri differs from the one the consent was created with.');
  const state = text('state');
  const back = (error: AuthorisationError, description: string): ReadRequest =>
    ({ refusal: { error, description, redirectTo: refusalAddress({ redirectUri: consent.redirectUri, ...(state.length <= LONGEST_STATE ? { state } : {}) }, error, description) } });
  if (Object.entries(query).some(([, value]) => typeof value !== 'string')) return back('invalid_request', 'A parameter is sent more than once.');
  if (state.length > LONGEST_STATE) return back('invalid_request', `state may have at most ${LONGEST_STATE} characters.`);
  if (text('response_type') !== 'code') return back('unsupported_response_type', 'response_type must be "code".');
  if (text('code_challenge_method') !== 'S256') return back('invalid_request', 'code_challenge_method must be "S256" (RFC 7636).');
  if (!/^[A-Za-z0-9_-]{43}$/.test(text('code_challenge'))) return back('invalid_request', 'code_challenge must be the base64url SHA-256 of the code verifier (43 characters).');
  const scope = text('scope') || SCOPE_OF[consent.type];
  if (scope !== SCOPE_OF[consent.type]) return back('invalid_scope', `A consent of type ${consent.type} carries the scope "${SCOPE_OF[consent.type]}".`);
  if (!awaitsCustomer(consent)) return back('access_denied', `This consent is ${inWords(consent)}: there is nothing to decide.`);
  return {
    request: {
      consentId: consent.id, clientId: consent.clientId, redirectUri: consent.redirectUri, scope, codeChallenge: text('code_challenge'),
      ...(state ? { state } : {}), ...(text('ui_locales') ? { uiLocales: text('ui_locales').slice(0, 100) } : {}),
    },
  };
}

/** The application's address with the refusal in it. */
export function refusalAddress({ redirectUri, state }: { redirectUri: string; state?: string }, error: AuthorisationError, description?: string): string {
  const address = new URL(redirectUri);
  address.searchParams.set('error', error);
  if (description) address.searchParams.set('error_description', description);
  if (state) address.searchParams.set('state', state);
  return address.toString();
}
