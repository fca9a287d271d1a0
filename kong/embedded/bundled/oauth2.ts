/**
 * Kong's oauth2 plugin, as this state uses it: authorization code with PKCE, client credentials, refresh; one set of
 * tokens for all services. A token in the body is not read (Kong would read it; RFC 6750 §2.2 advises against it).
 */
import type { Exchange, GatewayAnswer } from '../exchange.js';
import type { TokenIdentity } from '../identities.js';
import type { PluginDefinition } from '../plugin.js';
import type { Fields } from '../schema.js';
import { authenticate } from './authentication.js';
import { authorize, issueToken, type Endpoints } from './oauth2-endpoints.js';

/** `config` after its check; names are Kong's. Times in seconds. */
export interface OAuth2Config {
  scopes?: string[];
  mandatory_scope: boolean;
  provision_key: string;
  token_expiration: number;
  refresh_token_ttl: number;
  enable_authorization_code: boolean;
  enable_client_credentials: boolean;
  reuse_refresh_token: boolean;
  hide_credentials: boolean;
  pkce: 'none' | 'lax' | 'strict';
  auth_header_name: string;
  realm?: string;
}

const schema: Fields = [
  { scopes: { type: 'array', elements: { type: 'string' } } },
  { mandatory_scope: { type: 'boolean', default: false } },
  { provision_key: { type: 'string', required: true } },
  { token_expiration: { type: 'integer', default: 7200, between: [0, 31_536_000] } },
  { enable_authorization_code: { type: 'boolean', default: false } },
  { enable_implicit_grant: { type: 'boolean', default: false, only: [false] } },
  { enable_client_credentials: { type: 'boolean', default: false } },
  { enable_password_grant: { type: 'boolean', default: false, only: [false] } },
  { hide_credentials: { type: 'boolean', default: false } },
  { accept_http_if_already_terminated: { type: 'boolean', default: false, only: [false] } },
  { global_credentials: { type: 'boolean', default: false, only: [true] } },
  { auth_header_name: { type: 'string', default: 'authorization', only: ['authorization'] } },
  { refresh_token_ttl: { type: 'integer', default: 1_209_600, between: [0, 100_000_000] } },
  { reuse_refresh_token: { type: 'boolean', default: false } },
  { pkce: { type: 'string', default: 'lax', one_of: ['none', 'lax', 'strict'] } },
  { realm: { type: 'string' } },
];

/** Tokens are 32 letters and digits: anything else need not be looked up. */
const TOKEN = /^[A-Za-z0-9]{32}$/;

export const oauth2: PluginDefinition = {
  name: 'oauth2',
  priority: 1400,
  schema,
  create(entry, parts) {
    const config = entry.config as unknown as OAuth2Config;
    const endpoints: Endpoints = { config, store: parts.oauth, ended: (id) => parts.identities.forgetToken(id), pluginId: entry.id };
    const realm = config.realm === undefined ? '' : ` realm="${config.realm}"`;

    const admit = (exchange: Exchange, found: TokenIdentity | undefined): GatewayAnswer | undefined => {
      if (!found || found.expiresAt < parts.now()) return invalidToken(realm);
      authenticate(exchange, found);
      exchange.scopes = found.scopes;
      exchange.userId = found.userId;
      if (found.scopes.length > 0) exchange.upstreamHeaders.set('x-authenticated-scope', found.scopes.join(' '));
      else exchange.upstreamHeaders.set('x-authenticated-scope', null);
      exchange.upstreamHeaders.set('x-authenticated-userid', found.userId ?? null);
      return undefined;
    };

    return {
      access(exchange) {
        const endpoint = /\/oauth2\/(token|authorize)\/?$/.exec(exchange.path);
        if (endpoint) {
          if (exchange.method !== 'POST') return wrongMethod(exchange.method, endpoint[1] === 'token' ? 'token' : 'authorization', realm);
          return endpoint[1] === 'token' ? issueToken(exchange, endpoints) : authorize(exchange, endpoints);
        }
        const token = presentedToken(exchange, config);
        if (!token) return { status: 401, headers: { 'www-authenticate': `Bearer${realm}` }, fields: { error: 'invalid_request', error_description: 'The access token is missing' }, source: 'exit' };
        if (!TOKEN.test(token)) return invalidToken(realm);
        const found = parts.identities.byToken(token);
        return found instanceof Promise ? found.then((identity) => admit(exchange, identity)) : admit(exchange, found);
      },
    };
  },
};

function presentedToken(exchange: Exchange, config: OAuth2Config): string | undefined {
  const header = exchange.headers.authorization;
  if (header !== undefined) {
    if (config.hide_credentials) exchange.upstreamHeaders.set('authorization', null);
    const parts = /^\s*(?:bearer|token)\s+(\S+)\s*$/i.exec(header);
    return parts ? parts[1] : header;
  }
  if (!exchange.query.includes('access_token')) return undefined;
  const query = new URLSearchParams(exchange.query);
  const token = query.get('access_token') ?? undefined;
  if (config.hide_credentials) {
    query.delete('access_token');
    const rest = query.toString();
    exchange.query = rest === '' ? '' : `?${rest}`;
  }
  return token;
}

function invalidToken(realm: string): GatewayAnswer {
  const description = 'The access token is invalid or has expired';
  return {
    status: 401,
    headers: { 'www-authenticate': `Bearer${realm} error="invalid_token" error_description="${description}"` },
    fields: { error: 'invalid_token', error_description: description },
    source: 'exit',
  };
}

function wrongMethod(method: string, endpoint: string, realm: string): GatewayAnswer {
  const description = `The HTTP method ${method} is invalid for the ${endpoint} endpoint`;
  return {
    status: 405,
    headers: { 'www-authenticate': `Bearer${realm} error="invalid_method" error_description="${description}"`, allow: 'POST' },
    fields: { error: 'invalid_method', error_description: description },
    source: 'exit',
  };
}
