/** Rules of accounts: who may open one, how its status moves, and what money looks like to those who may see it. */
import { newEvent, type Event, type EventContext, type EventData, type EventType } from '@kontor/kernel/events';
import { formatMoney, parseMoney, type Money } from '@kontor/kernel/money';
import { problem } from '@kontor/kernel/problem';

/** BIAN AccountStatus Pending, Enabled, Disabled, Deleted, in this order. */
export type AccountStatus = 'pending' | 'enabled' | 'blocked' | 'closed';
export type Product = 'current' | 'savings';

/** An account of a customer. Its id is also the id of its ledger account. */
export interface Account {
  accountId: string;
  customerId: string;
  /** Further customers who hold it, in the order they were named; each approves what is done with it. */
  jointHolderIds: readonly string[];
  /** The fintech that opened it; others reach it by consent only. */
  clientId: string;
  product: Product;
  currency: string;
  status: AccountStatus;
  holderName: string;
  iban: string | null;
  coreReference: string | null;
  nickname: string | null;
  refusalReason: string | null;
  createdAt: Date;
  openedAt: Date | null;
  /** Who blocked it; the opener does not lift what compliance did. */
  blockedBy: 'opener' | 'compliance' | null;
  /** Counts the changes. */
  version: number;
}

/** What is known of a customer, from the customer service's events. */
export interface Customer {
  customerId: string;
  clientId: string;
  /** null until the customer was active once. */
  holderName: string | null;
  status: 'active' | 'under_review' | 'rejected' | 'closed';
  /** Time of the newest event heard. */
  asOf: Date;
}

/**
 * Money of an account, in minor units: `booked` is posted, `held` is reserved for payments under way, `overdraft` is how far below zero it may
 * go, `incoming` is held on other accounts of the bank for payments to this one.
 */
export interface Balance {
  bookedMinor: bigint;
  heldMinor: bigint;
  overdraftMinor: bigint;
  incomingMinor: bigint;
  currency: string;
  asOf: Date;
}

/** An event to be told in the transaction of a change: its type and its data. */
export type Told = { [T in EventType]: { type: T; data: EventData<T> } }[EventType];

/** An event about an account; the application that opened it is the one it concerns, whoever caused it. */
export function accountEvent(told: Told, account: Pick<Account, 'accountId' | 'clientId' | 'customerId'>, context: EventContext): Event {
  return newEvent(told.type, {
    subject: account.accountId, data: told.data, source: 'account', customerId: account.customerId,
    context: { ...context, clientId: account.clientId },
  });
}

/** What a rule wants: the account as it shall be, and the events that tell it. The same account and none: no change. */
export interface Change {
  account: Account;
  events: Told[];
}

/** What an application wants opened, with the id that was made for it. */
export interface OpeningWish {
  accountId: string;
  clientId: string;
  customerId: string;
  product: Product;
  currency: string;
  nickname?: string | undefined;
  jointHolderIds?: readonly string[] | undefined;
  now: Date;
}

/**
 * Opens an account for an active customer of the same client, and for those who shall hold it jointly, of whom the same is asked.
 * @param customers what is known of the customers the wish names, in any order
 * @throws Problem customer_not_active (also when a customer is not known here yet), not_your_resource, invalid_request (a holder named twice)
 */
export function openAccount(customers: readonly Customer[], wish: OpeningWish): Change {
  const { accountId, customerId, clientId, product, currency } = wish;
  const jointHolderIds = (wish.jointHolderIds ?? []).map((id) => id.toLowerCase());
  const holders = [customerId.toLowerCase(), ...jointHolderIds];
  if (new Set(holders).size < holders.length) throw problem('invalid_request', 'jointHolderIds must name others than customerId, each once.');
  const [holderName] = holders.map((id) => nameOfActive(customers.find((customer) => customer.customerId === id), clientId));
  return {
    account: {
      accountId, customerId, jointHolderIds, clientId, product, currency, status: 'pending', holderName: holderName ?? '',
      iban: null, coreReference: null, nickname: wish.nickname ?? null, refusalReason: null, createdAt: wish.now, openedAt: null,
      blockedBy: null, version: 1,
    },
    events: [{ type: 'account.requested', data: { accountId, customerId, clientId, product, currency } }],
  };
}

function nameOfActive(customer: Customer | undefined, clientId: string): string {
  if (!customer) throw problem('customer_not_active', 'The customer is not active. Wait for customer.activated.');
  if (customer.clientId !== clientId) throw problem('not_your_resource', 'The customer was registered by another application.');
  if (customer.status !== 'active' || customer.holderName === null)
    throw problem('customer_not_active', 'Accounts are opened for active customers only.');
  return customer.holderName;
}

/** The core has booked the account: it can be used. Heard again, nothing changes. @throws Error when the core contradicts itself */
export function bookAtCore(account: Account, booked: { iban: string; coreReference: string }, now: Date): Change {
  if (account.status !== 'pending') {
    if (account.iban === booked.iban) return unchanged(account);
    throw new Error(`the core booked account ${account.accountId}, which is ${account.status} already`);
  }
  const { accountId, customerId, clientId, currency, product, holderName, jointHolderIds } = account;
  const joint = jointHolderIds.length > 0 ? { jointHolders: [...jointHolderIds] } : {};
  return {
    account: { ...account, status: 'enabled', iban: booked.iban, coreReference: booked.coreReference, openedAt: now },
    events: [{ type: 'account.opened', data: { accountId, customerId, clientId, iban: booked.iban, currency, product, holderName, ...joint } }],
  };
}

/** The core has refused the account: it was never usable and is closed. Heard again, nothing changes. */
export function refuseAtCore(account: Account, reason: string): Change {
  if (account.status !== 'pending') {
    if (account.refusalReason !== null) return unchanged(account);
    throw new Error(`the core refused account ${account.accountId}, which is ${account.status} already`);
  }
  const { accountId, customerId, clientId } = account;
  return {
    account: { ...account, status: 'closed', refusalReason: reason },
    events: [{ type: 'account.opening-failed', data: { accountId, customerId, clientId, reason } }],
  };
}

/** Renames an account; null takes the nickname away. @throws Problem invalid_state when it is closed */
export function renameAccount(account: Account, nickname: string | null): Change {
  if (account.status === 'closed') throw problem('invalid_state', 'A closed account cannot be changed.');
  return { account: { ...account, nickname }, events: [] };
}

/** Blocks an account for debits, for its opener. @throws Problem invalid_state unless it is enabled (or blocked already) */
export const blockAccount = (account: Account): Change => block(account, 'opener');

/** As `blockAccount`, for compliance: the opener cannot lift it, even where he had blocked the account himself. */
export const blockForCompliance = (account: Account): Change => block(account, 'compliance');

function block(account: Account, blockedBy: 'opener' | 'compliance'): Change {
  if (account.status === 'blocked') return account.blockedBy === blockedBy || blockedBy === 'opener' ? unchanged(account) : { account: { ...account, blockedBy }, events: [] };
  if (account.status !== 'enabled') throw problem('invalid_state', `A ${account.status} account cannot be blocked.`);
  const { accountId, customerId, clientId } = account;
  return { account: { ...account, status: 'blocked', blockedBy }, events: [{ type: 'account.blocked', data: { accountId, customerId, clientId } }] };
}

/** Lifts the block of an account. @throws Problem invalid_state unless it is blocked (or enabled already), or when compliance blocked it and another asks */
export function unblockAccount(account: Account, by: 'opener' | 'compliance'): Change {
  if (account.status === 'enabled') return unchanged(account);
  if (account.status !== 'blocked') throw problem('invalid_state', `A ${account.status} account is not blocked.`);
  if (account.blockedBy === 'compliance' && by !== 'compliance') throw problem('invalid_state', 'The bank has blocked the account. Only the bank lifts the block.');
  const { accountId, customerId, clientId } = account;
  return { account: { ...account, status: 'enabled', blockedBy: null }, events: [{ type: 'account.unblocked', data: { accountId, customerId, clientId } }] };
}

/** Closes an account that holds nothing. @throws Problem invalid_state with a balance, held funds, or while it is being opened */
export function closeAccount(account: Account, balance: Balance | undefined): Change {
  if (account.status === 'closed') return unchanged(account);
  const bookedMinor = toPayOut(account, balance);
  if (bookedMinor !== 0n) throw problem('invalid_state', 'The balance must be zero before the account is closed. Name payoutTo, another account of the customer that shall receive it.');
  const { accountId, customerId, clientId } = account;
  return { account: { ...account, status: 'closed', blockedBy: null }, events: [{ type: 'account.closed', data: { accountId, customerId, clientId } }] };
}

/**
 * What is left on an account that shall be closed. A credit line that is in use must be paid first.
 * @throws Problem invalid_state with a debit balance, held funds, or while the account is being opened
 */
function toPayOut(account: Account, balance: Balance | undefined): bigint {
  if (account.status === 'pending') throw problem('invalid_state', 'The account is still being opened.');
  if (!balance) throw new Error(`account ${account.accountId} has no ledger account`);
  if (balance.heldMinor !== 0n) throw problem('invalid_state', 'Funds are held for payments under way. Wait until they have ended.');
  if (balance.bookedMinor < 0n) throw problem('invalid_state', 'The account is overdrawn. Pay it up before it is closed.');
  return balance.bookedMinor;
}

/**
 * Closes an account and leaves what is on it to another account of the same customer.
 * @param target the account payoutTo names, where there is one
 * @returns the change, and the amount to be paid out (0 when nothing is left)
 * @throws Problem of closeAccount; unprocessable when the target is not an account of the same customer and currency that takes money; invalid_state for a blocked account with money
 */
export function closeAndPayOut(account: Account, balance: Balance | undefined, target: Account | undefined): Change & { payoutMinor: bigint } {
  if (account.status === 'closed') return { ...unchanged(account), payoutMinor: 0n };
  const payoutMinor = toPayOut(account, balance);
  const fits = target && target.accountId !== account.accountId && target.customerId === account.customerId && target.clientId === account.clientId
    && target.currency === account.currency && (target.status === 'enabled' || target.status === 'blocked');
  if (!fits) throw problem('unprocessable', 'payoutTo must be the IBAN of another open account of the same customer, in the same currency.');
  if (payoutMinor > 0n && account.status === 'blocked') throw problem('invalid_state', 'The account is blocked: no money leaves it. Lift the block first.');
  return { ...closeAccount(account, balance && { ...balance, bookedMinor: 0n }), payoutMinor };
}

const unchanged = (account: Account): Change => ({ account, events: [] });

/** Only the application that opened an account may look after it. @throws Problem not_your_resource */
export function requireOwner(account: Account, clientId: string): void {
  if (account.clientId !== clientId) throw problem('not_your_resource', 'The account was opened by another application.');
}

/** The tag of an account as it is now. */
export const etagOf = (account: Pick<Account, 'version'>): string => `"${account.version}"`;

/** What a customer event makes known; a business holds accounts in its legal name. The newest event wins, whatever order they arrive in; `closed` is final. */
export function customerFrom(type: CustomerEvent, data: { customerId: string; clientId: string; name?: { given: string; family: string }; legalName?: string }, asOf: Date): Customer {
  return {
    customerId: data.customerId, clientId: data.clientId, status: CUSTOMER_STATUS[type], asOf,
    holderName: data.legalName ?? (data.name ? `${data.name.given} ${data.name.family}` : null),
  };
}
export type CustomerEvent = 'customer.activated' | 'customer.placed-under-review' | 'customer.rejected' | 'customer.closed';
const CUSTOMER_STATUS: Record<CustomerEvent, Customer['status']> = {
  'customer.activated': 'active', 'customer.placed-under-review': 'under_review', 'customer.rejected': 'rejected', 'customer.closed': 'closed',
};

/** BIAN keeps current and savings accounts in two service domains. */
export function bianServiceDomain(account: { product: Product }): 'CurrentAccount' | 'SavingsAccount' {
  return account.product === 'savings' ? 'SavingsAccount' : 'CurrentAccount';
}

/** The account as the application that opened it sees it. */
export function toOpening(account: Account) {
  return {
    accountId: account.accountId, status: account.status, customerId: account.customerId, product: account.product, currency: account.currency,
    ...(account.jointHolderIds.length === 0 ? {} : { jointHolderIds: [...account.jointHolderIds] }),
    ...(account.iban === null ? {} : { iban: account.iban }),
    ...(account.nickname === null ? {} : { nickname: account.nickname }),
    ...(account.refusalReason === null ? {} : { refusalReason: account.refusalReason }),
    openedAt: account.openedAt?.toISOString() ?? null,
  };
}

/** The account as a customer consented to show it: that others hold it as well, not who they are. */
export function toAccount(account: Account) {
  return {
    accountId: account.accountId, status: account.status, product: account.product, currency: account.currency, holderName: account.holderName,
    jointlyHeld: account.jointHolderIds.length > 0,
    ...(account.iban === null ? {} : { iban: account.iban }),
    ...(account.nickname === null ? {} : { nickname: account.nickname }),
    openedAt: account.openedAt?.toISOString() ?? null,
  };
}

/**
 * ISO 20022 balance types: `interimBooked` is posted, `interimAvailable` is that minus what is held, `expected` is that plus what is on its way
 * from other accounts of the bank. None of them counts the credit line, which is told beside them where there is one.
 */
export function toBalances(accountId: string, balance: Balance) {
  const one = <T extends string>(balanceType: T, minor: bigint) => ({
    balanceType, amount: formatMoney({ minor: minor < 0n ? -minor : minor, currency: balance.currency }),
    creditDebitIndicator: indicator(minor < 0n), asOf: balance.asOf.toISOString(),
  });
  return {
    accountId,
    balances: [
      one('interimBooked', balance.bookedMinor), one('interimAvailable', balance.bookedMinor - balance.heldMinor),
      one('expected', balance.bookedMinor - balance.heldMinor + balance.incomingMinor),
    ],
    ...(balance.overdraftMinor === 0n ? {} : { creditLine: { included: false as const, limit: formatMoney({ minor: balance.overdraftMinor, currency: balance.currency }) } }),
  };
}

/**
 * Whether `wanted` could be paid from the account now, its credit line counted. Funds held for payments under way do not count, and nothing is
 * available on an account that may not be debited.
 * @throws Problem invalid_amount (not more than zero), unprocessable (not in the currency of the account)
 */
export function fundsAvailable(account: Pick<Account, 'status' | 'currency'>, balance: Balance | undefined, wanted: Money): boolean {
  positive(wanted);
  if (wanted.currency !== account.currency) throw problem('unprocessable', `The account is kept in ${account.currency}. Ask for an amount in that currency.`);
  return account.status === 'enabled' && balance !== undefined && balance.bookedMinor - balance.heldMinor + balance.overdraftMinor >= wanted.minor;
}

const indicator = (debit: boolean): 'CRDT' | 'DBIT' => (debit ? 'DBIT' : 'CRDT');

/** A party to a transfer. */
export interface Party { name: string; iban: string }

/** What a booking tells beside its amounts. */
export interface BookingDetails {
  endToEndId?: string;
  remittance?: string;
  debtor?: Party;
  creditor?: Party;
}

/** `payout` is what a closed account leaves to another, `return` and `recall` are money sent back (pacs.004). */
export type TransactionType = 'payment' | 'incoming-payment' | 'correction' | 'reversal' | 'payout' | 'return' | 'recall';

/** What is told of the booking that empties a closed account. */
export function payoutDetails(from: Pick<Account, 'holderName' | 'iban'>, to: Pick<Account, 'holderName' | 'iban'>) {
  const party = ({ holderName, iban }: Pick<Account, 'holderName' | 'iban'>): Party => ({ name: holderName, iban: iban ?? '' });
  return { endToEndId: 'NOTPROVIDED', remittance: 'Closing of account', debtor: party(from), creditor: party(to) } satisfies BookingDetails;
}

/** One entry on one account, with what its transaction tells. */
export interface AccountEntry {
  /** Its number among the entries of the account, from 1 without a gap. */
  sequence: bigint;
  transactionId: string;
  accountId: string;
  type: TransactionType;
  side: 'debit' | 'credit';
  amount: Money;
  /** UTC date, YYYY-MM-DD. */
  bookingDate: string;
  /** From when it counts for interest; UTC date. */
  valueDate: string;
  bookedAt: Date;
  paymentId: string | null;
  details: BookingDetails;
}

/** An entry as the customer's bank statement shows it; the counterparty is whoever stands on the other side. */
export function toTransaction(entry: AccountEntry) {
  const counterparty = entry.side === 'debit' ? entry.details.creditor : entry.details.debtor;
  return {
    transactionId: entry.transactionId, accountId: entry.accountId, type: entry.type, status: 'BOOK' as const,
    creditDebitIndicator: indicator(entry.side === 'debit'), amount: formatMoney(entry.amount),
    bookingDate: entry.bookingDate, valueDate: entry.valueDate, bookedAt: entry.bookedAt.toISOString(),
    ...(entry.paymentId === null ? {} : { paymentId: entry.paymentId }),
    ...(entry.details.endToEndId === undefined ? {} : { endToEndId: entry.details.endToEndId }),
    ...(entry.details.remittance === undefined ? {} : { remittance: entry.details.remittance }),
    ...(counterparty === undefined ? {} : { counterparty: { name: counterparty.name, iban: counterparty.iban } }),
  };
}

/** Funds held for a payment of an account, as a transaction that is not booked yet. */
export interface PendingEntry {
  holdId: string;
  accountId: string;
  amount: Money;
  paymentId: string;
  details: BookingDetails;
}

/** A pending transaction; it has no booking date. Booked, it gets another id. */
export function toPendingTransaction(entry: PendingEntry) {
  const { endToEndId, remittance, creditor } = entry.details;
  return {
    transactionId: entry.holdId, accountId: entry.accountId, type: 'payment' as const, status: 'PDNG' as const,
    creditDebitIndicator: indicator(true), amount: formatMoney(entry.amount), paymentId: entry.paymentId,
    ...(endToEndId === undefined ? {} : { endToEndId }), ...(remittance === undefined ? {} : { remittance }),
    ...(creditor === undefined ? {} : { counterparty: { name: creditor.name, iban: creditor.iban } }),
  };
}

/** What transactions are searched by; null is any. Dates are booking dates (UTC), amounts minor units, all bounds included. */
export interface EntryFilter {
  from: string | null;
  to: string | null;
  minMinor?: bigint | null;
  maxMinor?: bigint | null;
  side?: 'debit' | 'credit' | null;
  /** Part of the remittance, the end-to-end id, or the name or IBAN of the counterparty; capitals do not matter. */
  text?: string | null;
}

/**
 * What a client searches by, in the currency of the account.
 * @throws Problem invalid_request when a bound is the wrong way round, invalid_amount when an amount is none of the currency
 */
export function entryFilter(currency: string, wanted: {
  fromBookingDate?: string; toBookingDate?: string; minAmount?: string; maxAmount?: string; creditDebitIndicator?: string; text?: string;
}): EntryFilter {
  const minor = (amount: string | undefined): bigint | null => (amount === undefined ? null : parseMoney({ amount, currency }).minor);
  const [minMinor, maxMinor] = [minor(wanted.minAmount), minor(wanted.maxAmount)];
  if (minMinor !== null && maxMinor !== null && minMinor > maxMinor) throw problem('invalid_request', 'minAmount is more than maxAmount.');
  const side = wanted.creditDebitIndicator === undefined ? null : wanted.creditDebitIndicator === 'DBIT' ? 'debit' : 'credit';
  return { ...bookingDates(wanted.fromBookingDate, wanted.toBookingDate), minMinor, maxMinor, side, text: wanted.text ?? null };
}

/** A booking with both its sides. */
export interface LedgerTransaction {
  transactionId: string;
  reference: string;
  type: TransactionType;
  paymentId: string | null;
  bookedAt: Date;
  /** Of a reversal: what it takes back, why, and who ordered it. */
  reverses: string | null;
  reason: string | null;
  by: string | null;
  entries: { code: string; accountId: string | null; side: 'debit' | 'credit'; amount: Money }[];
}

/** A booking as compliance sees it: who was debited, who was credited, no names. */
export function toLedgerTransaction(booking: LedgerTransaction) {
  return {
    transactionId: booking.transactionId, reference: booking.reference, type: booking.type,
    ...(booking.paymentId === null ? {} : { paymentId: booking.paymentId }),
    bookedAt: booking.bookedAt.toISOString(),
    ...(booking.reverses === null ? {} : { reverses: booking.reverses }),
    ...(booking.reason === null ? {} : { reason: booking.reason }),
    ...(booking.by === null ? {} : { by: booking.by }),
    entries: booking.entries.map((entry) => ({
      ledgerAccount: entry.code, ...(entry.accountId === null ? {} : { accountId: entry.accountId }),
      side: entry.side, amount: formatMoney(entry.amount),
    })),
  };
}

/** Booking dates to search between, UTC, both included. @throws Problem invalid_request when they are the wrong way round */
export function bookingDates(from: string | undefined, to: string | undefined): { from: string | null; to: string | null } {
  if (from !== undefined && to !== undefined && from > to) throw problem('invalid_request', 'fromBookingDate is after toBookingDate.');
  return { from: from ?? null, to: to ?? null };
}

/** An amount to reserve or book. @throws Problem invalid_amount when it is not more than zero */
export function positive(amount: Money): Money {
  if (amount.minor <= 0n) throw problem('invalid_amount', 'The amount must be more than zero.');
  return amount;
}

/** Funds held: whether the payment never leaves the bank, and for a refund the transfer that it returns over the rail. */
interface Held { holdId: string; debtor: Party; onUs: boolean; original?: OriginalTransfer }
/** A transfer the rail delivered, by what it carried. */
export type OriginalTransfer = NonNullable<EventData<'funds.reserved'>['original']>;

/** What a ledger operation came to. `reason` is an ISO 20022 external status reason; `onUs` the credited account of ours. */
export type Reserved =
  | { outcome: 'reserved' } & Held
  | { outcome: 'refused'; reason: string }
  | { outcome: 'captured'; transactionId: string; onUsAccountId: string | null } & Held
  | { outcome: 'released' | 'repeated' };
export type Captured = { outcome: 'captured'; transactionId: string; onUsAccountId: string | null } | { outcome: 'deferred' | 'repeated' };
export type Released = { outcome: 'released' | 'unheld' | 'repeated' };
export type Credited = { outcome: 'credited'; transactionId: string; accountId: string } | { outcome: 'refused'; reason: string } | { outcome: 'repeated' };

/** A page wanted: at most `limit` rows after the position `cursor` names. */
export interface Page { limit: number; cursor?: string | undefined }
/** A page found. */
export interface Found<T> { rows: T[]; nextCursor: string | null }

/** A breach of the books: which rule, on what, and the two numbers that should be equal. */
export interface InvariantBreak { invariant: string; subject: string; expected: string; actual: string }
