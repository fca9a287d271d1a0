import { enforce, readFacts, requestState } from '../host-lua/request.js';
import type { RequestState } from '../host-lua/request.js';
import type { Decision } from '../plugin.js';
import { priorities } from '../priorities.js';
import { answer, ANSWER_HEADERS, decide, mayChange } from './core.js';
import type { BianMappingConfig, Described } from './core.js';

/** bian-mapping inside Kong: headers and rewriting on the way in, the echo and the status on the way out. */
export const handler = {
  PRIORITY: priorities['bian-mapping'],
  VERSION: '1.0.0',

  access(config: BianMappingConfig): void {
    enforce('The BIAN mapping', map, config);
  },

  header_filter(config: BianMappingConfig): void {
    const state = requestState();
    const { echo } = state;
    if (echo === undefined) return;
    const status = kong.response.get_status();
    const answered = mayChange(config, status) ? answeredHeaders() : undefined;
    for (const name in echo) ngx.header[name] = echo[name] as string;
    if (answered === undefined) return;
    const change = answer(readFacts(state), config, { status, source: kong.response.get_source(), headers: answered, fields: {} });
    for (const name in change.setHeaders) ngx.header[name] = change.setHeaders[name] as string;
    if (change.status !== undefined) kong.response.set_status(change.status);
  },
};

function map(this: void, config: BianMappingConfig, state: RequestState): Decision {
  const decision = decide(readFacts(state), config, keptFor(config));
  if (decision.kind === 'allow') state.echo = decision.setResponseHeaders;
  return decision;
}

/** By Kong's own table of a configuration, which goes when the configuration changes. */
const descriptions = setmetatable(new LuaTable<BianMappingConfig, Described>(), { __mode: 'k' });

function keptFor(config: BianMappingConfig): Described {
  const known = descriptions.get(config);
  if (known !== undefined) return known;
  const fresh: Described = { known: {}, count: 0 };
  descriptions.set(config, fresh);
  return fresh;
}

/** Of all the answer's headers those the core reads. */
function answeredHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of ANSWER_HEADERS) {
    const value = ngx.header[name];
    if (value !== undefined) headers[name] = typeof value === 'object' ? value.join(', ') : value;
  }
  return headers;
}
