import { countUse, lookUpConsent } from '../host-lua/consent-lookup.js';
import { enforce, readFacts } from '../host-lua/request.js';
import type { RequestState } from '../host-lua/request.js';
import type { ConsentLookup, Decision } from '../plugin.js';
import { priorities } from '../priorities.js';
import { accountOf, decide, decideUse, needsConsent, needsUse } from './core.js';
import type { ConsentCheckConfig } from './core.js';

/** consent-check inside Kong: looks the consent up, decides, has a use counted where that is limited, keeps the record for gateway-identity. */
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
  if (!needsConsent(facts, config)) return decide(facts, config, NONE);
  const consentId = facts.consentId as string;
  ngx.update_time();
  const started = ngx.now();
  const lookup = lookUpConsent(consentId, config, started);
  const decision = decide(facts, config, lookup);
  if (decision.kind !== 'allow' || lookup.kind !== 'found') return decision;
  state.consent = lookup.record;
  if (!needsUse(facts, config, lookup.record)) return decision;
  const use = countUse({ consentId, operation: config.operation, account: accountOf(facts, config) }, config, started);
  return decideUse(facts, config, { record: lookup.record, use });
}
