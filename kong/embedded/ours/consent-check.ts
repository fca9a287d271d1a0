import { plugins } from '../../../plugins/index.js';
import type { ConsentCheckConfig } from '../../../plugins/consent-check/core.js';
import type { Exchange, GatewayAnswer } from '../exchange.js';
import type { PluginDefinition } from '../plugin.js';
import { configFields } from './config-fields.js';
import { consentSource, type ConsentSource } from './consent-lookup.js';
import { carryOut } from './decisions.js';

const { core, priority, schema } = plugins['consent-check'];

/** Host of consent-check: looks the consent up where the core says so, and leaves the record for gateway-identity. */
export const consentCheck: PluginDefinition = {
  name: 'consent-check',
  priority,
  schema: configFields(schema),
  create(entry, { redis }) {
    const config = entry.config as unknown as ConsentCheckConfig;
    const source: ConsentSource | undefined = config.permission === undefined ? undefined : sharedSource(config, redis);
    return {
      access(exchange) {
        const facts = exchange.facts();
        if (!source || !core.needsConsent(facts, config)) return carryOut(exchange, core.decide(facts, config, { kind: 'unavailable' }));
        return decided(exchange, config, source);
      },
      async stop() {
        await source?.close();
      },
    };
  },
};

async function decided(exchange: Exchange, config: ConsentCheckConfig, source: ConsentSource): Promise<GatewayAnswer | undefined> {
  const facts = exchange.facts();
  const consentId = facts.consentId!;
  const started = performance.now();
  const lookup = await source.look(consentId, started);
  const decision = core.decide(facts, config, lookup);
  if (decision.kind !== 'allow' || lookup.kind !== 'found') return carryOut(exchange, decision);
  exchange.consent = lookup.record;
  if (!core.needsUse(facts, config, lookup.record)) return carryOut(exchange, decision);
  const use = await source.countUse(consentId, { operation: config.operation, account: core.accountOf(facts, config) }, started);
  return carryOut(exchange, core.decideUse(facts, config, { record: lookup.record, ...(use ? { use } : {}) }));
}

/** Routes with the same Redis and consent service share one source and its connections. */
const sources = new WeakMap<object, Map<string, ConsentSource>>();

function sharedSource(config: ConsentCheckConfig, redis: Parameters<typeof consentSource>[1]): ConsentSource {
  const known = sources.get(redis) ?? new Map<string, ConsentSource>();
  sources.set(redis, known);
  const key = JSON.stringify([config.redis, config.fallback]);
  const source = known.get(key) ?? consentSource(config, redis);
  known.set(key, source);
  return source;
}
