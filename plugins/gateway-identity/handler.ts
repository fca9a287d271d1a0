import { keptToken, signToken } from '../host-lua/gateway-token.js';
import { addToLog, correlationId, enforce, readFacts, readRaw, requestState, uniqueId } from '../host-lua/request.js';
import type { RequestState } from '../host-lua/request.js';
import type { Decision } from '../plugin.js';
import { priorities } from '../priorities.js';
import { claims, decide, isSoundCorrelationId, screen, UNCHANGED } from './core.js';
import type { GatewayIdentityConfig } from './core.js';

/** gateway-identity inside Kong: strips, signs, and keeps secrets and personal data out of the access record. */
export const handler = {
  PRIORITY: priorities['gateway-identity'],
  VERSION: '1.0.0',

  /** Runs for the global configuration only, on every request: before routing, before every other plugin of the state. */
  rewrite(): void {
    enforce('The gateway', screenRequest, undefined);
  },

  access(config: GatewayIdentityConfig): void {
    enforce('The gateway identity', identify, config);
  },

  /**
   * Runs before http-log (12) and says what a record has: headers carry tokens and cookies, queries carry codes and states, and
   * of route, service and consumer their names are enough.
   */
  log(): void {
    const state = requestState();
    addToLog(state, { correlationId: ngx.header['X-Correlation-Id'] as string | undefined ?? correlationId() });
    const consumer = kong.client.get_consumer();
    kong.log.set_serialize_value('kontor', state.log);
    kong.log.set_serialize_value('request', { id: ngx.variables.request_id, method: kong.request.get_method(), uri: kong.request.get_path() });
    kong.log.set_serialize_value('response', { status: kong.response.get_status() });
    kong.log.set_serialize_value('route', named(kong.router.get_route()));
    kong.log.set_serialize_value('service', named(kong.router.get_service()));
    kong.log.set_serialize_value('consumer', consumer !== undefined ? { id: consumer.id, custom_id: consumer.custom_id } : undefined);
    kong.log.set_serialize_value('upstream_uri', undefined);
  },
};

function named(entity: { name?: string } | undefined): { name?: string } | undefined {
  return entity !== undefined ? { name: entity.name } : undefined;
}

function screenRequest(this: void): Decision {
  const raw = readRaw();
  const decision = screen(raw);
  const sent = raw.headers['x-correlation-id'];
  // What could not stand in a log is replaced; correlation-id mints one where there is none, but does not get to see a refused request.
  const unsound = sent !== undefined && (!isSoundCorrelationId(sent) || raw.repeated.includes('x-correlation-id'));
  if (unsound || (sent === undefined && decision.kind === 'refuse')) kong.service.request.set_header('X-Correlation-Id', uniqueId());
  // Kong may have read the headers before and would go on with what it read.
  if (unsound || decision !== UNCHANGED) ngx.ctx.cached_request_headers = undefined;
  return decision;
}

function identify(this: void, config: GatewayIdentityConfig, state: RequestState): Decision {
  const facts = readFacts(state);
  const decision = decide(facts, config, state.consent);
  if (decision.kind === 'allow' && decision.token !== undefined) {
    const token = keptToken(decision.token, config.private_key)
      ?? signToken(decision.token, claims(facts, config, state.consent), config.private_key);
    decision.setRequestHeaders = { 'x-gateway-token': token };
  }
  return decision;
}
