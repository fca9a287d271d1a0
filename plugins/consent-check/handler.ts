import { lookUpConsent } from '../host-lua/consent-lookup.js';
import { enforce, readFacts } from '../host-lua/request.js';
import type { ConsentLookup, Decision } from '../plugin.js';
import { priorities } from '../priorities.js';
import { decide, needsConsent } from './core.js';
import type { ConsentCheckConfig } from './core.js';

/** consent-check inside Kong: looks the consent up, decides, keeps the record for gateway-identity. */
export const handler = {
  PRIORITY: priorities['consent-check'],
  VERSION: '1.0.0',

  access(config: ConsentCheckConfig): void {
    enforce('The consent check', (): Decision => {
      const facts = readFacts();
      const lookup: ConsentLookup = needsConsent(facts, config)
        ? lookUpConsent(facts.consentId as string, config)
        : { kind: 'missing' };
      const decision = decide(facts, config, lookup);
      if (decision.kind === 'allow' && lookup.kind === 'found') kong.ctx.shared.kontor_consent = lookup.record;
      return decision;
    });
  },
};
