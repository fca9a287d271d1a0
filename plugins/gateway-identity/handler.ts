import { gatewayToken } from '../host-lua/gateway-token.js';
import { correlationId, enforce, readFacts, readRaw, uniqueId } from '../host-lua/request.js';
import type { ConsentRecord, Decision } from '../plugin.js';
import { priorities } from '../priorities.js';
import { decide, isSoundCorrelationId, screen } from './core.js';
import type { GatewayIdentityConfig } from './core.js';

/** gateway-identity inside Kong: strips, signs, and keeps secrets and personal data out of the access record. */
export const handler = {
  PRIORITY: priorities['gateway-identity'],
  VERSION: '1.0.0',

  /** Runs for the global configuration only, on every request: before routing, before every other plugin of the state. */
  rewrite(): void {
    enforce('The gateway', (): Decision => {
      const raw = readRaw();
      // What could not stand in a log is replaced; correlation-id mints one only where there is none.
      if (!isSoundCorrelationId(raw.headers['x-correlation-id']) || raw.repeated.includes('x-correlation-id')) {
        kong.service.request.set_header('X-Correlation-Id', uniqueId());
      }
      // Kong has read the headers before and would go on with what it read.
      ngx.ctx.cached_request_headers = undefined;
      return screen(raw);
    });
  },

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
    kong.log.set_serialize_value('kontor.correlationId', kong.response.get_header('X-Correlation-Id') ?? correlationId());
  },
};
