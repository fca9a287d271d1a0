/** Standing orders: on which days payments come, and what becomes of a day. Pure: no clock, no ids, no database. */
import { DateTime } from 'luxon';
import { problem } from '@kontor/kernel/problem';
import type { Money } from '@kontor/kernel/money';
import { businessDay, isoDate, type HolidayRule } from './calendar.js';
import type { Party } from './life.js';

const STEPS = {
  weekly: { weeks: 1 }, fortnightly: { weeks: 2 }, monthly: { months: 1 }, quarterly: { months: 3 }, 'half-yearly': { months: 6 }, yearly: { months: 12 },
} as const;
export type Frequency = keyof typeof STEPS;

/** When payments come. Dates are YYYY-MM-DD at the bank. Without `count` and `lastDate`: until the consent ends. */
export interface Schedule {
  frequency: Frequency;
  /** The first day. Later ones are counted from it, not from the one before: of 31 January the 28th, the 31st, the 30th … */
  firstDate: string;
  /** Always the last day of the month (monthly and longer). */
  endOfMonth?: boolean;
  /** How many payments in all; or the last day a payment may be planned for. */
  count?: number;
  lastDate?: string;
  /** A day that is no business day moves to the next one, or to the last one before it. */
  holidayRule: HolidayRule;
}

export type StandingOrderStatus = 'active' | 'completed' | 'ended' | 'cancelled';

/** A standing order and where it stands. */
export interface StandingOrder {
  standingOrderId: string;
  clientId: string;
  customerId: string;
  consentId: string;
  debtorAccountId: string;
  amount: Money;
  creditor: Party;
  remittance?: string;
  schedule: Schedule;
  status: StandingOrderStatus;
  /** Why it ended before its last payment. */
  endReason?: string;
  next?: Execution;
  createdAt: Date;
}

/** A payment that is to come: its number in the schedule (from 0), and its day after the holiday rule. */
export interface Execution {
  number: number;
  date: string;
}

/** What came of a day. */
export interface Executed {
  date: string;
  paymentId?: string;
  reason?: string;
}

/** The day planned for the payment with this number, before the holiday rule; undefined after the last. */
export function plannedDate({ frequency, firstDate, endOfMonth, count, lastDate }: Schedule, number: number): string | undefined {
  if (count !== undefined && number >= count) return undefined;
  const step = STEPS[frequency];
  const counted = DateTime.fromISO(firstDate, { zone: 'UTC' }).plus('weeks' in step ? { weeks: step.weeks * number } : { months: step.months * number });
  const date = isoDate(endOfMonth ? counted.endOf('month') : counted);
  return lastDate !== undefined && date > lastDate ? undefined : date;
}

/** The payment with this number, on its business day; undefined after the last. */
export function execution(schedule: Schedule, number: number): Execution | undefined {
  const planned = plannedDate(schedule, number);
  return planned === undefined ? undefined : { number, date: businessDay(planned, schedule.holidayRule) };
}

/** The next payments, from `from` on. */
export function nextDates(schedule: Schedule, from: Execution | undefined, most: number): string[] {
  const dates: string[] = [];
  for (let next = from; next && dates.length < most; next = execution(schedule, next.number + 1)) dates.push(next.date);
  return dates;
}

/** How many days after its day a payment is still made up (the bank was down); later it is skipped, and told as missed. */
export const MADE_UP_DAYS = 7;

/** What is done about a day that has come: each is executed, late ones too, once; one that is too long past is not. */
export function isMissed({ date }: Execution, today: string): boolean {
  return DateTime.fromISO(today, { zone: 'UTC' }).diff(DateTime.fromISO(date, { zone: 'UTC' }), 'days').days > MADE_UP_DAYS;
}

/** Verdicts on a payment that mean the consent is over: there is nothing to come any more. */
export function endsOrder(verdict: string): boolean {
  return verdict === 'consent_revoked' || verdict === 'consent_withdrawn' || verdict === 'consent_expired';
}

/** The order after a day was executed, or why it has no more. */
export function advance(order: StandingOrder): StandingOrder {
  const { next, ...rest } = order;
  const following = next && execution(order.schedule, next.number + 1);
  return following ? { ...rest, next: following } : { ...rest, status: 'completed' };
}

/** The order when it is over before its last payment; the same when it is over already. */
export function end(order: StandingOrder, status: 'ended' | 'cancelled', reason?: string): StandingOrder {
  if (order.status !== 'active') return order;
  const { next: _next, ...rest } = order;
  return { ...rest, status, ...(reason === undefined ? {} : { endReason: reason }) };
}

const A_YEAR_DAYS = 365;

/**
 * Checks what the contract cannot say.
 * @param today the day it is at the bank
 * @throws Problem unprocessable that names the field
 */
export function checkedSchedule(schedule: Schedule, today: string): Schedule {
  const { frequency, firstDate, endOfMonth, count, lastDate, holidayRule } = schedule;
  if (firstDate < today) throw problem('unprocessable', 'schedule.firstDate is over.');
  if (DateTime.fromISO(firstDate, { zone: 'UTC' }).diff(DateTime.fromISO(today, { zone: 'UTC' }), 'days').days > A_YEAR_DAYS)
    throw problem('unprocessable', 'schedule.firstDate may be at most a year ahead.');
  if (count !== undefined && lastDate !== undefined) throw problem('unprocessable', 'schedule: name count or lastDate, not both.');
  if (endOfMonth && 'weeks' in STEPS[frequency]) throw problem('unprocessable', 'schedule.endOfMonth: payments by the week have no end of the month.');
  if (endOfMonth && firstDate !== plannedDate(schedule, 0)) throw problem('unprocessable', 'schedule.firstDate must be the last day of its month, as endOfMonth says.');
  if (lastDate !== undefined && lastDate < firstDate) throw problem('unprocessable', 'schedule.lastDate lies before firstDate.');
  if (businessDay(firstDate, holidayRule) < today) throw problem('unprocessable', 'schedule.firstDate is no business day, and the one before it is over.');
  return schedule;
}
