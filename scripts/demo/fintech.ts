/** A fintech as it meets Kontor: signs up at the portal, gets tokens at the gateway, sends customers to the bank. */
import { createHash, randomBytes } from 'node:crypto';
import { ensure, send, type Answer, type Journal } from './journal.js';

export interface Place {
  /** The gateway, https, without a closing slash. */
  gatewayUrl: string;
  portalUrl: string;
  /** The bank's pages as a browser sees them. */
  pagesUrl: string;
  /** A compliance officer's client, made when the sandbox was seeded. */
  compliance: { clientId: string; clientSecret: string };
}

export interface App {
  clientId: string;
  clientSecret: string;
  apiKey: string;
}

export interface Token {
  access: string;
  refresh?: string;
}

export const newKey = (): string => randomBytes(12).toString('hex');
export const bearer = (token: Token): Record<string, string> => ({ authorization: `Bearer ${token.access}` });

/** A developer signs up at the portal and registers an application. */
export async function registerApp(journal: Journal, { portalUrl }: Place, redirectUri: string): Promise<App> {
  const json = { accept: 'application/json' };
  const account = await journal.call({
    method: 'POST', url: `${portalUrl}/sign-up`, headers: json, expect: 201, fact: 'a developer signs up at the portal',
    json: { email: `developer-${newKey()}@fintech.example`, password: `correct-horse-${newKey()}`, organisation: 'Example Fintech' },
  });
  const cookie = account.headers.getSetCookie().map((set) => set.split(';')[0]).join('; ');
  const app = await journal.call({
    method: 'POST', url: `${portalUrl}/apps`, headers: { ...json, cookie }, json: { name: 'Example Budget', redirectUri }, expect: 201,
    fact: ({ body }) => `the app has client id ${body.clientId}, a secret shown once`,
  });
  ensure(app.body.clientSecret && app.body.apiKey, 'The portal showed no credentials.');
  return app.body as App;
}

const basic = ({ clientId, clientSecret }: { clientId: string; clientSecret: string }): Record<string, string> =>
  ({ authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` });

/** A token for the application itself (RFC 6749 §4.4). */
export async function clientToken(journal: Journal, { gatewayUrl }: Place, client: { clientId: string; clientSecret: string }, scope: string): Promise<Token> {
  const answer = await journal.call({
    method: 'POST', url: `${gatewayUrl}/oauth2/token`, headers: basic(client), form: { grant_type: 'client_credentials', scope }, expect: 200,
    fact: ({ body }) => `a token for "${scope}", good for ${body.expires_in} s`,
  });
  return { access: answer.body.access_token };
}

export interface Authorisation {
  url: string;
  verifier: string;
  state: string;
}

/** The address to send the customer to (RFC 6749 §4.1.1 with PKCE, RFC 7636). */
export function authorisation(authoriseUrl: string, app: App, redirectUri: string, scope: string): Authorisation {
  const verifier = randomBytes(32).toString('base64url');
  const state = newKey();
  const url = new URL(authoriseUrl);
  const query = {
    response_type: 'code', client_id: app.clientId, redirect_uri: redirectUri, scope, state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return { url: url.toString(), verifier, state };
}

/** Exchanges the code the customer brought back for a token bound to the consent. */
export async function exchange(journal: Journal, { gatewayUrl }: Place, app: App, redirectUri: string, authorised: Authorisation, back: URL): Promise<Token> {
  ensure(back.searchParams.get('state') === authorised.state, 'The bank sent back another state.');
  const form = { grant_type: 'authorization_code', code: back.searchParams.get('code') ?? '', redirect_uri: redirectUri };
  const stolen = await send({ method: 'POST', url: `${gatewayUrl}/oauth2/token`, headers: basic(app), form: { ...form, code_verifier: randomBytes(32).toString('base64url') } });
  ensure(stolen.status >= 400, 'A code was exchanged with the wrong verifier: PKCE is not checked.');
  const answer = await journal.call({
    method: 'POST', url: `${gatewayUrl}/oauth2/token`, headers: basic(app), form: { ...form, code_verifier: authorised.verifier }, expect: 200,
    fact: 'the code becomes a token bound to the consent (PKCE; with a wrong verifier refused)',
  });
  return { access: answer.body.access_token, refresh: answer.body.refresh_token };
}

/** The headers in which the gateway says what an answer is in BIAN's terms. */
export const bianOf = (answer: Answer): string => `${answer.headers.get('x-bian-service-domain')} / ${answer.headers.get('x-bian-action-term')} (${answer.headers.get('x-bian-mapping')})`;
