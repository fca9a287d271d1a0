/**
 * What the gateway's OAuth2 endpoints do for a consent (D4): issue its authorization code, end its tokens, say what a token is good
 * for. Whoever holds the provision key can ask a code for anyone: it is sent to this one address only and never logged.
 */
import { request } from 'undici';
import { Transient } from '@kontor/kernel/messaging';
import { problem } from '@kontor/kernel/problem';
import type { AuthorisationRequest } from './authorisation-request.js';

export type RequestCode = (request: AuthorisationRequest) => Promise<string>;

/** RFC 7662 §2.2; `sub` is the consent, absent for client credentials. Times in seconds since 1970, UTC. */
export interface Introspection {
  active: boolean;
  scope?: string;
  client_id?: string;
  sub?: string;
  token_type?: string;
  iat?: number;
  exp?: number;
}

/** @throws Problem `bad_gateway` when the gateway does not answer */
export type Introspect = (token: string) => Promise<Introspection>;

export interface Gateway {
  /**
   * @returns the address to send the customer to, with `code` (and `state`) in it
   * @throws Problem `unprocessable` when the gateway refuses the client or its redirect URI, `bad_gateway` when it does not answer
   */
  requestCode: RequestCode;
  /**
   * Ends every token and every unexchanged code of the consent, on all nodes of the gateway. Safe to repeat.
   * @throws Transient whenever the gateway did not say that it did
   */
  endTokens(consentId: string): Promise<void>;
  /** What an access token is good for; `{ active: false }` for anything else. */
  introspect: Introspect;
}

/** Bound on a whole call, connecting included. */
const TIMEOUT_MS = 3_000;

/** @param oauth2Url `https://…/oauth2`, without a slash at its end */
export function gatewayAt(oauth2Url: string, provisionKey: string): Gateway {
  const base = oauth2Url.replace(/\/$/, '');
  const ask = (method: 'POST' | 'DELETE', path: string, form?: URLSearchParams): ReturnType<typeof request> => request(`${base}${path}`, {
    method, signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: { 'x-provision-key': provisionKey, ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}) },
    ...(form ? { body: form.toString() } : {}),
  });

  return {
    async requestCode(authorisation) {
      const form = new URLSearchParams({
        response_type: 'code', client_id: authorisation.clientId, redirect_uri: authorisation.redirectUri, scope: authorisation.scope,
        provision_key: provisionKey, authenticated_userid: authorisation.consentId,
        code_challenge: authorisation.codeChallenge, code_challenge_method: 'S256', ...(authorisation.state ? { state: authorisation.state } : {}),
      });
      const answer = await ask('POST', '/authorize', form).then(({ body }) => body.json() as Promise<{ redirect_uri?: string }>)
        .catch(unanswered('The gateway did not answer; nothing was approved. Try again in a moment.'));
      if (!answer.redirect_uri) throw problem('bad_gateway', 'The gateway did not issue a code; nothing was approved. Try again in a moment.');
      const back = new URL(answer.redirect_uri);
      if (!back.searchParams.get('code')) {
        throw problem('unprocessable', 'The application is not set up for this request: its redirect URI or scope is not registered. Nothing was approved.');
      }
      return back.toString();
    },

    async endTokens(consentId) {
      const answer = await ask('DELETE', `/consents/${encodeURIComponent(consentId)}/tokens`).catch((cause: unknown) => {
        throw new Transient('the gateway did not end the tokens of a consent', { cause });
      });
      await answer.body.dump();
      if (answer.statusCode !== 204) throw new Transient(`the gateway did not end the tokens of a consent: it answered ${answer.statusCode}`);
    },

    async introspect(token) {
      const silent = unanswered('The gateway did not say what the token is good for. Try again in a moment.');
      const answer = await ask('POST', '/introspect', new URLSearchParams({ token })).catch(silent);
      if (answer.statusCode !== 200) {
        await answer.body.dump();
        return silent(new Error(`the gateway answered ${answer.statusCode}`));
      }
      const told = (await answer.body.json().catch(silent)) as Introspection;
      return typeof told?.active === 'boolean' ? told : silent(new Error('the gateway did not say whether the token is active'));
    },
  };
}

function unanswered(detail: string): (cause: unknown) => never {
  return (cause) => {
    throw Object.assign(problem('bad_gateway', detail), { cause });
  };
}
