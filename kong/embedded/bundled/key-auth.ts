/** Kong's key-auth plugin: an API key in a header (or in the query where the state allows it). */
import type { Exchange, GatewayAnswer } from '../exchange.js';
import { errorAnswer } from '../exchange.js';
import type { Identity } from '../identities.js';
import type { PluginDefinition } from '../plugin.js';
import { authenticate } from './authentication.js';

interface KeyAuthConfig {
  key_names: string[];
  key_in_header: boolean;
  key_in_query: boolean;
  hide_credentials: boolean;
  run_on_preflight: boolean;
  realm?: string;
}

export const keyAuth: PluginDefinition = {
  name: 'key-auth',
  priority: 1250,
  schema: [
    { key_names: { type: 'array', elements: { type: 'string' }, len_min: 1, default: ['apikey'] } },
    { hide_credentials: { type: 'boolean', default: false } },
    { key_in_header: { type: 'boolean', default: true } },
    { key_in_query: { type: 'boolean', default: true } },
    { key_in_body: { type: 'boolean', default: false, only: [false] } },
    { run_on_preflight: { type: 'boolean', default: true } },
    { realm: { type: 'string' } },
  ],
  create(entry, parts) {
    const config = entry.config as unknown as KeyAuthConfig;
    const names = config.key_names.map((name) => name.toLowerCase());
    const challenge = { 'www-authenticate': config.realm === undefined ? 'Key' : `Key realm="${config.realm}"` };
    const admit = (exchange: Exchange, identity: Identity | undefined): GatewayAnswer | undefined => {
      if (!identity) return errorAnswer(401, 'Unauthorized', challenge);
      authenticate(exchange, identity);
      return undefined;
    };
    return {
      access(exchange) {
        if (!config.run_on_preflight && exchange.method === 'OPTIONS') return undefined;
        const found = presentedKey(exchange, names, config);
        if (found === 'repeated') return errorAnswer(401, 'Duplicate API key found', challenge);
        if (!found) return errorAnswer(401, 'No API key found in request', challenge);
        const identity = parts.identities.byKey(found.key);
        return identity instanceof Promise ? identity.then((known) => admit(exchange, known)) : admit(exchange, identity);
      },
    };
  },
};

function presentedKey(exchange: Exchange, names: string[], config: KeyAuthConfig): { key: string } | 'repeated' | undefined {
  for (const name of names) {
    const inHeader = config.key_in_header ? exchange.headers[name] : undefined;
    if (inHeader !== undefined) {
      if (config.hide_credentials) exchange.upstreamHeaders.set(name, null);
      if (exchange.repeatedHeaders?.has(name)) return 'repeated';
      return inHeader === '' ? undefined : { key: inHeader };
    }
    if (!config.key_in_query || !exchange.query.includes(name)) continue;
    const query = new URLSearchParams(exchange.query);
    const values = query.getAll(name);
    if (values.length > 1) return 'repeated';
    if (config.hide_credentials && values.length > 0) {
      query.delete(name);
      const rest = query.toString();
      exchange.query = rest === '' ? '' : `?${rest}`;
    }
    if (values[0]) return { key: values[0] };
  }
  return undefined;
}
