/** Asks the gateway what an access token is good for (RFC 7662); the gateway alone keeps tokens. */
import { request } from 'undici';
import { problem } from '@kontor/kernel/problem';

/** `sub`: the consent the token was issued on; absent for an application's own. */
export type TokenFacts = { active: false; sub?: undefined } | { active: true; scope?: string; client_id?: string; token_type?: string; exp?: number; iat?: number; sub?: string };

/** @throws Problem `bad_gateway` */
export type Introspect = (token: string) => Promise<TokenFacts>;

const BOUND_MS = 3000;

/** @param oauth2Url the gateway's /oauth2, https */
export function introspectAt(oauth2Url: string, provisionKey: string): Introspect {
  return async (token) => {
    try {
      const { statusCode, body } = await request(`${oauth2Url}/introspect`, {
        method: 'POST', body: new URLSearchParams({ token }).toString(), headersTimeout: BOUND_MS, bodyTimeout: BOUND_MS,
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-provision-key': provisionKey },
      });
      const answer = await body.json() as TokenFacts;
      if (statusCode !== 200 || typeof answer.active !== 'boolean') throw new Error(`the gateway answered ${statusCode}`);
      return answer;
    } catch (cause) {
      throw Object.assign(problem('bad_gateway', 'The gateway did not say what the token is good for. Try again in a moment.'), { cause });
    }
  };
}
