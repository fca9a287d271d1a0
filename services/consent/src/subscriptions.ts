/** One handler per incoming event: what other services did that consent must know. */
import { contextOf } from '@kontor/kernel/events';
import type { Subscriptions } from '@kontor/kernel/service';
import { consume } from './consent.js';
import type { ConsentRepository } from './repository.js';

export function subscriptions({ consents, now }: { consents: ConsentRepository; now: () => Date }): Subscriptions {
  return {
    'app.registered': (event, { tx }) => consents.putApplication(tx, { clientId: event.data.appId, name: event.data.name }),
    'customer.activated': (event, { tx }) => consents.putCustomer(tx, { id: event.data.customerId, givenName: event.data.name.given, active: true }),
    'customer.closed': (event, { tx }) => consents.deactivateCustomer(tx, event.data.customerId),
    'account.opened': (event, { tx }) =>
      consents.putAccount(tx, { id: event.data.accountId, customerId: event.data.customerId, iban: event.data.iban, currency: event.data.currency, product: event.data.product }),
    'account.closed': (event, { tx }) => consents.closeAccount(tx, event.data.accountId),
    // The payment's own transaction used the consent up (a unique index there); this makes the gateway say so too.
    'payment.initiated': async (event, { tx }) => {
      await consents.changeIn(tx, event.data.consentId, (consent) => consume(consent, now()), contextOf(event));
    },
  };
}
