/** What the kyc service hears: customers that come, change and go, and the outcome of checks. */
import { contextOf } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import type { Subscriptions } from '@kontor/kernel/service';
import { conclude, open } from './kyc.js';
import type { KycRepository } from './repository.js';

export function subscriptions({ cases, now }: { cases: KycRepository; now: () => Date }): Subscriptions {
  return {
    async 'customer.registered'(event, { tx, emit }) {
      await cases.putApplicant(tx, event.data, event.time);
      // A change heard before the registration has opened the case already.
      await cases.openIn(tx, event.data.customerId, (applicant, latest) => (latest ? undefined : open(applicant, 'registered', { id: newId(), now: now() })), contextOf(event), emit);
    },
    async 'customer.updated'(event, { tx, emit }) {
      const { customerId, clientId, name, birthDate, nationality, residence } = event.data;
      if (!name || !birthDate || !nationality || !residence) return;
      await cases.putApplicant(tx, { customerId, clientId, name, birthDate, nationality, residence }, event.time);
      await cases.openIn(tx, customerId, (applicant) => (applicant.gone ? undefined : open(applicant, 'identity_changed', { id: newId(), now: now() })), contextOf(event), emit);
    },
    async 'customer.closed'(event, { tx }) {
      const known = await cases.putGone(tx, event.data.customerId, now());
      if (!known) throw new Error('a customer was closed before it was heard of');
    },
    async 'kyc.check-completed'(event, { tx, emit }) {
      const { caseId, identity, screening, matches, providerReference } = event.data;
      const result = { identity, screening, matches, providerReference };
      const found = await cases.changeIn(tx, caseId, (kycCase) => conclude(kycCase, result, now()), contextOf(event), emit);
      if (!found) throw new Error('a check was completed for a case that does not exist');
    },
  };
}
