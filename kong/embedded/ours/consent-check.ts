import { plugins } from '../../../plugins/index.js';
import type { ConsentCheckConfig } from '../../../plugins/consent-check/core.js';
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
        return source.look(facts.consentId!).then((lookup) => {
          const refusal = carryOut(exchange, core.decide(facts, config, lookup));
          if (!refusal && lookup.kind === 'found') exchange.consent = lookup.record;
          return refusal;
        });
      },
      async stop() {
        await source?.close();
      },
    };
  },
};

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
