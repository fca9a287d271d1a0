import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { DateTime } from 'luxon';
import { constraintOf } from '@kontor/kernel/database';
import { newId } from '@kontor/kernel/ids';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';
import { testService, type TestService } from '@kontor/testing/service';
import { eventually } from '@kontor/testing/wait';
import { bankDay, businessDay, calendarOf, isoDate } from '../src/calendar.js';
import { initiating } from '../src/initiating.js';
import { options } from '../src/main.js';
import { termsOf } from '../src/payment.js';
import { paymentRepository } from '../src/repository.js';
import { reviewRepository } from '../src/review-repository.js';
import { standingOrderRepository } from '../src/standing-order-repository.js';
import type { StandingOrder } from '../src/standing-orders.js';
import { authorisation, authorised, caller, consentNews, recurringState, recurringTerms, reserved, type Authorisation } from './fixtures.js';

const CALENDAR = calendarOf('Europe/Berlin', 'off');
const CONTEXT = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const today = (): string => bankDay(CALENDAR, new Date());
const later = (days: number): string => isoDate(DateTime.fromISO(today(), { zone: 'UTC' }).plus({ days }));

describe('standing orders', () => {
  let service: TestService;
  before(async () => { service = await testService(options); });
  after(() => service.stop());

  async function consented(more: Parameters<typeof recurringState>[1] = {}): Promise<Authorisation> {
    const given = authorisation();
    await service.deliver(consentNews('consent.authorised', recurringState(given, more)));
    return given;
  }
  const body = ({ debtorAccountId }: Authorisation, more: object = {}, schedule: object = {}) => ({
    debtorAccountId, amount: { amount: '50.00', currency: 'EUR' }, creditor: recurringTerms().creditor, schedule: { frequency: 'monthly', firstDate: later(30), ...schedule }, ...more,
  });
  const create = (given: Authorisation, wanted: object = body(given), key = newId()) =>
    service.request('POST', '/v1/standing-orders', { op: 'createStandingOrder', caller: caller(given), headers: { 'idempotency-key': key }, body: wanted });
  const client = { clientId: 'fintech-a', roles: ['pisp'] };
  const read = async (id: string, as: object = client) => (await service.request('GET', `/v1/standing-orders/${id}`, { op: 'getStandingOrder', caller: as })).body;
  const cancel = (id: string, as: object = client) => service.request('DELETE', `/v1/standing-orders/${id}`, { op: 'cancelStandingOrder', caller: as });
  const told = async (id: string) => (await service.events()).filter(({ subject }) => subject === id);
  const payments = (id: string) => service.database.query<{ payment_id: string; status: string; kind: string }>('select * from payments where standing_order_id = $1 order by payment_id', [id]);
  /** Lets the next day of an order have come, so many days ago. */
  const comes = (id: string, daysAgo = 0) => service.database.query("update standing_orders set next_at = now() - interval '1 second', next_date = $2 where standing_order_id = $1", [id, later(-daysAgo)]);
  const executed = (id: string, times: number) => eventually(`day ${times} was executed`, async () =>
    (await service.database.query('select 1 from standing_order_executions where standing_order_id = $1', [id])).length >= times);

  it('are set up once for a key, with the days that come, and told', async () => {
    const given = await consented();
    const answer = await create(given, body(given, {}, { count: 2 }), 'order-1');
    expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
    const { standingOrderId, nextDates } = answer.body;
    expect(answer.headers.location).to.equal(`/v1/standing-orders/${standingOrderId}`);
    expect(nextDates).to.have.length(2);
    expect(nextDates[0]).to.equal(businessDay(later(30), 'following'));
    const again = await create(given, body(given, {}, { count: 2 }), 'order-1');
    expect([again.body.standingOrderId, again.headers['idempotency-replayed']]).to.deep.equal([standingOrderId, 'true']);
    expect((await told(standingOrderId)).map(({ type }) => type)).to.deep.equal(['standing-order.created']);
  });

  it('make a payment when its day comes, once, and wait for the next', async () => {
    const given = await consented();
    const { body: { standingOrderId, nextDates } } = await create(given);
    await comes(standingOrderId);
    await executed(standingOrderId, 1);
    const [payment, ...more] = await payments(standingOrderId);
    expect(more).to.deep.equal([]);
    expect(payment).to.include({ kind: 'standing-order', status: 'RCVD' });
    const order = await read(standingOrderId);
    expect(order.executions).to.deep.equal([{ date: today(), paymentId: payment?.payment_id }]);
    expect(order.nextDates[0]).to.equal(nextDates[1]);
    const initiated = (await told(payment!.payment_id)).find(({ type }) => type === 'payment.initiated');
    expect(initiated?.data).to.deep.include({ standingOrderId, consentId: given.consentId, amount: { amount: '50.00', currency: 'EUR' } });
    await service.deliver(reserved(payment!.payment_id, given.debtorAccountId));
    expect((await payments(standingOrderId))[0]?.status).to.equal('ACCP');
  });

  it('end with their last payment', async () => {
    const given = await consented();
    const { body: { standingOrderId } } = await create(given, body(given, {}, { count: 1 }));
    await comes(standingOrderId);
    await executed(standingOrderId, 1);
    expect(await read(standingOrderId)).to.deep.include({ status: 'completed', nextDates: [] });
    expect((await told(standingOrderId)).at(-1)).to.deep.include({ type: 'standing-order.ended' }).and.have.nested.property('data.reason', 'completed');
  });

  it('tell a payment that a limit of the consent does not allow, and go on with the next day', async () => {
    const given = await consented({ recurring: recurringTerms({ periodicLimits: [{ maximum: { amount: '60.00', currency: 'EUR' }, period: 'year', alignment: 'calendar' }] }) });
    const { body: { standingOrderId } } = await create(given);
    await comes(standingOrderId);
    await executed(standingOrderId, 1);
    await comes(standingOrderId, -1);
    await executed(standingOrderId, 2);
    expect(await payments(standingOrderId)).to.have.length(1);
    expect((await told(standingOrderId)).at(-1)).to.deep.include({ type: 'standing-order.payment-failed' }).and.have.nested.property('data.reason', 'limit_exceeded');
    const order = await read(standingOrderId);
    expect(order.executions[0]).to.deep.equal({ date: later(1), reason: 'limit_exceeded' });
    expect(order.status).to.equal('active');
  });

  it('make up a day that was missed within a week, once; older ones are skipped and told', async () => {
    const given = await consented();
    const { body: { standingOrderId } } = await create(given);
    await comes(standingOrderId, 8);
    await executed(standingOrderId, 1);
    expect(await payments(standingOrderId)).to.have.length(0);
    expect((await told(standingOrderId)).at(-1)).to.have.nested.property('data.reason', 'missed');
    await comes(standingOrderId, 7);
    await executed(standingOrderId, 2);
    expect(await payments(standingOrderId)).to.have.length(1);
  });

  for (const how of ['revoked', 'withdrawn'] as const)
    it(`end when the consent is ${how}; no payment comes after it, and what waits for its day is cancelled`, async () => {
      const given = await consented();
      const { body: { standingOrderId } } = await create(given);
      const scheduled = await service.request('POST', '/v1/payments', {
        op: 'initiatePayment', caller: caller(given), headers: { 'idempotency-key': newId() },
        body: { debtorAccountId: given.debtorAccountId, amount: { amount: '1.00', currency: 'EUR' }, creditor: recurringTerms().creditor, requestedExecutionDate: later(9) },
      });
      expect(scheduled.body.status).to.equal('PDNG');
      await service.deliver(consentNews(`consent.${how}`, recurringState(given)));
      expect(await read(standingOrderId)).to.deep.include({ status: 'ended', endReason: `consent_${how}`, nextDates: [] });
      expect((await told(standingOrderId)).at(-1)).to.have.nested.property('data.reason', `consent_${how}`);
      expect((await told(scheduled.body.paymentId)).map(({ type }) => type)).to.include('payment.cancelled');
    });

  it('end on their day when the consent is over by then, without waiting for the news', async () => {
    const given = await consented();
    const { body: { standingOrderId } } = await create(given);
    await service.database.query("update authorised_consents set expires_at = now() - interval '1 second' where consent_id = $1", [given.consentId]);
    await comes(standingOrderId);
    await eventually('the order has ended', async () => (await read(standingOrderId)).status === 'ended');
    expect(await read(standingOrderId)).to.include({ endReason: 'consent_expired' });
    expect(await payments(standingOrderId)).to.have.length(0);
  });

  it('are cancelled by their client, once told, and then come no more', async () => {
    const given = await consented();
    const { body: { standingOrderId } } = await create(given);
    expect((await cancel(standingOrderId)).body).to.deep.include({ status: 'cancelled', nextDates: [] });
    expect((await cancel(standingOrderId)).status).to.equal(200);
    expect((await told(standingOrderId)).map(({ type }) => type)).to.deep.equal(['standing-order.created', 'standing-order.cancelled']);
  });

  it('are read by their client and by compliance, cancelled by their client alone, listed newest first', async () => {
    const given = await consented();
    const ids = [(await create(given)).body.standingOrderId, (await create(given)).body.standingOrderId];
    expect((await read(ids[0], { clientId: 'fintech-b', roles: ['pisp'] })).code).to.equal('not_your_resource');
    expect((await read(ids[0], { clientId: 'officer', roles: ['compliance'] })).standingOrderId).to.equal(ids[0]);
    expect((await cancel(ids[0], { clientId: 'fintech-b', roles: ['pisp'] })).body.code).to.equal('not_your_resource');
    expect((await read(newId())).code).to.equal('standing_order_not_found');
    const list = (query: string) => service.request('GET', `/v1/standing-orders${query}`, { op: 'listStandingOrders', caller: client });
    const first = (await list('?limit=1')).body;
    expect(first.data[0].standingOrderId).to.equal(ids[1]);
    expect((await list(`?limit=1&cursor=${first.nextCursor}`)).body.data[0].standingOrderId).to.equal(ids[0]);
  });

  const wrong: [string, (given: Authorisation) => object, number, string, RegExp?][] = [
    ['more than the consent allows in one payment', (given) => body(given, { amount: { amount: '100.01', currency: 'EUR' } }), 403, 'consent_limit_exceeded'],
    ['another creditor', (given) => body(given, { creditor: { ...recurringTerms().creditor, name: 'Somebody Else' } }), 403, 'consent_permission_missing', /creditor/],
    ['another currency', (given) => body(given, { amount: { amount: '1.00', currency: 'USD' } }), 403, 'consent_permission_missing', /currency/],
    ['another account', (given) => body({ ...given, debtorAccountId: newId() }), 403, 'consent_account_not_covered', /debtorAccountId/],
    ['an amount of zero', (given) => body(given, { amount: { amount: '0.00', currency: 'EUR' } }), 400, 'invalid_amount', /"amount:/],
    ['wrong check digits', (given) => body(given, { creditor: { ...recurringTerms().creditor, iban: 'DE88370400440532013000' } }), 400, 'invalid_iban', /creditor.iban/],
    ['a first day that is over', (given) => body(given, {}, { firstDate: later(-1) }), 422, 'unprocessable', /firstDate/],
    ['a day that does not exist', (given) => body(given, {}, { firstDate: '2027-02-30' }), 400, 'invalid_request', /firstDate/],
    ['count and lastDate', (given) => body(given, {}, { count: 2, lastDate: later(90) }), 422, 'unprocessable', /count or lastDate/],
  ];
  for (const [what, wanted, status, code, words] of wrong)
    it(`are refused, and nothing is written: ${what}`, async () => {
      const given = await consented();
      const answer = await create(given, wanted(given));
      expect(answer.body, JSON.stringify(answer.body)).to.include({ status, code });
      if (words) expect(JSON.stringify(answer.body)).to.match(words);
      expect(await service.database.query('select 1 from standing_orders where consent_id = $1', [given.consentId])).to.have.length(0);
    });

  it('are refused under a consent for one payment', async () => {
    const given = authorisation();
    await service.deliver(authorised(given));
    expect((await create(given)).body).to.include({ status: 403, code: 'consent_permission_missing' });
  });
});

describe('standing orders executed by several nodes', () => {
  let stored: TestDatabase;
  before(async () => { stored = await testDatabase(new URL('..', import.meta.url)); });
  after(() => stored.drop());

  /** A node of its own on the same database. */
  const node = () => {
    const store = paymentRepository(stored.database, 'payment');
    const { decideOn } = initiating({
      payments: store, facts: reviewRepository(stored.database, store).facts,
      rules: { calendar: CALENDAR, dailyPayments: 0, dailyAmount: 0, duplicateMinutes: 0, fraud: { timeZone: 'Europe/Berlin', freeBelow: 1_000, largeAmount: 10_000, reviewFrom: 75, refuseFrom: 100 } },
    });
    return { store, orders: standingOrderRepository(stored.database, { calendar: CALENDAR, decideOn, place: store.placeIn, uetr: randomUUID }) };
  };
  /** An order whose day has come. */
  async function due(): Promise<string> {
    const { store, orders } = node();
    const { clientId, customerId, consentId, debtorAccountId, ...rest } = authorisation();
    await stored.database.transaction((tx) => store.authorise(tx, termsOf(recurringState({ clientId, customerId, consentId, debtorAccountId, ...rest }))!));
    const order: StandingOrder = {
      standingOrderId: newId(), clientId, customerId, consentId, debtorAccountId, amount: { minor: 5_000n, currency: 'EUR' }, creditor: recurringTerms().creditor,
      schedule: { frequency: 'monthly', firstDate: today(), holidayRule: 'following' }, status: 'active', next: { number: 0, date: today() }, createdAt: new Date(),
    };
    await orders.create(order, { key: newId(), body: {}, context: CONTEXT }, () => ({ status: 201, body: {} }));
    return order.standingOrderId;
  }
  const made = async (id: string): Promise<number> => (await stored.database.query('select 1 from payments where standing_order_id = $1', [id])).length;

  it('ten at once make one payment of one day', async () => {
    const id = await due();
    const did = await Promise.all(Array.from({ length: 10 }, () => node().orders.executeDue(CONTEXT)));
    expect(did.filter(Boolean)).to.have.length(1);
    expect(await made(id)).to.equal(1);
  });

  // The guard is `for update skip locked` in executeDue: without it the second node takes the order as well and waits for the first.
  it('one that finds an order in the hands of another passes on without waiting', async () => {
    const id = await due();
    let second: Promise<boolean> | undefined;
    await stored.database.transaction(async (tx) => {
      await stored.database.query('select 1 from standing_orders where standing_order_id = $1 for update', [id], tx);
      second = node().orders.executeDue(CONTEXT);
      expect(await Promise.race([second, new Promise((resolve) => setTimeout(() => resolve('waits'), 2_000))])).to.equal(false);
    });
    expect(await node().orders.executeDue(CONTEXT)).to.equal(true);
    expect(await made(id)).to.equal(1);
  });

  // The guard is the primary key standing_order_executed_once: without it a day that comes again, for whatever reason, makes a second payment.
  it('a day that was executed cannot be executed again, and nothing is left of the attempt', async () => {
    const id = await due();
    await node().orders.executeDue(CONTEXT);
    await stored.database.query("update standing_orders set next_number = 0, next_date = $2, next_at = now() - interval '1 second' where standing_order_id = $1", [id, today()]);
    const fault = await node().orders.executeDue(CONTEXT).catch((error: unknown) => error);
    expect(constraintOf(fault)).to.equal('standing_order_executed_once');
    expect(await made(id)).to.equal(1);
  });
});
