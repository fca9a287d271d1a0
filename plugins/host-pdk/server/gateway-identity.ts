/** gateway-identity out of process: the token is signed here. */
import { plugins } from '../../index.js';
import type { GatewayIdentityConfig } from '../../gateway-identity/core.js';
import { tokenSigner } from './gateway-token.js';
import { runPlugin } from './program.js';

const { core, priority, schema } = plugins['gateway-identity'];

void runPlugin<GatewayIdentityConfig>({ name: 'gateway-identity', priority, schema }, (config) => {
  const sign = tokenSigner(config.private_key);
  return (facts, { consent }) => {
    const decision = core.decide(facts, config, consent);
    if (decision.kind === 'allow' && decision.token !== undefined) {
      decision.setRequestHeaders = { 'x-gateway-token': sign(decision.token, () => core.claims(facts, config, consent), facts.now) };
      delete decision.token;
    }
    return { decision };
  };
});
