import { expect } from 'chai';
import fc from 'fast-check';
import { Problem } from '@kontor/kernel/problem';
import { isBusinessDay } from '../src/calendar.js';
import { advance, checkedSchedule, end, execution, isMissed, nextDates, plannedDate, type Frequency, type Schedule, type StandingOrder } from '../src/standing-orders.js';

const FREQUENCIES: Frequency[] = ['weekly', 'fortnightly', 'monthly', 'quarterly', 'half-yearly', 'yearly'];
const schedule = (named: Partial<Schedule> = {}): Schedule => ({ frequency: 'monthly', firstDate: '2026-01-31', holidayRule: 'following', ...named });
const planned = (named: Partial<Schedule>, most: number): (string | undefined)[] => Array.from({ length: most }, (_, n) => plannedDate(schedule(named), n));
const executed = (named: Partial<Schedule>, most: number): string[] => nextDates(schedule(named), execution(schedule(named), 0), most);

describe('the days of a standing order', () => {
  it('are counted from the first: the 31st comes back after short months', () => {
    expect(planned({}, 4)).to.deep.equal(['2026-01-31', '2026-02-28', '2026-03-31', '2026-04-30']);
    expect(planned({ firstDate: '2027-11-30', frequency: 'quarterly' }, 3)).to.deep.equal(['2027-11-30', '2028-02-29', '2028-05-30']);
  });

  it('of 29 February fall on the 28th in common years, and come back', () => {
    expect(planned({ firstDate: '2028-02-29', frequency: 'yearly' }, 5)).to.deep.equal(['2028-02-29', '2029-02-28', '2030-02-28', '2031-02-28', '2032-02-29']);
  });

  it('at the end of the month are its last day', () => {
    expect(planned({ firstDate: '2026-02-28', endOfMonth: true }, 4)).to.deep.equal(['2026-02-28', '2026-03-31', '2026-04-30', '2026-05-31']);
  });

  it('move over weekends, Easter and Christmas by their rule, and the rhythm stays', () => {
    expect(executed({ frequency: 'weekly', firstDate: '2026-04-03', holidayRule: 'following' }, 3)).to.deep.equal(['2026-04-07', '2026-04-10', '2026-04-17']);
    expect(executed({ frequency: 'weekly', firstDate: '2026-04-03', holidayRule: 'preceding' }, 3)).to.deep.equal(['2026-04-02', '2026-04-10', '2026-04-17']);
    expect(executed({ firstDate: '2026-12-25' }, 2)).to.deep.equal(['2026-12-28', '2027-01-25']);
  });

  it('end with their count, or with the last date', () => {
    expect(executed({ count: 2 }, 10)).to.have.length(2);
    expect(executed({ lastDate: '2026-03-30' }, 10)).to.deep.equal(['2026-02-02', '2026-03-02']);
    expect(executed({ lastDate: '2026-03-31' }, 10)).to.have.length(3);
  });

  it('are business days, in order, each once, near what was planned, for thirty years of every kind (seeded)', () => {
    const anySchedule = fc.record({
      frequency: fc.constantFrom(...FREQUENCIES), holidayRule: fc.constantFrom('following' as const, 'preceding' as const),
      firstDate: fc.integer({ min: 0, max: 4_000 }).map((days) => new Date(Date.UTC(2024, 0, 1 + days)).toISOString().slice(0, 10)),
    });
    fc.assert(fc.property(anySchedule, fc.integer({ min: 1, max: 150 }), (some, from) => {
      for (let number = from; number < from + 8; number++) {
        const [one, next] = [execution(some, number), execution(some, number + 1)];
        const plan = plannedDate(some, number);
        expect(isBusinessDay(one!.date)).to.equal(true);
        expect(one!.date < next!.date, `${one!.date} ${next!.date}`).to.equal(true);
        expect(Math.abs(Date.parse(one!.date) - Date.parse(plan!)) / 86_400_000).to.be.at.most(4);
        if (some.frequency !== 'weekly' && some.frequency !== 'fortnightly') expect(Number(plan!.slice(8))).to.be.at.most(Number(some.firstDate.slice(8)));
      }
    }), { seed: 20022, numRuns: 500 });
  });

  it('that are missed are made up for a week, then skipped', () => {
    expect(isMissed({ number: 0, date: '2026-03-02' }, '2026-03-09')).to.equal(false);
    expect(isMissed({ number: 0, date: '2026-03-02' }, '2026-03-10')).to.equal(true);
  });

  it('of an order that is over are none', () => {
    const order: StandingOrder = {
      standingOrderId: 'S', clientId: 'C', customerId: 'P', consentId: 'K', debtorAccountId: 'D', amount: { minor: 100n, currency: 'EUR' }, creditor: { name: 'A', iban: 'B' },
      schedule: schedule({ count: 2 }), status: 'active', next: { number: 0, date: '2026-02-02' }, createdAt: new Date(0),
    };
    const second = advance(order);
    expect(second).to.deep.include({ status: 'active', next: { number: 1, date: '2026-03-02' } });
    expect(advance(second)).to.include({ status: 'completed' }).and.not.have.property('next');
    expect(end(order, 'cancelled')).to.include({ status: 'cancelled' }).and.not.have.property('next');
    expect(end(end(order, 'ended', 'consent_revoked'), 'cancelled')).to.include({ status: 'ended', endReason: 'consent_revoked' });
  });

  const wrong: [string, Partial<Schedule>, RegExp][] = [
    ['a first day that is over', { firstDate: '2026-01-01' }, /firstDate is over/],
    ['a first day more than a year ahead', { firstDate: '2027-01-16' }, /firstDate may be at most/],
    ['a count and a last day', { count: 3, lastDate: '2026-12-31' }, /not both/],
    ['the end of the month by the week', { frequency: 'weekly', endOfMonth: true }, /endOfMonth/],
    ['the end of the month from another day on', { firstDate: '2026-01-30', endOfMonth: true }, /last day of its month/],
    ['a last day before the first', { lastDate: '2026-01-30' }, /lastDate/],
    ['a first day that would move into the past', { firstDate: '2026-01-17', holidayRule: 'preceding' }, /no business day/],
  ];
  for (const [what, named, words] of wrong)
    it(`are not taken with ${what}; the problem names the field`, () => {
      const today = what.includes('into the past') ? '2026-01-17' : '2026-01-15';
      expect(() => checkedSchedule(schedule(named), today)).to.throw(Problem, words).with.property('code', 'unprocessable');
    });

  it('are taken when they are sound', () => {
    for (const named of [{}, { count: 3 }, { lastDate: '2026-01-31' }, { endOfMonth: true }, { firstDate: '2027-01-15' }]) expect(checkedSchedule(schedule(named), '2026-01-15').frequency).to.equal('monthly');
  });
});
