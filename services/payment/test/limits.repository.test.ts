import { expect } from 'chai';
import type { EventData } from '@kontor/kernel/events';
import { requestHash } from '@kontor/kernel/idempotency';
import { newId } from '@kontor/kernel/ids';
import { parseMoney } from '@kontor/kernel/money';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';
import { initiate, limitSentence, termsOf, type InitiationOutcome } from '../src/payment.js';
import { paymentRepository } from '../src/repository.js';
import { authorisation, recurringState, recurringTerms, type Authorisation } from './fixtures.js';

const CONTEXT = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const eur = (amount: string) => ({ amount, currency: 'EUR' });
const monthly = (amount: string) => [{ maximum: eur(amount), period: 'month' as const, alignment: 'calendar' as const }];

describe('limits of variable recurring consents', () => {
  let stored: TestDatabase;
  before(async () => { stored = await testDatabase(new URL('..', import.meta.url)); });
  after(() => stored.drop());

  const repository = () => paymentRepository(stored.database, 'payment');

  async function known(terms: Parameters<typeof recurringTerms>[0] = {}, more: Partial<EventData<'consent.authorised'>> = {}): Promise<Authorisation> {
    const given = authorisation();
    await hear(recurringState(given, { recurring: recurringTerms(terms), ...more }));
    return given;
  }
  const hear = (state: EventData<'consent.authorised'>) => stored.database.transaction((tx) => repository().authorise(tx, termsOf(state)!));

  async function pay(given: Authorisation, amount: string, key = newId()): Promise<InitiationOutcome & { paymentId: string }> {
    const paymentId = newId();
    const started = initiate({
      paymentId, clientId: given.clientId, customerId: given.customerId, consentId: given.consentId, debtorAccountId: given.debtorAccountId,
      amount: parseMoney(eur(amount)), creditor: recurringTerms().creditor, endToEndId: paymentId.replaceAll('-', ''),
      uetr: '7a562c67-ca16-48ba-b074-65581be6f011', createdAt: new Date(),
    });
    return { ...await repository().initiate(started, { key, hash: requestHash({ key }), context: CONTEXT }), paymentId };
  }
  const broken = async (given: Authorisation, amount: string): Promise<string> => {
    const answer = await pay(given, amount);
    return answer.outcome === 'limit_exceeded' ? limitSentence(answer.broken) : answer.outcome;
  };
  const paid = async ({ consentId }: Authorisation): Promise<number> => Number((await stored.database.query<{ n: string }>(
    "select coalesce(sum(amount_minor), 0) as n from payments where consent_id = $1 and status not in ('RJCT', 'CANC')", [consentId]))[0]?.n);
  const move = (paymentId: string, countedAt: string) => stored.database.query('update counted_payments set counted_at = $2 where payment_id = $1', [paymentId, countedAt]);

  it('let fifty payments at once through only as far as the period allows, to the minor unit', async () => {
    const given = await known({ periodicLimits: monthly('100.00') });
    const answers = await Promise.all(Array.from({ length: 50 }, () => pay(given, '9.99')));
    const outcomes = answers.map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'created')).to.have.length(10);
    expect(outcomes.filter((outcome) => outcome === 'limit_exceeded')).to.have.length(40);
    expect(await paid(given)).to.equal(9_990);
    expect(await broken(given, '0.11')).to.match(/0\.10 EUR is left/);
    expect(await broken(given, '0.10')).to.equal('created');
    expect(await paid(given)).to.equal(10_000);
  });

  // The guard is `for update` on the consent in place_payment (migrations/0007-standing-orders.sql): without it the second payment does not wait, sees the
  // whole period left, and both are created (write skew).
  it('make a payment wait for one under the same consent that is not committed yet, and count it then', async () => {
    const given = await known({ periodicLimits: monthly('100.00') });
    let second: Promise<InitiationOutcome> | undefined;
    const paymentId = newId();
    await stored.database.transaction(async (tx) => {
      await stored.database.query('select 1 from authorised_consents where consent_id = $1 for update', [given.consentId], tx);
      second = pay(given, '60.00');
      const first = await Promise.race([second.then(() => 'answered'), new Promise((resolve) => setTimeout(() => resolve('waits'), 200))]);
      expect(first).to.equal('waits');
      await stored.database.query(
        `insert into payments (payment_id, client_id, customer_id, consent_id, debtor_account_id, amount_minor, currency, creditor_name, creditor_iban, end_to_end_id, uetr, status, status_at, created_at, recurring)
         values ($1, $2, $3, $4, $5, 6000, 'EUR', 'A', 'B', 'C', $1, 'RCVD', now(), now(), true)`, [paymentId, given.clientId, given.customerId, given.consentId, given.debtorAccountId], tx);
      await stored.database.query('insert into counted_payments (payment_id, consent_id, counted_at) values ($1, $2, now())', [paymentId, given.consentId], tx);
    });
    expect((await second)?.outcome).to.equal('limit_exceeded');
    expect(await paid(given)).to.equal(6_000);
  });

  it('hold for one payment, and say so', async () => {
    const given = await known();
    expect(await broken(given, '100.01')).to.equal('The consent allows at most 100.00 EUR in one payment.');
    expect(await broken(given, '100.00')).to.equal('created');
  });

  it('hold all at once: the first that is broken is told, with what is left and when the next period begins', async () => {
    const given = await known({ periodicLimits: [
      { maximum: eur('150.00'), period: 'year', alignment: 'calendar' }, { maximum: eur('120.00'), period: 'day', alignment: 'calendar' },
    ] });
    expect(await broken(given, '100.00')).to.equal('created');
    const tomorrow = new Date(Math.floor(Date.now() / 86_400_000 + 1) * 86_400_000).toISOString();
    const newYear = `${new Date().getUTCFullYear() + 1}-01-01T00:00:00.000Z`;
    expect(await broken(given, '20.01')).to.equal(`The consent allows 120.00 EUR a day; 20.00 EUR is left, and the next period begins at ${tomorrow}.`);
    expect(await broken(given, '50.01')).to.equal(`The consent allows 150.00 EUR a year; 50.00 EUR is left, and the next period begins at ${newYear}.`);
  });

  it('promise no further period beyond the time of the consent', async () => {
    const given = await known({ periodicLimits: [{ maximum: eur('10.00'), period: 'year', alignment: 'consent' }], validFrom: new Date(Date.now() - 1000).toISOString(), validUntil: new Date(Date.now() + 1_000_000).toISOString() });
    expect(await broken(given, '10.01')).to.equal('The consent allows 10.00 EUR a year; 10.00 EUR is left, and no further period begins before the consent ends.');
  });

  it('do not count refused or cancelled payments, nor those of an earlier period, nor those of another consent', async () => {
    const given = await known({ periodicLimits: monthly('100.00') });
    const other = await known({ periodicLimits: monthly('100.00') });
    await pay(other, '100.00');
    const cancelled = await pay(given, '100.00');
    await repository().happen(cancelled.paymentId, { kind: 'cancel' }, CONTEXT);
    const refused = await pay(given, '100.00');
    await repository().happen(refused.paymentId, { kind: 'funds-refused', reason: 'AM04' }, CONTEXT);
    const earlier = await pay(given, '100.00');
    expect(await broken(given, '0.01')).to.match(/0\.00 EUR is left/);
    await move(earlier.paymentId, new Date(Date.UTC(new Date().getUTCFullYear(), new Date().getUTCMonth(), 1) - 1).toISOString());
    expect(await broken(given, '100.00')).to.equal('created');
  });

  it('leave nothing of a refused payment, and its key free', async () => {
    const given = await known({ periodicLimits: monthly('10.00') });
    const key = newId();
    expect((await pay(given, '10.01', key)).outcome).to.equal('limit_exceeded');
    const again = await pay(given, '10.00', key);
    expect(again.outcome).to.equal('created');
    expect((await pay(given, '10.00', key)).outcome).to.equal('replay');
    expect(await paid(given)).to.equal(1_000);
  });

  it('are those of the newest version, in whatever order they are heard; an end stays the end', async () => {
    const given = await known({}, { version: 5 });
    await hear(recurringState(given, { version: 4, recurring: recurringTerms({ maximumPerPayment: eur('1.00') }) }));
    expect(await broken(given, '100.00')).to.equal('created');
    await hear(recurringState(given, { version: 6, recurring: recurringTerms({ maximumPerPayment: eur('2.00') }) }));
    expect(await broken(given, '2.01')).to.equal('The consent allows at most 2.00 EUR in one payment.');
    await stored.database.transaction((tx) => repository().endConsent(tx, given.consentId, 'withdrawn'));
    await hear(recurringState(given, { version: 7 }));
    expect((await pay(given, '1.00')).outcome).to.equal('consent_withdrawn');
  });

  it('count by the clock of the database: a consent is over, or not begun, to the moment', async () => {
    const at = (ms: number): string => new Date(Date.now() + ms).toISOString();
    expect((await pay(await known({ validFrom: at(60_000) }), '1.00')).outcome).to.equal('consent_not_begun');
    expect((await pay(await known({ validUntil: at(-1) }), '1.00')).outcome).to.equal('consent_expired');
    expect((await pay(await known({}, { expiresAt: at(-1) }), '1.00')).outcome).to.equal('consent_expired');
    expect((await pay(await known({}, { expiresAt: at(60_000) }), '1.00')).outcome).to.equal('created');
  });

  it('cannot be kept in part, nor with an end nobody knows', async () => {
    const given = await known();
    for (const wrong of ['periodic_limits = null', 'debtor_account_ids = array[]::uuid[]', 'valid_until = null', "ended = 'lost'", 'kind = null'])
      expect(await stored.database.query(`update authorised_consents set ${wrong} where consent_id = $1`, [given.consentId]).catch(() => 'refused'), wrong).to.equal('refused');
  });

  describe('periods', () => {
    type Row = [period: string, alignment: string, from: string, at: string, begins: string, ends: string];
    const rows: Row[] = [
      // Calendar: UTC, whatever the consent began with.
      ['day', 'calendar', '2026-01-31T10:00', '2026-03-02T00:00', '2026-03-02T00:00', '2026-03-03T00:00'],
      ['day', 'calendar', '2026-01-31T10:00', '2026-03-01T23:59:59.999', '2026-03-01T00:00', '2026-03-02T00:00'],
      ['day', 'calendar', '2024-01-31T10:00', '2024-02-29T12:00', '2024-02-29T00:00', '2024-03-01T00:00'],
      ['week', 'calendar', '2026-01-31T10:00', '2026-03-02T00:00', '2026-03-02T00:00', '2026-03-09T00:00'],
      ['week', 'calendar', '2026-01-31T10:00', '2026-03-01T23:59', '2026-02-23T00:00', '2026-03-02T00:00'],
      ['week', 'calendar', '2020-01-31T10:00', '2021-01-01T00:00', '2020-12-28T00:00', '2021-01-04T00:00'],
      // Week 10 of 2026 is even and begins on 2 March.
      ['fortnight', 'calendar', '2026-01-31T10:00', '2026-03-02T00:00', '2026-03-02T00:00', '2026-03-16T00:00'],
      ['fortnight', 'calendar', '2026-01-31T10:00', '2026-03-15T23:59', '2026-03-02T00:00', '2026-03-16T00:00'],
      ['fortnight', 'calendar', '2026-01-31T10:00', '2026-03-16T00:00', '2026-03-16T00:00', '2026-03-30T00:00'],
      // 2025 has 52 weeks: week 52 and week 1 are one fortnight.
      ['fortnight', 'calendar', '2025-01-31T10:00', '2025-12-31T12:00', '2025-12-22T00:00', '2026-01-05T00:00'],
      // 2026 has 53: week 52, 53 and 1 are one period of three weeks, since the next even week is week 2.
      ['fortnight', 'calendar', '2026-01-31T10:00', '2026-12-21T00:00', '2026-12-21T00:00', '2027-01-11T00:00'],
      ['fortnight', 'calendar', '2026-01-31T10:00', '2026-12-31T12:00', '2026-12-21T00:00', '2027-01-11T00:00'],
      ['fortnight', 'calendar', '2026-01-31T10:00', '2027-01-10T23:59', '2026-12-21T00:00', '2027-01-11T00:00'],
      ['month', 'calendar', '2024-01-31T10:00', '2024-02-29T23:59', '2024-02-01T00:00', '2024-03-01T00:00'],
      ['month', 'calendar', '2026-01-31T10:00', '2026-12-31T23:59', '2026-12-01T00:00', '2027-01-01T00:00'],
      ['half-year', 'calendar', '2026-01-31T10:00', '2026-06-30T23:59', '2026-01-01T00:00', '2026-07-01T00:00'],
      ['half-year', 'calendar', '2026-01-31T10:00', '2026-07-01T00:00', '2026-07-01T00:00', '2027-01-01T00:00'],
      ['year', 'calendar', '2024-02-29T10:00', '2024-12-31T23:59', '2024-01-01T00:00', '2025-01-01T00:00'],
      // Consent: from the moment it began.
      ['day', 'consent', '2026-01-31T10:30', '2026-02-01T10:29', '2026-01-31T10:30', '2026-02-01T10:30'],
      ['day', 'consent', '2024-02-28T10:30', '2024-02-29T10:30', '2024-02-29T10:30', '2024-03-01T10:30'],
      ['week', 'consent', '2026-01-31T10:30', '2026-02-07T10:29:59.999', '2026-01-31T10:30', '2026-02-07T10:30'],
      ['week', 'consent', '2026-01-31T10:30', '2026-02-07T10:30', '2026-02-07T10:30', '2026-02-14T10:30'],
      ['fortnight', 'consent', '2024-02-20T00:00', '2024-03-04T23:59', '2024-02-20T00:00', '2024-03-05T00:00'],
      ['fortnight', 'consent', '2026-12-21T00:00', '2027-01-10T00:00', '2027-01-04T00:00', '2027-01-18T00:00'],
      ['month', 'consent', '2026-01-31T10:30', '2026-01-31T10:30', '2026-01-31T10:30', '2026-02-28T10:30'],
      ['month', 'consent', '2026-01-31T10:30', '2026-02-28T10:29', '2026-01-31T10:30', '2026-02-28T10:30'],
      ['month', 'consent', '2026-01-31T10:30', '2026-02-28T10:30', '2026-02-28T10:30', '2026-03-31T10:30'],
      ['month', 'consent', '2026-01-31T10:30', '2026-03-30T10:30', '2026-02-28T10:30', '2026-03-31T10:30'],
      ['month', 'consent', '2026-01-31T10:30', '2026-04-30T10:30', '2026-04-30T10:30', '2026-05-31T10:30'],
      ['month', 'consent', '2024-01-31T10:30', '2024-02-29T10:30', '2024-02-29T10:30', '2024-03-31T10:30'],
      ['month', 'consent', '2025-12-15T00:00', '2026-01-14T23:59', '2025-12-15T00:00', '2026-01-15T00:00'],
      ['half-year', 'consent', '2025-08-31T00:00', '2026-02-28T00:00', '2026-02-28T00:00', '2026-08-31T00:00'],
      ['half-year', 'consent', '2025-08-31T00:00', '2026-02-27T23:59', '2025-08-31T00:00', '2026-02-28T00:00'],
      ['half-year', 'consent', '2025-11-30T00:00', '2026-05-29T00:00', '2025-11-30T00:00', '2026-05-30T00:00'],
      ['year', 'consent', '2024-02-29T10:30', '2025-02-28T10:29', '2024-02-29T10:30', '2025-02-28T10:30'],
      ['year', 'consent', '2024-02-29T10:30', '2025-02-28T10:30', '2025-02-28T10:30', '2026-02-28T10:30'],
      ['year', 'consent', '2024-02-29T10:30', '2028-02-29T10:30', '2028-02-29T10:30', '2029-02-28T10:30'],
    ];
    const period = async (database: TestDatabase['database'], [name, alignment, from, at]: readonly string[]): Promise<string[]> => {
      const [row] = await database.query<{ begins: Date; ends: Date }>('select * from period_of($1, $2, $3, $4)', [name, alignment, `${from}Z`, `${at}Z`]);
      return [row?.begins, row?.ends].map((moment) => moment?.toISOString() ?? '');
    };

    for (const row of rows) {
      const [name, alignment, from, at, begins, ends] = row;
      it(`${name} by the ${alignment}, consent from ${from}: ${at} lies in ${begins} to ${ends}`, async () => {
        expect(await period(stored.database, row)).to.deep.equal([begins, ends].map((text) => new Date(`${text}Z`).toISOString()));
      });
    }

    it('follow each other without gap or overlap for thirty years, and hold the moment they are asked for', async () => {
      const faults = await stored.database.query(
        `select kind, alignment, at from unnest(array['day', 'week', 'fortnight', 'month', 'half-year', 'year']) kind, unnest(array['calendar', 'consent']) alignment,
           generate_series('2021-01-31T10:30Z'::timestamptz, '2051-01-31Z', '3 days 5 hours') at,
           period_of(kind, alignment, '2021-01-31T10:30Z', at) now, period_of(kind, alignment, '2021-01-31T10:30Z', now.ends) following
         where not (now.begins <= at and at < now.ends and following.begins = now.ends)`);
      expect(faults).to.deep.equal([]);
    });
  });
});
