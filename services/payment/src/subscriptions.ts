/** What the payment service hears: accounts that were opened, authorisations, funds, and what the rail reports. */
import type { Tx } from '@kontor/kernel/database';
import { contextOf, type Event, type EventContext } from '@kontor/kernel/events';
import type { Logger } from '@kontor/kernel/logger';
import type { Subscriptions } from '@kontor/kernel/service';
import { paysUnder, termsOf, type ConsentEnd, type Happening, type PaymentEffects } from './payment.js';

type Effects = Parameters<NonNullable<Subscriptions['funds.reserved']>>[1];

interface Parts {
  payments: PaymentEffects<Tx> & { waitingUnder(tx: Tx, consentId: string): Promise<string[]> };
  orders: { endUnder(tx: Tx, consentId: string, reason: string, telling: { context: EventContext; emit: (event: Event) => Promise<void> }): Promise<void> };
  reviews: { opened(tx: Tx, accountId: string, at: string): Promise<void> };
  /** Whose account an IBAN is: what a file names its debtors by. */
  accounts: { putAccount(tx: Tx, account: { accountId: string; iban: string }): Promise<void> };
  logger: Logger;
}

export function subscriptions({ payments, orders, reviews, accounts, logger }: Parts): Subscriptions {
  const happen = async (event: Event, paymentId: string, happening: Happening, { tx, emit }: Effects): Promise<void> => {
    const found = await payments.happenIn(tx, paymentId, happening, { context: contextOf(event), emit });
    // A report about a payment we never made cannot be repaired by trying again.
    if (!found) logger.warn('an event is about a payment that does not exist', { event: event.type, eventId: event.id, resourceId: paymentId });
  };
  const authorise = async (event: Event<'consent.authorised' | 'consent.amended'>, { tx }: Effects): Promise<void> => {
    const terms = termsOf(event.data);
    if (terms) await payments.authorise(tx, terms);
  };
  /** Standing orders end with their consent; what waits for its day under one that was taken back is cancelled. What has begun goes on. */
  const end = (how: ConsentEnd) => async (event: Event<`consent.${ConsentEnd}`>, { tx, emit }: Effects): Promise<void> => {
    const { consentId, consentType } = event.data;
    if (!paysUnder(consentType)) return;
    const telling = { context: contextOf(event), emit };
    await orders.endUnder(tx, consentId, `consent_${how}`, telling);
    await payments.endConsent(tx, consentId, how);
    if (how === 'expired') return;
    for (const paymentId of await payments.waitingUnder(tx, consentId)) await payments.happenIn(tx, paymentId, { kind: 'cancel' }, telling);
  };
  return {
    'account.opened': async ({ data: { accountId, iban }, time }, { tx }) => {
      await reviews.opened(tx, accountId, time);
      await accounts.putAccount(tx, { accountId, iban });
    },
    'consent.authorised': authorise,
    'consent.amended': authorise,
    'consent.revoked': end('revoked'),
    'consent.withdrawn': end('withdrawn'),
    'consent.expired': end('expired'),
    'funds.reserved': (event, effects) => {
      const { paymentId, debtor, onUs, original } = event.data;
      return happen(event, paymentId, { kind: 'funds-reserved', debtor, ...(onUs ? { onUs } : {}), ...(original ? { original } : {}) }, effects);
    },
    'funds.captured': (event, effects) => happen(event, event.data.paymentId, { kind: 'funds-captured' }, effects),
    'funds.expired': (event, effects) => happen(event, event.data.paymentId, { kind: 'funds-expired' }, effects),
    'funds.refused': (event, effects) => happen(event, event.data.paymentId, { kind: 'funds-refused', reason: event.data.reason }, effects),
    'rail.payment-status-reported': (event, effects) => {
      const { paymentId, status, reason } = event.data;
      return happen(event, paymentId, { kind: 'rail-reported', status, ...(reason === undefined ? {} : { reason }) }, effects);
    },
  };
}
