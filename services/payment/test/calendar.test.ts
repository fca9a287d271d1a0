import { expect } from 'chai';
import fc from 'fast-check';
import { businessDay, calendarOf, dayBegins, goesAt, isBusinessDay } from '../src/calendar.js';

const BERLIN = calendarOf('Europe/Berlin', '18:00');
const ALWAYS = calendarOf('Europe/Berlin', 'off');
const at = (calendar: typeof BERLIN, now: string, order: Parameters<typeof goesAt>[2] = {}): string | undefined => goesAt(calendar, new Date(now), order)?.toISOString();

describe('the calendar of payments', () => {
  it('is closed on weekends and on the closing days of TARGET', () => {
    // Easter Sunday: 5 April 2026, 28 March 2027, 31 March 2024.
    for (const closed of ['2026-01-01', '2026-04-03', '2026-04-06', '2026-05-01', '2026-12-25', '2026-12-26', '2027-03-26', '2027-03-29', '2024-04-01', '2026-03-07', '2026-03-08'])
      expect(isBusinessDay(closed), closed).to.equal(false);
    for (const open of ['2026-04-02', '2026-04-07', '2025-10-03', '2026-12-24', '2026-12-31', '2024-02-29', '2026-05-14']) expect(isBusinessDay(open), open).to.equal(true);
  });

  it('finds the business day after or before a closed one: over Easter, over Christmas, over the turn of the year', () => {
    expect(businessDay('2026-04-03', 'following')).to.equal('2026-04-07');
    expect(businessDay('2026-04-05', 'preceding')).to.equal('2026-04-02');
    expect(businessDay('2026-12-25', 'following')).to.equal('2026-12-28');
    expect(businessDay('2028-01-01', 'following')).to.equal('2028-01-03');
    expect(businessDay('2028-01-01', 'preceding')).to.equal('2027-12-31');
    expect(businessDay('2026-03-04', 'preceding')).to.equal('2026-03-04');
  });

  it('never moves a day by more than four, and never to a closed one (40 years)', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 14_610 }), fc.constantFrom('following' as const, 'preceding' as const), (days, rule) => {
      const date = new Date(Date.UTC(2020, 0, 1 + days)).toISOString().slice(0, 10);
      const moved = businessDay(date, rule);
      const by = (Date.parse(moved) - Date.parse(date)) / 86_400_000 * (rule === 'following' ? 1 : -1);
      expect(isBusinessDay(moved)).to.equal(true);
      expect(by).to.be.within(0, isBusinessDay(date) ? 0 : 4);
    }), { seed: 20022, numRuns: 2_000 });
  });

  it('begins a day by the clock of the bank, in summer and in winter', () => {
    expect(dayBegins(BERLIN, '2026-01-15').toISOString()).to.equal('2026-01-14T23:00:00.000Z');
    expect(dayBegins(BERLIN, '2026-07-15').toISOString()).to.equal('2026-07-14T22:00:00.000Z');
  });

  it('lets payments go at once until the cut-off, and on the next business day after it', () => {
    expect(at(BERLIN, '2026-03-04T16:59:59Z')).to.equal(undefined);
    expect(at(BERLIN, '2026-03-04T17:00:00Z')).to.equal('2026-03-04T23:00:00.000Z');
    expect(at(BERLIN, '2026-03-06T17:00:00Z'), 'Friday evening').to.equal('2026-03-08T23:00:00.000Z');
    expect(at(BERLIN, '2026-04-03T09:00:00Z'), 'Good Friday').to.equal('2026-04-06T22:00:00.000Z');
  });

  it('knows no cut-off for instant payments, and none where it is off', () => {
    expect(at(BERLIN, '2026-04-05T23:00:00Z', { instant: true })).to.equal(undefined);
    expect(at(ALWAYS, '2026-04-05T23:00:00Z')).to.equal(undefined);
  });

  it('waits for the day that was asked for; one on no business day for the next', () => {
    expect(at(ALWAYS, '2026-04-01T10:00:00Z', { requestedExecutionDate: '2026-04-05' })).to.equal('2026-04-04T22:00:00.000Z');
    expect(at(BERLIN, '2026-04-01T10:00:00Z', { requestedExecutionDate: '2026-04-05' })).to.equal('2026-04-06T22:00:00.000Z');
    expect(at(BERLIN, '2026-04-01T10:00:00Z', { requestedExecutionDate: '2026-04-01' })).to.equal(undefined);
    expect(at(BERLIN, '2026-04-01T17:00:00Z', { requestedExecutionDate: '2026-04-01' })).to.equal('2026-04-01T22:00:00.000Z');
  });

  it('takes no time zone that does not exist and no cut-off that is no time', () => {
    expect(() => calendarOf('Europe/Atlantis', 'off')).to.throw(/PAYMENT_TIME_ZONE/);
    for (const wrong of ['18', '24:00', '8:00', 'never']) expect(() => calendarOf('Europe/Berlin', wrong), wrong).to.throw(/PAYMENT_CUT_OFF/);
  });
});
