/** What the payment service hears of recalls and returns. */
import { contextOf, newEvent, type Event } from '@kontor/kernel/events';
import type { Logger } from '@kontor/kernel/logger';
import { parseMoney } from '@kontor/kernel/money';
import type { Subscriptions } from '@kontor/kernel/service';
import type { RecallsRepository } from './recalls-repository.js';

export function recallSubscriptions({ recalls, now, logger }: { recalls: RecallsRepository; now: () => Date; logger: Logger }): Subscriptions {
  return {
    async 'rail.recall-answered'(event, { tx, emit }) {
      const { recallId = null, paymentId = null, outcome, reason = null } = event.data;
      const told = await recalls.answered(tx, { recallId, paymentId, outcome, reason, now: now() });
      if (!told) return logger.warn('an answer is to no recall that waits for one', { event: event.type, eventId: event.id, resourceId: recallId ?? paymentId ?? undefined });
      await emit(newEvent('payment.recall-answered', {
        subject: told.paymentId, source: 'payment', context: { ...contextOf(event), clientId: told.clientId },
        data: { recallId: told.recallId, paymentId: told.paymentId, clientId: told.clientId, customerId: told.customerId, outcome, ...(outcome === 'refused' && reason !== null ? { reason } : {}) },
      }) as Event);
    },

    async 'funds.returned'(event, { tx, emit }) {
      const { paymentId, amount, railReference, reason } = event.data;
      const told = await recalls.returned(tx, { paymentId, railReference, amount: parseMoney(amount), reason: reason ?? null, now: now() });
      if (told === 'unknown') return logger.warn('money came back of a payment that does not exist', { event: event.type, eventId: event.id, resourceId: paymentId });
      if (!told) return;
      await emit(newEvent('payment.returned', {
        subject: paymentId, source: 'payment', context: { ...contextOf(event), clientId: told.clientId },
        data: { ...told, amount, ...(reason === undefined ? {} : { reason }) },
      }) as Event);
    },
  };
}
