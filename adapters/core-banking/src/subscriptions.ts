/** One handler per incoming event. A Transient passes through: the kernel tries again until the core answers. */
import type { Subscriptions } from '@kontor/kernel/service';
import { bookedEvent, CoreRefusal, refusedEvent, type Core } from './core-banking.js';

export function subscriptions({ core }: { core: Core }): Subscriptions {
  return {
    async 'account.requested'(event, { emit }) {
      const { accountId, customerId, product, currency } = event.data;
      try {
        const booked = await core.openAccount({ requestId: accountId, customerReference: customerId, product, currency }, event.correlationid);
        await emit(bookedEvent(event, booked));
      } catch (error) {
        if (!(error instanceof CoreRefusal)) throw error;
        await emit(refusedEvent(event, error.reason));
      }
    },
  };
}
