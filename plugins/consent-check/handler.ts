import { lookUpConsent } from '../host-lua/consent-lookup.js';
import { enforce, readFacts } from '../host-lua/request.js';
import type { RequestState } from '../host-lua/request.js';
import type { ConsentLookup, Decision } from '../plugin.js';
import { priorities } from '../priorities.js';
import { decide, needsConsent } from './core.js';
import type { ConsentCheckConfig } from './core.js';

/** consent-check inside Kong: looks the consent up, decides, keeps the record for gateway-identity. */
export const handler = {
  PRIORITY: priorities['consent-check'],
  VERSION: '1.0.0',

  access(config: ConsentCheckConfig): void {
    enforce('The consent check', check, config);
  },
};

const NONE: ConsentLookup = { kind: 'missing' };

function check(this: void, config: ConsentCheckConfig, state: RequestState): Decision {
  const facts = readFacts(state);
  const lookup = needsConsent(facts, config) ? lookUpConsent(facts.consentId as string, config) : NONE;
  const decision = decide(facts, config, lookup);
  if (decision.kind === 'allow' && lookup.kind === 'found') state.consent = lookup.record;
  return decision;
}
