/** What the account service hears of money that goes back. */
import { contextOf, newEvent, type Event, type EventData } from '@kontor/kernel/events';
import { formatMoney, parseMoney } from '@kontor/kernel/money';
import type { Effects, Subscriptions } from '@kontor/kernel/service';
import { positive } from './account.js';
import type { ReturnsRepository } from './returns-repository.js';

export function returnSubscriptions({ returns, now }: { returns: ReturnsRepository; now: () => Date }): Subscriptions {
  const tell = <T extends 'funds.returned' | 'reconciliation.break-found' | 'reconciliation.break-resolved' | 'account.recall-received'>(
    cause: Event, { emit }: Effects, type: T, subject: string, data: EventData<T>): Promise<void> =>
    emit(newEvent(type, { subject, data, source: 'account', context: contextOf(cause) }) as Event);

  return {
    async 'rail.payment-returned'(event, effects) {
      const { paymentId, amount, railReference, reason, endToEndId } = event.data;
      const booked = await returns.bookReturn({
        railReference, paymentId: paymentId ?? null, amount: positive(parseMoney(amount)), reason: reason ?? null, endToEndId: endToEndId ?? null, now: now(),
      }, effects.tx);
      const why = reason === undefined ? {} : { reason };
      if (booked.outcome === 'returned' && paymentId !== undefined)
        await tell(event, effects, 'funds.returned', paymentId, { paymentId, accountId: booked.accountId, transactionId: booked.transactionId, amount, railReference, ...why });
      if (booked.outcome === 'suspense')
        await tell(event, effects, 'reconciliation.break-found', booked.breakId, { breakId: booked.breakId, reason: `return-${booked.fault}`, amount, ...(paymentId === undefined ? {} : { paymentId }) });
    },

    async 'rail.recall-received'(event, effects) {
      const { railReference, originalReference, endToEndId, amount, reason } = event.data;
      const opened = await returns.openCase({ railReference, originalReference, endToEndId, amount: positive(parseMoney(amount)), reason, now: now() }, effects.tx);
      if (opened?.account) await tell(event, effects, 'account.recall-received', opened.recallId, { recallId: opened.recallId, ...opened.account, amount, reason });
    },
  };
}

/** Lets each settlement of a payment be followed by the returns that had come before it was heard of. */
export function withEarlyReturns(heard: Subscriptions, { returns, now }: { returns: ReturnsRepository; now: () => Date }): Subscriptions {
  const followed = <T extends 'payment.initiated' | 'payment.due' | 'payment.settled'>(type: T) => async (event: Event<T>, effects: Effects): Promise<void> => {
    await (heard[type] as ((event: Event<T>, effects: Effects) => Promise<void>) | undefined)?.(event, effects);
    const { paymentId } = event.data;
    for (const early of await returns.settleEarly(paymentId, now(), effects.tx)) {
      const { accountId, transactionId, railReference, amount, reason, breakId } = early;
      const context = contextOf(event);
      await effects.emit(newEvent('funds.returned', {
        subject: paymentId, source: 'account', context,
        data: { paymentId, accountId, transactionId, amount: formatMoney(amount), railReference, ...(reason === null ? {} : { reason }) },
      }) as Event);
      await effects.emit(newEvent('reconciliation.break-resolved', { subject: breakId, source: 'account', context, data: { breakId, resolution: 'matched' } }) as Event);
    }
  };
  return { ...heard, 'payment.initiated': followed('payment.initiated'), 'payment.due': followed('payment.due'), 'payment.settled': followed('payment.settled') };
}
