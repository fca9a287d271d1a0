import { gatewayToken } from '../host-lua/gateway-token.js';
import { enforce, readFacts } from '../host-lua/request.js';
import type { ConsentRecord, Decision } from '../plugin.js';
import { priorities } from '../priorities.js';
import { decide } from './core.js';
import type { GatewayIdentityConfig } from './core.js';

/** gateway-identity inside Kong: strips, signs, and keeps secrets and personal data out of the access record. */
export const handler = {
  PRIORITY: priorities['gateway-identity'],
  VERSION: '1.0.0',

  access(config: GatewayIdentityConfig): void {
    enforce('The gateway identity', (): Decision => {
      const decision = decide(readFacts(), config, kong.ctx.shared.kontor_consent as ConsentRecord | undefined);
      if (decision.kind === 'allow' && decision.token !== undefined) {
        decision.setRequestHeaders['x-gateway-token'] = gatewayToken(decision.token, config.private_key);
      }
      return decision;
    });
  },

  /** Runs before http-log (12): headers carry tokens and cookies, queries carry codes and states. */
  log(): void {
    for (const field of ['request.headers', 'request.querystring', 'request.url', 'response.headers', 'upstream_uri']) {
      kong.log.set_serialize_value(field, undefined);
    }
    kong.log.set_serialize_value('request.uri', kong.request.get_path());
  },
};
