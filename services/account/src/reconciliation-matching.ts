/**
 * Which entry of a statement is which booking of the ledger. Pure: the result depends on what is given, never on its order, and
 * what was left over gives nothing more when it is matched again. Amounts are equal to the last unit, or there is no match.
 */
import { distance } from 'fastest-levenshtein';
import type { Money } from '@kontor/kernel/money';

export type CreditDebit = 'CRDT' | 'DBIT';

/** One movement a statement tells: an entry, or one payment of a batch booking. */
export interface StatementItem {
  itemId: string;
  amount: Money;
  /** From the account holder's side, as the statement has it. */
  creditDebit: CreditDebit;
  /** YYYY-MM-DD. */
  date: string;
  endToEndId?: string | undefined;
  transactionId?: string | undefined;
  instructionId?: string | undefined;
  uetr?: string | undefined;
  remittance?: string | undefined;
}

/** One entry of the ledger on the account the statement is of. */
export interface Booking {
  entryId: string;
  transactionId: string;
  paymentId: string | null;
  amount: Money;
  /** As a statement of that account would have it. */
  creditDebit: CreditDebit;
  date: string;
  endToEndId?: string | undefined;
  /** What the rail calls it: the payment's id without hyphens, the last part of the rail's reference, its UETR. */
  railIds: readonly string[];
  remittance?: string | undefined;
}

export type MatchRule = 'reference' | 'amount-and-date' | 'similar-text';
export interface Match {
  item: StatementItem;
  booking: Booking;
  rule: MatchRule;
  /** 1 for certain ones; the likeness of the texts (above the threshold) for similar ones. */
  score: number;
}

export type BreakReason = 'missing-in-ledger' | 'missing-at-rail' | 'amount-differs' | 'date-differs' | 'duplicate' | 'currency-differs'
  | 'ambiguous' | 'statement-does-not-add-up' | 'statement-differs'
  // Found where returns are booked (migrations/0012-payment-returns.sql).
  | 'return-unknown-payment' | 'return-more-than-paid' | 'return-account-closed' | 'return-other-currency';

/** Why an item has no booking, and the bookings it might be. */
export interface Unmatched {
  item: StatementItem;
  reason: BreakReason;
  candidates: Booking[];
}

export interface Matching {
  matches: Match[];
  unmatched: Unmatched[];
}

export interface MatchingTerms {
  /** How many days the date of a statement may be off the ledger's. */
  toleranceDays: number;
  /** References (see `referencesOf`) with amount of items that were matched before: another one of them is a duplicate. */
  matchedBefore: ReadonlySet<string>;
}

const LIKENESS = 0.8;
/** By how much the best candidate must be better than the next: what could be two things is none. */
const CLEARLY = 0.1;
/** More than this many items of one amount are not compared text by text: a person looks at them. */
const MOST_COMPARED = 200;
const DAY_MS = 86_400_000;

const daysApart = (a: string, b: string): number => Math.abs(Date.parse(a) - Date.parse(b)) / DAY_MS;

/** The references of an item, each with what it is a reference of. */
export function referencesOf(item: Pick<StatementItem, 'uetr' | 'transactionId' | 'instructionId' | 'endToEndId'>): string[] {
  const rail = [item.uetr?.replaceAll('-', ''), item.transactionId, item.instructionId].flatMap((id) => (id === undefined ? [] : [`rail:${id}`]));
  return [...new Set([...rail, ...(item.endToEndId === undefined ? [] : [`e2e:${item.endToEndId}`])])];
}

/** Two items that say this alike are the same movement told twice. */
export function keysOf(item: StatementItem): string[] {
  return referencesOf(item).map((reference) => `${reference} ${sideAndAmount(item)}`);
}

const bookingReferences = (booking: Booking): string[] =>
  [...booking.railIds.map((id) => `rail:${id}`), ...(booking.endToEndId === undefined ? [] : [`e2e:${booking.endToEndId}`])];

const sideAndAmount = ({ creditDebit, amount }: { creditDebit: CreditDebit; amount: Money }): string => `${creditDebit} ${amount.minor} ${amount.currency}`;

/**
 * Matches items with bookings of one account, one to one:
 *   1. a reference both have, same side and amount, dates within the tolerance
 *   2. the only item and the only booking of a side, amount and date, unless their references contradict
 *   3. same side and amount, dates within the tolerance, texts that are alike and clearly more alike than any other pair's
 * What fits several and cannot be told apart is not guessed.
 */
export function matchStatement(items: readonly StatementItem[], bookings: readonly Booking[], terms: MatchingTerms): Matching {
  const left = new Left(items, bookings);
  const matches: Match[] = [];
  for (;;) {
    const found = byReference(left, terms) ?? byAmountAndDate(left) ?? bySimilarText(left, terms);
    if (!found) break;
    matches.push(...found);
  }
  const matched = new Set([...terms.matchedBefore, ...matches.flatMap(({ item }) => keysOf(item))]);
  return { matches, unmatched: left.items.map((item) => explain(item, left.bookings, matched, terms)) };
}

/** What has not been matched yet, in an order of its own. */
class Left {
  items: StatementItem[];
  bookings: Booking[];

  constructor(items: readonly StatementItem[], bookings: readonly Booking[]) {
    this.items = [...items].sort((a, b) => compare(a.date, b.date) || compare(a.itemId, b.itemId));
    this.bookings = [...bookings].sort((a, b) => compare(a.date, b.date) || compare(a.entryId, b.entryId));
  }

  take(matches: Match[]): Match[] | undefined {
    if (matches.length === 0) return undefined;
    const items = new Set(matches.map(({ item }) => item));
    const bookings = new Set(matches.map(({ booking }) => booking));
    this.items = this.items.filter((item) => !items.has(item));
    this.bookings = this.bookings.filter((booking) => !bookings.has(booking));
    return matches;
  }
}

const compare = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

function grouped<T>(things: readonly T[], keysOfThing: (thing: T) => string[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const thing of things)
    for (const key of keysOfThing(thing)) {
      const group = groups.get(key);
      if (group) group.push(thing);
      else groups.set(key, [thing]);
    }
  return groups;
}

/**
 * The rail's own ids before the customer's. Pairs of the same day come first; where a day has more items than bookings, the later items
 * remain (duplicates), and where it has more bookings, they are alike in all that is known. Of other days, only what is clear is taken.
 */
function byReference(left: Left, { toleranceDays }: MatchingTerms): Match[] | undefined {
  for (const kind of ['rail:', 'e2e:']) {
    const bookings = grouped(left.bookings, (booking) => bookingReferences(booking).filter((reference) => reference.startsWith(kind)).map((reference) => `${reference} ${sideAndAmount(booking)}`));
    const groups = grouped(left.items, (item) => keysOf(item).filter((key) => key.startsWith(kind)));
    for (const sameDay of [true, false]) {
      const taken = new Set<StatementItem | Booking>();
      const matches: Match[] = [];
      for (const key of [...groups.keys()].sort()) {
        const free = <T extends StatementItem | Booking>(group: T[] | undefined): T[] => (group ?? []).filter((thing) => !taken.has(thing));
        for (const [item, booking] of sameDay ? pairsOfADay(free(groups.get(key)), free(bookings.get(key))) : pairsNear(free(groups.get(key)), free(bookings.get(key)), toleranceDays)) {
          taken.add(item).add(booking);
          matches.push({ item, booking, rule: 'reference', score: 1 });
        }
      }
      const found = left.take(matches);
      if (found) return found;
    }
  }
  return undefined;
}

function pairsOfADay(items: StatementItem[], bookings: Booking[]): [StatementItem, Booking][] {
  const byDay = grouped(bookings, ({ date }) => [date]);
  return items.flatMap((item): [StatementItem, Booking][] => {
    const booking = byDay.get(item.date)?.shift();
    return booking ? [[item, booking]] : [];
  });
}

/** As many of both: all of them belong together, in order. More items than bookings: the first ones. More bookings: nobody knows which. */
function pairsNear(items: StatementItem[], bookings: Booking[], toleranceDays: number): [StatementItem, Booking][] {
  if (items.length < bookings.length) return [];
  const pairs = bookings.map((booking, i): [StatementItem, Booking] => [items[i] as StatementItem, booking]);
  return pairs.every(([item, booking]) => daysApart(item.date, booking.date) <= toleranceDays) ? pairs : [];
}

function contradict(item: StatementItem, booking: Booking): boolean {
  if (item.endToEndId !== undefined && booking.endToEndId !== undefined) return item.endToEndId !== booking.endToEndId;
  return item.transactionId !== undefined && booking.railIds.length > 0 && item.endToEndId === undefined && booking.endToEndId === undefined
    && !booking.railIds.includes(item.transactionId);
}

function byAmountAndDate(left: Left): Match[] | undefined {
  const keyOf = (thing: StatementItem | Booking): string[] => [`${thing.date} ${sideAndAmount(thing)}`];
  const bookings = grouped(left.bookings, keyOf);
  return left.take([...grouped(left.items, keyOf)].flatMap(([key, [item, ...others]]): Match[] => {
    const [booking, ...more] = bookings.get(key) ?? [];
    if (!item || !booking || others.length > 0 || more.length > 0 || contradict(item, booking)) return [];
    return [{ item, booking, rule: 'amount-and-date', score: 1 }];
  }));
}

/** A pair is taken when it is the best of its item and of its booking, both by `CLEARLY`. */
function bySimilarText(left: Left, { toleranceDays }: MatchingTerms): Match[] | undefined {
  const bookings = grouped(left.bookings, (booking) => [sideAndAmount(booking)]);
  return left.take([...grouped(left.items, (item) => [sideAndAmount(item)])].flatMap(([key, items]): Match[] => {
    const candidates = bookings.get(key) ?? [];
    if (items.length > MOST_COMPARED || candidates.length > MOST_COMPARED) return [];
    const scores = items.map((item) => candidates.map((booking) => (daysApart(item.date, booking.date) <= toleranceDays ? likeness(item, booking) : 0)));
    return items.flatMap((item, i): Match[] => {
      const row = scores[i] ?? [];
      const best = row.indexOf(Math.max(...row));
      const booking = candidates[best];
      const score = row[best] ?? 0;
      if (!booking || score < LIKENESS) return [];
      const rivals = [...row.filter((_, j) => j !== best), ...scores.filter((_, j) => j !== i).map((other) => other[best] ?? 0)];
      return rivals.every((rival) => rival <= score - CLEARLY) ? [{ item, booking, rule: 'similar-text', score }] : [];
    });
  }));
}

/** How alike the texts of an item and a booking are, 0 to 1: the best of every pair of them. */
export function likeness(item: StatementItem, booking: Booking): number {
  const ours = [booking.endToEndId, booking.remittance, ...booking.railIds];
  const theirs = [item.endToEndId, item.transactionId, item.instructionId, item.remittance];
  return Math.max(0, ...ours.flatMap((one) => theirs.map((other) => (one === undefined || other === undefined ? 0 : textLikeness(one, other)))));
}

/** Numbers must be equal: `INV-1001` and `INV-1002` differ in one character and are two invoices. One text within the other counts. */
function textLikeness(one: string, other: string): number {
  const [a, b] = [words(one), words(other)];
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  if (short.join('').length < 4) return 0;
  if (` ${long.join(' ')} `.includes(` ${short.join(' ')} `)) return short.length === long.length ? 1 : 0.95;
  if (numbers(a) !== numbers(b)) return 0;
  const [x, y] = [a.join(''), b.join('')];
  return 1 - distance(x, y) / Math.max(x.length, y.length);
}

const words = (text: string): string[] => text.normalize('NFKD').replace(/\p{M}/gu, '').toUpperCase().split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
const numbers = (all: string[]): string => all.join(' ').replace(/[^0-9]+/g, ' ').trim();

function explain(item: StatementItem, bookings: readonly Booking[], matched: ReadonlySet<string>, { toleranceDays }: MatchingTerms): Unmatched {
  const references = new Set(referencesOf(item));
  const related = bookings.filter((booking) => bookingReferences(booking).some((reference) => references.has(reference)) && booking.creditDebit === item.creditDebit);
  const sameAmount = related.filter((booking) => booking.amount.minor === item.amount.minor);
  if (sameAmount.some((booking) => daysApart(booking.date, item.date) <= toleranceDays)) return { item, reason: 'ambiguous', candidates: sameAmount };
  if (sameAmount.length === 1) return { item, reason: 'date-differs', candidates: sameAmount };
  if (sameAmount.length > 1) return { item, reason: 'ambiguous', candidates: sameAmount };
  if (keysOf(item).some((key) => matched.has(key))) return { item, reason: 'duplicate', candidates: [] };
  if (related.length === 1) return { item, reason: 'amount-differs', candidates: related };
  if (related.length > 1) return { item, reason: 'ambiguous', candidates: related };
  const possible = bookings.filter((booking) => sideAndAmount(booking) === sideAndAmount(item) && daysApart(booking.date, item.date) <= toleranceDays
    && (!contradict(item, booking) || likeness(item, booking) >= LIKENESS));
  return possible.length > 0 ? { item, reason: 'ambiguous', candidates: possible } : { item, reason: 'missing-in-ledger', candidates: [] };
}
