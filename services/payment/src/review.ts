/** Whether a payment looks like fraud: a score by rules, and what the staff decide on what was held. Pure. */
import { problem } from '@kontor/kernel/problem';
import type { Money } from '@kontor/kernel/money';
import { parseMoney } from '@kontor/kernel/money';
import type { Order } from './life.js';

/** What is known of the debtor account when a payment is ordered; from its last hundred payments. */
export interface Facts {
  /** A payment to this creditor's account was settled before. */
  knownCreditor: boolean;
  /** Settled payments in the currency of this one, and the largest of them. */
  settled: number;
  largestMinor?: bigint;
  /** Other creditors paid within the last hour. */
  creditorsInHour: number;
  /** Absent where the opening was never heard of. */
  accountOpenedAt?: Date;
}

/** How suspicious a payment is: 0 to 100, and by which rules. */
export interface Assessment {
  score: number;
  reasons: readonly string[];
}

/** Where suspicion begins. */
export interface FraudRules {
  timeZone: string;
  /** Whole units of any currency from which an amount is large for anybody. */
  largeAmount: number;
  /** Below so many whole units nothing is assessed (Delegated Regulation (EU) 2018/389, art. 16: low-value transactions). */
  freeBelow: number;
  /** Scores from which a payment is held for the staff, and from which it is refused. */
  reviewFrom: number;
  refuseFrom: number;
}

const HOUR_MS = 3_600_000;
/** Each rule and what it adds to the score: no one of them is enough, and only unusual money makes three of them so. */
const WEIGHTS = {
  'large-amount': 40, 'far-over-the-usual': 35, 'many-creditors-in-an-hour': 25, 'new-creditor': 20, 'just-opened-account': 15, night: 10,
} as const;
type Suspicion = keyof typeof WEIGHTS;

const units = (whole: number, { currency }: Money): bigint => parseMoney({ amount: String(whole), currency }).minor;

/** Whether a payment is assessed at all. */
export function isAssessed({ amount }: Pick<Order, 'amount'>, { freeBelow }: FraudRules): boolean {
  return amount.minor >= units(freeBelow, amount);
}

/** The score of an order by the bank's own rules. */
export function assess(order: Pick<Order, 'amount' | 'createdAt'>, facts: Facts, rules: FraudRules): Assessment {
  const { amount, createdAt } = order;
  const hour = Number(new Intl.DateTimeFormat('en-GB', { timeZone: rules.timeZone, hour: '2-digit', hourCycle: 'h23' }).format(createdAt));
  const found: Record<Suspicion, boolean> = {
    'large-amount': amount.minor >= units(rules.largeAmount, amount),
    'far-over-the-usual': facts.settled >= 3 && facts.largestMinor !== undefined && amount.minor > facts.largestMinor * 5n,
    'many-creditors-in-an-hour': facts.creditorsInHour >= 10,
    'new-creditor': !facts.knownCreditor,
    'just-opened-account': facts.accountOpenedAt !== undefined && createdAt.getTime() - facts.accountOpenedAt.getTime() < 24 * HOUR_MS,
    night: hour < 5,
  };
  const reasons = (Object.keys(WEIGHTS) as Suspicion[]).filter((suspicion) => found[suspicion]);
  return { score: Math.min(100, reasons.reduce((sum, suspicion) => sum + WEIGHTS[suspicion], 0)), reasons };
}

/** The heavier of two assessments, with the reasons of both. */
export function combined(one: Assessment, other: Assessment): Assessment {
  return { score: Math.max(one.score, other.score), reasons: [...new Set([...one.reasons, ...other.reasons])] };
}

/** What is done on an assessment. */
export function verdictOn({ score }: Assessment, { reviewFrom, refuseFrom }: FraudRules): 'pass' | 'hold' | 'refuse' {
  return score >= refuseFrom ? 'refuse' : score >= reviewFrom ? 'hold' : 'pass';
}

/** A payment that was held, for the staff. */
export interface Review extends Assessment {
  paymentId: string;
  clientId: string;
  customerId: string;
  debtorAccountId: string;
  amount: Money;
  creditor: { name: string; iban: string };
  heldAt: Date;
  ageSeconds: number;
  /** Who wants it released, as <client id>/<staff member>. */
  proposedBy?: string;
  proposedAt?: Date;
}

/**
 * What a member of the staff does by asking for a release: the first proposes it, another one releases.
 * @throws Problem four_eyes_required when one member wants to do both
 */
export function releaseBy(review: Pick<Review, 'proposedBy'>, member: string): 'propose' | 'release' {
  if (review.proposedBy === undefined) return 'propose';
  if (review.proposedBy === member) throw problem('four_eyes_required', 'You proposed to release this payment: another member of the staff must approve it.');
  return 'release';
}
