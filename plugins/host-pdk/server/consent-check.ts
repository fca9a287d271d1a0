/** consent-check out of process. */
import { plugins } from '../../index.js';
import type { ConsentCheckConfig } from '../../consent-check/core.js';
import { consentSource } from './consent-lookup.js';
import { runPlugin } from './program.js';

const { core, priority, schema } = plugins['consent-check'];

void runPlugin<ConsentCheckConfig>({ name: 'consent-check', priority, schema }, (config) => {
  const look = consentSource(config);
  return async (facts) => {
    const lookup = core.needsConsent(facts, config) ? await look(facts.consentId!) : { kind: 'missing' as const };
    const decision = core.decide(facts, config, lookup);
    return decision.kind === 'allow' && lookup.kind === 'found' ? { decision, keep: { consent: lookup.record } } : { decision };
  };
});
