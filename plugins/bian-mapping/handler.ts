import { enforce, readFacts } from '../host-lua/request.js';
import { priorities } from '../priorities.js';
import { answer, ANSWER_HEADERS, decide } from './core.js';
import type { BianMappingConfig } from './core.js';

/** bian-mapping inside Kong: headers and rewriting on the way in, the echo and the status on the way out. */
export const handler = {
  PRIORITY: priorities['bian-mapping'],
  VERSION: '1.0.0',

  access(config: BianMappingConfig): void {
    const decision = enforce('The BIAN mapping', () => decide(readFacts(), config));
    if (decision !== undefined && decision.kind === 'allow') kong.ctx.plugin.echo = decision.setResponseHeaders;
  },

  header_filter(config: BianMappingConfig): void {
    const echo = kong.ctx.plugin.echo as Record<string, string> | undefined;
    if (echo === undefined) return;
    const change = answer(readFacts(), config, {
      status: kong.response.get_status(), source: kong.response.get_source(), headers: answeredHeaders(), fields: {},
    });
    for (const name in echo) ngx.header[name] = echo[name] as string;
    for (const name in change.setHeaders) ngx.header[name] = change.setHeaders[name] as string;
    if (change.status !== undefined) kong.response.set_status(change.status);
  },
};

/** Of all the answer's headers those the core reads. */
function answeredHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of ANSWER_HEADERS) {
    const value = ngx.header[name];
    if (value !== undefined) headers[name] = typeof value === 'object' ? value.join(', ') : value;
  }
  return headers;
}
