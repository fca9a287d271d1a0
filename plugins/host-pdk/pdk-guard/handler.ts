/** pdk-guard: the parts of our plugins that must be inside Kong, and a last look whether every decision was carried out. */
import { handler as mapping } from '../../bian-mapping/handler.js';
import { handler as identity } from '../../gateway-identity/handler.js';
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
    if (carried !== undefined && carried.answering !== undefined) mapping.header_filter(carried.answering);
  },

  /** Headers carry tokens, queries carry codes: out of the access record, as with the Lua host. */
  log(): void {
    identity.log();
  },
};
