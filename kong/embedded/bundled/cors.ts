/** Kong's cors plugin for lists of plain origins. */
import type { Exchange } from '../exchange.js';
import type { PluginDefinition } from '../plugin.js';

interface CorsConfig {
  origins?: string[];
  headers?: string[];
  exposed_headers?: string[];
  methods: string[];
  max_age?: number;
  credentials: boolean;
}

const METHODS = ['GET', 'HEAD', 'PUT', 'PATCH', 'POST', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'];

export const cors: PluginDefinition = {
  name: 'cors',
  priority: 2000,
  schema: [
    { origins: { type: 'array', elements: { type: 'string' } } },
    { headers: { type: 'array', elements: { type: 'string' } } },
    { exposed_headers: { type: 'array', elements: { type: 'string' } } },
    { methods: { type: 'array', elements: { type: 'string', one_of: METHODS }, default: METHODS } },
    { max_age: { type: 'number' } },
    { credentials: { type: 'boolean', default: false } },
    { private_network: { type: 'boolean', default: false, only: [false] } },
    { preflight_continue: { type: 'boolean', default: false, only: [false] } },
  ],
  create(entry) {
    const config = entry.config as unknown as CorsConfig;
    for (const origin of config.origins ?? []) {
      if (origin !== '*' && !/^[A-Za-z0-9.:/-]+$/.test(origin)) throw new Error(`${entry.where}: config.origins: regular expressions are not supported by the embedded gateway`);
    }
    const any = !config.origins || config.origins.length === 0 || config.origins.includes('*');
    const only = config.origins?.length === 1 && !any ? config.origins[0] : undefined;

    const allowOrigin = (exchange: Exchange, headers: Record<string, string | string[]>) => {
      const { origin } = exchange.headers;
      if (!any || (config.credentials && origin !== undefined)) headers.vary = headers.vary === undefined ? 'Origin' : `${String(headers.vary)}, Origin`;
      const allowed = any ? (config.credentials && origin !== undefined ? origin : '*') : only ?? config.origins!.find((each) => each === origin);
      if (allowed === undefined) return void delete headers['access-control-allow-origin'];
      headers['access-control-allow-origin'] = allowed;
      if (config.credentials && allowed !== '*') headers['access-control-allow-credentials'] = 'true';
    };

    return {
      access(exchange) {
        const { origin, 'access-control-request-method': asked, 'access-control-request-headers': askedHeaders } = exchange.headers;
        if (exchange.method !== 'OPTIONS' || origin === undefined || asked === undefined) return undefined;
        exchange.isPreflight = true;
        const headers: Record<string, string> = {};
        allowOrigin(exchange, headers);
        if (config.headers && config.headers.length > 0) headers['access-control-allow-headers'] = config.headers.join(',');
        else if (askedHeaders !== undefined) headers['access-control-allow-headers'] = askedHeaders;
        headers['access-control-allow-methods'] = config.methods.join(',');
        if (config.max_age !== undefined) headers['access-control-max-age'] = String(config.max_age);
        return { status: 200, headers, fields: {}, source: 'exit' };
      },
      headerFilter(exchange, head) {
        if (exchange.isPreflight) return;
        allowOrigin(exchange, head.headers);
        if (config.exposed_headers && config.exposed_headers.length > 0) head.headers['access-control-expose-headers'] = config.exposed_headers.join(',');
      },
    };
  },
};
