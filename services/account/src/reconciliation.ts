/** Reconciliation: what of a statement is matched, and how a break is resolved by two people. */
import type { EventData } from '@kontor/kernel/events';
import { formatMoney, type Money } from '@kontor/kernel/money';
import { problem } from '@kontor/kernel/problem';
import type { BreakReason, CreditDebit, MatchRule, StatementItem } from './reconciliation-matching.js';

/** A statement or a part of it, as the event and an upload bring it. */
export type StatementPart = EventData<'rail.statement-received'>;
type StatementEntry = StatementPart['entries'][number];

/** An item as it is stored: whose entry it is of, counted from 0. */
export type NewItem = Omit<StatementItem, 'itemId' | 'date'> & { ordinal: number; date: string | undefined };

/** Minor units of a statement's decimal text, which has the decimals of its currency. */
export const minorOf = (amount: { amount: string; currency: string }): Money => ({ minor: BigInt(amount.amount.replace('.', '')), currency: amount.currency });

/**
 * What is matched of the entries of a part: booked ones only. A batch booking whose payments sum up to its amount is matched payment by
 * payment; any other entry as a whole, with the references of its payment if it has one only.
 */
export function itemsOf(entries: readonly StatementEntry[]): NewItem[] {
  return entries.flatMap((entry, ordinal): NewItem[] => {
    if (entry.status !== 'BOOK') return [];
    const whole = { ordinal, amount: minorOf(entry.amount), creditDebit: entry.creditDebit as CreditDebit, date: entry.bookingDate ?? entry.valueDate };
    const [only] = entry.transactions;
    if (entry.transactions.length < 2) return [{ ...whole, ...referencesIn(only ?? {}) }];
    if (!sumsUp(entry)) return [whole];
    return entry.transactions.map((transaction) => ({
      ...whole, amount: minorOf(transaction.amount ?? entry.amount), creditDebit: (transaction.creditDebit ?? entry.creditDebit) as CreditDebit, ...referencesIn(transaction),
    }));
  });
}

type Payment = StatementEntry['transactions'][number];

const referencesIn = ({ endToEndId, transactionId, instructionId, uetr, remittance }: Payment) => ({ endToEndId, transactionId, instructionId, uetr, remittance });

function sumsUp(entry: StatementEntry): boolean {
  const signed = (side: string, amount: bigint): bigint => (side === 'CRDT' ? amount : -amount);
  const parts = entry.transactions.map((one) => ({ amount: one.amount, side: one.creditDebit ?? entry.creditDebit }));
  if (parts.some(({ amount }) => amount?.currency !== entry.amount.currency || minorOf(amount).minor === 0n)) return false;
  const sum = parts.reduce((total, { amount, side }) => total + signed(side, amount ? minorOf(amount).minor : 0n), 0n);
  return sum === signed(entry.creditDebit, minorOf(entry.amount).minor);
}

export type Resolution = 'match-to' | 'write-off' | 'ignore';

/** What one member of the staff proposes and another approves. */
export interface Proposal {
  proposalId: string;
  resolution: Resolution;
  /** The ledger transaction that shall be the counterpart; with `match-to` only. */
  transactionId?: string | undefined;
  reason: string;
  /** `<clientId>/<staffMember>`. */
  by: string;
  at: string;
}

/** A difference between a statement and the ledger. */
export interface Break {
  breakId: string;
  reason: BreakReason;
  status: 'open' | 'proposed' | 'resolved';
  statementId: string | null;
  itemId: string | null;
  entryId: string | null;
  /** `settlement`, `customer`, or null when no account of ours is known. */
  accountKind: string | null;
  amount: { minor: bigint; currency: string } | null;
  creditDebit: CreditDebit | null;
  paymentId: string | null;
  candidates: string[];
  proposal: Proposal | null;
  resolution: string | null;
  resolvedBy: string | null;
  foundAt: Date;
  resolvedAt: Date | null;
  ageDays: number;
}

/** Proposes how a break shall end. @throws Problem invalid_state (decided, or proposed already), unprocessable */
export function proposeResolution(found: Break, proposal: Proposal): Proposal {
  if (found.status === 'resolved') throw problem('invalid_state', 'The break is resolved.');
  if (found.status === 'proposed') throw problem('invalid_state', 'A resolution is proposed already. It must be approved or refused first.');
  requireFitting(found, proposal);
  return proposal;
}

function requireFitting(found: Break, { resolution, transactionId }: Proposal): void {
  if (resolution === 'match-to') {
    if (found.itemId === null) throw problem('unprocessable', 'Only an entry of a statement can be matched to a ledger transaction.');
    if (transactionId === undefined) throw problem('invalid_request', 'transactionId: name the ledger transaction it shall be matched to.');
    return;
  }
  if (transactionId !== undefined) throw problem('invalid_request', 'transactionId goes with the resolution match-to only.');
  if (resolution === 'ignore') return;
  if (found.itemId === null && found.entryId === null) throw problem('unprocessable', 'There is no amount to write off. Ignore the break with a reason, or have the statement sent again.');
  if (found.reason === 'currency-differs') throw problem('unprocessable', 'The entry is in another currency than the account, and nothing is converted. Ignore it with a reason.');
  if (found.accountKind !== 'settlement') throw problem('unprocessable', 'Only differences of the settlement account are written off. A customer\'s account is corrected in the ledger.');
}

/** What is decided, and by whom. */
export interface Decision { proposalId: string; by: string }

/** The proposal another member of the staff decides on. @throws Problem invalid_state (nothing, or something else, is proposed), four_eyes_required */
export function decideResolution(found: Break, decision: Decision): Proposal {
  if (found.status !== 'proposed' || !found.proposal) throw problem('invalid_state', found.status === 'resolved' ? 'The break is resolved.' : 'Nothing is proposed for the break.');
  if (found.proposal.proposalId !== decision.proposalId) throw problem('invalid_state', 'Another resolution is proposed by now. Read the break again.');
  if (found.proposal.by === decision.by) throw problem('four_eyes_required', 'Whoever proposed it cannot decide on it.');
  return found.proposal;
}

/** A break as the staff reads it. */
export function toBreak(found: Break) {
  return {
    breakId: found.breakId, reason: found.reason, status: found.status, ageDays: found.ageDays, foundAt: found.foundAt.toISOString(),
    ...(found.statementId === null ? {} : { statementId: found.statementId }),
    ...(found.amount === null ? {} : { amount: formatMoney(found.amount) }),
    ...(found.creditDebit === null ? {} : { creditDebitIndicator: found.creditDebit }),
    ...(found.paymentId === null ? {} : { paymentId: found.paymentId }),
    candidates: found.candidates,
    ...(found.proposal === null ? {} : {
      proposal: {
        proposalId: found.proposal.proposalId, resolution: found.proposal.resolution, reason: found.proposal.reason, proposedBy: found.proposal.by, proposedAt: found.proposal.at,
        ...(found.proposal.transactionId === undefined ? {} : { transactionId: found.proposal.transactionId }),
      },
    }),
    ...(found.resolution === null ? {} : { resolution: found.resolution }),
    ...(found.resolvedBy === null ? {} : { resolvedBy: found.resolvedBy }),
    ...(found.resolvedAt === null ? {} : { resolvedAt: found.resolvedAt.toISOString() }),
  };
}

/** A statement with what became of its entries. */
export interface StatementReport {
  statementId: string;
  source: 'rail' | 'core';
  message: 'camt.053' | 'camt.054';
  reference: string;
  account: string;
  currency: string | null;
  receivedAt: Date;
  reconciledAt: Date | null;
  complete: boolean;
  entries: number;
  items: number;
  matched: Partial<Record<MatchRule | 'staff' | 'write-off', number>>;
  ignored: number;
  open: number;
  openBreaks: number;
  opening: StatementPart['opening'] | null;
  closing: StatementPart['closing'] | null;
}

/** A statement as the staff reads it. */
export function toStatement(report: StatementReport) {
  const { currency, opening, closing, receivedAt, reconciledAt, ...plain } = report;
  return {
    ...plain, receivedAt: receivedAt.toISOString(), reconciledAt: reconciledAt?.toISOString() ?? null,
    ...(currency === null ? {} : { currency }), ...(opening ? { opening } : {}), ...(closing ? { closing } : {}),
  };
}
