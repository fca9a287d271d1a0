import { expect } from 'chai';
import { newEvent, type Event, type EventData, type EventType } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { loadSchemas } from '@kontor/kernel/iso20022';
import { openStatements } from '@kontor/kernel/statements';
import { testService, type TestAnswer, type TestCaller, type TestService } from '@kontor/testing/service';
import { composeIBAN } from 'ibantools';
import { options } from '../src/main.js';
import { ledgerFixture } from './ledger-fixture.js';

const CONTEXT = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', clientId: 'app-1' };
const event = <T extends EventType>(type: T, data: EventData<T>): Event<T> => newEvent(type, { subject: newId(), data, context: CONTEXT, source: 'test' });
const eur = (amount: string) => ({ amount, currency: 'EUR' });
const opener: TestCaller = { clientId: 'app-1', scopes: ['accounts'], roles: ['onboarding'] };
const officer: TestCaller = { clientId: 'officer', scopes: ['accounts'], roles: ['compliance'] };
const payer = { name: 'Example Employer', iban: 'NL02ABNA0123456789' };
const ALL = ['accounts:read', 'balances:read', 'transactions:read', 'beneficiaries:read'];
let ibans = 1;

describe('looking after accounts', () => {
  let service: TestService;
  let ledger: ReturnType<typeof ledgerFixture>;
  before(async () => {
    service = await testService(options, { ACCOUNT_BALANCES_KEY: 'shared-with-the-consent-service' });
    ledger = ledgerFixture(service.database);
  });
  after(() => service.stop());
  afterEach('the books are sound', async () => expect(await ledger.accounts.invariantBreaks()).to.deep.equal([]));

  const told = async (type: EventType, about: string) =>
    (await service.events()).filter((e) => e.type === type && JSON.stringify(e.data).includes(about)).map((e) => e.data as Record<string, unknown>);
  const open = async (customerId: string, currency = 'EUR'): Promise<{ accountId: string; iban: string; customerId: string }> => {
    const { body } = await service.request('POST', '/v1/accounts', { op: 'openAccount', caller: opener, headers: { 'Idempotency-Key': newId() }, body: { customerId, product: 'current', currency } });
    const { accountId } = body as { accountId: string };
    const iban = composeIBAN({ countryCode: 'DE', bban: `99700001${String(ibans++).padStart(10, '0')}` }) as string;
    await service.deliver(event('core.account-booked', { accountId, iban, coreReference: `C-${iban}` }));
    return { accountId, iban, customerId };
  };
  const customer = async (more: object = {}): Promise<string> => {
    const customerId = newId();
    await service.deliver(event('customer.activated', { customerId, clientId: 'app-1', name: { given: 'Ada', family: 'Example' }, ...more }));
    return customerId;
  };
  const enabled = async () => open(await customer());
  const credit = async (creditorIban: string, amount: string, remittance = 'Salary', debtor = payer): Promise<void> => {
    const railReference = newId();
    await service.deliver(event('rail.credit-transfer-received', { railReference, messageId: `M-${railReference}`, creditorIban, debtor, amount: eur(amount), endToEndId: 'SALARY', remittance }));
  };
  const order = (debtorAccountId: string, amount: string, remittance = 'Invoice 1', creditor = { name: 'Example Shop', iban: 'NL02ABNA0123456789' }) => event('payment.initiated', {
    paymentId: newId(), clientId: 'app-1', customerId: newId(), consentId: newId(), debtorAccountId, amount: eur(amount), creditor, endToEndId: 'INV-1', uetr: newId(), remittance });
  const reader = (accountId: string, permissions = ALL): TestCaller => ({
    clientId: 'tpp-9', scopes: ['accounts'], roles: ['aisp'], consent: { id: newId(), version: 1, permissions, accounts: [accountId], customerId: newId() } });
  const get = (path: string, op: string, caller: TestCaller, headers: Record<string, string> = {}): Promise<TestAnswer> => service.request('GET', path, { op, caller, headers });
  const act = (accountId: string, action: string, caller = opener, body?: object) =>
    service.request('POST', `/v1/accounts/${accountId}/${action}`, { op: `${action}Account`, caller, ...(body ? { body } : {}) });

  describe('a block', () => {
    it('is lifted by the opener who set it, and by no other application', async () => {
      const { accountId } = await enabled();
      await act(accountId, 'block');
      expect((await act(accountId, 'unblock', { ...opener, clientId: 'app-2' })).body.code).to.equal('not_your_resource');
      expect((await act(accountId, 'unblock')).body.status).to.equal('enabled');
      expect((await act(accountId, 'unblock')).status).to.equal(200);
      expect(await told('account.unblocked', accountId)).to.have.length(1);
      expect((await act(accountId, 'unblock', reader(accountId))).body.code).to.equal('role_required');
    });
    it('of compliance is lifted by compliance alone', async () => {
      const { accountId } = await enabled();
      await act(accountId, 'block', officer);
      expect((await act(accountId, 'unblock')).body).to.include({ status: 409, code: 'invalid_state' });
      expect((await act(accountId, 'unblock', officer)).body.status).to.equal('enabled');
    });
  });

  describe('closing with money left', () => {
    it('pays it to another account of the customer in the same breath, and tells both', async () => {
      const customerId = await customer();
      const [from, to] = [await open(customerId), await open(customerId)];
      await credit(from.iban, '12.34');
      expect((await act(from.accountId, 'close')).body).to.include({ status: 409, code: 'invalid_state' });
      expect((await act(from.accountId, 'close', opener, { payoutTo: to.iban })).body.status).to.equal('closed');
      expect((await act(from.accountId, 'close', opener, { payoutTo: to.iban })).status).to.equal(200);
      expect([await ledger.balanceOf(from.accountId), await ledger.balanceOf(to.accountId)]).to.deep.equal([[0n, 0n], [1234n, 0n]]);
      expect(await told('account.closed', from.accountId)).to.have.length(1);
      expect((await told('account.credited', to.accountId))[0]).to.deep.include({ amount: eur('12.34'), railReference: `closing:${from.accountId}` });
      const { body } = await get(`/v1/accounts/${to.accountId}/transactions`, 'listTransactions', reader(to.accountId));
      expect(body.data[0]).to.deep.include({ type: 'payout', creditDebitIndicator: 'CRDT', counterparty: { name: 'Ada Example', iban: from.iban } });
    });
    it('pays it to nobody else: not to another customer, not to itself, not in another currency', async () => {
      const customerId = await customer();
      const [from, dollars, stranger] = [await open(customerId), await open(customerId, 'USD'), await enabled()];
      await credit(from.iban, '1.00');
      for (const { iban } of [from, dollars, stranger, { iban: 'NL02ABNA0123456789' }])
        expect((await act(from.accountId, 'close', opener, { payoutTo: iban })).body, iban).to.include({ status: 422, code: 'unprocessable' });
      expect((await act(from.accountId, 'close', opener, { payoutTo: 'nowhere' })).status).to.equal(400);
      expect((await act(from.accountId, 'close', { ...opener, clientId: 'app-2' }, { payoutTo: dollars.iban })).body.code).to.equal('not_your_resource');
      expect(await ledger.balanceOf(from.accountId)).to.deep.equal([100n, 0n]);
    });
    it('waits for an overdrawn account to be paid up, and for held funds', async () => {
      const customerId = await customer();
      const [from, to] = [await open(customerId), await open(customerId)];
      await credit(from.iban, '1.00');
      await service.deliver(order(from.accountId, '0.50'));
      expect((await act(from.accountId, 'close', opener, { payoutTo: to.iban })).body.detail).to.match(/under way/);
      const poor = await open(customerId);
      await service.database.query('select set_overdraft($1, 100)', [poor.accountId]);
      const spent = order(poor.accountId, '0.50');
      await service.deliver(spent);
      await service.deliver(event('payment.settled', { paymentId: spent.data.paymentId, clientId: 'app-1', customerId, debtorAccountId: poor.accountId, amount: eur('0.50') }));
      expect((await act(poor.accountId, 'close', opener, { payoutTo: to.iban })).body.detail).to.match(/overdrawn/);
    });
  });

  it('opens accounts of a business in its legal name', async () => {
    const { accountId } = await open(await customer({ legalName: 'Example Trading Ltd' }));
    expect((await get(`/v1/accounts/${accountId}`, 'getAccount', reader(accountId))).body.holderName).to.equal('Example Trading Ltd');
  });

  describe('conditional requests', () => {
    it('answer 304 while nothing has changed, and the new state when it has', async () => {
      const { accountId, iban } = await enabled();
      const caller = reader(accountId);
      const cells: [path: string, op: string, change: () => Promise<unknown>][] = [
        ['', 'getAccount', () => act(accountId, 'block')], ['/balances', 'getBalances', () => credit(iban, '1.00')]];
      for (const [path, op, change] of cells) {
        const address = `/v1/accounts/${accountId}${path}`;
        const first = await get(address, op, caller);
        const { etag } = first.headers;
        const current = await get(address, op, caller, { 'If-None-Match': `"other", ${etag}` });
        expect([current.status, current.body, current.headers.etag], op).to.deep.equal([304, undefined, etag]);
        await change();
        const changed = await get(address, op, caller, { 'If-None-Match': etag! });
        expect([changed.status, changed.headers.etag === etag], op).to.deep.equal([200, false]);
        expect((await get(address, op, caller, { 'If-None-Match': '*' })).status).to.equal(304);
      }
      const { body } = await get(`/v1/accounts/${accountId}/transactions`, 'listTransactions', caller);
      const address = `/v1/accounts/${accountId}/transactions/${body.data[0].transactionId as string}`;
      const one = await get(address, 'getTransaction', caller);
      expect((await get(address, 'getTransaction', caller, { 'If-None-Match': one.headers.etag! })).status).to.equal(304);
    });
    it('are refused like any other without the consent', async () => {
      const { accountId } = await enabled();
      expect((await get(`/v1/accounts/${accountId}/balances`, 'getBalances', reader(newId()), { 'If-None-Match': '*' })).body.code).to.equal('consent_account_not_covered');
    });
    it('rename only the account the client has read (412)', async () => {
      const { accountId } = await enabled();
      const { headers } = await get(`/v1/accounts/${accountId}/opening`, 'getAccountOpening', opener);
      const rename = (nickname: string, etag: string) => service.request('PATCH', `/v1/accounts/${accountId}`, { op: 'updateAccount', caller: opener, body: { nickname }, headers: { 'If-Match': etag } });
      const renamed = await rename('First', headers.etag!);
      expect([renamed.status, renamed.headers.etag === headers.etag]).to.deep.equal([200, false]);
      expect((await rename('Second', headers.etag!)).body).to.include({ status: 412, code: 'precondition_failed' });
      expect((await rename('Second', `W/${renamed.headers.etag}`)).status).to.equal(412);
      expect((await rename('Second', renamed.headers.etag!)).body.nickname).to.equal('Second');
    });
  });

  describe('transactions', () => {
    const list = async (accountId: string, query: string): Promise<Record<string, unknown>[]> =>
      (await get(`/v1/accounts/${accountId}/transactions?${query}`, 'listTransactions', reader(accountId))).body.data as Record<string, unknown>[];
    it('are found by amount, direction and text; what a pattern would mean is taken as it is', async () => {
      const { accountId, iban } = await enabled();
      await credit(iban, '10.00', 'Rent 100% January');
      await credit(iban, '20.00', 'Salary', { name: 'Grace_Payer', iban: 'GB33BUKB20201555555555' });
      await credit(iban, '30.00', 'Refund');
      const amounts = async (query: string) => (await list(accountId, query)).map(({ amount }) => (amount as { amount: string }).amount);
      expect(await amounts('minAmount=10.00&maxAmount=20')).to.deep.equal(['20.00', '10.00']);
      expect(await amounts('creditDebitIndicator=DBIT')).to.deep.equal([]);
      expect(await amounts('text=salary')).to.deep.equal(['30.00', '20.00', '10.00']);
      expect(await amounts('text=100%25')).to.deep.equal(['10.00']);
      expect(await amounts('text=e_p')).to.deep.equal(['20.00']);
      expect(await amounts('text=%25')).to.deep.equal(['10.00']);
      expect(await amounts('text=gb33bukb')).to.deep.equal(['20.00']);
      for (const wrong of ['minAmount=2&maxAmount=1', 'minAmount=1.001', 'minAmount=-1', 'creditDebitIndicator=BOTH', 'status=INFO', 'text='])
        expect((await get(`/v1/accounts/${accountId}/transactions?${wrong}`, 'listTransactions', reader(accountId))).status, wrong).to.equal(400);
    });
    it('that are pending are the funds held for payments under way', async () => {
      const { accountId, iban } = await enabled();
      await credit(iban, '10.00');
      const orders = [order(accountId, '1.00', 'First'), order(accountId, '2.00', 'Second')];
      for (const each of orders) await service.deliver(each);
      const pending = await list(accountId, 'status=PDNG');
      expect(pending.map(({ remittance, status }) => [remittance, status])).to.deep.equal([['Second', 'PDNG'], ['First', 'PDNG']]);
      expect(pending[0]).to.deep.include({ paymentId: orders[1]!.data.paymentId, creditDebitIndicator: 'DBIT', counterparty: { name: 'Example Shop', iban: 'NL02ABNA0123456789' } });
      expect(pending[0]).to.not.have.property('bookingDate');
      expect(await list(accountId, 'status=PDNG&text=first')).to.have.length(1);
      expect(await list(accountId, 'status=PDNG&creditDebitIndicator=CRDT')).to.have.length(0);
      const page = await get(`/v1/accounts/${accountId}/transactions?status=PDNG&limit=1`, 'listTransactions', reader(accountId));
      expect((await list(accountId, `status=PDNG&limit=1&cursor=${page.body.nextCursor as string}`))[0]?.remittance).to.equal('First');
    });
    it('are paged without one twice or missed while new ones arrive', async () => {
      const { accountId, iban } = await enabled();
      for (let n = 1; n <= 7; n++) await credit(iban, `${n}.00`);
      const seen: string[] = [];
      let cursor = '';
      do {
        const { body } = await get(`/v1/accounts/${accountId}/transactions?limit=2${cursor}`, 'listTransactions', reader(accountId));
        seen.push(...(body.data as { amount: { amount: string } }[]).map(({ amount }) => amount.amount));
        cursor = body.nextCursor === null ? '' : `&cursor=${body.nextCursor as string}`;
        await credit(iban, '99.00');
        await credit(iban, '98.00');
      } while (cursor !== '');
      expect(seen).to.deep.equal(['7.00', '6.00', '5.00', '4.00', '3.00', '2.00', '1.00']);
    });
  });

  describe('beneficiaries', () => {
    const path = (accountId: string, id = '') => `/v1/accounts/${accountId}/beneficiaries${id && `/${id}`}`;
    const save = (accountId: string, body: object, change: { key?: string; caller?: TestCaller } = {}) => service.request('POST', path(accountId), {
      op: 'createBeneficiary', caller: change.caller ?? opener, headers: { 'Idempotency-Key': change.key ?? newId() }, body });
    const shop = { name: 'Example Shop', iban: 'NL02ABNA0123456789' };

    it('are saved, changed and forgotten by the opener, and read on a consent', async () => {
      const { accountId } = await enabled();
      const saved = await save(accountId, { ...shop, reference: 'Customer 4711' });
      const id = saved.body.beneficiaryId as string;
      expect([saved.status, saved.headers.location]).to.deep.equal([201, path(accountId, id)]);
      const read = await get(path(accountId, id), 'getBeneficiary', opener);
      expect(read.body).to.deep.equal({ beneficiaryId: id, accountId, ...shop, reference: 'Customer 4711' });
      expect((await get(path(accountId), 'listBeneficiaries', reader(accountId))).body).to.deep.equal({ data: [read.body], nextCursor: null });
      const change = (name: string, etag?: string) => service.request('PUT', path(accountId, id), { op: 'updateBeneficiary', caller: opener, body: { ...shop, name }, headers: etag ? { 'If-Match': etag } : {} });
      expect((await change('Other Shop', read.headers.etag)).body).to.deep.equal({ beneficiaryId: id, accountId, ...shop, name: 'Other Shop' });
      expect((await change('Third Shop', read.headers.etag)).body.code).to.equal('precondition_failed');
      expect((await get(path(accountId, id), 'getBeneficiary', opener, { 'If-None-Match': read.headers.etag! })).status).to.equal(200);
      expect((await service.request('DELETE', path(accountId, id), { op: 'deleteBeneficiary', caller: opener })).status).to.equal(204);
      expect((await get(path(accountId, id), 'getBeneficiary', opener)).body.code).to.equal('beneficiary_not_found');
    });
    it('are saved once for a key, once an IBAN, with right check digits, by the opener', async () => {
      const { accountId } = await enabled();
      const key = newId();
      const [first, again] = [await save(accountId, shop, { key }), await save(accountId, shop, { key })];
      expect([again.body, again.headers['idempotency-replayed']]).to.deep.equal([first.body, 'true']);
      expect((await save(accountId, { ...shop, name: 'Other' })).body).to.include({ status: 409, code: 'conflict' });
      expect((await save(accountId, { ...shop, iban: 'NL03ABNA0123456789' })).body.code).to.equal('invalid_iban');
      expect((await save(accountId, shop, { caller: { ...opener, clientId: 'app-2' } })).body.code).to.equal('not_your_resource');
      expect((await save(newId(), shop)).body.code).to.equal('account_not_found');
    });
    it('are not shown without the permission, nor those of another account', async () => {
      const [mine, other] = [await enabled(), await enabled()];
      const id = (await save(other.accountId, shop)).body.beneficiaryId as string;
      expect((await get(path(mine.accountId), 'listBeneficiaries', reader(mine.accountId, ['accounts:read']))).body.code).to.equal('consent_permission_missing');
      expect((await get(path(other.accountId), 'listBeneficiaries', reader(mine.accountId))).body.code).to.equal('consent_account_not_covered');
      expect((await get(path(mine.accountId, id), 'getBeneficiary', opener)).body.code).to.equal('beneficiary_not_found');
    });
    it('are paged', async () => {
      const { accountId } = await enabled();
      for (let n = 0; n < 3; n++) await save(accountId, { name: `Payee ${n}`, iban: composeIBAN({ countryCode: 'DE', bban: `37040044000000000${n}` }) });
      const first = await get(`${path(accountId)}?limit=2`, 'listBeneficiaries', reader(accountId));
      const second = await get(`${path(accountId)}?limit=2&cursor=${first.body.nextCursor as string}`, 'listBeneficiaries', reader(accountId));
      expect([...first.body.data, ...second.body.data].map(({ name }: { name: string }) => name)).to.deep.equal(['Payee 0', 'Payee 1', 'Payee 2']);
    });
  });

  describe('a statement', () => {
    const statement = (accountId: string, query = '', accept = 'application/json', permissions = ALL) =>
      get(`/v1/accounts/${accountId}/statements${query}`, 'getStatement', reader(accountId, permissions), { Accept: accept });
    const today = new Date().toISOString().slice(0, 10);
    const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
    let accountId: string;
    let iban: string;
    before(async () => {
      ({ accountId, iban } = await enabled());
      await ledger.credit(iban, { minor: 500n, currency: 'EUR' }, newId(), new Date(Date.now() - 86_400_000));
      await credit(iban, '10.00', '=1+1');
      const paid = order(accountId, '4.00');
      await service.deliver(paid);
      await service.deliver(event('payment.settled', { paymentId: paid.data.paymentId, clientId: 'app-1', customerId: newId(), debtorAccountId: accountId, amount: eur('4.00') }));
    });
    it('leads from the opening to the closing balance by its entries, oldest first', async () => {
      const { body } = await statement(accountId, `?from=${today}&to=${today}`);
      expect(body).to.deep.include({
        from: today, to: today, openingBalance: { amount: eur('5.00'), creditDebitIndicator: 'CRDT' }, closingBalance: { amount: eur('11.00'), creditDebitIndicator: 'CRDT' },
        totals: { credits: { count: 1, amount: eur('10.00') }, debits: { count: 1, amount: eur('4.00') } } });
      expect((body.entries as { creditDebitIndicator: string }[]).map((one) => one.creditDebitIndicator)).to.deep.equal(['CRDT', 'DBIT']);
      expect((await statement(accountId, `?from=${yesterday}&to=${yesterday}`)).body.closingBalance.amount).to.deep.equal(eur('5.00'));
    });
    it('tells no balances without the permission to read them, and no camt.053', async () => {
      const { body } = await statement(accountId, '', 'application/json', ['transactions:read']);
      expect(body).to.not.have.any.keys('openingBalance', 'closingBalance');
      expect((await statement(accountId, '', 'application/xml', ['transactions:read'])).body.code).to.equal('consent_permission_missing');
      expect((await statement(accountId, '', 'application/json', ['balances:read'])).body.code).to.equal('consent_permission_missing');
    });
    it('is CSV for a spreadsheet, in which nothing is a formula', async () => {
      const answer = await statement(accountId, `?from=${today}`, 'text/csv');
      expect(answer.headers['content-type']).to.match(/^text\/csv/);
      const [header, first, second] = (answer.body as string).split('\r\n');
      expect(header).to.match(/^booking_date,value_date,amount,currency/);
      expect(first).to.match(new RegExp(`^${today},${today},10\\.00,EUR,incoming-payment,.*,Example Employer,NL02ABNA0123456789,SALARY,'=1\\+1$`));
      expect(second).to.match(/,-4\.00,EUR,payment,/);
    });
    it('is a camt.053 that our own reading of statements takes', async () => {
      const answer = await statement(accountId, `?from=${today}`, 'application/xml');
      expect(answer.headers['content-type']).to.match(/^application\/xml/);
      expect(answer.body).to.include('urn:iso:std:iso:20022:tech:xsd:camt.053.001.08').and.include(iban);
      const [read] = openStatements(Buffer.from(answer.body as string), loadSchemas(undefined));
      expect(read).to.deep.include({ account: iban, opening: { amount: eur('5.00'), creditDebit: 'CRDT', date: today }, closing: { amount: eur('11.00'), creditDebit: 'CRDT', date: today } });
      expect(read?.entries.map(({ reference, amount, creditDebit }) => [reference, amount.amount, creditDebit])).to.deep.equal([['2', '10.00', 'CRDT'], ['3', '4.00', 'DBIT']]);
    });
    it('is refused backwards, into the future, over more than a year, for a day there is not, and as anything else', async () => {
      for (const query of [`?from=${today}&to=2026-01-01`, '?to=2999-01-01', `?from=2020-01-01&to=${today}`, '?from=2026-02-30'])
        expect((await statement(accountId, query)).body.code, query).to.equal('invalid_request');
      expect((await statement(accountId, '', 'application/pdf')).body.code).to.equal('not_acceptable');
    });
  });
});
