import { expect } from 'chai';
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { newEvent, type AnyEvent, type Event } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { testService, type TestService } from '@kontor/testing/service';
import { readStatusReports, writeStatusReports } from '../src/pacs002.js';
import { writeCreditTransfers } from '../src/pacs008.js';
import { options } from '../src/main.js';
import { TAKEN } from '../src/consequences.js';
import { railIdOf } from '../src/payment-rail.js';
import { railClient } from '../src/rail-client.js';
import { loadSchemas, openMessage } from '@kontor/kernel/iso20022';
import { startRailSimulator, type RailSimulator } from '../simulator/simulator.js';
import { BIC, CONTEXT, CREDITOR, DEBTOR, deliverXml, SECRET, submitted, temporaryFolder } from './fixtures.js';

/** Asks until `check` gives something, at most `withinMs`. */
async function until<T>(what: string, check: () => Promise<T | undefined> | T | undefined, withinMs = 8_000): Promise<T> {
  for (const deadline = Date.now() + withinMs; Date.now() < deadline; await pause(20)) {
    const found = await check();
    if (found !== undefined) return found;
  }
  throw new Error(`not within ${withinMs} ms: ${what}`);
}

const env = (railUrl: string) => ({ RAIL_URL: railUrl, RAIL_SHARED_SECRET: SECRET, BANK_BIC: BIC, RAIL_TIMEOUT_MS: '500' });

describe('the adapter and the simulated rail, on real sockets', () => {
  const folder = temporaryFolder();
  let rail: RailSimulator;
  let adapter: TestService;

  before(async () => {
    // The rail has to know the adapter's address and the other way round: a relay in between knows both.
    const toAdapter = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
        void fetch(new URL('/inbound', adapter.url), { method: 'POST', body: Buffer.concat(chunks), headers: request.headers as Record<string, string> })
          .then((answer) => response.writeHead(answer.status).end(), () => response.writeHead(502).end());
      });
    });
    relay = await listening(toAdapter);
    rail = await startRailSimulator({ host: '127.0.0.1', port: 0, file: folder.path('rail.jsonl'), seed: 'test', secret: SECRET, bankBic: BIC, inboundUrl: `${addressOf(relay)}/inbound` });
    adapter = await testService(options, env(rail.url));
  });
  after(async () => {
    await adapter.stop();
    await rail.stop();
    relay.close();
    folder.remove();
  });
  let relay: Server;

  const reports = async (paymentId: string) => (await adapter.events())
    .filter((event): event is Event<'rail.payment-status-reported'> & AnyEvent => event.type === 'rail.payment-status-reported' && event.subject === paymentId);
  const settled = (paymentId: string, end: string) => until(`${end} for the payment`, async () => {
    const found = await reports(paymentId);
    return found.some(({ data }) => data.status === end) ? found : undefined;
  });

  it('settle a payment: ACTC, ACSP, ACSC come back as events with ids that a repetition repeats', async () => {
    const event = submitted();
    await adapter.deliver(event);
    const found = await settled(event.subject, 'ACSC');
    expect(found.map(({ data }) => data.status)).to.have.members(['ACTC', 'ACSP', 'ACSC']);
    expect(new Set(found.map(({ id }) => id)).size).to.equal(3);
    expect(found[0]?.correlationid).to.equal('test');
    expect(found[0]?.traceparent.split('-')[1]).to.equal(CONTEXT.traceparent.split('-')[1]);
  });

  it('make one payment of an event that is delivered three times', async () => {
    const event = submitted();
    await Promise.all([adapter.deliver(event), adapter.deliver(event), adapter.deliver(event)]);
    await settled(event.subject, 'ACSC');
    await pause(150);
    expect(await reports(event.subject)).to.have.length(3);
  });

  it('pass on the reason of a refusal', async () => {
    const event = submitted({ amount: '666.04' });
    await adapter.deliver(event);
    const found = await settled(event.subject, 'RJCT');
    expect(found.find(({ data }) => data.status === 'RJCT')?.data.reason).to.equal('AC04');
  });

  it('repeat a report under the same event id when the rail repeats itself', async () => {
    const event = submitted({ remittance: 'RAIL DUPLICATE' });
    await adapter.deliver(event);
    const found = await until('nine reports', async () => ((await reports(event.subject)).length === 9 ? reports(event.subject) : undefined));
    expect(new Set(found.map(({ id }) => id)).size).to.equal(3);
  });

  it('survive an answer that is no XML: it is refused and the true ones arrive', async () => {
    const event = submitted({ remittance: 'RAIL MALFORMED' });
    await adapter.deliver(event);
    expect(await settled(event.subject, 'ACSC')).to.have.length(3);
  });

  it('reject a payment the rail can never take', async () => {
    const event = submitted({ debtorName: 'x'.repeat(200) });
    await adapter.deliver(event);
    const [report] = await settled(event.subject, 'RJCT');
    expect(report?.data).to.include({ status: 'RJCT', reason: 'FF01' });
  });

  describe('incoming payments', () => {
    const simulate = (key: string, named: object = {}) => adapter.request('POST', '/sandbox/incoming-payments', {
      op: 'simulateIncomingPayment', caller: { clientId: 'fintech-a' }, headers: { 'idempotency-key': key },
      body: { creditorIban: CREDITOR.iban, amount: { amount: '1500.00', currency: 'EUR' }, debtor: DEBTOR, remittance: 'Salary March', ...named },
    });
    const received = async (messageId: string) => (await adapter.events())
      .filter((event): event is Event<'rail.credit-transfer-received'> & AnyEvent => event.type === 'rail.credit-transfer-received' && event.data.messageId === messageId);
    const outcome = async (messageId: string) => (await fetch(new URL(`/simulate/credit-transfers/${messageId}`, rail.url))).json() as Promise<{ status: string; reason?: string }>;

    it('come in as an event; what the account says goes back to the rail', async () => {
      const { status, body } = await simulate('salary-1');
      expect(status).to.equal(202);
      const [event] = await until('the transfer', async () => ((await received(body.messageId)).length > 0 ? received(body.messageId) : undefined));
      expect(event?.data).to.deep.include({ creditorIban: CREDITOR.iban, debtor: DEBTOR, amount: { amount: '1500.00', currency: 'EUR' }, endToEndId: body.endToEndId, remittance: 'Salary March' });
      expect(await outcome(body.messageId)).to.include({ status: 'pending' });
      const { railReference } = event!.data;
      await adapter.deliver(newEvent('account.credited', {
        subject: newId(), source: 'account', context: CONTEXT,
        data: { accountId: newId(), customerId: newId(), clientId: 'fintech-a', transactionId: newId(), amount: event!.data.amount, endToEndId: body.endToEndId, railReference },
      }));
      expect(await outcome(body.messageId)).to.include({ status: 'ACSC' });
    });

    it('are refused to the rail with the reason of the account', async () => {
      const { body } = await simulate('salary-2');
      const [event] = await until('the transfer', async () => ((await received(body.messageId)).length > 0 ? received(body.messageId) : undefined));
      const refusal = newEvent('account.credit-refused', { subject: 'x', source: 'account', context: CONTEXT, data: { railReference: event!.data.railReference, messageId: body.messageId, reason: 'AC04' } });
      await Promise.all([adapter.deliver(refusal), adapter.deliver(refusal)]);
      expect(await outcome(body.messageId)).to.include({ status: 'RJCT', reason: 'AC04' });
    });

    it('are sent once for one key; another transfer under the same key is refused', async () => {
      const answers = [await simulate('salary-3'), await simulate('salary-3')];
      expect(new Set(answers.map(({ body }) => body.messageId)).size).to.equal(1);
      await pause(200);
      expect(await received(answers[0]!.body.messageId)).to.have.length(1);
      const other = await simulate('salary-3', { remittance: 'Bonus' });
      expect(other).to.deep.include({ status: 422 }).and.have.nested.property('body.code', 'idempotency_mismatch');
    });

    it('are not sent with a wrong IBAN or an amount of zero', async () => {
      expect((await simulate('k1', { creditorIban: 'DE88370400440532013000' })).body.code).to.equal('invalid_iban');
      expect((await simulate('k2', { amount: { amount: '0.00', currency: 'EUR' } })).body.code).to.equal('invalid_amount');
    });
  });

  describe('what is delivered to the adapter', () => {
    const report = (paymentId = newId()) => writeStatusReports({ messageId: railIdOf(newId()), createdAt: '2026-03-02T09:30:00Z', reports: [{ originalMessageId: railIdOf(paymentId), reference: { kind: 'tx', id: railIdOf(paymentId) }, status: 'ACSC' }] });
    const refused = async (delivery: Promise<{ status: number; body: string; type: string }>, status: number) => {
      const before = (await adapter.events()).length;
      const answer = await delivery;
      expect(answer.status, answer.body).to.equal(status);
      expect(answer.type).to.match(/^application\/problem\+json/);
      expect(await adapter.events()).to.have.length(before);
    };

    it('is refused unsigned, signed by another, changed on the way, or played again after five minutes (401)', async () => {
      const xml = report();
      const now = Math.floor(Date.now() / 1000);
      await refused(deliverXml(adapter.url, xml, { signature: '' }), 401);
      await refused(deliverXml(adapter.url, xml, { secret: 'another secret of the tests' }), 401);
      await refused(deliverXml(adapter.url, xml, { at: now - 301 }), 401);
      await refused(deliverXml(adapter.url, xml, { signature: `t=${now},v1=${'0'.repeat(64)}` }), 401);
      expect((await deliverXml(adapter.url, xml)).status).to.equal(202);
    });

    it('is refused when it is no XML, has a document type, or is too large', async () => {
      await refused(deliverXml(adapter.url, '{"not": "xml"}'), 400);
      await refused(deliverXml(adapter.url, report().replace('<Document', '<!DOCTYPE Document [<!ENTITY a SYSTEM "file:///etc/hostname">]><Document')), 400);
      await refused(deliverXml(adapter.url, report(), { type: 'application/json' }), 415);
      await refused(deliverXml(adapter.url, `${report()}${' '.repeat(8_400_000)}`), 413);
    });

    it('is taken for each transaction of a batch; one that can never be booked is refused to the rail, the rest become events', async () => {
      const transfers = [0, 1, 2].map((n) => ({ transactionId: `BATCH-${n}`, endToEndId: `E-${n}`, amount: { amount: '10.00', currency: 'EUR' }, debtor: DEBTOR, creditor: n === 1 ? { ...CREDITOR, iban: 'DE88370400440532013000' } : CREDITOR }));
      const messageId = railIdOf(newId());
      const xml = writeCreditTransfers({ messageId, createdAt: '2026-03-02T09:30:00Z', transfers }, { creditorAgent: BIC });
      expect((await deliverXml(adapter.url, xml)).status).to.equal(202);
      const found = (await adapter.events()).filter((event) => event.type === 'rail.credit-transfer-received' && event.data.messageId === messageId);
      expect(found.map(({ data }) => (data as { endToEndId: string }).endToEndId)).to.deep.equal(['E-0', 'E-2']);
      const told = await fetch(new URL(`/simulate/credit-transfers/${messageId}`, rail.url));
      expect(await told.json()).to.include({ status: 'RJCT', reason: 'AC01' });
      expect((await deliverXml(adapter.url, xml)).status, 'the same message again').to.equal(202);
      const again = (await adapter.events()).filter((event) => event.type === 'rail.credit-transfer-received' && event.data.messageId === messageId);
      expect(new Set(again.map(({ id }) => id)).size).to.equal(2);
    });

    it('becomes nothing, but is taken, when it is about no payment of ours', async () => {
      const before = (await adapter.events()).length;
      const xml = writeStatusReports({ messageId: 'FOREIGN', createdAt: '2026-03-02T09:30:00Z', reports: [{ reference: { kind: 'tx', id: 'NOT-OURS' }, status: 'ACSC' }] });
      expect((await deliverXml(adapter.url, xml)).status).to.equal(202);
      expect(await adapter.events()).to.have.length(before);
    });
  });
});

describe('a rail in trouble', () => {
  it('is asked again a bounded number of times, then the event waits (Transient), and nothing is told', async () => {
    let asked = 0;
    const broken = await listening(createServer((_request, response) => { asked += 1; response.writeHead(503).end(); }));
    const adapter = await testService(options, env(addressOf(broken)));
    const fault = await adapter.deliver(submitted()).catch((error: Error) => error);
    expect(fault).to.have.property('name', 'Transient');
    expect(asked).to.equal(4);
    expect(await adapter.events()).to.deep.equal([]);
    await adapter.stop();
    broken.close();
  });

  it('that hangs is given up after the time-out', async () => {
    const hanging = await listening(createServer(() => undefined));
    const client = railClient({ url: addressOf(hanging), secret: SECRET, timeoutMs: 50 });
    const started = Date.now();
    const fault = await client.send('<Document/>', CONTEXT).catch((error: Error) => error);
    expect(fault).to.have.property('name', 'Transient');
    expect(Date.now() - started).to.be.lessThan(3_000);
    hanging.closeAllConnections();
    hanging.close();
  });
});

describe('the simulated rail as a process', () => {
  const folder = temporaryFolder();
  const children = new Set<ChildProcess>();
  after(() => {
    for (const child of children) child.kill('SIGKILL');
    folder.remove();
  });

  async function start(inboundUrl: string): Promise<{ url: string; child: ChildProcess }> {
    const main = fileURLToPath(new URL('../simulator/main.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', main], {
      env: { PORT: '0', RAIL_INBOUND_URL: inboundUrl, RAIL_SHARED_SECRET: SECRET, BANK_BIC: BIC, STATE_FILE: folder.path('rail.jsonl') }, stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.add(child);
    const url = await new Promise<string>((resolve) => child.stdout?.once('data', (line: Buffer) => resolve((JSON.parse(line.toString()) as { url: string }).url)));
    return { url, child };
  }

  it('forgets nothing it acknowledged when it is killed, and delivers it after the restart, once', async () => {
    const heard: string[] = [];
    let open = false;
    const schemas = loadSchemas(undefined);
    const bank = await listening(createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
        if (!open) return void response.writeHead(503).end();
        for (const report of readStatusReports(openMessage(Buffer.concat(chunks), schemas, TAKEN).content).reports) heard.push(`${report.originalMessageId} ${report.status}`);
        response.writeHead(202).end();
      });
    }));
    const inboundUrl = `${addressOf(bank)}/inbound`;
    const xml = (paymentId: string, amount = '12.50') => writeCreditTransfers({
      messageId: railIdOf(paymentId), createdAt: '2026-03-02T09:30:00Z',
      transfers: [{ transactionId: railIdOf(paymentId), endToEndId: 'E', amount: { amount, currency: 'EUR' }, debtor: DEBTOR, creditor: CREDITOR }],
    }, { debtorAgent: BIC });

    const first = await start(inboundUrl);
    const before = railClient({ url: first.url, secret: SECRET, timeoutMs: 2_000 });
    const ids = Array.from({ length: 25 }, () => newId());
    const acknowledged: string[] = [];
    const sending = ids.map((id) => before.send(xml(id), CONTEXT).then(() => acknowledged.push(id), () => undefined));
    await until('ten acknowledgements', () => (acknowledged.length >= 10 ? true : undefined));
    first.child.kill('SIGKILL');
    await Promise.all(sending);
    expect(acknowledged.length).to.be.at.least(10);

    const second = await start(inboundUrl);
    const again = railClient({ url: second.url, secret: SECRET, timeoutMs: 2_000 });
    expect(await again.send(xml(acknowledged[0]!), CONTEXT)).to.equal('accepted');
    expect(await again.send(xml(acknowledged[0]!, '99.00'), CONTEXT), 'the same MsgId for another payment').to.equal('differs');
    open = true;
    const expected = acknowledged.flatMap((id) => ['ACTC', 'ACSP', 'ACSC'].map((status) => `${railIdOf(id)} ${status}`));
    await until('every report', () => (expected.every((line) => heard.includes(line)) ? true : undefined));
    await pause(200);
    for (const line of expected) expect(heard.filter((entry) => entry === line), line).to.have.length(1);
    second.child.kill('SIGTERM');
    await new Promise((resolve) => second.child.once('exit', resolve));
    expect(second.child.exitCode).to.equal(0);
    bank.close();
  });
});

async function listening(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
