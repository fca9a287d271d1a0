/** consent-check out of process. */
import { plugins } from '../../index.js';
import type { ConsentCheckConfig } from '../../consent-check/core.js';
import { consentSource } from './consent-lookup.js';
import { runPlugin } from './program.js';

const { core, priority, schema } = plugins['consent-check'];

void runPlugin<ConsentCheckConfig>({ name: 'consent-check', priority, schema }, (config) => {
  const source = consentSource(config);
  return async (facts) => {
    if (!core.needsConsent(facts, config)) return { decision: core.decide(facts, config, { kind: 'missing' }) };
    const consentId = facts.consentId!;
    const started = performance.now();
    const lookup = await source.look(consentId, started);
    const decision = core.decide(facts, config, lookup);
    if (decision.kind !== 'allow' || lookup.kind !== 'found') return { decision };
    const keep = { consent: lookup.record };
    if (!core.needsUse(facts, config, lookup.record)) return { decision, keep };
    const use = await source.countUse(consentId, { operation: config.operation, account: core.accountOf(facts, config) }, started);
    const counted = core.decideUse(facts, config, { record: lookup.record, ...(use ? { use } : {}) });
    return counted.kind === 'allow' ? { decision: counted, keep } : { decision: counted };
  };
});
