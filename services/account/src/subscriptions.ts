/**
 * One handler per incoming event. Each may come twice and in any order; the ledger's functions know what was decided
 * (migrations/0003-postings.sql), so a handler only tells what came of it.
 */
import type { Tx } from '@kontor/kernel/database';
import { contextOf, newEvent, type AnyEvent, type Event, type EventData, type EventType } from '@kontor/kernel/events';
import { parseMoney, type WireMoney } from '@kontor/kernel/money';
import type { Subscriptions, Together } from '@kontor/kernel/service';
import {
  accountEvent, bookAtCore, customerFrom, positive, refuseAtCore, type BookingDetails, type Change, type CustomerEvent, type Party, type Told,
} from './account.js';
import type { AccountRepository } from './repository.js';

interface Effects {
  tx: Tx;
  emit: (event: Event) => Promise<void>;
}

export function subscriptions({ accounts, now }: { accounts: AccountRepository; now: () => Date }): Subscriptions {
  const heardOfCustomer = async <T extends CustomerEvent>(event: Event<T>, { tx }: Effects): Promise<void> =>
    accounts.heardOfCustomer(customerFrom(event.type, event.data as Parameters<typeof customerFrom>[1], new Date(event.time)), tx);

  const changeAccount = async (event: Event<'core.account-booked' | 'core.account-refused'>, { tx, emit }: Effects, rule: Parameters<AccountRepository['changeIn']>[2]): Promise<void> => {
    await accounts.changeIn(tx, event.data.accountId, rule, (told, account) => emit(accountEvent(told, account, contextOf(event))));
  };

  /** The creditor of an on-us payment is told like any other who receives money. */
  const tellCredited = async (cause: Event, effects: Effects, credited: { accountId: string; transactionId: string; amount: WireMoney; endToEndId: string; railReference: string }): Promise<void> => {
    const account = await accounts.find(credited.accountId, effects.tx);
    if (!account) throw new Error(`account ${credited.accountId} was credited and is not there`);
    const { customerId, clientId } = account;
    await effects.emit(accountEvent({ type: 'account.credited', data: { ...credited, customerId, clientId } }, account, contextOf(cause)));
  };

  const tellCaptured = async (event: Event, effects: Effects, captured: { paymentId: string; accountId: string; transactionId: string; amount: WireMoney; onUsAccountId: string | null }): Promise<void> => {
    const { paymentId, accountId, transactionId, amount } = captured;
    await effects.emit(told(event, { type: 'funds.captured', data: { paymentId, accountId, transactionId, amount } }, paymentId));
    if (captured.onUsAccountId === null) return;
    const entry = await accounts.entry(captured.onUsAccountId, transactionId, effects.tx);
    await tellCredited(event, effects, {
      accountId: captured.onUsAccountId, transactionId, amount, endToEndId: entry?.details.endToEndId ?? paymentId, railReference: `on-us:${paymentId}`,
    });
  };

  const reserve = async (event: Event<'payment.initiated' | 'payment.due'>, effects: Effects): Promise<void> => {
    const { paymentId, debtorAccountId: accountId, amount, refundOf } = event.data;
    const reserved = await accounts.reserve(
      { paymentId, accountId, amount: positive(parseMoney(amount)), details: detailsOf(event.data), refundOf, now: now() }, effects.tx);
    if (reserved.outcome === 'refused')
      await effects.emit(told(event, { type: 'funds.refused', data: { paymentId, accountId, reason: reserved.reason } }, paymentId));
    if (reserved.outcome === 'reserved' || reserved.outcome === 'captured') {
      const { holdId, debtor, onUs, original } = reserved;
      const data = { paymentId, accountId, holdId, debtor, ...(onUs ? { onUs } : {}), ...(original ? { original } : {}) };
      await effects.emit(told(event, { type: 'funds.reserved', data }, paymentId));
    }
    if (reserved.outcome === 'captured') await tellCaptured(event, effects, { paymentId, accountId, amount, ...reserved });
  };

  const release = async (event: Event<'payment.rejected' | 'payment.cancelled'>, { tx, emit }: Effects): Promise<void> => {
    const { paymentId, debtorAccountId: accountId } = event.data;
    const { outcome } = await accounts.release({ paymentId, accountId, now: now() }, tx);
    if (outcome === 'released') await emit(told(event, { type: 'funds.released', data: { paymentId, accountId } }, paymentId));
  };

  return {
    'customer.activated': heardOfCustomer,
    'customer.placed-under-review': heardOfCustomer,
    'customer.rejected': heardOfCustomer,
    'customer.closed': heardOfCustomer,

    'core.account-booked': (event, effects) => changeAccount(event, effects, (account): Change => bookAtCore(account, event.data, now())),
    'core.account-refused': (event, effects) => changeAccount(event, effects, (account): Change => refuseAtCore(account, event.data.reason)),

    'payment.initiated': async (event, effects) => {
      if (!event.data.deferred) await reserve(event, effects);
    },
    'payment.due': reserve,
    async 'payment.settled'(event, effects) {
      const { paymentId, debtorAccountId: accountId, amount } = event.data;
      const captured = await accounts.capture({ paymentId, accountId, amount: positive(parseMoney(amount)), now: now() }, effects.tx);
      if (captured.outcome === 'captured') await tellCaptured(event, effects, { paymentId, accountId, amount, ...captured });
    },
    'payment.rejected': release,
    'payment.cancelled': release,

    async 'rail.credit-transfer-received'(event, effects) {
      const { railReference, messageId, creditorIban, debtor, amount, endToEndId, remittance } = event.data;
      const credited = await accounts.credit({
        railReference, iban: creditorIban, amount: positive(parseMoney(amount)), details: detailsOf({ endToEndId, remittance, debtor }), now: now(),
      }, effects.tx);
      if (credited.outcome === 'refused')
        await effects.emit(told(event, { type: 'account.credit-refused', data: { railReference, messageId, reason: credited.reason } }, railReference));
      if (credited.outcome === 'credited')
        await tellCredited(event, effects, { accountId: credited.accountId, transactionId: credited.transactionId, amount, endToEndId, railReference });
    },
  };
}

/**
 * Events that change the same balance are booked in one transaction. A settlement on-us goes with the others of its creditor: one who is paid
 * by thousands is the account that is hot, not those who pay him.
 */
export function sameBalance(accounts: Pick<AccountRepository, 'creditorOf' | 'prepareBatch'>): Together {
  return {
    async key(event: AnyEvent) {
      switch (event.type) {
        case 'payment.initiated': return event.data.deferred ? undefined : event.data.debtorAccountId;
        case 'payment.due': case 'payment.rejected': case 'payment.cancelled': return event.data.debtorAccountId;
        case 'payment.settled': return await accounts.creditorOf(event.data.paymentId) ?? event.data.debtorAccountId;
        case 'rail.credit-transfer-received': return event.data.creditorIban;
        default: return undefined;
      }
    },
    async prepare(events, tx) {
      const batch = { payments: [] as string[], accounts: [] as string[], ibans: [] as string[] };
      for (const { type, data } of events) {
        if (type === 'payment.settled' || type === 'payment.rejected' || type === 'payment.cancelled') batch.payments.push(data.paymentId);
        if (type === 'rail.credit-transfer-received') batch.ibans.push(data.creditorIban);
        else if ('debtorAccountId' in data) batch.accounts.push(data.debtorAccountId);
      }
      await accounts.prepareBatch(batch, tx);
    },
  };
}

/** What a booking keeps of the order or transfer it stands for. */
function detailsOf(from: { endToEndId: string; remittance?: string | undefined; debtor?: Party; creditor?: Party }): BookingDetails {
  const { endToEndId, remittance, debtor, creditor } = from;
  return { endToEndId, ...(remittance === undefined ? {} : { remittance }), ...(debtor ? { debtor } : {}), ...(creditor ? { creditor } : {}) };
}

/** An event this service tells because of `cause`. */
function told(cause: Event, { type, data }: Told, subject: string): Event {
  return newEvent<EventType>(type, { subject, data: data as EventData<EventType>, source: 'account', context: contextOf(cause), customerId: cause.customerid });
}
