/** What the customer service hears: the outcomes of know-your-customer cases. */
import { contextOf, type Event } from '@kontor/kernel/events';
import type { Subscriptions } from '@kontor/kernel/service';
import { takeIn, type KycOutcome } from './customer.js';
import type { CustomerRepository } from './repository.js';

type KycEvent = Event<'kyc.approved'> | Event<'kyc.review-required'> | Event<'kyc.rejected'>;

export function subscriptions({ customers, now }: { customers: CustomerRepository; now: () => Date }): Subscriptions {
  const outcome = (result: KycOutcome) => async (event: KycEvent, { tx, emit }: Parameters<NonNullable<Subscriptions['kyc.approved']>>[1]) => {
    const { customerId, caseId } = event.data;
    const found = await customers.changeIn(tx, customerId, (customer) => takeIn(customer, caseId, result, now()), contextOf(event), emit);
    // The case was opened by our own event, so a customer we do not know is a fault: it ends in the dead-letter queue.
    if (!found) throw new Error(`${event.type} is about a customer that does not exist`);
  };
  return {
    'kyc.approved': outcome('approved'),
    'kyc.review-required': outcome('review'),
    'kyc.rejected': outcome('rejected'),
  };
}
