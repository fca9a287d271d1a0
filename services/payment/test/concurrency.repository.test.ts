import { expect } from 'chai';
import { requestHash } from '@kontor/kernel/idempotency';
import { newId } from '@kontor/kernel/ids';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';
import { heldRow } from '@kontor/testing/held-row';
import { initiate, termsOf, type Decision, type Happening, type Payment } from '../src/payment.js';
import { paymentRepository } from '../src/repository.js';
import { watchRepository } from '../src/watch-repository.js';
import { authorisation, authorised } from './fixtures.js';

const CONTEXT = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const RESERVED: Happening = { kind: 'funds-reserved', debtor: { name: 'Fictional Payer', iban: 'NL91ABNA0417164300' } };
const ROW = 'select 1 from payments where payment_id = $1 for update';

/**
 * Both wait for the payment's row, which is held by hand, and go on one after the other. What else is forced, where it is tested: two orders on one
 * payment consent (repository.test.ts), under one recurring consent (limits.repository.test.ts), against the limits of the bank and for the same
 * thing (checks.repository.test.ts), a payment or a standing order in the hands of two nodes (watch.repository.test.ts, standing-orders.service.test.ts).
 */
describe('when two things happen to a payment at once', () => {
  let stored: TestDatabase;
  before(async () => { stored = await testDatabase(new URL('..', import.meta.url)); });
  after(() => stored.drop());

  const held = heldRow(() => stored.url);
  const repository = () => paymentRepository(stored.database, 'payment');
  const watch = () => watchRepository(stored.database, repository());

  async function ordered(decision: Decision = {}): Promise<Payment> {
    const given = authorisation();
    await stored.database.transaction((tx) => repository().authorise(tx, termsOf(authorised(given).data)!));
    const paymentId = newId();
    const started = initiate({
      paymentId, clientId: given.clientId, customerId: given.customerId, consentId: given.consentId, debtorAccountId: given.debtorAccountId,
      amount: { minor: 1250n, currency: 'EUR' }, creditor: given.payment.creditor, endToEndId: 'E2E', uetr: paymentId, createdAt: new Date(),
    }, decision);
    await repository().initiate(started, { key: newId(), hash: requestHash({ paymentId }), context: CONTEXT });
    return started.payment;
  }
  const happen = ({ paymentId }: Payment, happening: Happening) => repository().happen(paymentId, happening, CONTEXT);
  const reported = (status: 'ACSP' | 'ACSC' | 'RJCT'): Happening => ({ kind: 'rail-reported', status });
  /** Both at once: `first` is the first to get the row. @returns the statuses each was told, or the code of its fault */
  async function both(payment: Payment, ...happenings: Happening[]): Promise<unknown[]> {
    const settled = await held(ROW, [payment.paymentId], happenings.map((happening) => () => happen(payment, happening)));
    return settled.map((one) => (one.status === 'fulfilled' ? (one.value as Payment).status : (one.reason as { code?: string }).code));
  }
  const history = async ({ paymentId }: Payment): Promise<string[]> => {
    const found = (await repository().find(paymentId))!;
    expect(found.history.at(-1)?.status, 'the status is the last of the history').to.equal(found.status);
    return found.history.map(({ status }) => status);
  };
  const told = async ({ paymentId }: Payment): Promise<string[]> => (await stored.database.query<{ type: string }>(
    "select type from outbox where event->>'subject' = $1 and type not in ('payment.initiated', 'payment.status-changed') order by position", [paymentId])).map(({ type }) => type);

  // Guard: `for update` in happenIn (src/repository.ts), before the payment is read. Without it the second writes ACCP over ACSP: what the rail said is lost.
  it('what the rail reports is not written over by who looks after the payment (lost update)', async () => {
    const payment = await ordered();
    await happen(payment, RESERVED);
    expect(await both(payment, reported('ACSP'), { kind: 'overdue', most: 5 })).to.deep.equal(['ACSP', 'ACSP']);
    expect(await history(payment)).to.deep.equal(['RCVD', 'ACTC', 'ACCP', 'ACSP']);
  });

  // Guard: the same. Without it both find ACCP and write the next line of the history; only its primary key stops the second, whose report is then late.
  it('two reports of the rail are both heard, each on what the other left', async () => {
    const payment = await ordered();
    await happen(payment, RESERVED);
    expect(await both(payment, reported('ACSP'), reported('ACSC'))).to.deep.equal(['ACSP', 'ACSC']);
    expect(await history(payment)).to.deep.equal(['RCVD', 'ACTC', 'ACCP', 'ACSP', 'ACSC']);
    expect(await told(payment)).to.deep.equal(['payment.submitted', 'payment.settled']);
  });

  // Guard: the same, and that a payment has one end (life.ts). Without the lock both find ACSP, and the primary key of the history is all that stops the second.
  it('of settled and rejected, reported at once, the first is the end and the only one that is told', async () => {
    for (const [first, second] of [['ACSC', 'RJCT'], ['RJCT', 'ACSC']] as const) {
      const payment = await ordered();
      await happen(payment, RESERVED);
      await happen(payment, reported('ACSP'));
      expect(await both(payment, reported(first), reported(second))).to.deep.equal([first, first]);
      expect(await told(payment)).to.deep.equal(['payment.submitted', first === 'ACSC' ? 'payment.settled' : 'payment.rejected']);
    }
  });

  // Guard: the same. Without it both find RCVD, and whichever loses at the primary key of the history is answered with a fault.
  it('a payment is cancelled or submitted, never both', async () => {
    for (const cancelFirst of [true, false]) {
      const payment = await ordered();
      const happenings: Happening[] = cancelFirst ? [{ kind: 'cancel' }, RESERVED] : [RESERVED, { kind: 'cancel' }];
      expect(await both(payment, ...happenings)).to.deep.equal(cancelFirst ? ['CANC', 'CANC'] : ['ACCP', 'ACCP']);
      expect(await told(payment)).to.deep.equal([cancelFirst ? 'payment.cancelled' : 'payment.submitted']);
    }
  });

  describe('a payment whose day has come', () => {
    const due = () => ordered({ dueAt: new Date(Date.now() - 1_000) });
    const DUE: Happening = { kind: 'due' };

    // Guard: `for update skip locked` in releaseDue (src/watch-repository.ts). Without it the watch waits for whoever cancels.
    it('is passed over while somebody cancels it, and does not go afterwards', async () => {
      const payment = await due();
      await stored.database.transaction(async (tx) => {
        await repository().happenIn(tx, payment.paymentId, { kind: 'cancel' }, { context: CONTEXT, emit: () => Promise.resolve() });
        expect(await watch().releaseDue(50, CONTEXT)).to.equal(0);
      });
      expect(await watch().releaseDue(50, CONTEXT)).to.equal(0);
      expect(await history(payment)).to.deep.equal(['RCVD', 'PDNG', 'CANC']);
      expect(await told(payment)).to.deep.equal([]);
    });

    // Guard: `for update` in happenIn. Without it the payment that was cancelled is let go: it stands at PDNG again, payment.due is told and its money moves.
    it('stays cancelled when it is let go at the same moment', async () => {
      const payment = await due();
      expect(await both(payment, { kind: 'cancel' }, DUE)).to.deep.equal(['CANC', 'CANC']);
      expect(await history(payment)).to.deep.equal(['RCVD', 'PDNG', 'CANC']);
      expect(await told(payment)).to.deep.equal(['payment.cancelled']);
    });

    // Guard: the same, seen by the order of what is told: the account holds the funds for payment.due, and gives them back for payment.cancelled.
    it('that was let go a moment before is cancelled still, and told so after payment.due', async () => {
      const payment = await due();
      expect(await both(payment, DUE, { kind: 'cancel' })).to.deep.equal(['PDNG', 'CANC']);
      expect(await told(payment)).to.deep.equal(['payment.due', 'payment.cancelled']);
      expect((await repository().find(payment.paymentId))?.dueAt, 'when it was let go is kept').to.be.above(payment.dueAt!);
    });
  });
});
