/** Payments of every kind as a fintech, its customer and the bank's staff meet them, through the gateway on the running platform. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { canonicalJson } from '@kontor/kernel/idempotency';
import { bankingFintech, dayIn, euro, until, type Banking, type Caller } from './banking.js';

const OUTSIDE = { name: 'Green Grocer', iban: 'DE89370400440532013000' };
const SENDER = { name: 'Example Employer', iban: 'NL91ABNA0417164300' };
/** Below what the fraud check looks at, so that the hour of the day plays no part. */
const LITTLE = euro('12.50');

interface Change { status: string }
const statuses = ({ statusHistory }: { statusHistory: Change[] }): string[] => statusHistory.map(({ status }) => status);

/** The day it is at the bank. */
const bankDay = (): string => new Intl.DateTimeFormat('en-CA', { timeZone: 'Europe/Berlin' }).format(new Date());

describe('payments of every kind', function () {
  this.timeout(60_000);
  let bank: Banking;
  /** The application on a variable recurring consent: any number of payments to one creditor. */
  let paying: Caller;
  let reading: Caller;
  /** Where the fintech stood in the feed before it was down. */
  let cursor = '';
  /** The payment of which the rail had to be asked. */
  let asked = '';
  const pay = async (more: object, on = paying) => (await on('/v1/payments', { json: { debtorAccountId: bank.accountId, amount: LITTLE, creditor: OUTSIDE, ...more }, expect: 201 })).body;
  const bookings = async (query: string, accountId = bank.accountId) => (await reading(`/v1/accounts/${accountId}/transactions?${query}`)).body.data;
  const recurringTo = (creditor: object) => ({
    type: 'variable-recurring',
    recurring: { maximumPerPayment: euro('15000.00'), periodicLimits: [{ maximum: euro('20000.00'), period: 'month', alignment: 'calendar' }], creditor, validUntil: new Date(Date.now() + 30 * 86_400_000).toISOString() },
  });

  before(async () => {
    bank = await bankingFintech();
    reading = await bank.consented('accounts', {
      type: 'account-access', permissions: ['accounts:read', 'balances:read', 'transactions:read'], validUntil: new Date(Date.now() + 30 * 86_400_000).toISOString(),
    }, [bank.accountId, bank.otherAccountId]);
    paying = await bank.consented('payments', recurringTo(OUTSIDE));
    await until('the bonus is on the account', async () => (await bookings('minAmount=20000')).length === 1);
    cursor = await endOfFeed();
  });
  after(() => bank?.close());

  async function endOfFeed(): Promise<string> {
    for (let after = ''; ;) {
      const { body } = await bank.own(`/v1/events?limit=500${after && `&after=${after}`}`);
      if (!body.hasMore) return body.nextCursor;
      after = body.nextCursor;
    }
  }

  it('unusual money is held until two members of the staff have released it', async () => {
    const { paymentId } = await pay({ amount: euro('10500.00') });
    const held = await bank.becomes(paymentId, 'PDNG');
    expect(held.pendingFor).to.equal('review');
    const queue = await bank.staff('/v1/payment-reviews?limit=100');
    expect(queue.body.data.find((one: { paymentId: string }) => one.paymentId === paymentId)?.reasons).to.include.members(['large-amount', 'new-creditor', 'just-opened-account']);
    const release = (staffMember: string, status = 200) => bank.staff(`/v1/payment-reviews/${paymentId}/release`, { json: { staffMember }, expect: status });
    expect((await release('member-1')).body.decision).to.equal('proposed');
    expect((await release('member-1', 403)).body.code).to.equal('four_eyes_required');
    expect((await release('member-2')).body.decision).to.equal('released');
    await bank.becomes(paymentId, 'ACSC');
    await bank.own(`/v1/payment-reviews`, { expect: 403 });
  });

  it('a payment to another bank is settled by the rail; the same order again is refused unless the fintech means it', async () => {
    const { paymentId } = await pay({ remittance: 'Invoice 17' });
    const settled = await bank.becomes(paymentId, 'ACSC');
    expect(statuses(settled)).to.deep.equal(['RCVD', 'ACTC', 'ACCP', 'ACSP', 'ACSC']);
    const again = await paying('/v1/payments', { json: { debtorAccountId: bank.accountId, amount: LITTLE, creditor: OUTSIDE, remittance: 'Invoice 17' }, expect: 409 });
    expect(again.body).to.include({ code: 'duplicate_payment', paymentId });
    await pay({ remittance: 'Invoice 17', allowDuplicate: true });
    const over = await paying('/v1/payments', { json: { debtorAccountId: bank.accountId, amount: euro('15000.01'), creditor: OUTSIDE }, expect: 403 });
    expect(over.body.code).to.equal('consent_limit_exceeded');
  });

  it('a payment to an account of the bank never leaves it: it is with the creditor at once, and no message goes to the rail', async () => {
    const own = await bank.consented('payments', { type: 'payment', payment: { amount: LITTLE, creditor: { name: 'Ada Beispiel', iban: bank.otherIban } } });
    const { paymentId } = await pay({ creditor: { name: 'Ada Beispiel', iban: bank.otherIban } }, own);
    await bank.becomes(paymentId, 'ACCC');
    const [debit] = await bookings('minAmount=12.50&maxAmount=12.50&creditDebitIndicator=DBIT&text=Ada');
    const [credit] = await bookings('minAmount=12.50&maxAmount=12.50&creditDebitIndicator=CRDT', bank.otherAccountId);
    expect([debit?.paymentId, credit?.amount.amount]).to.deep.equal([paymentId, '12.50']);
  });

  it('an instant payment is settled within ten seconds; where the rail says nothing the bank asks until it knows', async () => {
    const [prompt, lost] = [await pay({ instant: true, remittance: 'At once' }), await pay({ instant: true, remittance: 'RAIL LOST' })];
    const settled = await bank.becomes(prompt.paymentId, 'ACSC', 10_000);
    expect(settled).to.include({ instant: true }).and.have.property('acceptedAt');
    const open = await bank.own(`/v1/payments/${lost.paymentId}`);
    expect(open.body.status).to.be.oneOf(['ACCP', 'ACSP']);
    await bank.becomes(lost.paymentId, 'ACSC', 30_000);
    asked = lost.paymentId;
  });

  it('a payment for another day waits, holds no money, and can be cancelled', async () => {
    const available = async () => (await reading(`/v1/accounts/${bank.accountId}/balances`)).body.balances[1].amount.amount;
    const before = await available();
    const { paymentId } = await pay({ requestedExecutionDate: dayIn(14), remittance: 'In a fortnight' });
    const waiting = await bank.becomes(paymentId, 'PDNG');
    expect(waiting).to.include({ kind: 'scheduled', pendingFor: 'execution-date', requestedExecutionDate: dayIn(14) }).and.have.property('dueAt');
    expect(await available()).to.equal(before);
    const cancelled = await bank.own(`/v1/payments/${paymentId}`, { method: 'DELETE' });
    expect(cancelled.body.status).to.equal('CANC');
    const past = await paying('/v1/payments', { json: { debtorAccountId: bank.accountId, amount: LITTLE, creditor: OUTSIDE, requestedExecutionDate: dayIn(-2) }, expect: 422 });
    expect(past.body.detail).to.include('requestedExecutionDate');
  });

  it('a payment that the creditor\'s bank sends back stands on the payment and on the account', async () => {
    const { paymentId } = await pay({ amount: euro('13.13'), remittance: 'RAIL RETURN AC04' });
    const returned = await until('the money is back', async () => (await bank.own(`/v1/payments/${paymentId}`)).body.returns?.[0]);
    expect(returned).to.deep.include({ amount: euro('13.13'), reason: 'AC04' });
    expect((await bank.own(`/v1/payments/${paymentId}`)).body.status).to.equal('ACSC');
    const both = await bookings('minAmount=13.13&maxAmount=13.13');
    expect(both.map((one: { creditDebitIndicator: string }) => one.creditDebitIndicator)).to.deep.equal(['CRDT', 'DBIT']);
  });

  it('a payment is asked back: the creditor agrees and the money comes, or does not and it stays', async () => {
    const askedBack = async (amount: string, remittance: string) => {
      const { paymentId } = await pay({ amount: euro(amount), remittance });
      await bank.becomes(paymentId, 'ACSC');
      expect((await bank.own(`/v1/payments/${paymentId}/recall`, { json: { reason: 'DUPL' }, expect: 201 })).body.status).to.equal('requested');
      return until('the recall is answered', async () => {
        const { body } = await bank.own(`/v1/payments/${paymentId}`);
        return body.recall.status === 'requested' || (body.recall.status === 'accepted' && !body.returns) ? undefined : body;
      });
    };
    const agreed = await askedBack('14.14', 'Paid twice');
    expect([agreed.recall.status, agreed.returns[0].amount.amount]).to.deep.equal(['accepted', '14.14']);
    const refused = await askedBack('15.15', 'RAIL RECALL CUST');
    expect([refused.recall.status, refused.recall.answerReason, refused.returns]).to.deep.equal(['refused', 'CUST', undefined]);
  });

  it('a standing order pays under the recurring consent on each of its days until it is cancelled', async () => {
    const firstDate = bankDay();
    const { standingOrderId, nextDates } = (await paying('/v1/standing-orders', {
      json: { debtorAccountId: bank.accountId, amount: euro('16.16'), creditor: OUTSIDE, remittance: 'Savings plan', schedule: { frequency: 'monthly', firstDate, count: 3 } }, expect: 201,
    })).body;
    expect(nextDates[0] >= firstDate, 'on the day, or the next business day').to.equal(true);
    const read = async () => (await bank.own(`/v1/standing-orders/${standingOrderId}`)).body;
    if (nextDates[0] === firstDate) {
      const { paymentId } = await until('the first payment is made', async () => (await read()).executions?.find((one: { paymentId?: string }) => one.paymentId));
      expect(await bank.becomes(paymentId, 'ACSC')).to.include({ kind: 'standing-order', standingOrderId });
    }
    expect((await bank.own(`/v1/standing-orders/${standingOrderId}`, { method: 'DELETE' })).body.status).to.equal('cancelled');
    expect(await read()).to.deep.include({ status: 'cancelled', nextDates: [] });
  });

  it('a received transfer is paid back to whom it came from, and never more than came', async () => {
    const salary = (await bookings('creditDebitIndicator=CRDT&text=Salary'))[0];
    const refunding = await bank.consented('payments', recurringTo(SENDER));
    const { paymentId } = await pay({ amount: euro('20.00'), creditor: SENDER, refundOf: salary.transactionId }, refunding);
    expect((await bank.becomes(paymentId, 'ACSC')).kind).to.equal('refund');
    const tooMuch = await pay({ amount: euro('1490.00'), creditor: SENDER, refundOf: salary.transactionId }, refunding);
    const refused = await bank.becomes(tooMuch.paymentId, 'RJCT');
    expect(refused.statusReason).to.equal('AM09');
  });

  it('somebody wants a transfer back: the staff accept, and it leaves the account; or refuse, and it stays', async () => {
    const recalled = async (): Promise<string> => {
      const { body: { messageId, endToEndId } } = await bank.sandbox('/sandbox/incoming-payments', { json: { creditorIban: bank.otherIban, amount: euro('33.00'), debtor: SENDER, remittance: 'Twice' }, expect: 202 });
      await until('the transfer is booked', async () => (await bookings(`text=${endToEndId}`, bank.otherAccountId)).length === 1);
      await bank.sandbox('/sandbox/recalls', { json: { messageId, reason: 'DUPL' }, expect: 202 });
      return until('the recall is open', async () => (await bank.staff('/v1/recalls?status=open&limit=100')).body.data.find((one: { endToEndId: string }) => one.endToEndId === endToEndId)?.recallId);
    };
    const accepted = await bank.staff(`/v1/recalls/${await recalled()}/accept`, { json: { staffMember: 'member-1' } });
    expect(accepted.body.status).to.equal('accepted');
    const refused = await bank.staff(`/v1/recalls/${await recalled()}/refuse`, { json: { staffMember: 'member-1', reason: 'CUST' } });
    expect(refused.body.status).to.equal('refused');
    const [gone] = await bookings('minAmount=33.00&maxAmount=33.00&creditDebitIndicator=DBIT', bank.otherAccountId);
    expect(gone?.counterparty?.iban).to.equal(SENDER.iban);
    expect(await bookings('minAmount=33.00&maxAmount=33.00&creditDebitIndicator=DBIT', bank.otherAccountId)).to.have.length(1);
  });

  it('a bulk is what the customer approved; what is wrong with one payment refuses that one', async () => {
    const body = {
      debtorAccountId: bank.accountId, reference: 'PAYROLL-1',
      payments: [
        { endToEndId: 'PAY-1', amount: euro('10.00'), creditor: OUTSIDE }, { endToEndId: 'PAY-2', amount: euro('11.00'), creditor: { name: 'Nobody', iban: 'DE88370400440532013000' } },
        { endToEndId: 'PAY-3', amount: euro('12.00'), creditor: { name: 'Ada Beispiel', iban: bank.otherIban } },
      ],
    };
    const digest = createHash('sha256').update(canonicalJson(body)).digest('base64url');
    const paysMany = await bank.consented('payments', { type: 'bulk-payment', bulk: { transactions: 3, total: euro('33.00'), digest } });
    const other = await paysMany('/v1/bulk-payments', { json: { ...body, reference: 'PAYROLL-2' }, expect: 403 });
    expect(other.body.code).to.match(/^consent_/);
    const { bulkPaymentId, ...taken } = (await paysMany('/v1/bulk-payments', { json: body, expect: 201 })).body;
    expect(taken.transactions).to.include({ all: 3, refused: 1 });
    await until('the bulk has ended', async () => (await bank.own(`/v1/bulk-payments/${bulkPaymentId}`)).body.completedAt);
    const items = (await bank.own(`/v1/bulk-payments/${bulkPaymentId}/payments`)).body.data as { status: string; refusal?: { reason: string; path: string } }[];
    expect(items.map(({ status }) => status)).to.deep.equal(['ACSC', 'RJCT', 'ACCC']);
    expect(items[1]?.refusal).to.include({ reason: 'AC01', path: '/payments/1/creditor/iban' });
  });

  it('a pain.001 file is taken as the customer approved it, and reported by pain.002', async () => {
    const xml = pain001(bank.iban, bankDay());
    const digest = createHash('sha256').update(xml).digest('base64url');
    const paysFile = await bank.consented('payments', { type: 'bulk-payment', bulk: { transactions: 2, total: euro('14.00'), digest } });
    const cutOff = await paysFile('/v1/bulk-payments/files', { xml: xml.slice(0, -40), expect: 400 });
    expect(cutOff.body).to.include({ code: 'invalid_message' }).and.have.property('line');
    const { bulkPaymentId } = (await paysFile('/v1/bulk-payments/files', { xml, expect: 201 })).body;
    await until('the file has ended', async () => (await bank.own(`/v1/bulk-payments/${bulkPaymentId}`)).body.status === 'ACSC');
    const report = await bank.own(`/v1/bulk-payments/${bulkPaymentId}/status-report`, { headers: { accept: 'application/xml' } });
    expect(report.body).to.include('urn:iso:std:iso:20022:tech:xsd:pain.002.001.10').and.to.include('<OrgnlMsgId>SALARIES-1</OrgnlMsgId>').and.to.include('<OrgnlEndToEndId>FILE-2</OrgnlEndToEndId>');
  });

  it('a fintech that was down reads from its cursor on what it missed, each payment in its order, and there are no dead letters', async () => {
    const missed: { eventId: string; type: string; data: { paymentId?: string; status?: string; sequence?: number } }[] = [];
    for (let after = cursor, more = true; more;) {
      const { body } = await bank.own(`/v1/events?limit=50&after=${after}`);
      missed.push(...body.data);
      [after, more] = [body.nextCursor, body.hasMore];
    }
    const types = new Set(missed.map(({ type }) => type));
    expect([...types]).to.include.members(['payment.initiated', 'payment.settled', 'payment.rejected', 'payment.cancelled', 'payment.investigation-requested', 'payment.returned', 'payment.recall-requested', 'payment.recall-answered', 'standing-order.created', 'standing-order.cancelled', 'account.recall-received', 'account.recall-answered', 'bulk-payment.received', 'bulk-payment.completed']);
    expect(new Set(missed.map(({ eventId }) => eventId)).size).to.equal(missed.length);
    expect(missed.some(({ type, data }) => type === 'payment.investigation-requested' && data.paymentId === asked)).to.equal(true);
    const numbers = new Map<string, number[]>();
    for (const { type, data } of missed) if (type === 'payment.status-changed') numbers.set(data.paymentId!, [...(numbers.get(data.paymentId!) ?? []), data.sequence!]);
    expect(numbers.size).to.be.greaterThan(8);
    for (const [paymentId, sequence] of numbers) expect(sequence, paymentId).to.deep.equal(sequence.map((_, place) => place + 1));
    const { stdout } = await promisify(execFile)(process.execPath, ['scripts/dead-letters.mjs', 'list'], { timeout: 30_000 });
    expect(stdout).to.match(/no dead letters/i);
  });
});

/** A file of two payments from one account. */
function pain001(debtorIban: string, date: string): string {
  const transfer = (endToEndId: string, amount: string): string => `<CdtTrfTxInf><PmtId><EndToEndId>${endToEndId}</EndToEndId></PmtId><Amt><InstdAmt Ccy="EUR">${amount}</InstdAmt></Amt>`
    + `<Cdtr><Nm>${OUTSIDE.name}</Nm></Cdtr><CdtrAcct><Id><IBAN>${OUTSIDE.iban}</IBAN></Id></CdtrAcct></CdtTrfTxInf>`;
  return '<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>'
    + `<GrpHdr><MsgId>SALARIES-1</MsgId><CreDtTm>${new Date().toISOString()}</CreDtTm><NbOfTxs>2</NbOfTxs><CtrlSum>14.00</CtrlSum><InitgPty><Nm>Fictional Payroll Ltd</Nm></InitgPty></GrpHdr>`
    + `<PmtInf><PmtInfId>B-1</PmtInfId><PmtMtd>TRF</PmtMtd><NbOfTxs>2</NbOfTxs><CtrlSum>14.00</CtrlSum><ReqdExctnDt><Dt>${date}</Dt></ReqdExctnDt><Dbtr><Nm>Fictional Payroll Ltd</Nm></Dbtr>`
    + `<DbtrAcct><Id><IBAN>${debtorIban}</IBAN></Id></DbtrAcct><DbtrAgt><FinInstnId/></DbtrAgt>${transfer('FILE-1', '6.00')}${transfer('FILE-2', '8.00')}</PmtInf></CstmrCdtTrfInitn></Document>\n`;
}
