/**
 * The endpoints of Kong's oauth2 plugin: /oauth2/authorize (called server to server by the bank's pages, with the
 * provision key) and /oauth2/token. Errors, their order of precedence and their words are Kong 3.9's.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Exchange, GatewayAnswer } from '../exchange.js';
import type { Client, Code, Grant, Issued, OAuthStore } from '../oauth-store.js';
import { fingerprint, hashSecret, verifySecret } from '../secret.js';
import { clientClaim, readParameters, type ClientClaim } from './oauth2-parameters.js';
import type { OAuth2Config } from './oauth2.js';

type Members = Record<string, string | number>;
interface Failure { error: string; error_description: string }

const INVALID_CLIENT: Failure = { error: 'invalid_client', error_description: 'Invalid client authentication' };
const INVALID_CODE: Failure = { error: 'invalid_request', error_description: 'Invalid code' };
const INVALID_PROVISION_KEY: Failure = { error: 'invalid_provision_key', error_description: 'Invalid provision_key' };
const USE_HTTPS: Failure = { error: 'access_denied', error_description: 'You must use HTTPS' };
const NO_STORE = { 'cache-control': 'no-store', pragma: 'no-cache' };

/** What both endpoints need. */
export interface Endpoints {
  config: OAuth2Config;
  store: OAuthStore;
  /** Called when a token was renewed: the old access token ends now. */
  ended(tokenId: string): void;
  /** A code is good only at the plugin instance that issued it. */
  pluginId: string;
}

/** Issues a code for a customer's consent. Whoever has the provision key may ask. */
export async function authorize(exchange: Exchange, { config, store, pluginId }: Endpoints): Promise<GatewayAnswer> {
  const { values, repeated } = await readParameters(exchange);
  const refusal = exchange.scheme !== 'https' ? USE_HTTPS
    : repeated !== undefined ? { error: 'invalid_request', error_description: `${repeated} must be sent once` }
      : !same(values.provision_key, config.provision_key) ? INVALID_PROVISION_KEY
        : !values.authenticated_userid?.trim() ? { error: 'invalid_authenticated_userid', error_description: 'Missing authenticated_userid parameter' }
          : undefined;
  if (refusal) return answer(withState(refusal, values));

  const client = await store.client(values.client_id ?? '');
  const registered = client?.redirectUris;
  const asked = values.redirect_uri ?? registered?.[0];
  const redirectUri = registered && asked !== undefined && registered.includes(asked) ? asked : registered?.[0];
  const scope = grantedScope(values.scope, config);
  const challenge = challengeOf(values, config, client);
  // Kong lets a later fault replace an earlier one.
  const failure = challenge.failure
    ?? (redirectUri === undefined || !client ? INVALID_CLIENT
      : redirectUri !== asked ? { error: 'invalid_request', error_description: 'Invalid redirect_uri that does not match with any redirect_uri created with the application' }
        : scope.failure
          ?? (values.response_type === 'code' && config.enable_authorization_code ? undefined : { error: 'unsupported_response_type', error_description: 'Invalid response_type' }));
  const members: Members = failure ? { ...failure } : {
    code: await store.issueCode({ credentialId: client!.id, userId: values.authenticated_userid!, scope: scope.granted, challenge: challenge.value, pluginId }),
  };
  const told = withState(members, values);
  return answer(redirectUri === undefined ? told : { redirect_uri: withQuery(redirectUri, told) }, failure ? 400 : 200);
}

/** Issues and renews tokens. */
export async function issueToken(exchange: Exchange, endpoints: Endpoints): Promise<GatewayAnswer> {
  const { values, repeated } = await readParameters(exchange);
  if (exchange.scheme !== 'https') return answer(withState(USE_HTTPS, values));
  if (repeated !== undefined) return answer(withState({ error: 'invalid_request', error_description: `${repeated} must be sent once` }, values));
  const claim = clientClaim(values, exchange.headers[endpoints.config.auth_header_name]);
  const client = claim.clientId === undefined ? undefined : await endpoints.store.client(claim.clientId);
  const { failure, status } = await clientFailure(values, claim, client, endpoints.config);
  if (failure || !client) return answer(withState(failure ?? INVALID_CLIENT, values), status, status === 401 ? { 'www-authenticate': 'Basic realm="OAuth2.0"' } : {});
  const issued = values.grant_type === 'authorization_code' ? await byCode(values, client, endpoints)
    : values.grant_type === 'refresh_token' ? await byRefreshToken(values, client, endpoints)
      : await byClient(values, client, endpoints);
  return answer(withState(issued, values));
}

async function clientFailure(values: Record<string, string>, claim: ClientClaim, client: Client | undefined, config: OAuth2Config): Promise<{ failure?: Failure; status: number }> {
  const invalid = { failure: INVALID_CLIENT, status: claim.byHeader ? 401 : 400 };
  if (client?.type === 'public' && claim.secret) {
    return { failure: { error: 'invalid_request', error_description: 'client_secret is disallowed for public clients' }, status: 400 };
  }
  if (client?.type === 'confidential' && !await authenticated(client, claim.secret)) return invalid;
  if (!client) await hashSecret(claim.secret ?? '');
  const isClientGrant = values.grant_type === 'client_credentials';
  if (!isClientGrant) {
    if (!client?.redirectUris) return invalid;
    if (!client.redirectUris.includes(values.redirect_uri ?? client.redirectUris[0] ?? '')) {
      return { failure: { error: 'invalid_request', error_description: 'Invalid redirect_uri that does not match with any redirect_uri created with the application' }, status: 400 };
    }
  }
  const supported = values.grant_type === 'authorization_code' || values.grant_type === 'refresh_token' || (isClientGrant && config.enable_client_credentials);
  return supported ? { status: 400 } : { failure: { error: 'unsupported_grant_type', error_description: 'Invalid grant_type' }, status: 400 };
}

async function authenticated(client: Client, secret: string | undefined): Promise<boolean> {
  if (!secret || !client.secret) return false;
  return verifySecret(secret, client.secret, client.hashed);
}

async function byCode(values: Record<string, string>, client: Client, { config, store, pluginId }: Endpoints): Promise<Members | Failure> {
  const code = values.code ? await store.code(values.code) : undefined;
  if (!code || code.credentialId !== client.id) return INVALID_CODE;
  const failure = needsPkce(config, client) || code.challenge !== undefined ? verifierFailure(values.code_verifier, code) : undefined;
  if (failure) return failure;
  if (code.pluginId !== pluginId) return INVALID_CODE;
  const issued = await store.exchange(code, grantOf(config, client, code.userId, code.scope, true));
  return issued ? tokenMembers(issued, config) : INVALID_CODE;
}

async function byClient(values: Record<string, string>, client: Client, { config, store }: Endpoints): Promise<Members | Failure> {
  if (values.authenticated_userid !== undefined && !same(values.provision_key, config.provision_key)) return INVALID_PROVISION_KEY;
  const scope = grantedScope(values.scope, config);
  if (scope.failure) return scope.failure;
  return tokenMembers(await store.issue(grantOf(config, client, values.authenticated_userid, scope.granted, false)), config);
}

async function byRefreshToken(values: Record<string, string>, client: Client, { config, store, ended }: Endpoints): Promise<Members | Failure> {
  const invalid = { error: 'invalid_request', error_description: 'Invalid refresh_token' };
  const token = values.refresh_token ? await store.byRefreshToken(values.refresh_token) : undefined;
  if (!token) return invalid;
  if (token.credentialId !== client.id) return INVALID_CLIENT;
  if (token.scope?.split(' ').some((each) => !config.scopes?.includes(each))) return { error: 'invalid_scope', error_description: 'Scope mismatch' };
  if (config.reuse_refresh_token) {
    const accessToken = await store.renew(token.id, config.token_expiration, config.refresh_token_ttl);
    ended(token.id);
    return accessToken === undefined ? invalid : tokenMembers({ accessToken, refreshToken: values.refresh_token }, config);
  }
  const issued = await store.rotate(token.id, grantOf(config, client, token.userId, token.scope, true));
  ended(token.id);
  return issued ? tokenMembers(issued, config) : invalid;
}

function grantOf(config: OAuth2Config, client: Client, userId: string | undefined, scope: string | undefined, refreshable: boolean): Grant {
  return {
    credentialId: client.id, userId, scope,
    expiresIn: config.token_expiration, refreshTtl: config.refresh_token_ttl,
    withRefresh: refreshable && config.token_expiration > 0,
  };
}

function tokenMembers(issued: Issued, config: OAuth2Config): Members {
  return {
    access_token: issued.accessToken,
    token_type: 'bearer',
    ...(config.token_expiration > 0 ? { expires_in: config.token_expiration } : {}),
    ...(issued.refreshToken === undefined ? {} : { refresh_token: issued.refreshToken }),
  };
}

function grantedScope(asked: string | undefined, config: OAuth2Config): { granted?: string; failure?: Failure } {
  if (asked === undefined) {
    return config.mandatory_scope ? { failure: { error: 'invalid_scope', error_description: 'You must specify a scope' } } : {};
  }
  const scopes = asked.split(/\s+/).filter((each) => each !== '');
  const unknown = scopes.find((each) => !config.scopes?.includes(each));
  if (unknown !== undefined) return { failure: { error: 'invalid_scope', error_description: `"${unknown}" is an invalid scope` } };
  return scopes.length > 0 ? { granted: scopes.join(' ') } : {};
}

function needsPkce(config: OAuth2Config, client: Client): boolean {
  return client.type === 'public' ? config.pkce !== 'none' : config.pkce === 'strict';
}

/** RFC 7636 §4.3, S256 only. */
function challengeOf(values: Record<string, string>, config: OAuth2Config, client: Client | undefined): { value?: string; failure?: Failure } {
  const { code_challenge: challenge, code_challenge_method: method } = values;
  const invalid = (error_description: string) => ({ failure: { error: 'invalid_request', error_description } });
  if (challenge === undefined) {
    if (method !== undefined) return invalid('code_challenge is required when code_method is present');
    return client && needsPkce(config, client) ? invalid(`code_challenge is required for ${client.type} clients`) : {};
  }
  if (method !== undefined && method.toUpperCase() !== 'S256') return invalid('code_challenge_method is not supported, must be S256');
  return { value: Buffer.from(challenge, 'base64url').toString('base64url') };
}

/** RFC 7636 §4.6 */
function verifierFailure(verifier: string | undefined, code: Code): Failure | undefined {
  if (verifier === undefined) return { error: 'invalid_request', error_description: 'code_verifier is required for PKCE authorization requests' };
  if (verifier.length < 43 || verifier.length > 128) return { error: 'invalid_request', error_description: 'code_verifier must be between 43 and 128 characters' };
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  return same(challenge, code.challenge) ? undefined : { error: 'invalid_grant', error_description: 'Invalid code' };
}

function same(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && timingSafeEqual(fingerprint(a), fingerprint(b));
}

function withState(members: Members | Failure, values: Record<string, string>): Members {
  return { ...members, ...(values.state === undefined ? {} : { state: values.state }) };
}

function withQuery(uri: string, members: Members): string {
  const url = new URL(uri);
  for (const [name, value] of Object.entries(members)) url.searchParams.set(name, String(value));
  return url.href;
}

function answer(members: Members, status = 'error' in members ? 400 : 200, headers: Record<string, string> = {}): GatewayAnswer {
  return { status, headers: { ...NO_STORE, ...headers }, fields: members, source: 'exit' };
}
