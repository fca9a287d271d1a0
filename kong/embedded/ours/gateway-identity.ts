import { plugins } from '../../../plugins/index.js';
import type { GatewayIdentityConfig } from '../../../plugins/gateway-identity/core.js';
import type { PluginDefinition } from '../plugin.js';
import { configFields } from './config-fields.js';
import { carryOut } from './decisions.js';
import { tokenSigner, type TokenSigner } from './gateway-token.js';

const { core, priority, schema } = plugins['gateway-identity'];

/** Host of gateway-identity: strips what the core names and signs the token it orders. */
export const gatewayIdentity: PluginDefinition = {
  name: 'gateway-identity',
  priority,
  schema: configFields(schema),
  create(entry, { now }) {
    const config = entry.config as unknown as GatewayIdentityConfig;
    const sign = signerFor(entry.where, config.private_key, now);
    return {
      access(exchange) {
        const facts = exchange.facts();
        const decision = core.decide(facts, config, exchange.consent);
        const refusal = carryOut(exchange, decision);
        if (!refusal && decision.kind === 'allow' && decision.token) exchange.upstreamHeaders.set('x-gateway-token', sign(decision.token, () => core.claims(facts, config, exchange.consent)));
        return refusal;
      },
    };
  },
};

function signerFor(where: string, key: string, now: () => number): TokenSigner {
  try {
    return tokenSigner(key, now);
  } catch (fault) {
    throw new Error(`${where}: ${(fault as Error).message}`, { cause: fault });
  }
}
