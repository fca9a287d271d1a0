/**
 * Asks the gateway's OAuth2 endpoint for an authorization code bound to a consent (D4). Whoever holds the provision key can
 * ask a code for anyone: it is sent to this one address only and never logged.
 */
import { request } from 'undici';
import { problem } from '@kontor/kernel/problem';
import type { AuthorisationRequest } from './authorisation-request.js';

export type RequestCode = (request: AuthorisationRequest) => Promise<string>;

/**
 * @returns a function answering the address to send the customer to, with `code` (and `state`) in it
 * @throws Problem `unprocessable` when the gateway refuses the client or its redirect URI, `bad_gateway` when it does not answer
 */
export function codeFrom(authorizeUrl: string, provisionKey: string): RequestCode {
  return async (authorisation) => {
    const form = new URLSearchParams({
      response_type: 'code', client_id: authorisation.clientId, redirect_uri: authorisation.redirectUri, scope: authorisation.scope,
      provision_key: provisionKey, authenticated_userid: authorisation.consentId,
      code_challenge: authorisation.codeChallenge, code_challenge_method: 'S256', ...(authorisation.state ? { state: authorisation.state } : {}),
    });
    const answer = await askOnce(authorizeUrl, form);
    if (!answer.redirectUri) throw problem('bad_gateway', 'The gateway did not issue a code; nothing was approved. Try again in a moment.');
    const back = new URL(answer.redirectUri);
    if (!back.searchParams.get('code')) {
      throw problem('unprocessable', 'The application is not set up for this request: its redirect URI or scope is not registered. Nothing was approved.');
    }
    return back.toString();
  };
}

async function askOnce(url: string, form: URLSearchParams): Promise<{ redirectUri?: string }> {
  try {
    const { body } = await request(url, {
      method: 'POST', body: form.toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' }, headersTimeout: 3000, bodyTimeout: 3000,
    });
    const answer = (await body.json()) as { redirect_uri?: string };
    return { redirectUri: answer.redirect_uri };
  } catch (cause) {
    throw Object.assign(problem('bad_gateway', 'The gateway did not answer; nothing was approved. Try again in a moment.'), { cause });
  }
}
