/** Bulks of payments over HTTP: taken whole or not at all, made one by one, reported. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import fc from 'fast-check';
import pg from 'pg';
import { namespaceOf, loadSchemas, openMessage } from '@kontor/kernel/iso20022';
import { canonicalJson } from '@kontor/kernel/idempotency';
import { newEvent, type EventData } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { testService, type TestAnswer, type TestService } from '@kontor/testing/service';
import { eventually } from '@kontor/testing/wait';
import { paymentOf } from '../src/bulk.js';
import { bulkRepository, type BulkRepository } from '../src/bulk-repository.js';
import { options } from '../src/main.js';
import { paymentRepository } from '../src/repository.js';
import { bulkCaller, bulkState, digestOf, file, fileParts, germanIban, payer, type FileBatch, type Payer } from './bulk-fixtures.js';
import { consentNews, refused, reported, reserved } from './fixtures.js';

const context = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const euro = (amount: string) => ({ amount, currency: 'EUR' });
/** The first business day far enough away for any cut-off. */
const FUTURE = new Date(Date.now() + 40 * 86_400_000).toISOString().slice(0, 10);
const TODAY = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);

describe('bulks of payments', function () {
  this.timeout(120_000);
  let service: TestService;
  let bulks: BulkRepository;
  before(async () => {
    service = await testService(options);
    bulks = bulkRepository(service.database, paymentRepository(service.database, 'payment'));
  });
  after(() => service.stop());

  async function known(bulk: NonNullable<EventData<'consent.authorised'>['bulk']>, given: Payer = payer(), more: string[] = []): Promise<Payer> {
    await service.deliver(newEvent('account.opened', { source: 'account', subject: given.accountId, context, data: { accountId: given.accountId, customerId: given.customerId, clientId: given.clientId, iban: given.iban, currency: 'EUR', product: 'current', holderName: 'Fictional Payer' } }));
    await service.deliver(consentNews('consent.authorised', bulkState(given, bulk, more)));
    return given;
  }
  const send = (given: Payer, body: unknown, key = newId(), more: string[] = []): Promise<TestAnswer> => service.request('POST', '/v1/bulk-payments', { op: 'initiateBulkPayment', caller: bulkCaller(given, more), headers: { 'idempotency-key': key }, body });
  const sendFile = (given: Payer, body: string, key = newId(), more: string[] = []): Promise<TestAnswer> =>
    service.request('POST', '/v1/bulk-payments/files', { op: 'initiateBulkPaymentFile', caller: bulkCaller(given, more), headers: { 'idempotency-key': key, 'content-type': 'application/xml' }, body });
  const readAs = (op: string, path: string, caller: object = { clientId: 'fintech-a' }, headers: Record<string, string> = {}): Promise<TestAnswer> => service.request('GET', `/v1/bulk-payments/${path}`, { op, caller, headers });
  const items = async (id: string): Promise<Record<string, unknown>[]> => (await readAs('listBulkPaymentItems', `${id}/payments?limit=100`)).body.data;
  const told = async (subject: string): Promise<string[]> => (await service.events()).filter((event) => event.subject === subject).map(({ type }) => type);
  const counts = async (): Promise<string> => {
    const [row] = await service.database.query<{ n: string }>(`select concat_ws('/', (select count(*) from bulk_payments), (select count(*) from bulk_batches), (select count(*) from bulk_items), (select count(*) from idempotency_keys), (select count(*) from outbox where type like 'bulk%')) as n`);
    return row!.n;
  };
  const item = (n: number, named: object = {}) => ({ endToEndId: `E-${n}`, amount: euro('10.00'), creditor: { name: 'Ada Beispiel', iban: germanIban(n) }, ...named });
  const released = (id: string, many: number): Promise<string[]> => eventually('the payments are made', async () => {
    const ids = (await service.database.query<{ payment_id: string }>('select payment_id from bulk_items where bulk_payment_id = $1 and payment_id is not null order by item', [id])).map((row) => row.payment_id);
    return ids.length === many ? ids : undefined;
  });
  const settle = async (paymentId: string, accountId: string): Promise<void> => {
    await service.deliver(reserved(paymentId, accountId));
    await service.deliver(reported(paymentId, 'ACSC'));
  };

  const make = (most: number): Promise<number> => bulks.release(most, ({ item: _item, context: _context, uetr = randomUUID(), ...one }) => paymentOf({ ...one, uetr, paymentId: newId(), createdAt: new Date() }));

  describe('as JSON', () => {
    it('are taken in parts: what is wrong is refused with its reason, the others become payments of their own', async () => {
      const given = await known({ transactions: 3, total: euro('30.00') });
      const { status, body, headers } = await send(given, { debtorAccountId: given.accountId, reference: 'PAYROLL-1', payments: [item(1), item(2, { creditor: { name: 'Ada', iban: 'DE00' } }), item(3)] });
      expect(status, JSON.stringify(body)).to.equal(201);
      expect(body).to.deep.include({ status: 'PART', messageId: 'PAYROLL-1', total: euro('30.00'), transactions: { all: 3, refused: 1, cancelled: 0, rejected: 0, settled: 0, open: 2 } });
      expect(headers['location']).to.equal(`/v1/bulk-payments/${body.bulkPaymentId}`);
      const ids = await released(body.bulkPaymentId, 2);
      const listed = await items(body.bulkPaymentId);
      expect(listed.map((one) => [one['status'], (one['refusal'] as { reason?: string } | undefined)?.reason])).to.deep.equal([['RCVD', undefined], ['RJCT', 'AC01'], ['RCVD', undefined]]);
      expect((listed[1]!['refusal'] as { path: string }).path).to.equal('/payments/1/creditor/iban');
      expect(await told(body.bulkPaymentId)).to.deep.equal(['bulk-payment.received']);
      const initiated = (await service.events()).filter(({ type, subject }) => type === 'payment.initiated' && ids.includes(subject));
      expect(initiated.map(({ data }) => (data as EventData<'payment.initiated'>).bulkPaymentId)).to.deep.equal([body.bulkPaymentId, body.bulkPaymentId]);
    });

    it('end when their last payment has ended, told once', async () => {
      const given = await known({ transactions: 3, total: euro('30.00') });
      const { body } = await send(given, { debtorAccountId: given.accountId, payments: [item(1), item(2), item(3)] });
      const [one, two, three] = (await released(body.bulkPaymentId, 3)) as [string, string, string];
      await settle(one, given.accountId);
      await service.deliver(refused(two, given.accountId, 'AM04'));
      expect((await readAs('getBulkPayment', body.bulkPaymentId)).body).to.deep.include({ status: 'PART', transactions: { all: 3, refused: 0, cancelled: 0, rejected: 1, settled: 1, open: 1 } }).and.not.have.property('completedAt');
      await settle(three, given.accountId);
      await service.deliver(reported(three, 'ACCC'));
      await service.deliver(reported(three, 'ACSC'));
      expect((await readAs('getBulkPayment', body.bulkPaymentId)).body).to.include({ status: 'PART' }).and.have.property('completedAt');
      expect(await told(body.bulkPaymentId)).to.deep.equal(['bulk-payment.received', 'bulk-payment.completed']);
      const completed = (await service.events()).find(({ type, subject }) => type === 'bulk-payment.completed' && subject === body.bulkPaymentId)!;
      expect(completed.data).to.include({ status: 'PART', settled: 2, refused: 1 });
    });

    it('end once although the last two payments end at the same instant (the guard: the row of the bulk, updated in the transaction of each end)', async () => {
      const given = await known({ transactions: 2, total: euro('20.00') });
      const { body } = await send(given, { debtorAccountId: given.accountId, payments: [item(1), item(2)] });
      const ids = await released(body.bulkPaymentId, 2);
      for (const id of ids) await service.deliver(reserved(id, given.accountId));
      // Both ends have counted nothing yet when they meet at the row held here; a count read beforehand would be 2 for each, and nobody would tell.
      const held = new pg.Client({ connectionString: service.database.url });
      await held.connect();
      await held.query('begin');
      await held.query('select 1 from bulk_payments where bulk_payment_id = $1 for update', [body.bulkPaymentId]);
      const ends = ids.map((id) => service.deliver(reported(id, 'ACSC')));
      await eventually('both wait', async () => (await service.database.query(`select 1 as one from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%bulk_payments set open%'`)).length === 2);
      await held.query('commit');
      await held.end();
      await Promise.all(ends);
      expect((await told(body.bulkPaymentId)).filter((type) => type === 'bulk-payment.completed')).to.have.length(1);
      expect((await readAs('getBulkPayment', body.bulkPaymentId)).body).to.deep.include({ status: 'ACSC', transactions: { all: 2, refused: 0, cancelled: 0, rejected: 0, settled: 2, open: 0 } });
    });

    it('of which nothing is right end at once: RJCT, told as received and completed', async () => {
      const given = await known({ transactions: 1, total: euro('10.00') });
      const { body } = await send(given, { debtorAccountId: given.accountId, payments: [item(1, { creditor: { name: 'Ada', iban: 'DE00' } })] });
      expect(body).to.include({ status: 'RJCT' }).and.have.property('completedAt');
      expect(await told(body.bulkPaymentId)).to.deep.equal(['bulk-payment.received', 'bulk-payment.completed']);
    });

    it('are answered again for the same key and body, and refused for another body', async () => {
      const given = await known({ transactions: 1, total: euro('10.00') });
      const body = { debtorAccountId: given.accountId, payments: [item(1)] };
      const first = await send(given, body, 'bulk-key');
      const again = await send(given, body, 'bulk-key');
      expect([again.status, again.body.bulkPaymentId, again.headers['idempotency-replayed']]).to.deep.equal([201, first.body.bulkPaymentId, 'true']);
      expect((await send(given, { ...body, reference: 'X' }, 'bulk-key')).body.code).to.equal('idempotency_mismatch');
      expect((await send(given, body)).body.code).to.equal('consent_consumed');
    });

    const cases: [string, (given: Payer) => object, string, number][] = [
      ['another number', (given) => ({ debtorAccountId: given.accountId, payments: [item(1, { amount: euro('20.00') })] }), 'consent_permission_missing', 403],
      ['another total', (given) => ({ debtorAccountId: given.accountId, payments: [item(1), item(2, { amount: euro('10.01') })] }), 'consent_permission_missing', 403],
      ['another currency', (given) => ({ debtorAccountId: given.accountId, payments: [item(1), item(2)].map((one) => ({ ...one, amount: { amount: '10.00', currency: 'USD' } })) }), 'consent_permission_missing', 403],
      ['an account the customer did not choose', () => ({ debtorAccountId: newId(), payments: [item(1), item(2)] }), 'consent_account_not_covered', 403],
      ['a date that is over', (given) => ({ debtorAccountId: given.accountId, requestedExecutionDate: '2020-01-01', payments: [item(1), item(2)] }), 'unprocessable', 422],
      ['nothing in it', (given) => ({ debtorAccountId: given.accountId, payments: [] }), 'invalid_request', 400],
      ['10,001 payments', (given) => ({ debtorAccountId: given.accountId, payments: Array.from({ length: 10_001 }, (_, n) => item(n)) }), 'invalid_request', 400],
      ['an amount that is a number', (given) => ({ debtorAccountId: given.accountId, payments: [item(1, { amount: { amount: 10, currency: 'EUR' } }), item(2)] }), 'invalid_request', 400],
    ];
    for (const [what, body, code, status] of cases) {
      it(`are refused, and nothing is written, with ${what}`, async () => {
        const given = await known({ transactions: 2, total: euro('20.00') });
        const before = await counts();
        const answer = await send(given, body(given));
        expect([answer.status, answer.body.code], JSON.stringify(answer.body).slice(0, 300)).to.deep.equal([status, code]);
        expect(await counts()).to.equal(before);
      });
    }
    it('are refused on a consent to something else, of somebody else, or at its end', async () => {
      const given = payer();
      await service.deliver(consentNews('consent.authorised', { ...bulkState(given, { transactions: 1, total: euro('10.00') }), consentType: 'payment', bulk: undefined, payment: { amount: euro('10.00'), creditor: { name: 'Ada', iban: germanIban(1) } } } as EventData<'consent.authorised'>));
      expect((await send(given, { debtorAccountId: given.accountId, payments: [item(1)] })).body.code).to.equal('consent_permission_missing');
      const other = await known({ transactions: 1, total: euro('10.00') });
      expect((await send({ ...other, clientId: 'fintech-b' }, { debtorAccountId: other.accountId, payments: [item(1)] })).body.code).to.equal('consent_not_active');
      await service.deliver(consentNews('consent.revoked', bulkState(other, { transactions: 1, total: euro('10.00') })));
      expect((await send(other, { debtorAccountId: other.accountId, payments: [item(1)] })).body.code).to.equal('consent_revoked');
    });
    it('with a digest take this body and no other', async () => {
      const given = payer();
      const body = { debtorAccountId: given.accountId, payments: [item(1)] };
      await known({ transactions: 1, total: euro('10.00'), digest: digestOf(canonicalJson(body)) }, given);
      expect((await send(given, { ...body, payments: [item(2)] })).body.code).to.equal('consent_permission_missing');
      expect((await send(given, body)).status).to.equal(201);
    });
    it('make one bulk of ten simultaneous ones on one consent', async () => {
      const given = await known({ transactions: 1, total: euro('10.00') });
      const answers = await Promise.all(Array.from({ length: 10 }, () => send(given, { debtorAccountId: given.accountId, payments: [item(1)] })));
      expect(answers.filter(({ status }) => status === 201)).to.have.length(1);
      for (const { body } of answers.filter(({ status }) => status !== 201)) expect(body.code).to.equal('consent_consumed');
    });
  });

  describe('of a day ahead', () => {
    it('wait for it, are cancelled until then, and are not made afterwards', async () => {
      const given = await known({ transactions: 2, total: euro('20.00'), requestedExecutionDate: FUTURE });
      const { body } = await send(given, { debtorAccountId: given.accountId, requestedExecutionDate: FUTURE, payments: [item(1), item(2)] });
      expect((await items(body.bulkPaymentId)).map(({ status }) => status)).to.deep.equal(['PDNG', 'PDNG']);
      const cancel = (clientId = 'fintech-a'): Promise<TestAnswer> => service.request('DELETE', `/v1/bulk-payments/${body.bulkPaymentId}`, { op: 'cancelBulkPayment', caller: { clientId } });
      expect((await cancel('fintech-b')).body.code).to.equal('not_your_resource');
      expect((await cancel()).body).to.deep.include({ status: 'RJCT', transactions: { all: 2, refused: 0, cancelled: 2, rejected: 0, settled: 0, open: 0 } });
      expect((await cancel()).status).to.equal(200);
      await service.database.query(`update bulk_items set due_at = now() where bulk_payment_id = $1`, [body.bulkPaymentId]);
      await make(100);
      expect((await items(body.bulkPaymentId)).map(({ status }) => status)).to.deep.equal(['CANC', 'CANC']);
      expect(await told(body.bulkPaymentId)).to.deep.equal(['bulk-payment.received', 'bulk-payment.completed']);
    });
    it('are refused where the customer authorised another day', async () => {
      const given = await known({ transactions: 1, total: euro('10.00'), requestedExecutionDate: FUTURE });
      expect((await send(given, { debtorAccountId: given.accountId, payments: [item(1)] })).body.code).to.equal('consent_permission_missing');
    });
    it('whose payments are made cannot be cancelled any more (409)', async () => {
      const given = await known({ transactions: 1, total: euro('10.00') });
      const { body } = await send(given, { debtorAccountId: given.accountId, payments: [item(1)] });
      await released(body.bulkPaymentId, 1);
      expect((await service.request('DELETE', `/v1/bulk-payments/${body.bulkPaymentId}`, { op: 'cancelBulkPayment', caller: { clientId: 'fintech-a' } })).body.code).to.equal('invalid_state');
    });
    it('are made by one of several nodes (the guard: the rows are locked, and what is locked is skipped)', async () => {
      const given = await known({ transactions: 4, total: euro('40.00') });
      const { body } = await send(given, { debtorAccountId: given.accountId, requestedExecutionDate: FUTURE, payments: [item(1), item(2), item(3), item(4)] });
      const held = new pg.Client({ connectionString: service.database.url });
      await held.connect();
      await held.query('begin');
      await held.query('select 1 from bulk_items where bulk_payment_id = $1 and item <= 2 for update', [body.bulkPaymentId]);
      await held.query('update bulk_items set due_at = now() where bulk_payment_id = $1 and item <= 2', [body.bulkPaymentId]);
      await service.database.query(`update bulk_items set due_at = now() where bulk_payment_id = $1 and item > 2`, [body.bulkPaymentId]);
      await make(100);
      const states = async (): Promise<string[]> => (await service.database.query<{ state: string }>('select state from bulk_items where bulk_payment_id = $1 order by item', [body.bulkPaymentId])).map(({ state }) => state);
      expect(await states()).to.deep.equal(['waiting', 'waiting', 'released', 'released']);
      await held.query('commit');
      await held.end();
      await Promise.all([make(100), make(100), make(100)]);
      await released(body.bulkPaymentId, 4);
      const [row] = await service.database.query<{ n: string }>('select count(*) as n from payments where bulk_payment_id = $1', [body.bulkPaymentId]);
      expect(Number(row!.n)).to.equal(4);
    });
  });

  describe('from a file', () => {
    const batch = (given: Payer, named: Partial<FileBatch> = {}): FileBatch => ({ debtorIban: given.iban, date: TODAY, transfers: [{ endToEndId: 'A' }, { endToEndId: 'B', iban: 'DE00' }], ...named });

    it('are taken batch by batch, each from its own account, and reported as JSON and as pain.002', async () => {
      const [given, second] = [payer(), payer()];
      const xml = file([batch(given), batch(second, { transfers: [{ endToEndId: 'C', remittance: 'Rent' }] })], { messageId: 'PAYROLL-7' });
      await known({ transactions: 1, total: euro('1.00') }, second);
      await known({ transactions: 3, total: euro('30.00'), digest: digestOf(xml) }, given, [second.accountId]);
      const { status, body } = await sendFile(given, xml, newId(), [second.accountId]);
      expect(status, JSON.stringify(body)).to.equal(201);
      expect(body).to.deep.include({ status: 'PART', messageId: 'PAYROLL-7', digest: digestOf(xml), transactions: { all: 3, refused: 1, cancelled: 0, rejected: 0, settled: 0, open: 2 } });
      const debtors = await service.database.query<{ debtor_account_id: string }>('select debtor_account_id from bulk_batches where bulk_payment_id = $1 order by batch', [body.bulkPaymentId]);
      expect(debtors.map((row) => row.debtor_account_id)).to.deep.equal([given.accountId, second.accountId]);
      const json = await readAs('getBulkPaymentStatusReport', `${body.bulkPaymentId}/status-report`);
      expect(json.body.batches.map((one: { status: string; payments: { status: string; reason?: string }[] }) => [one.status, ...one.payments.map(({ status: reached, reason }) => reason ?? reached)]))
        .to.deep.equal([['PART', 'PDNG', 'AC01'], ['ACCP', 'PDNG']]);
      const report = await readAs('getBulkPaymentStatusReport', `${body.bulkPaymentId}/status-report`, undefined, { accept: 'application/xml' });
      expect(report.headers['content-type']).to.match(/^application\/xml/);
      expect(report.body).to.contain(`xmlns="${namespaceOf('pain.002.001.10')}"`).and.contain('<OrgnlMsgId>PAYROLL-7</OrgnlMsgId>').and.contain('<GrpSts>PART</GrpSts>').and.contain('<Cd>AC01</Cd>').and.contain('<OrgnlEndToEndId>C</OrgnlEndToEndId>');
    });

    it('are reported by a pain.002 that keeps the schema', async function () {
      const xsd = fileURLToPath(new URL('../../../../shared/reference/iso20022/xsd/', import.meta.url));
      if (!existsSync(xsd)) this.skip();
      const given = payer();
      const xml = file([batch(given), batch(given, { transfers: [{ endToEndId: 'C', instructionId: 'I-1' }] })]);
      await known({ transactions: 3, total: euro('30.00') }, given);
      const { body } = await sendFile(given, xml);
      const report = await readAs('getBulkPaymentStatusReport', `${body.bulkPaymentId}/status-report`, undefined, { accept: 'application/xml' });
      expect(openMessage(Buffer.from(report.body as string), loadSchemas(xsd), ['pain.002.001.10']).message).to.equal('pain.002.001.10');
    });

    it('of 10,000 transactions are taken as they arrive, in one transaction, and reported', async () => {
      const given = payer();
      const transfers = Array.from({ length: 10_000 }, (_, n) => ({ endToEndId: `E-${n}`, amount: '0.01', iban: n % 1000 === 0 ? 'DE00' : germanIban(n) }));
      const parts = [...fileParts([batch(given, { transfers, date: FUTURE })])].map((part) => Buffer.from(part));
      await known({ transactions: 10_000, total: euro('100.00'), digest: digestOf(Buffer.concat(parts)) }, given);
      const answer = await service.request('POST', '/v1/bulk-payments/files', { op: 'initiateBulkPaymentFile', caller: bulkCaller(given), headers: { 'idempotency-key': newId(), 'content-type': 'application/xml' }, body: Buffer.concat(parts).toString() });
      expect(answer.body, JSON.stringify(answer.body)).to.deep.include({ status: 'PART', transactions: { all: 10_000, refused: 10, cancelled: 0, rejected: 0, settled: 0, open: 9990 } });
      const report = await readAs('getBulkPaymentStatusReport', `${answer.body.bulkPaymentId}/status-report`, undefined, { accept: 'application/xml' });
      expect((report.body as string).match(/<TxInfAndSts>/g)).to.have.length(10_000);
      let [cursor, listed, pages] = ['', 0, 0];
      do {
        const page = (await readAs('listBulkPaymentItems', `${answer.body.bulkPaymentId}/payments?limit=100${cursor && `&cursor=${cursor}`}`)).body as { data: { item: number }[]; nextCursor: string | null };
        expect(page.data[0]!.item).to.equal(listed + 1);
        listed += page.data.length;
        cursor = page.nextCursor ?? '';
        pages++;
      } while (cursor && pages < 5);
      expect(listed).to.equal(500);
    });

    it('cut off anywhere, wrong in themselves or of another account leave nothing behind', async () => {
      const given = payer();
      const xml = file([batch(given)]);
      await known({ transactions: 2, total: euro('20.00') }, given);
      const before = await counts();
      const refusedWith = async (body: string, code: string, status = 400): Promise<TestAnswer['body']> => {
        const answer = await sendFile(given, body);
        expect([answer.status, answer.body.code], JSON.stringify(answer.body)).to.deep.equal([status, code]);
        expect(await counts()).to.equal(before);
        return answer.body;
      };
      await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: xml.trimEnd().length - 1 }), async (cut) => {
        const told = await refusedWith(xml.slice(0, cut), 'invalid_message');
        expect(told).to.have.property('line').that.is.at.least(1);
      }), { numRuns: 20, seed: 20022 });
      expect(await refusedWith(file([batch(given)], { controlSum: '19.99' }), 'invalid_message')).to.include({ line: 4, path: '/Document/CstmrCdtTrfInitn/GrpHdr/CtrlSum' });
      await refusedWith(file([batch(given, { date: '2020-01-01' })]), 'invalid_message');
      await refusedWith(file([batch(given)], { doctype: '<!DOCTYPE d [<!ENTITY a "b">]>' }), 'invalid_message');
      await refusedWith(file([batch({ ...given, iban: germanIban(5) })]), 'consent_account_not_covered', 403);
      await refusedWith(file([batch(given, { transfers: [{}] })]), 'consent_permission_missing', 403);
      expect((await sendFile(given, xml)).status).to.equal(201);
    });

    it('with a digest take this file and no other', async () => {
      const given = payer();
      const xml = file([batch(given)]);
      await known({ transactions: 2, total: euro('20.00'), digest: digestOf(xml) }, given);
      expect((await sendFile(given, `${xml} `)).body.code).to.equal('consent_permission_missing');
      expect((await sendFile(given, xml)).status).to.equal(201);
    });
    it('repeated with the same key are one bulk', async () => {
      const given = payer();
      const xml = file([batch(given)]);
      await known({ transactions: 2, total: euro('20.00') }, given);
      const [first, again] = [await sendFile(given, xml, 'file-key'), await sendFile(given, xml, 'file-key')];
      expect([again.body.bulkPaymentId, again.headers['idempotency-replayed']]).to.deep.equal([first.body.bulkPaymentId, 'true']);
      expect((await sendFile(given, file([batch(given)], { messageId: 'OTHER' }), 'file-key')).body.code).to.equal('idempotency_mismatch');
    });
  });

  it('are read by their client and by compliance; others get 403, and a stranger id 404', async () => {
    const given = await known({ transactions: 1, total: euro('10.00') });
    const { body } = await send(given, { debtorAccountId: given.accountId, payments: [item(1)] });
    for (const [op, path] of [['getBulkPayment', ''], ['listBulkPaymentItems', '/payments'], ['getBulkPaymentStatusReport', '/status-report']] as const) {
      const answers = await Promise.all([{ clientId: 'fintech-a' }, { clientId: 'bank', roles: ['compliance'] }, { clientId: 'fintech-b', roles: ['pisp'] }].map((caller) => readAs(op, body.bulkPaymentId + path, caller)));
      expect(answers.map(({ status }) => status), op).to.deep.equal([200, 200, 403]);
      expect((await readAs(op, newId() + path)).body.code).to.equal('bulk_payment_not_found');
    }
  });
});
