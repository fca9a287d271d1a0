/** pdk-guard: the parts of our plugins that must be inside Kong, and a last look whether every decision was carried out. */
import { answer } from '../../bian-mapping/core.js';
import { handler as identity } from '../../gateway-identity/handler.js';
import { readFacts, singleHeaders } from '../../host-lua/request.js';
import { carryOut } from './carry-out.js';
import type { Carried } from './carry-out.js';
import { guardPriorities } from '../priorities.js';

export const handler = {
  PRIORITY: guardPriorities['pdk-guard'],
  VERSION: '1.0.0',

  /**
   * gateway-identity's part before routing and before every other plugin: kong-pdk would need a round trip for each header, and a
   * request that is refused here must not depend on a plugin server. Kong runs it with the global configuration.
   */
  rewrite(config: { requires: string[] }): void {
    if (config.requires.includes('gateway-identity')) identity.rewrite();
  },

  access(config: { requires: string[] }): void {
    carryOut(config.requires);
  },

  /** bian-mapping's part on the answer: out of process it would buffer every body (kong-pdk has no header_filter). */
  header_filter(): void {
    const carried = kong.ctx.shared.kontor_carried as Carried | undefined;
    if (carried === undefined) return;
    for (const name of Object.keys(carried.echo)) kong.response.set_header(name, carried.echo[name] as string);
    const config = carried.answering;
    if (config === undefined) return;
    const [headers] = kong.response.get_headers(1000);
    const change = answer(readFacts(), config, {
      status: kong.response.get_status(), source: kong.response.get_source(), headers: singleHeaders(headers), fields: {},
    });
    for (const name of Object.keys(change.setHeaders)) kong.response.set_header(name, change.setHeaders[name] as string);
    if (change.status !== undefined) kong.response.set_status(change.status);
  },

  /** Headers carry tokens, queries carry codes: out of the access record, as with the Lua host. */
  log(): void {
    identity.log();
  },
};
