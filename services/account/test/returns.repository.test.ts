import { expect } from 'chai';
import { newId } from '@kontor/kernel/ids';
import { Problem } from '@kontor/kernel/problem';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';
import { heldRow } from '@kontor/testing/held-row';
import type { PaymentReturned } from '../src/returns-repository.js';
import { returnsRepository } from '../src/returns-repository.js';
import { context, eur, ledgerFixture, NOW } from './ledger-fixture.js';

const root = new URL('..', import.meta.url);

describe('money that goes back, in the ledger', () => {
  let stored: TestDatabase;
  let ledger: ReturnType<typeof ledgerFixture>;
  let returns: ReturnType<typeof returnsRepository>;
  const held = heldRow(() => stored.url);
  before(async () => {
    stored = await testDatabase(root);
    ledger = ledgerFixture(stored.database);
    returns = returnsRepository(stored.database);
  });
  after(() => stored.drop());
  afterEach('the books are sound', async () => expect(await ledger.accounts.invariantBreaks()).to.deep.equal([]));

  const funded = async (minor: number) => {
    const account = await ledger.open();
    await ledger.credit(account.iban, eur(minor));
    return account;
  };
  /** A payment that has left the bank. */
  const paid = async (minor: number) => {
    const { accountId } = await funded(minor);
    const paymentId = newId();
    await ledger.reserve(paymentId, accountId, eur(minor));
    await ledger.capture(paymentId, accountId, eur(minor));
    return { accountId, paymentId };
  };
  const back = (paymentId: string | null, minor: number, railReference = newId()): Promise<PaymentReturned> =>
    ledger.inTx((tx) => returns.bookReturn({ railReference, paymentId, amount: eur(minor), reason: 'AC04', endToEndId: 'E2E', now: NOW }, tx));
  const received = async (minor: number) => {
    const account = await ledger.open();
    const railReference = `M/tx/${newId()}`;
    const credited = await ledger.credit(account.iban, eur(minor), railReference);
    if (credited.outcome !== 'credited') throw new Error(credited.outcome);
    return { ...account, railReference, transactionId: credited.transactionId };
  };
  const sendBack = (transactionId: string, minor: number, key = newId()) => returns.returnTransfer(
    { key: key.slice(0, 36), clientId: 'back-office', body: { minor }, transactionId, amount: eur(minor), reason: 'MS02', by: 'back-office/staff-17', now: NOW, context },
    (id) => ({ status: 201, body: { id } }));
  const recall = async (originalReference: string, minor: number) => {
    const opened = await ledger.inTx((tx) => returns.openCase({ railReference: newId(), originalReference, endToEndId: 'E2E', amount: eur(minor), reason: 'DUPL', now: NOW }, tx));
    if (!opened) throw new Error('no case');
    return opened.recallId;
  };
  const accept = (recallId: string) => returns.accept({ recallId, by: 'back-office/staff-17', now: NOW, context });
  const refuse = (recallId: string) => returns.refuse({ recallId, reason: 'CUST', by: 'back-office/staff-18', now: NOW, context });
  const codeOf = (running: Promise<unknown>): Promise<unknown> => running.then(() => 'done', (fault: unknown) => (fault instanceof Problem ? fault.code : fault));
  const outcomes = (settled: PromiseSettledResult<unknown>[]) => settled.map((one) => (one.status === 'fulfilled' ? 'done' : (one.reason as Problem).code));

  describe('a return of a payment', () => {
    it('is on the debtor\'s account once, however often it is told, and up to what was paid', async () => {
      const { accountId, paymentId } = await paid(10_00);
      expect((await back(paymentId, 4_00, 'r-1')).outcome).to.equal('returned');
      expect((await back(paymentId, 4_00, 'r-1')).outcome).to.equal('repeated');
      expect((await back(paymentId, 6_00)).outcome).to.equal('returned');
      expect(await ledger.balanceOf(accountId)).to.deep.equal([10_00n, 0n]);
    });
    it('that is more than was paid, of an unknown payment or of none lies in suspense with a break, and is not lost', async () => {
      const before = await ledger.internal('suspense:EUR');
      const { accountId, paymentId } = await paid(10_00);
      expect(await back(paymentId, 10_01)).to.include({ outcome: 'suspense', fault: 'more-than-paid' });
      expect(await back(newId(), 3_00)).to.include({ outcome: 'suspense', fault: 'unknown-payment' });
      const nameless = await back(null, 2_00);
      expect(nameless).to.include({ outcome: 'suspense', fault: 'unknown-payment' });
      expect(await ledger.balanceOf(accountId)).to.deep.equal([0n, 0n]);
      expect(await ledger.internal('suspense:EUR') - before).to.equal(15_01n);
      const [row] = await stored.database.query<{ reason: string; amount: string }>(
        'select reason, amount_minor::text as amount from reconciliation_breaks where break_id = $1', [(nameless as { breakId: string }).breakId]);
      expect(row).to.deep.equal({ reason: 'return-unknown-payment', amount: '200' });
    });
    it('of a payment that stayed in the bank, or to an account that is closed, lies in suspense', async () => {
      const [{ accountId }, { iban }] = [await funded(5_00), await ledger.open()];
      const onUs = newId();
      await ledger.reserve(onUs, accountId, eur(5_00), iban);
      await ledger.capture(onUs, accountId, eur(5_00));
      expect(await back(onUs, 5_00)).to.include({ fault: 'unknown-payment' });
      const gone = await paid(5_00);
      await stored.database.query(`update accounts set status = 'closed' where account_id = $1`, [gone.accountId]);
      expect(await back(gone.paymentId, 5_00)).to.include({ fault: 'account-closed' });
    });
    it('that came before its payment was heard to have settled moves to the debtor when it is, and its break ends', async () => {
      const { accountId } = await funded(10_00);
      const paymentId = newId();
      const before = await ledger.internal('suspense:EUR');
      const early = await back(paymentId, 4_00) as { breakId: string };
      await ledger.reserve(paymentId, accountId, eur(10_00));
      expect(await ledger.inTx((tx) => returns.settleEarly(paymentId, NOW, tx)), 'not settled yet').to.deep.equal([]);
      await ledger.capture(paymentId, accountId, eur(10_00));
      const settled = await ledger.inTx((tx) => returns.settleEarly(paymentId, NOW, tx));
      expect(settled).to.have.length(1);
      expect(settled[0]).to.deep.include({ accountId, amount: eur(4_00), reason: 'AC04', breakId: early.breakId });
      expect(await ledger.inTx((tx) => returns.settleEarly(paymentId, NOW, tx))).to.deep.equal([]);
      expect(await ledger.balanceOf(accountId)).to.deep.equal([4_00n, 0n]);
      expect(await ledger.internal('suspense:EUR')).to.equal(before);
      const [row] = await stored.database.query<{ status: string; resolution: string }>('select status, resolution from reconciliation_breaks where break_id = $1', [early.breakId]);
      expect(row).to.deep.equal({ status: 'resolved', resolution: 'matched' });
      expect((await back(paymentId, 7_00) as { fault: string }).fault, 'the early one counts').to.equal('more-than-paid');
    });
    // The guard is `for update` on the hold in book_payment_return; without it both returns see none before them and both are booked.
    it('cannot pass what was paid when two come at once: one is booked, the other lies in suspense', async () => {
      const { accountId, paymentId } = await paid(10_00);
      const results = await held('select 1 from holds where payment_id = $1 for update', [paymentId], [() => back(paymentId, 8_00), () => back(paymentId, 8_00)]);
      expect(results.map((one) => (one.status === 'fulfilled' ? (one.value as PaymentReturned).outcome : one.reason))).to.have.members(['returned', 'suspense']);
      expect((await ledger.balanceOf(accountId))[0]).to.equal(8_00n);
    });
  });

  describe('a received transfer that is sent back', () => {
    it('debits the account, whole or in parts, never more in sum than came, once for its key', async () => {
      const { accountId, transactionId } = await received(10_00);
      const [first, again] = [await sendBack(transactionId, 4_00, 'key-1'), await sendBack(transactionId, 4_00, 'key-1')];
      expect(again.body).to.deep.equal(first.body);
      expect(await codeOf(sendBack(transactionId, 6_01))).to.equal('unprocessable');
      await sendBack(transactionId, 6_00);
      expect(await ledger.balanceOf(accountId)).to.deep.equal([0n, 0n]);
      expect(await codeOf(sendBack(transactionId, 1))).to.equal('unprocessable');
    });
    it('is refused when the money is gone or held, when there is no such transfer, and when it was reversed', async () => {
      const { accountId, transactionId } = await received(10_00);
      await ledger.reserve(newId(), accountId, eur(3_00));
      expect(await codeOf(sendBack(transactionId, 7_01))).to.equal('invalid_state');
      expect(await codeOf(sendBack(newId(), 1_00))).to.equal('transaction_not_found');
      const other = await received(5_00);
      await ledger.administration.reverse({ transactionId: other.transactionId, reason: 'Booked twice', by: 'back-office/staff-17', now: NOW, context });
      expect(await codeOf(sendBack(other.transactionId, 5_00))).to.equal('transaction_not_found');
    });
    it('cannot be reversed as well, nor the booking that sent it back', async () => {
      const { transactionId } = await received(10_00);
      const { body } = await sendBack(transactionId, 4_00);
      const reverse = async (id: string) => (await ledger.administration.reverse({ transactionId: id, reason: 'Booked twice', by: 'back-office/staff-17', now: NOW, context })).outcome;
      expect([await reverse(transactionId), await reverse((body as { id: string }).id)]).to.deep.equal(['sent_back', 'sent_back']);
    });
    it('counts what its receiver refunds, and a refund counts what was sent back', async () => {
      const { accountId, transactionId } = await received(10_00);
      const refund = await ledger.reserve(newId(), accountId, eur(6_00), 'NL02ABNA0123456789', transactionId);
      expect(refund.outcome).to.equal('reserved');
      expect(await codeOf(sendBack(transactionId, 4_01))).to.equal('unprocessable');
      await sendBack(transactionId, 3_00);
      expect(await ledger.reserve(newId(), accountId, eur(1_01), 'NL02ABNA0123456789', transactionId)).to.include({ outcome: 'refused', reason: 'AM09' });
    });
    // The guard is lock_balances before refunded_minor in return_credit; without it both see nothing sent back and 12.00 of 10.00 go.
    it('is not sent back twice when two of the staff do it at once', async () => {
      const { accountId, iban, transactionId } = await received(10_00);
      await ledger.credit(iban, eur(10_00));
      const results = await held('select 1 from ledger_balances where ledger_account_id = $1 for update', [accountId], [() => sendBack(transactionId, 6_00), () => sendBack(transactionId, 6_00)]);
      expect(outcomes(results)).to.have.members(['done', 'unprocessable']);
      expect((await ledger.balanceOf(accountId))[0]).to.equal(14_00n);
    });
    // The guard is the lock of the balance in refuse_reversal_of_returned; without it the reversal does not see the return it waits behind.
    it('is not reversed while it is being sent back', async () => {
      const { accountId, iban, transactionId } = await received(10_00);
      await ledger.credit(iban, eur(10_00));
      const reversal = () => ledger.administration.reverse({ transactionId, reason: 'Booked twice', by: 'back-office/staff-17', now: NOW, context });
      const [sent, reversed] = await held('select 1 from ledger_balances where ledger_account_id = $1 for update', [accountId], [() => sendBack(transactionId, 6_00), reversal]);
      expect(sent?.status).to.equal('fulfilled');
      expect((reversed as PromiseFulfilledResult<{ outcome: string }>).value.outcome).to.equal('sent_back');
      expect((await ledger.balanceOf(accountId))[0]).to.equal(14_00n);
    });
  });

  describe('a recall of a received transfer', () => {
    it('is one case however often it is told, and knows its transfer once that has been heard of', async () => {
      const account = await ledger.open();
      const originalReference = `M/tx/${newId()}`;
      const asked = { railReference: newId(), originalReference, endToEndId: 'E2E', amount: eur(5_00), reason: 'DUPL', now: NOW };
      const opened = await ledger.inTx((tx) => returns.openCase(asked, tx));
      expect(await ledger.inTx((tx) => returns.openCase(asked, tx))).to.equal(undefined);
      expect(opened).to.include({ status: 'open', transactionId: null, account: null });
      expect(await codeOf(accept(opened!.recallId)), 'nothing to send back yet').to.equal('invalid_state');
      await ledger.credit(account.iban, eur(5_00), originalReference);
      expect((await returns.recall(opened!.recallId)).account).to.include({ accountId: account.accountId });
      expect((await accept(opened!.recallId)).status).to.equal('accepted');
    });
    it('accepted debits the account once; refused leaves it; what is decided stays decided', async () => {
      const { accountId, railReference } = await received(10_00);
      const recallId = await recall(railReference, 10_00);
      const [first, again] = [await accept(recallId), await accept(recallId)];
      expect(first).to.include({ status: 'accepted', decidedBy: 'back-office/staff-17' });
      expect(again).to.deep.equal(first);
      expect(await ledger.balanceOf(accountId)).to.deep.equal([0n, 0n]);
      expect(await codeOf(refuse(recallId))).to.equal('invalid_state');
      const other = await received(10_00);
      const refused = await recall(other.railReference, 10_00);
      expect(await refuse(refused)).to.include({ status: 'refused', decisionReason: 'CUST', returnTransactionId: null });
      expect(await codeOf(accept(refused))).to.equal('invalid_state');
      expect((await ledger.balanceOf(other.accountId))[0]).to.equal(10_00n);
    });
    it('is not accepted when the account no longer has the money, and stays open', async () => {
      const { accountId, railReference } = await received(10_00);
      await ledger.reserve(newId(), accountId, eur(1));
      const recallId = await recall(railReference, 10_00);
      expect(await codeOf(accept(recallId))).to.equal('invalid_state');
      expect((await returns.recall(recallId)).status).to.equal('open');
      expect((await ledger.balanceOf(accountId))[0]).to.equal(10_00n);
    });
    // The guard is `for update` on the recall in lockedRecall; without it one is accepted and refused, and the rail gets two answers.
    it('is decided once when two of the staff decide at once', async () => {
      const { accountId, railReference } = await received(10_00);
      const recallId = await recall(railReference, 10_00);
      const results = await held('select 1 from recalls where recall_id = $1 for update', [recallId], [() => accept(recallId), () => refuse(recallId)]);
      expect(outcomes(results)).to.deep.equal(['done', 'invalid_state']);
      const told = await stored.database.query(`select 1 from outbox where type = 'account.recall-answered' and event::text like $1`, [`%${recallId}%`]);
      expect(told).to.have.length(1);
      expect((await ledger.balanceOf(accountId))[0]).to.equal(0n);
    });
  });
});
