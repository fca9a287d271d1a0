/** When payments go: business days, cut-off time, and the day a client asked for. Pure. */
import { easter } from 'date-easter';
import { DateTime, IANAZone } from 'luxon';

/** The bank's clock. Without a cut-off time payments go at every hour of every day. */
export interface Calendar {
  timeZone: string;
  cutOff?: { hour: number; minute: number };
}

/**
 * @param cutOff HH:MM, or `off`
 * @throws Error that completes a sentence beginning with the setting
 */
export function calendarOf(timeZone: string, cutOff: string): Calendar {
  if (!IANAZone.isValidZone(timeZone)) throw new Error(`PAYMENT_TIME_ZONE ${timeZone} is no IANA time zone such as Europe/Berlin`);
  if (cutOff === 'off') return { timeZone };
  const [, hour, minute] = /^([01][0-9]|2[0-3]):([0-5][0-9])$/.exec(cutOff) ?? [];
  if (hour === undefined || minute === undefined) throw new Error(`PAYMENT_CUT_OFF ${cutOff} is neither a time such as 18:00 nor off`);
  return { timeZone, cutOff: { hour: Number(hour), minute: Number(minute) } };
}

/**
 * Whether TARGET settles on a day (YYYY-MM-DD): closed on Saturdays, Sundays, New Year's Day, Good Friday and Easter Monday
 * (Western), 1 May, 25 and 26 December. ECB, "TARGET closing days" (since 2002).
 */
export function isBusinessDay(date: string): boolean {
  const day = DateTime.fromISO(date, { zone: 'UTC' });
  if (day.weekday > 5 || ['01-01', '05-01', '12-25', '12-26'].includes(date.slice(5))) return false;
  const sunday = DateTime.fromObject(easter(day.year), { zone: 'UTC' });
  const fromEaster = day.diff(sunday, 'days').days;
  return fromEaster !== -2 && fromEaster !== 1;
}

export type HolidayRule = 'following' | 'preceding';

/** The business day a day stands for: itself, else the next or the last one before it. */
export function businessDay(date: string, rule: HolidayRule): string {
  let day = DateTime.fromISO(date, { zone: 'UTC' });
  while (!isBusinessDay(isoDate(day))) day = day.plus({ days: rule === 'following' ? 1 : -1 });
  return isoDate(day);
}

export function isoDate(day: DateTime): string {
  return day.toFormat('yyyy-MM-dd');
}

/** The day it is at the bank. */
export function bankDay({ timeZone }: Calendar, now: Date): string {
  return isoDate(DateTime.fromJSDate(now, { zone: timeZone }));
}

/** When a day begins at the bank. */
export function dayBegins({ timeZone }: Calendar, date: string): Date {
  return DateTime.fromISO(date, { zone: timeZone }).startOf('day').toJSDate();
}

/**
 * When a payment ordered at `now` goes; undefined: at once. A day that was asked for is waited for; with a cut-off time, what comes after
 * it or falls on no business day goes at the beginning of the next one. Instant payments know no cut-off (Regulation (EU) 2024/886, art. 5a).
 */
export function goesAt(calendar: Calendar, now: Date, order: { requestedExecutionDate?: string | undefined; instant?: boolean | undefined }): Date | undefined {
  const { cutOff } = calendar;
  const bound = cutOff && !order.instant;
  if (order.requestedExecutionDate !== undefined) {
    const begins = dayBegins(calendar, bound ? businessDay(order.requestedExecutionDate, 'following') : order.requestedExecutionDate);
    if (begins > now) return begins;
  }
  if (!bound) return undefined;
  const local = DateTime.fromJSDate(now, { zone: calendar.timeZone });
  const today = isoDate(local);
  if (isBusinessDay(today) && local < local.set({ ...cutOff, second: 0, millisecond: 0 })) return undefined;
  return dayBegins(calendar, businessDay(isoDate(local.plus({ days: 1 })), 'following'));
}
