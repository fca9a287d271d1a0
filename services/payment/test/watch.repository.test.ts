import { expect } from 'chai';
import { requestHash } from '@kontor/kernel/idempotency';
import { newId } from '@kontor/kernel/ids';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';
import { initiate, termsOf, type Decision, type Happening, type Order, type Payment } from '../src/payment.js';
import { paymentRepository } from '../src/repository.js';
import { INSTANT_SECONDS, type Patience } from '../src/watch.js';
import { watchRepository } from '../src/watch-repository.js';
import { authorisation, authorised } from './fixtures.js';

const CONTEXT = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const PATIENCE: Patience = { RCVD: 60, PDNG: 60, review: 3_600, ACTC: 60, ACCP: 300, ACSP: 600, ACSC: 60, instant: INSTANT_SECONDS };
const RESERVED: Happening = { kind: 'funds-reserved', debtor: { name: 'Fictional Payer', iban: 'NL91ABNA0417164300' } };

describe('the watch over payments', () => {
  let stored: TestDatabase;
  beforeEach(async () => { stored = await testDatabase(new URL('..', import.meta.url)); });
  afterEach(() => stored.drop());

  const repository = () => paymentRepository(stored.database, 'payment');
  const watch = () => watchRepository(stored.database, repository());
  const lookAfter = (most = 2) => watch().lookAfterOverdue(50, { patience: PATIENCE, most }, CONTEXT);

  async function ordered(decision: Decision = {}, more: Partial<Order> = {}): Promise<Payment> {
    const given = authorisation();
    await stored.database.transaction((tx) => repository().authorise(tx, termsOf(authorised(given).data)!));
    const paymentId = newId();
    const started = initiate({
      paymentId, clientId: given.clientId, customerId: given.customerId, consentId: given.consentId, debtorAccountId: given.debtorAccountId,
      amount: { minor: 1250n, currency: 'EUR' }, creditor: given.payment.creditor, endToEndId: 'E2E', uetr: paymentId, createdAt: new Date(), ...more,
    }, decision);
    expect((await repository().initiate(started, { key: newId(), hash: requestHash({}), context: CONTEXT })).outcome).to.equal('created');
    return started.payment;
  }
  const happen = ({ paymentId }: Payment, happening: Happening) => repository().happen(paymentId, happening, CONTEXT);
  const found = async ({ paymentId }: Payment): Promise<Payment> => (await repository().find(paymentId))!;
  const told = async ({ paymentId }: Payment, type: string): Promise<number> =>
    (await stored.database.query("select 1 from outbox where event->>'subject' = $1 and type = $2", [paymentId, type])).length;
  /** Lets time pass for one payment. */
  const age = ({ paymentId }: Payment, seconds: number) => stored.database.query(
    `update payments set status_at = status_at - $2 * interval '1 second', due_at = due_at - $2 * interval '1 second', accepted_at = accepted_at - $2 * interval '1 second',
       retried_at = retried_at - $2 * interval '1 second' where payment_id = $1`, [paymentId, seconds]);
  const inSeconds = (seconds: number): Date => new Date(Date.now() + seconds * 1000);

  it('keeps a payment that was put off exactly as it was ordered', async () => {
    for (const [decision, more] of [[{ dueAt: inSeconds(3_600) }, {}], [{ hold: true }, { instant: true as const }], [{ refuse: 'FR01' }, { kind: 'refund' as const, refundOf: newId() }]] as const) {
      const payment = await ordered(decision, more);
      expect(await found(payment)).to.deep.equal(payment);
    }
  });

  it('lets a payment go when its day has come, not before, and once', async () => {
    const payment = await ordered({ dueAt: inSeconds(3_600) });
    expect(await watch().releaseDue(50, CONTEXT)).to.equal(0);
    await age(payment, 3_601);
    expect(await watch().releaseDue(50, CONTEXT)).to.equal(1);
    expect(await watch().releaseDue(50, CONTEXT)).to.equal(0);
    expect(await told(payment, 'payment.due')).to.equal(1);
    expect(await found(payment)).to.include({ status: 'PDNG' }).and.not.have.property('pendingFor');
  });

  it('lets nothing go that is held for a review, whatever its day', async () => {
    const payment = await ordered({ hold: true, dueAt: inSeconds(-1) });
    expect(await watch().releaseDue(50, CONTEXT)).to.equal(0);
    expect(await told(payment, 'payment.due')).to.equal(0);
  });

  // The guard is SKIP LOCKED and the row lock: without `for update` both nodes take the payment and the second waits, then tells nothing; without the
  // rule that a payment let go is not due any more (life.ts) it is told twice.
  it('of two nodes lets one take a due payment; the other passes on without waiting', async () => {
    const payment = await ordered({ dueAt: inSeconds(-1) });
    const other = await ordered({ dueAt: inSeconds(-1) });
    await stored.database.transaction(async (tx) => {
      await stored.database.query('select 1 from payments where payment_id = $1 for update', [payment.paymentId], tx);
      expect(await watch().releaseDue(50, CONTEXT), 'only the one that is free').to.equal(1);
      expect(await told(other, 'payment.due')).to.equal(1);
      expect(await told(payment, 'payment.due')).to.equal(0);
    });
    expect(await watch().releaseDue(50, CONTEXT)).to.equal(1);
    expect(await told(payment, 'payment.due')).to.equal(1);
  });

  it('cancels or lets go, never both: a cancellation that holds the payment is not overtaken by its day', async () => {
    const payment = await ordered({ dueAt: inSeconds(-1) });
    await Promise.all([happen(payment, { kind: 'cancel' }), watch().releaseDue(50, CONTEXT)]);
    await happen(payment, { kind: 'cancel' });
    expect((await found(payment)).status).to.equal('CANC');
    expect(await told(payment, 'payment.cancelled')).to.equal(1);
  });

  it('tells a payment again that stands too long, with more patience each time, and escalates it once', async () => {
    const payment = await ordered();
    expect(await lookAfter(), 'not yet').to.equal(0);
    await age(payment, 61);
    expect(await lookAfter()).to.equal(1);
    expect(await told(payment, 'payment.initiated')).to.equal(2);
    await age(payment, 61);
    expect(await lookAfter(), 'twice the time').to.equal(0);
    await age(payment, 61);
    expect(await lookAfter()).to.equal(1);
    await age(payment, 241);
    expect(await lookAfter()).to.equal(1);
    expect(await told(payment, 'payment.escalated')).to.equal(1);
    await age(payment, 100_000);
    expect(await lookAfter(), 'now it is with the staff').to.equal(0);
    expect((await watch().escalated(10)).map(({ paymentId }) => paymentId)).to.deep.equal([payment.paymentId]);
    await happen(payment, RESERVED);
    expect(await watch().escalatedCount(), 'it has moved').to.equal(0);
  });

  it('asks the rail about an instant payment ten seconds after it was accepted, and keeps the funds until the answer', async () => {
    const payment = await ordered({}, { instant: true });
    await happen(payment, RESERVED);
    await age(payment, 9);
    expect(await lookAfter()).to.equal(0);
    await age(payment, 2);
    expect(await lookAfter()).to.equal(1);
    expect(await told(payment, 'payment.investigation-requested')).to.equal(1);
    expect((await found(payment)).status).to.equal('ACCP');
    expect(await told(payment, 'payment.rejected') + await told(payment, 'payment.settled')).to.equal(0);
    await happen(payment, { kind: 'rail-reported', status: 'RJCT', reason: 'AB05' });
    expect(await found(payment)).to.include({ status: 'RJCT', statusReason: 'AB05' });
  });

  it('refuses an instant payment for which no funds were held within ten seconds; funds that are held later do not bring it back', async () => {
    const payment = await ordered({}, { instant: true });
    await age(payment, 11);
    expect(await lookAfter()).to.equal(1);
    expect(await found(payment)).to.include({ status: 'RJCT', statusReason: 'TM01' });
    expect((await happen(payment, RESERVED))?.status).to.equal('RJCT');
    expect(await told(payment, 'payment.submitted')).to.equal(0);
  });

  it('counts the time of a payment that was let go from then on, not from its order', async () => {
    const payment = await ordered({ dueAt: inSeconds(-1) }, { createdAt: inSeconds(-86_400 * 30) });
    await watch().releaseDue(50, CONTEXT);
    expect(await lookAfter()).to.equal(0);
    await age(payment, 61);
    expect(await lookAfter()).to.equal(1);
    expect(await told(payment, 'payment.due')).to.equal(2);
  });

  it('tells an on-us payment as settled again when nothing was booked, and leaves one that was settled by the rail', async () => {
    const [onUs, outside] = [await ordered(), await ordered()];
    await happen(onUs, { ...RESERVED, onUs: true });
    await happen(outside, RESERVED);
    await happen(outside, { kind: 'rail-reported', status: 'ACSC' });
    for (const payment of [onUs, outside]) await age(payment, 61);
    expect(await lookAfter()).to.equal(1);
    expect([await told(onUs, 'payment.settled'), await told(outside, 'payment.settled')]).to.deep.equal([2, 1]);
    await happen(onUs, { kind: 'funds-captured' });
    await age(onUs, 100_000);
    expect(await lookAfter()).to.equal(0);
  });

  it('escalates a payment whose review takes too long, and retries nothing', async () => {
    const payment = await ordered({ hold: true, dueAt: inSeconds(86_400) });
    await age(payment, 3_601);
    expect(await lookAfter()).to.equal(1);
    expect(await told(payment, 'payment.escalated')).to.equal(1);
    expect((await found(payment)).pendingFor).to.equal('review');
  });
});
