/** What the adapter hears: checks that are asked for. It answers each with one completed check. */
import { contextOf, newEvent } from '@kontor/kernel/events';
import { derivedId } from '@kontor/kernel/ids';
import type { Subscriptions } from '@kontor/kernel/service';
import type { IdentityProvider } from './provider.js';
import type { Screening } from './screening.js';

export function subscriptions({ provider, screening }: { provider: IdentityProvider; screening: Screening }): Subscriptions {
  return {
    async 'kyc.check-requested'(event, { emit }) {
      const { caseId, customerId, name, birthDate, nationality, residence } = event.data;
      const { identity, providerReference } = await provider.check(caseId, { name, birthDate, nationality, residence });
      const { screening: outcome, matches } = screening.screen(`${name.given} ${name.family}`);
      await emit(newEvent('kyc.check-completed', {
        id: derivedId(`kyc.check-completed/${caseId}`),
        subject: caseId,
        source: 'kyc-provider',
        context: contextOf(event),
        data: { caseId, customerId, identity, screening: outcome, matches: [...matches], providerReference },
      }));
    },
  };
}
