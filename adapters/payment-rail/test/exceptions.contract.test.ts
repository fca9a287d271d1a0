import { expect } from 'chai';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { newEvent, type AnyEvent, type EventType } from '@kontor/kernel/events';
import { derivedId, newId } from '@kontor/kernel/ids';
import { testService, type TestService } from '@kontor/testing/service';
import { options } from '../src/main.js';
import { railIdOf, railReference } from '../src/payment-rail.js';
import { sign, SIGNATURE_HEADER } from '../src/signature.js';
import { startRailSimulator, type RailSimulator } from '../simulator/simulator.js';
import { BIC, CONTEXT, CREDITOR, DEBTOR, SECRET, submitted, temporaryFolder } from './fixtures.js';

const SCHEMAS = fileURLToPath(new URL('../../../../shared/reference/iso20022/xsd/', import.meta.url));
type Found<T extends EventType> = Extract<AnyEvent, { type: T }>;

describe('exceptions of payments: the adapter and the simulated rail', () => {
  const folder = temporaryFolder();
  let rail: RailSimulator;
  let adapter: TestService;
  let relay: Server;
  /** Makes the way to the adapter break, as when it is being restarted. */
  let down = false;

  before(async () => {
    relay = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
        if (down) return void response.writeHead(502).end();
        void fetch(new URL('/inbound', adapter.url), { method: 'POST', body: Buffer.concat(chunks), headers: request.headers as Record<string, string> })
          .then((answer) => response.writeHead(answer.status).end(), () => response.writeHead(502).end());
      });
    });
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
    const inboundUrl = `http://127.0.0.1:${(relay.address() as AddressInfo).port}/inbound`;
    rail = await startRailSimulator({ host: '127.0.0.1', port: 0, file: folder.path('rail.jsonl'), seed: 'test', secret: SECRET, bankBic: BIC, inboundUrl });
    // Every message is held against its schema both ways, where the schemas are on this machine.
    const schemas: Record<string, string> = existsSync(SCHEMAS) ? { ISO20022_XSD_DIR: SCHEMAS } : {};
    adapter = await testService(options, { RAIL_URL: rail.url, RAIL_SHARED_SECRET: SECRET, BANK_BIC: BIC, RAIL_TIMEOUT_MS: '500', ...schemas });
  });
  after(async () => {
    await adapter.stop();
    await rail.stop();
    relay.close();
    folder.remove();
  });

  const heard = async <T extends EventType>(type: T, about: string): Promise<Found<T>[]> =>
    (await adapter.events()).filter((event): event is Found<T> => event.type === type && JSON.stringify([event.subject, event.data]).includes(about));
  const first = async <T extends EventType>(type: T, about: string, wanted: (event: Found<T>) => boolean = () => true): Promise<Found<T>> => {
    for (const deadline = Date.now() + 8_000; Date.now() < deadline; await pause(20)) {
      const found = (await heard(type, about)).find(wanted);
      if (found) return found;
    }
    throw new Error(`no ${type} about ${about}`);
  };
  const ended = (paymentId: string, status: string) => first('rail.payment-status-reported', paymentId, ({ data }) => data.status === status);
  const pay = async (named: Parameters<typeof submitted>[0] = {}): Promise<string> => {
    const event = submitted(named);
    await adapter.deliver(event);
    return event.data.paymentId;
  };
  const asked = (paymentId: string, attempt = 1) => newEvent('payment.investigation-requested', {
    subject: paymentId, source: 'payment', context: CONTEXT,
    data: { paymentId, clientId: 'fintech-a', customerId: newId(), endToEndId: 'INV-4711', uetr: '7a562c67-ca16-48ba-b074-65581be6f011', attempt },
  });
  const recallOf = (paymentId: string, amount = '12.50') => newEvent('payment.recall-requested', {
    subject: paymentId, source: 'payment', context: CONTEXT,
    data: {
      recallId: newId(), paymentId, clientId: 'fintech-a', customerId: newId(), amount: { amount, currency: 'EUR' }, debtor: DEBTOR, creditor: CREDITOR,
      endToEndId: 'INV-4711', uetr: '7a562c67-ca16-48ba-b074-65581be6f011', reason: 'DUPL',
    },
  });
  const order = async (what: string, body: object): Promise<number> => {
    const text = JSON.stringify(body);
    const headers = { 'content-type': 'application/json', [SIGNATURE_HEADER]: sign(text, SECRET, Math.floor(Date.now() / 1000)) };
    return (await fetch(new URL(`/simulate/${what}`, rail.url), { method: 'POST', body: text, headers })).status;
  };
  const sandbox = (op: string, path: string, key: string, body: object) =>
    adapter.request('POST', path, { op, caller: { clientId: 'fintech-a' }, headers: { 'idempotency-key': key }, body });
  /** A transfer into the bank, as the adapter told it. */
  const incoming = async (key: string, amount = '100.00') => {
    const { body } = await sandbox('simulateIncomingPayment', '/sandbox/incoming-payments', key, { creditorIban: CREDITOR.iban, amount: { amount, currency: 'EUR' }, debtor: DEBTOR });
    const { messageId } = body as { messageId: string };
    return { messageId, event: await first('rail.credit-transfer-received', messageId) };
  };
  const answeredBy = async (messageId: string) => (await fetch(new URL(`/simulate/recalls/${messageId}`, rail.url))).json() as Promise<{ status: string; reason?: string }>;

  describe('a payment that is submitted again', () => {
    it('by another event is the same message, and is settled once', async () => {
      const event = submitted();
      const acceptedAt = new Date().toISOString();
      await adapter.deliver({ ...event, data: { ...event.data, acceptedAt } });
      await ended(event.data.paymentId, 'ACSC');
      await adapter.deliver({ ...event, id: newId(), time: new Date(Date.now() + 300_000).toISOString(), data: { ...event.data, acceptedAt } });
      await pause(150);
      expect((await heard('rail.payment-status-reported', event.data.paymentId)).map(({ data }) => data.status)).to.deep.equal(['ACTC', 'ACSP', 'ACSC']);
    });
    it('and differs is never rejected on a guess: the rail is asked, and its answer is what happened', async () => {
      const event = submitted({ remittance: 'RAIL LOST' });
      await adapter.deliver(event);
      await ended(event.data.paymentId, 'ACTC');
      await pause(120);
      await adapter.deliver({ ...event, id: newId(), time: new Date(Date.now() + 300_000).toISOString() });
      await ended(event.data.paymentId, 'ACSC');
      expect((await heard('rail.payment-status-reported', event.data.paymentId)).some(({ data }) => data.status === 'RJCT')).to.equal(false);
    });
  });

  describe('an instant payment', () => {
    it('is settled within its ten seconds, and rejected by the rail when it comes after them', async () => {
      const event = submitted();
      const instant = { ...event, data: { ...event.data, instant: true, acceptedAt: new Date().toISOString() } };
      await adapter.deliver(instant);
      await ended(event.data.paymentId, 'ACSC');
      const late = submitted();
      await adapter.deliver({ ...late, data: { ...late.data, instant: true, acceptedAt: new Date(Date.now() - 10_500).toISOString() } });
      expect((await ended(late.data.paymentId, 'RJCT')).data.reason).to.equal('TM01');
    });
  });

  describe('a question about a payment (pacs.028)', () => {
    it('is answered with what really happened, where the answer had been lost', async () => {
      const paymentId = await pay({ remittance: 'RAIL LOST' });
      await ended(paymentId, 'ACTC');
      await pause(150);
      expect((await heard('rail.payment-status-reported', paymentId)).map(({ data }) => data.status)).to.deep.equal(['ACTC']);
      await adapter.deliver(asked(paymentId));
      await ended(paymentId, 'ACSC');
    });
    it('brings the end of a payment nothing was said about', async () => {
      const paymentId = await pay({ remittance: 'RAIL SILENCE' });
      await pause(120);
      expect(await heard('rail.payment-status-reported', paymentId)).to.deep.equal([]);
      await adapter.deliver(asked(paymentId));
      await ended(paymentId, 'ACSC');
    });
    it('about a payment that never reached the rail is answered RJCT, and the payment that comes late is not executed', async () => {
      const event = submitted();
      await adapter.deliver(asked(event.data.paymentId));
      expect((await ended(event.data.paymentId, 'RJCT')).data.reason).to.equal('AG09');
      await adapter.deliver(event);
      await pause(200);
      expect((await heard('rail.payment-status-reported', event.data.paymentId)).every(({ data }) => data.status === 'RJCT')).to.equal(true);
    });
    it('is asked once for an event however often it is delivered; a mute rail answers none', async () => {
      const paymentId = await pay({ remittance: 'RAIL SILENCE' });
      await pause(120);
      const question = asked(paymentId);
      await Promise.all([adapter.deliver(question), adapter.deliver(question)]);
      await ended(paymentId, 'ACSC');
      await pause(100);
      expect(await heard('rail.payment-status-reported', paymentId)).to.have.length(1);
      const mute = await pay({ remittance: 'RAIL MUTE' });
      await adapter.deliver(asked(mute, 1));
      await adapter.deliver(asked(mute, 2));
      await pause(150);
      expect(await heard('rail.payment-status-reported', mute)).to.deep.equal([]);
    });
  });

  describe('a return (pacs.004)', () => {
    it('of a settled payment becomes an event that names the payment, amount and reason', async () => {
      const paymentId = await pay({ remittance: 'RAIL RETURN AC06' });
      await ended(paymentId, 'ACSC');
      const { data } = await first('rail.payment-returned', paymentId);
      expect(data).to.deep.include({ paymentId, amount: { amount: '12.50', currency: 'EUR' }, reason: 'AC06', endToEndId: 'INV-4711' });
    });
    it('is sent on order, in parts, each once for its key; not for a payment that is unknown or was rejected', async () => {
      const paymentId = await pay();
      await ended(paymentId, 'ACSC');
      const back = (key: string, amount: string, id = paymentId) => sandbox('simulatePaymentReturn', '/sandbox/payment-returns', key, { paymentId: id, amount: { amount, currency: 'EUR' }, reason: 'MD06' });
      expect((await back('r-1', '5.00')).status).to.equal(202);
      expect((await back('r-1', '5.00')).status).to.equal(202);
      expect((await back('r-1', '6.00')).body.code).to.equal('idempotency_mismatch');
      expect((await back('r-2', '7.50')).status).to.equal(202);
      await first('rail.payment-returned', paymentId, ({ data }) => data.amount.amount === '7.50');
      await pause(100);
      expect((await heard('rail.payment-returned', paymentId)).map(({ data }) => data.amount.amount).sort()).to.deep.equal(['5.00', '7.50']);
      expect((await back('r-3', '1.00', newId())).body.code).to.equal('payment_not_found');
      const rejected = await pay({ amount: '666.04' });
      await ended(rejected, 'RJCT');
      expect((await back('r-4', '1.00', rejected)).body.code).to.equal('invalid_state');
      expect((await back('r-5', '0.00')).body.code).to.equal('invalid_amount');
    });
    it('of a received credit goes to the rail once, and the rail refuses more than there was', async () => {
      const { event } = await incoming('give-back');
      const { railReference, endToEndId } = event.data;
      const returned = (amount: string) => newEvent('account.credit-returned', {
        subject: newId(), source: 'account', context: CONTEXT,
        data: { accountId: newId(), customerId: newId(), clientId: 'fintech-a', transactionId: newId(), railReference, amount: { amount, currency: 'EUR' }, endToEndId, reason: 'MS02' },
      });
      const whole = returned('100.00');
      await adapter.deliver(whole);
      await adapter.deliver(whole);
      // The answer names no payment, so nothing is told about one.
      await pause(150);
      expect(await heard('rail.payment-status-reported', whole.data.transactionId)).to.deep.equal([]);
    });
    it('pays a refund: the rail settles the pacs.004 under the payment\'s id, and rejects one that is more than the transfer', async () => {
      const { event } = await incoming('to-be-refunded', '80.00');
      const { railReference, endToEndId, amount } = event.data;
      const refund = async (amountText: string): Promise<string> => {
        const payment = submitted({ amount: amountText });
        await adapter.deliver({ ...payment, data: { ...payment.data, original: { railReference, endToEndId, amount, reason: 'CUST' } } });
        return payment.data.paymentId;
      };
      await ended(await refund('30.00'), 'ACSC');
      expect((await ended(await refund('50.01'), 'RJCT')).data.reason).to.equal('AM09');
      await ended(await refund('50.00'), 'ACSC');
    });
  });

  describe('our recall of a payment (camt.056)', () => {
    it('is accepted: the answer finds the recall, and the money comes back', async () => {
      const paymentId = await pay();
      await ended(paymentId, 'ACSC');
      const recall = recallOf(paymentId);
      await Promise.all([adapter.deliver(recall), adapter.deliver(recall)]);
      const { data } = await first('rail.recall-answered', recall.data.recallId);
      expect(data).to.deep.include({ recallId: recall.data.recallId, paymentId, outcome: 'accepted' });
      expect((await first('rail.payment-returned', paymentId)).data).to.deep.include({ amount: { amount: '12.50', currency: 'EUR' }, reason: 'FOCR' });
      await pause(150);
      expect(await heard('rail.recall-answered', recall.data.recallId)).to.have.length(1);
      const again = recallOf(paymentId);
      await adapter.deliver(again);
      expect((await first('rail.recall-answered', again.data.recallId)).data).to.include({ outcome: 'refused', reason: 'ARDT' });
    });
    it('is refused with the reason of the creditor\'s bank, and refused where the rail never saw the payment', async () => {
      const paymentId = await pay({ remittance: 'RAIL RECALL LEGL' });
      await ended(paymentId, 'ACSC');
      const recall = recallOf(paymentId);
      await adapter.deliver(recall);
      expect((await first('rail.recall-answered', recall.data.recallId)).data).to.include({ outcome: 'refused', reason: 'LEGL' });
      const unknown = recallOf(newId());
      await adapter.deliver(unknown);
      expect((await first('rail.recall-answered', unknown.data.recallId)).data).to.include({ outcome: 'refused', reason: 'NOOR' });
    });
    it('of a payment under way stops it: RJCT instead of settlement, no money moves', async () => {
      const paymentId = await pay({ remittance: 'RAIL DELAY 700' });
      await ended(paymentId, 'ACTC');
      const recall = recallOf(paymentId);
      await adapter.deliver(recall);
      expect((await ended(paymentId, 'RJCT')).data.reason).to.equal('CUST');
      expect((await first('rail.recall-answered', recall.data.recallId)).data.outcome).to.equal('accepted');
      await pause(900);
      expect((await heard('rail.payment-status-reported', paymentId)).map(({ data }) => data.status)).to.not.include('ACSC');
      expect(await heard('rail.payment-returned', paymentId)).to.deep.equal([]);
    });
  });

  describe('a recall of a received transfer (camt.056)', () => {
    const answered = (recallReference: string, outcome: 'accepted' | 'refused', reason?: string) => newEvent('account.recall-answered', {
      subject: newId(), source: 'account', context: CONTEXT, data: { recallId: newId(), recallReference, outcome, ...(reason === undefined ? {} : { reason }) },
    });
    it('names the transfer as it was named when it came; our answer finds its case at the rail', async () => {
      const { messageId, event } = await incoming('mistake');
      const { status, body } = await sandbox('simulateRecall', '/sandbox/recalls', 'want-it-back', { messageId, reason: 'DUPL' });
      expect(status).to.equal(202);
      const { data } = await first('rail.recall-received', messageId);
      expect(data).to.deep.include({ originalReference: event.data.railReference, amount: event.data.amount, reason: 'DUPL', endToEndId: event.data.endToEndId });
      expect(await answeredBy(body.messageId as string)).to.include({ status: 'pending' });
      await adapter.deliver(answered(data.railReference, 'refused', 'CUST'));
      expect(await answeredBy(body.messageId as string)).to.deep.include({ status: 'refused', reason: 'CUST' });
      expect((await sandbox('simulateRecall', '/sandbox/recalls', 'other', { messageId: 'f'.repeat(32) })).body.code).to.equal('transaction_not_found');
    });
    it('is told once under one event id though the adapter was away when it first came', async () => {
      const { messageId } = await incoming('mistake-2');
      down = true;
      const { body } = await sandbox('simulateRecall', '/sandbox/recalls', 'down-and-back', { messageId });
      await pause(250);
      expect(await heard('rail.recall-received', body.messageId as string)).to.deep.equal([]);
      down = false;
      const { data } = await first('rail.recall-received', body.messageId as string);
      await adapter.deliver(answered(data.railReference, 'accepted'));
      expect(await answeredBy(body.messageId as string)).to.include({ status: 'accepted' });
    });
  });

  describe('a statement of the settlement account', () => {
    const today = () => new Date().toISOString().slice(0, 10);
    it('shows what was settled, adds up, and is told under the same ids when it is delivered again', async () => {
      const marked = submitted();
      await adapter.deliver({ ...marked, data: { ...marked.data, endToEndId: 'ON-THE-STATEMENT', amount: { amount: '41.00', currency: 'EUR' } } });
      await ended(marked.data.paymentId, 'ACSC');
      const messageId = railIdOf(derivedId('statement-1'));
      expect(await order('statements', { messageId, date: today() })).to.equal(202);
      expect(await order('statements', { messageId, date: today() }), 'again').to.equal(202);
      const { data } = await first('rail.statement-received', messageId);
      expect(data).to.include({ source: 'rail', message: 'camt.053', currency: 'EUR', part: 1 });
      const entry = data.entries.find(({ transactions }) => transactions.some(({ endToEndId }) => endToEndId === 'ON-THE-STATEMENT'));
      expect(entry).to.deep.include({ amount: { amount: '41.00', currency: 'EUR' }, creditDebit: 'DBIT', status: 'BOOK' });
      expect(entry?.transactions[0]?.transactionId).to.equal(railIdOf(marked.data.paymentId));
      const signed = (amount: string, side: string) => Number(amount) * (side === 'CRDT' ? 1 : -1);
      const sum = data.entries.reduce((total, { amount, creditDebit }) => total + signed(amount.amount, creditDebit), signed(data.opening!.amount.amount, data.opening!.creditDebit));
      expect(sum.toFixed(2)).to.equal(signed(data.closing!.amount.amount, data.closing!.creditDebit).toFixed(2));
    });
    it('leaves out, alters and adds entries when it is told to, as a camt.054 too', async () => {
      for (const endToEndId of ['LEFT-OUT', 'ALTERED']) {
        const event = submitted();
        await adapter.deliver({ ...event, data: { ...event.data, endToEndId } });
        await ended(event.data.paymentId, 'ACSC');
      }
      const messageId = railIdOf(derivedId('statement-2'));
      await order('statements', {
        messageId, message: 'camt.054', date: today(), omit: ['LEFT-OUT'], alter: [{ endToEndId: 'ALTERED', amount: '12.49' }], add: [{ endToEndId: 'INVENTED', amount: '3.00', creditDebit: 'CRDT' }],
      });
      const { data } = await first('rail.statement-received', messageId);
      const amounts = Object.fromEntries(data.entries.map(({ amount, transactions }) => [transactions[0]?.endToEndId, amount.amount]));
      expect(data.message).to.equal('camt.054');
      expect(amounts).to.not.have.property('LEFT-OUT');
      expect(amounts).to.include({ ALTERED: '12.49', INVENTED: '3.00' });
    });
  });

  it('references of transfers are what the account service books them under', async () => {
    const { messageId, event } = await incoming('reference');
    expect(event.data.railReference).to.equal(railReference(messageId, { kind: 'tx', id: messageId }));
  });
});
