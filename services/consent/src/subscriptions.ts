/** One handler per incoming event: what other services did that consent must know, and what the end of a consent means for its tokens. */
import { setTimeout as pause } from 'node:timers/promises';
import { contextOf } from '@kontor/kernel/events';
import type { OutsideSubscriptions, Subscriptions } from '@kontor/kernel/service';
import { consume, revoke } from './consent.js';
import type { Gateway } from './gateway.js';
import type { Known } from './known-repository.js';
import type { ConsentRepository } from './repository.js';

export function subscriptions({ consents, known }: { consents: ConsentRepository; known: Known }): Subscriptions {
  return {
    'app.registered': (event, { tx }) => known.putApplication(tx, { clientId: event.data.appId, name: event.data.name }),
    'customer.activated': (event, { tx }) => known.putCustomer(tx, { id: event.data.customerId, givenName: event.data.name.given, active: true }),
    'customer.closed': async (event, { tx }) => {
      // Nobody may go on reading, or paying, on behalf of a customer who has left.
      for (const consentId of await known.deactivateCustomer(tx, event.data.customerId)) {
        await consents.changeIn(tx, consentId, (consent, at) => revoke(consent, { actor: { kind: 'system' }, reason: 'customer_closed' }, at), contextOf(event));
      }
    },
    'account.opened': (event, { tx }) => {
      const { accountId, customerId, jointHolders = [], iban, currency, product } = event.data;
      return known.putAccount(tx, { id: accountId, holders: [customerId, ...jointHolders], iban, currency, product });
    },
    'account.closed': (event, { tx }) => known.closeAccount(tx, event.data.accountId),
    // The payment's own transaction used the consent up (a unique index there); this makes the gateway say so too.
    'payment.initiated': async (event, { tx }) => {
      // Of a bulk there are up to 10,000, and its consent was used when it was taken.
      if (event.data.bulkPaymentId === undefined) await consents.changeIn(tx, event.data.consentId, consume('payment'), contextOf(event));
    },
    'bulk-payment.received': async (event, { tx }) => {
      await consents.changeIn(tx, event.data.consentId, consume('bulk-payment'), contextOf(event));
    },
    'access.decided': (event, { tx }) => known.putDecisions(tx, event.data),
  };
}

/** An application that asks on within this time is told why (403 consent_revoked); after it, its token is unknown (401). */
const TOLD_WHY_MS = 2_000;

/**
 * A consent that has ended takes its tokens and unexchanged codes along. By its own events, so that an end is followed up also
 * where broker or gateway were away when it came; nothing hangs on it, since consent-check refuses from the end on.
 */
export function tokenSubscriptions({ endTokens, now }: Pick<Gateway, 'endTokens'> & { now: () => Date }): OutsideSubscriptions {
  const end = async ({ subject, time }: { subject: string; time: string }): Promise<void> => {
    await pause(Math.max(0, Math.min(TOLD_WHY_MS, Date.parse(time) + TOLD_WHY_MS - now().getTime())));
    await endTokens(subject);
  };
  return { 'consent.revoked': end, 'consent.withdrawn': end, 'consent.expired': end, 'consent.rejected': end };
}
