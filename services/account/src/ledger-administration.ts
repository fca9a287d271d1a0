/** Rules for what the bank's staff do with the ledger: overdraft limits, reversals, closed periods, verification. */
import type { EventData } from '@kontor/kernel/events';
import { formatMoney, type Money } from '@kontor/kernel/money';
import { problem } from '@kontor/kernel/problem';
import type { Account, Change, InvariantBreak } from './account.js';

/** Who of the staff acted, as it is kept and told: the application, and its own id of the person. */
export function staffOf(clientId: string, staffMember: string): string {
  return `${clientId}/${staffMember}`;
}

/**
 * The bank sets how far an account may be overdrawn.
 * @throws Problem invalid_state (the account is not in use), unprocessable (not in its currency)
 */
export function changeOverdraft(account: Account, limit: Money): Change {
  if (account.status !== 'enabled' && account.status !== 'blocked') throw problem('invalid_state', `A ${account.status} account has no overdraft.`);
  if (limit.currency !== account.currency) throw problem('unprocessable', `The account is kept in ${account.currency}. Give the limit in that currency.`);
  const { accountId, customerId, clientId } = account;
  return { account, events: [{ type: 'account.overdraft-changed', data: { accountId, customerId, clientId, limit: formatMoney(limit) } }] };
}

/** What reversing a booking came to. */
export interface Reversal {
  outcome: 'reversed' | 'repeated' | 'unknown' | 'is_reversal' | 'closed' | 'not_covered' | 'sent_back';
  transactionId: string;
}

/** The id of the reversal. @throws Problem transaction_not_found, invalid_state (a reversal itself, a closed account, the money is gone) */
export function requireReversed({ outcome, transactionId }: Reversal): string {
  switch (outcome) {
    case 'unknown': throw problem('transaction_not_found');
    case 'is_reversal': throw problem('invalid_state', 'A reversal is not reversed. Book the transaction anew.');
    case 'closed': throw problem('invalid_state', 'An account of the transaction is closed. Correct it against another account.');
    case 'sent_back': throw problem('invalid_state', 'Money of this transaction went back over the rail. Correct the rest by a posting of its own.');
    case 'not_covered': throw problem('invalid_state', 'The account to be debited no longer has the money. Raise its overdraft, or wait for it.');
    default: return transactionId;
  }
}

/**
 * Days up to `closedThrough` are over and nothing is booked or valued in them any more.
 * @param today UTC date
 * @throws Problem unprocessable when the day is not over
 */
export function periodToClose(closedThrough: string, today: string): string {
  if (closedThrough >= today) throw problem('unprocessable', 'Only days that are over can be closed. Name yesterday or earlier.');
  return closedThrough;
}

/** What a verification looked at and found. */
export interface Verification {
  verifiedAt: Date;
  checked: { transactions: bigint; entries: bigint; accounts: bigint; holds: bigint };
  breaks: InvariantBreak[];
}

/** What is verified, by the names the breaches carry (migrations/0006-ledger-verification.sql). */
export const INVARIANTS = [
  'debits equal credits', 'a transaction has two sides', 'an entry is in the currency of its account', 'balance equals its entries',
  'the sequence has no gap', 'held equals its holds', 'nobody is beyond the overdraft limit',
] as const;

/** The most breaches an answer lists; the counts are of all. */
const LISTED = 100;

export function toVerification({ verifiedAt, checked, breaks }: Verification) {
  return {
    verifiedAt: verifiedAt.toISOString(), sound: breaks.length === 0,
    checked: { transactions: Number(checked.transactions), entries: Number(checked.entries), accounts: Number(checked.accounts), holds: Number(checked.holds) },
    invariants: INVARIANTS.map((invariant) => ({ invariant, breaches: breaks.filter((found) => found.invariant === invariant).length })),
    breaches: breaks.slice(0, LISTED),
  };
}

/** The breaches as they are told: one event an invariant. */
export function toldOf(breaks: readonly InvariantBreak[]): EventData<'ledger.invariant-broken'>[] {
  return INVARIANTS.flatMap((invariant) => {
    const found = breaks.filter((one) => one.invariant === invariant);
    return found.length === 0 ? [] : [{ invariant, count: found.length, subjects: found.slice(0, 10).map(({ subject }) => subject) }];
  });
}

