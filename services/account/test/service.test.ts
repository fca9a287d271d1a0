import { expect } from 'chai';
import { newEvent, type Event, type EventData, type EventType } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { testService, type TestCaller, type TestService } from '@kontor/testing/service';
import { options } from '../src/main.js';

const CONTEXT = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', clientId: 'app-1' };
const event = <T extends EventType>(type: T, data: EventData<T>): Event<T> => newEvent(type, { subject: newId(), data, context: CONTEXT, source: 'test' });
const eur = (amount: string) => ({ amount, currency: 'EUR' });
const opener: TestCaller = { clientId: 'app-1', scopes: ['accounts'], roles: ['onboarding'] };
const payee = { name: 'Example Shop', iban: 'NL02ABNA0123456789' };
const BALANCES_KEY = 'shared-with-the-consent-service';
let ibans = 100;

describe('the account service', () => {
  let service: TestService;
  before(async () => { service = await testService(options, { ACCOUNT_BALANCES_KEY: BALANCES_KEY }); });
  after(() => service.stop());

  const told = async (type: EventType, about: string) =>
    (await service.events()).filter((e) => e.type === type && JSON.stringify(e.data).includes(about)).map((e) => e.data as Record<string, unknown>);
  const activeCustomer = async (clientId = 'app-1'): Promise<string> => {
    const customerId = newId();
    await service.deliver(event('customer.activated', { customerId, clientId, name: { given: 'Ada', family: 'Example' } }));
    return customerId;
  };
  const request = (customerId: string, change: { key?: string; caller?: TestCaller; body?: object } = {}) => service.request('POST', '/v1/accounts', {
    op: 'openAccount', caller: change.caller ?? opener, headers: { 'Idempotency-Key': change.key ?? newId() },
    body: { customerId, product: 'current', currency: 'EUR', ...change.body },
  });
  const enabled = async (body: object = {}): Promise<{ accountId: string; iban: string; customerId: string }> => {
    const customerId = await activeCustomer();
    const { accountId } = (await request(customerId, { body })).body as { accountId: string };
    const iban = `DE00SERVICE${ibans++}TEST`;
    await service.deliver(event('core.account-booked', { accountId, iban, coreReference: `C-${iban}` }));
    return { accountId, iban, customerId };
  };
  const credit = (creditorIban: string, amount: string, railReference = newId()) => service.deliver(event('rail.credit-transfer-received', {
    railReference, messageId: `M-${railReference}`, creditorIban, debtor: { name: 'Example Employer', iban: 'NL02ABNA0123456789' }, amount: eur(amount), endToEndId: 'SALARY', remittance: 'Salary',
  }));
  const order = (paymentId: string, debtorAccountId: string, amount: string, creditor = payee) => event('payment.initiated', {
    paymentId, clientId: 'app-1', customerId: newId(), consentId: newId(), debtorAccountId, amount: eur(amount), creditor, endToEndId: 'INV-1', uetr: newId(), remittance: 'Invoice 1',
  });
  const settled = (paymentId: string, debtorAccountId: string, amount: string) =>
    event('payment.settled', { paymentId, clientId: 'app-1', customerId: newId(), debtorAccountId, amount: eur(amount) });
  const reader = (accounts: string[], permissions = ['accounts:read', 'balances:read', 'transactions:read']): TestCaller => ({
    clientId: 'tpp-9', scopes: ['accounts'], roles: ['aisp'], consent: { id: newId(), version: 1, permissions, accounts, customerId: newId() },
  });
  const read = (path: string, op: string, caller: TestCaller) => service.request('GET', path, { op, caller });
  const balances = async (accountId: string): Promise<string[]> => {
    const { body } = await read(`/v1/accounts/${accountId}/balances`, 'getBalances', reader([accountId]));
    return (body.balances as { amount: { amount: string } }[]).slice(0, 2).map(({ amount }) => amount.amount);
  };

  describe('opening', () => {
    it('answers a pending account and asks the core; the IBAN is there when the core has booked', async () => {
      const customerId = await activeCustomer();
      const opened = await request(customerId, { body: { nickname: 'Household' } });
      expect(opened).to.include({ status: 201 });
      expect(opened.body).to.include({ status: 'pending', customerId, nickname: 'Household', openedAt: null });
      expect(opened.headers['x-bian-service-domain']).to.equal('CurrentAccount');
      const { accountId } = opened.body as { accountId: string };
      expect(opened.headers.location).to.equal(`/v1/accounts/${accountId}/opening`);
      expect(await told('account.requested', accountId)).to.deep.equal([{ accountId, customerId, clientId: 'app-1', product: 'current', currency: 'EUR' }]);

      const booked = event('core.account-booked', { accountId, iban: 'DE78997000010000000017', coreReference: 'CORE-17' });
      await service.deliver(booked);
      await service.deliver(booked);
      await service.deliver(event('core.account-booked', booked.data));
      const followed = await read(`/v1/accounts/${accountId}/opening`, 'getAccountOpening', opener);
      expect(followed.body).to.include({ status: 'enabled', iban: 'DE78997000010000000017' });
      expect(await told('account.opened', accountId)).to.deep.equal([
        { accountId, customerId, clientId: 'app-1', iban: 'DE78997000010000000017', currency: 'EUR', product: 'current', holderName: 'Ada Example' }]);
    });
    it('answers a repeated key with the same account, and another body with 422', async () => {
      const customerId = await activeCustomer();
      const first = await request(customerId, { key: 'same' });
      const again = await request(customerId, { key: 'same' });
      expect([again.status, again.body, again.headers['idempotency-replayed']]).to.deep.equal([201, first.body, 'true']);
      expect((await request(customerId, { key: 'same', body: { product: 'savings' } })).body.code).to.equal('idempotency_mismatch');
      expect(await told('account.requested', customerId)).to.have.length(1);
    });
    it('tells the BIAN service domain of a savings account', async () => {
      expect((await request(await activeCustomer(), { body: { product: 'savings' } })).headers['x-bian-service-domain']).to.equal('SavingsAccount');
    });
    it('is refused for a customer who is unknown, of another application, under review, rejected or closed', async () => {
      expect((await request(newId())).body.code).to.equal('customer_not_active');
      expect((await request(await activeCustomer('app-2'))).body).to.include({ code: 'not_your_resource', status: 403 });
      for (const type of ['customer.placed-under-review', 'customer.rejected', 'customer.closed'] as const) {
        const customerId = await activeCustomer();
        await service.deliver({ ...event(type, { customerId, clientId: 'app-1' }), time: new Date(Date.now() + 1000).toISOString() });
        expect((await request(customerId)).body, type).to.include({ code: 'customer_not_active', status: 409 });
      }
    });
    it('is refused without a key, for a currency the bank does not keep, with a field nobody knows, and to other roles', async () => {
      const customerId = await activeCustomer();
      expect((await service.request('POST', '/v1/accounts', { op: 'openAccount', caller: opener, body: { customerId, product: 'current', currency: 'EUR' } })).status).to.equal(400);
      expect((await request(customerId, { body: { currency: 'XXX' } })).status).to.equal(400);
      expect((await request(customerId, { body: { iban: 'DE78997000010000000017' } })).status).to.equal(400);
      expect((await request(customerId, { caller: { ...opener, roles: ['aisp'] } })).body.code).to.equal('role_required');
    });
    it('ends closed with the reason when the core refuses', async () => {
      const customerId = await activeCustomer();
      const { accountId } = (await request(customerId)).body as { accountId: string };
      await service.deliver(event('core.account-refused', { accountId, reason: 'currency-not-supported' }));
      expect((await read(`/v1/accounts/${accountId}/opening`, 'getAccountOpening', opener)).body).to.include({ status: 'closed', refusalReason: 'currency-not-supported' });
      expect(await told('account.opening-failed', accountId)).to.have.length(1);
    });
  });

  describe('looking after an account', () => {
    it('renames, blocks and closes it, for the application that opened it', async () => {
      const { accountId } = await enabled();
      const patch = (nickname: string | null, caller = opener) => service.request('PATCH', `/v1/accounts/${accountId}`, { op: 'updateAccount', caller, body: { nickname } });
      expect((await patch('Holidays')).body.nickname).to.equal('Holidays');
      expect((await patch(null)).body).to.not.have.property('nickname');
      expect((await patch('Mine', { ...opener, clientId: 'app-2' })).body.code).to.equal('not_your_resource');
      const act = (action: string, op: string, caller = opener) => service.request('POST', `/v1/accounts/${accountId}/${action}`, { op, caller });
      expect((await act('block', 'blockAccount', { ...opener, clientId: 'app-2' })).body.code).to.equal('not_your_resource');
      expect((await act('block', 'blockAccount', { clientId: 'officer', scopes: ['accounts'], roles: ['compliance'] })).body.status).to.equal('blocked');
      expect(await told('account.blocked', accountId)).to.have.length(1);
      expect((await act('close', 'closeAccount', { ...opener, clientId: 'app-2' })).body.code).to.equal('not_your_resource');
      expect((await act('close', 'closeAccount')).body.status).to.equal('closed');
      expect((await act('close', 'closeAccount')).status).to.equal(200);
      expect(await told('account.closed', accountId)).to.have.length(1);
    });
    it('does not close it with money on it or held', async () => {
      const { accountId, iban } = await enabled();
      await credit(iban, '1.00');
      const refused = await service.request('POST', `/v1/accounts/${accountId}/close`, { op: 'closeAccount', caller: opener });
      expect(refused.body).to.include({ status: 409, code: 'invalid_state' });
    });
    it('answers 404 for an account there is not', async () => {
      expect((await read(`/v1/accounts/${newId()}/opening`, 'getAccountOpening', opener)).body.code).to.equal('account_not_found');
      expect((await service.request('POST', `/v1/accounts/${newId()}/close`, { op: 'closeAccount', caller: opener })).body.code).to.equal('account_not_found');
    });
  });

  describe('account information', () => {
    it('shows the consented accounts and no other', async () => {
      const [a, b] = [await enabled({ nickname: 'First' }), await enabled()];
      const listed = await read('/v1/accounts', 'listAccounts', reader([b.accountId, a.accountId]));
      expect((listed.body.data as { accountId: string }[]).map(({ accountId }) => accountId)).to.deep.equal([a.accountId, b.accountId]);
      expect(listed.body.data[0]).to.deep.include({ iban: a.iban, holderName: 'Ada Example', nickname: 'First', status: 'enabled' });
      const paged = await read('/v1/accounts?limit=1', 'listAccounts', reader([a.accountId, b.accountId]));
      const rest = await read(`/v1/accounts?limit=1&cursor=${paged.body.nextCursor as string}`, 'listAccounts', reader([a.accountId, b.accountId]));
      expect([rest.body.data[0].accountId, rest.body.nextCursor]).to.deep.equal([b.accountId, null]);
    });
    it('is refused without a consent, for an account it does not name, and without the permission', async () => {
      const { accountId } = await enabled();
      const other = newId();
      const path = `/v1/accounts/${accountId}`;
      expect((await read(path, 'getAccount', { ...reader([]), consent: undefined as never })).body.code).to.equal('consent_required');
      expect((await read(path, 'getAccount', reader([other]))).body.code).to.equal('consent_account_not_covered');
      expect((await read(`${path}/balances`, 'getBalances', reader([accountId], ['accounts:read']))).body.code).to.equal('consent_permission_missing');
      expect((await read(path, 'getAccount', reader([accountId]))).status).to.equal(200);
    });
    it('shows the booked and the available balance as decimal text in the digits of the currency', async () => {
      const { accountId, iban } = await enabled();
      expect(await balances(accountId)).to.deep.equal(['0.00', '0.00']);
      await credit(iban, '1250.00');
      await service.deliver(order(newId(), accountId, '49.90'));
      expect(await balances(accountId)).to.deep.equal(['1250.00', '1200.10']);
      const yen = await enabled({ currency: 'JPY' });
      expect(await balances(yen.accountId)).to.deep.equal(['0', '0']);
    });
    it('lists transactions newest first with amount, direction, counterparty and dates', async () => {
      const { accountId, iban } = await enabled();
      await credit(iban, '100.00');
      const paymentId = newId();
      await service.deliver(order(paymentId, accountId, '40.00'));
      await service.deliver(settled(paymentId, accountId, '40.00'));
      const path = `/v1/accounts/${accountId}/transactions`;
      const { body } = await read(path, 'listTransactions', reader([accountId]));
      expect(body.data).to.have.length(2);
      expect(body.data[0]).to.deep.include({
        type: 'payment', status: 'BOOK', creditDebitIndicator: 'DBIT', amount: eur('40.00'), paymentId, endToEndId: 'INV-1', remittance: 'Invoice 1', counterparty: payee });
      expect(body.data[1]).to.deep.include({ type: 'incoming-payment', creditDebitIndicator: 'CRDT', amount: eur('100.00'), counterparty: { name: 'Example Employer', iban: 'NL02ABNA0123456789' } });
      const one = await read(`${path}/${body.data[0].transactionId as string}`, 'getTransaction', reader([accountId]));
      expect(one.body).to.deep.equal(body.data[0]);
      expect((await read(`${path}/${newId()}`, 'getTransaction', reader([accountId]))).body.code).to.equal('transaction_not_found');
      const today = body.data[0].bookingDate as string;
      expect((await read(`${path}?fromBookingDate=${today}&toBookingDate=${today}`, 'listTransactions', reader([accountId]))).body.data).to.have.length(2);
      expect((await read(`${path}?toBookingDate=2020-01-01`, 'listTransactions', reader([accountId]))).body.data).to.have.length(0);
      expect((await read(`${path}?fromBookingDate=2026-02-01&toBookingDate=2026-01-01`, 'listTransactions', reader([accountId]))).status).to.equal(400);
      expect((await read(`${path}?fromBookingDate=yesterday`, 'listTransactions', reader([accountId]))).status).to.equal(400);
      const page = await read(`${path}?limit=1`, 'listTransactions', reader([accountId]));
      expect((await read(`${path}?limit=1&cursor=${page.body.nextCursor as string}`, 'listTransactions', reader([accountId]))).body.data[0].type).to.equal('incoming-payment');
      expect((await read(`${path}?cursor=forged`, 'listTransactions', reader([accountId]))).body.code).to.equal('invalid_cursor');
    });
    it('does not show the transaction of another account, even to a consent on both', async () => {
      const [a, b] = [await enabled(), await enabled()];
      await credit(a.iban, '5.00');
      const { body } = await read(`/v1/accounts/${a.accountId}/transactions`, 'listTransactions', reader([a.accountId]));
      const foreign = await read(`/v1/accounts/${b.accountId}/transactions/${body.data[0].transactionId as string}`, 'getTransaction', reader([a.accountId, b.accountId]));
      expect(foreign.body.code).to.equal('transaction_not_found');
    });
  });

  describe('an account held jointly', () => {
    it('is opened for active customers of the same application, and told with all its holders', async () => {
      const [first, second, third] = [await activeCustomer(), await activeCustomer(), await activeCustomer()];
      const opened = await request(first, { body: { jointHolderIds: [third, second] } });
      expect(opened.body).to.deep.include({ customerId: first, jointHolderIds: [third, second] });
      const { accountId } = opened.body as { accountId: string };
      await service.deliver(event('core.account-booked', { accountId, iban: `DE00JOINTLY${ibans++}HELD`, coreReference: accountId }));
      expect((await told('account.opened', accountId))[0]).to.deep.include({ customerId: first, jointHolders: [third, second] });
      expect((await read(`/v1/accounts/${accountId}/opening`, 'getAccountOpening', opener)).body.jointHolderIds).to.deep.equal([third, second]);
      const shown = await read(`/v1/accounts/${accountId}`, 'getAccount', reader([accountId]));
      expect(shown.body.jointlyHeld).to.equal(true);
      expect(JSON.stringify(shown.body)).not.to.include(second);
    });
    it('is refused with a holder who is unknown, of another application, or named twice; with none or too many named', async () => {
      const first = await activeCustomer();
      const many = await Promise.all(Array.from({ length: 4 }, () => activeCustomer()));
      const cells: [string[], string][] = [
        [[newId()], 'customer_not_active'], [[await activeCustomer('app-2')], 'not_your_resource'], [[first], 'invalid_request'],
        [[many[0]!, many[0]!.toUpperCase()], 'invalid_request'], [[many[0]!, many[0]!], 'invalid_request'], [[], 'invalid_request'], [many, 'invalid_request'],
      ];
      for (const [jointHolderIds, code] of cells) expect((await request(first, { body: { jointHolderIds } })).body.code, String(jointHolderIds)).to.equal(code);
      expect(await told('account.requested', first)).to.deep.equal([]);
      expect((await request(first, { body: { jointHolderIds: many.slice(0, 3) } })).status).to.equal(201);
    });
  });

  describe('confirming funds', () => {
    const asker = (accounts: string[], change: Partial<TestCaller> = {}): TestCaller => ({
      clientId: 'tpp-9', scopes: ['funds'], roles: ['cbpii'], consent: { id: newId(), version: 1, permissions: ['funds:confirm'], accounts, customerId: newId() }, ...change,
    });
    const ask = (accountId: string, amount: object, caller = asker([accountId])) =>
      service.request('POST', `/v1/accounts/${accountId}/funds-confirmations`, { op: 'confirmFunds', caller, body: { amount } });

    it('says yes or no to what is available, and never how much there is', async () => {
      const { accountId, iban } = await enabled();
      await credit(iban, '100.00');
      await service.deliver(order(newId(), accountId, '40.00'));
      const [yes, no] = [await ask(accountId, eur('60.00')), await ask(accountId, eur('60.01'))];
      expect([yes.status, yes.body.fundsAvailable, no.status, no.body.fundsAvailable]).to.deep.equal([200, true, 200, false]);
      expect(Object.keys(no.body)).to.have.members(['fundsAvailable', 'confirmedAt']);
      expect(await balances(accountId)).to.deep.equal(['100.00', '60.00']);
    });
    it('is refused for another currency, for nothing, without the consent, the permission, the account, the scope or the role', async () => {
      const { accountId } = await enabled();
      expect((await ask(accountId, { amount: '1.00', currency: 'USD' })).body).to.include({ status: 422, code: 'unprocessable' });
      expect((await ask(accountId, eur('0.00'))).body.code).to.equal('invalid_amount');
      const callers: [TestCaller, string][] = [
        [asker([accountId], { consent: undefined as never }), 'consent_required'], [asker([newId()]), 'consent_account_not_covered'],
        [{ ...reader([accountId]), scopes: ['funds'], roles: ['cbpii'] }, 'consent_permission_missing'],
        [asker([accountId], { scopes: ['accounts'] }), 'insufficient_scope'], [asker([accountId], { roles: ['aisp', 'pisp'] }), 'role_required'],
      ];
      for (const [caller, code] of callers) expect((await ask(accountId, eur('1.00'), caller)).body.code).to.equal(code);
      const gone = newId();
      expect((await ask(gone, eur('1.00'))).body.code).to.equal('account_not_found');
    });
  });

  describe('the balances for the approval page', () => {
    const balancesOf = (customerId: string, key: string | undefined = BALANCES_KEY) =>
      service.request('GET', `/internal/customers/${customerId}/balances`, { headers: key === undefined ? {} : { 'x-balances-key': key } });

    it('are what is available on the usable accounts a customer holds alone or jointly', async () => {
      const [customerId, other] = [await activeCustomer(), await activeCustomer()];
      const open = async (holder: string, body: object = {}): Promise<string> => {
        const { accountId } = (await request(holder, { body })).body as { accountId: string };
        const iban = `DE00BALANCE${ibans++}HELD`;
        await service.deliver(event('core.account-booked', { accountId, iban, coreReference: iban }));
        await credit(iban, '20.00');
        return accountId;
      };
      const own = await open(customerId);
      const joint = await open(other, { jointHolderIds: [customerId] });
      await open(other);
      await request(customerId);
      await service.deliver(order(newId(), own, '5.00'));
      const answer = await balancesOf(customerId);
      expect(answer.body).to.deep.equal({ balances: [{ accountId: own, available: eur('15.00') }, { accountId: joint, available: eur('20.00') }] });
      expect(answer.headers['cache-control']).to.equal('no-store');
    });
    it('are none for a stranger, and not for who lacks the key', async () => {
      expect((await balancesOf(newId())).body).to.deep.equal({ balances: [] });
      expect((await balancesOf('everybody')).body.code).to.equal('invalid_request');
      for (const key of ['', 'shared-with-the-consent-servicf', `${BALANCES_KEY}x`]) expect((await balancesOf(newId(), key)).body).to.include({ status: 401, code: 'unauthenticated' });
      expect((await service.request('GET', `/internal/customers/${newId()}/balances`)).status).to.equal(401);
    });
  });

  describe('the money of a payment', () => {
    it('is held and told with the debtor, captured, and told with its booking', async () => {
      const { accountId, iban } = await enabled();
      await credit(iban, '100.00');
      const paymentId = newId();
      await service.deliver(order(paymentId, accountId, '40.00'));
      const [reserved] = await told('funds.reserved', paymentId);
      expect(reserved).to.deep.include({ paymentId, accountId, debtor: { name: 'Ada Example', iban } });
      await service.deliver(settled(paymentId, accountId, '40.00'));
      const [captured] = await told('funds.captured', paymentId);
      expect(captured).to.deep.include({ paymentId, accountId, amount: eur('40.00') });
      expect(await balances(accountId)).to.deep.equal(['60.00', '60.00']);

      const officer: TestCaller = { clientId: 'officer', scopes: ['audit'], roles: ['compliance'] };
      const bookings = await read(`/v1/ledger/transactions?paymentId=${paymentId}`, 'listLedgerTransactions', officer);
      expect(bookings.body.data[0]).to.deep.include({ transactionId: captured?.transactionId, reference: `payment:${paymentId}` });
      expect(bookings.body.data[0].entries).to.deep.equal([
        { ledgerAccount: `customer:${accountId}`, accountId, side: 'debit', amount: eur('40.00') }, { ledgerAccount: 'settlement:EUR', side: 'credit', amount: eur('40.00') }]);
      const one = await read(`/v1/ledger/transactions/${captured?.transactionId as string}`, 'getLedgerTransaction', officer);
      expect(one.body).to.deep.equal(bookings.body.data[0]);
      expect((await read(`/v1/ledger/transactions/${newId()}`, 'getLedgerTransaction', officer)).body.code).to.equal('transaction_not_found');
      expect((await read(`/v1/ledger/transactions?paymentId=${paymentId}`, 'listLedgerTransactions', opener)).status).to.equal(403);
    });
    it('is refused with the reason a bank gives', async () => {
      const { accountId } = await enabled();
      const [poor, blocked, nobody] = [newId(), newId(), newId()];
      await service.deliver(order(poor, accountId, '0.01'));
      await service.request('POST', `/v1/accounts/${accountId}/block`, { op: 'blockAccount', caller: opener });
      await service.deliver(order(blocked, accountId, '0.01'));
      await service.deliver(order(nobody, newId(), '0.01'));
      const reasons = await Promise.all([poor, blocked, nobody].map(async (id) => (await told('funds.refused', id))[0]?.reason));
      expect(reasons).to.deep.equal(['AM04', 'AC06', 'AC01']);
    });
    for (const type of ['payment.rejected', 'payment.cancelled'] as const)
      it(`is released after ${type}`, async () => {
        const { accountId, iban } = await enabled();
        await credit(iban, '10.00');
        const paymentId = newId();
        await service.deliver(order(paymentId, accountId, '10.00'));
        expect(await balances(accountId)).to.deep.equal(['10.00', '0.00']);
        await service.deliver(event(type, { paymentId, clientId: 'app-1', customerId: newId(), debtorAccountId: accountId, reason: 'CUST' }));
        expect(await balances(accountId)).to.deep.equal(['10.00', '10.00']);
        expect(await told('funds.released', paymentId)).to.deep.equal([{ paymentId, accountId }]);
      });
    it('is not held when the cancellation arrives before the order', async () => {
      const { accountId, iban } = await enabled();
      await credit(iban, '10.00');
      const paymentId = newId();
      await service.deliver(event('payment.cancelled', { paymentId, clientId: 'app-1', customerId: newId(), debtorAccountId: accountId, reason: 'CUST' }));
      await service.deliver(order(paymentId, accountId, '10.00'));
      expect(await balances(accountId)).to.deep.equal(['10.00', '10.00']);
      expect(await told('funds.reserved', paymentId)).to.deep.equal([]);
    });
    it('goes to an account of ours directly, and its owner is told', async () => {
      const [from, to] = [await enabled(), await enabled()];
      await credit(from.iban, '10.00');
      const paymentId = newId();
      await service.deliver(order(paymentId, from.accountId, '4.00', { name: 'Ada Example', iban: to.iban }));
      await service.deliver(settled(paymentId, from.accountId, '4.00'));
      expect([await balances(from.accountId), await balances(to.accountId)]).to.deep.equal([['6.00', '6.00'], ['4.00', '4.00']]);
      const credits = await told('account.credited', to.accountId);
      expect(credits[0]).to.deep.include({ accountId: to.accountId, amount: eur('4.00'), endToEndId: 'INV-1', railReference: `on-us:${paymentId}` });
    });
  });

  describe('money from outside', () => {
    it('is booked once and told once, however often it is delivered', async () => {
      const { accountId, iban, customerId } = await enabled();
      const railReference = newId();
      await credit(iban, '12.34', railReference);
      await credit(iban, '12.34', railReference);
      expect(await balances(accountId)).to.deep.equal(['12.34', '12.34']);
      const credits = await told('account.credited', railReference);
      expect(credits).to.have.length(1);
      expect(credits[0]).to.deep.include({ accountId, customerId, clientId: 'app-1', amount: eur('12.34'), endToEndId: 'SALARY' });
    });
    it('is refused with AC01 for an unknown IBAN and AC04 for a closed account', async () => {
      const { accountId, iban } = await enabled();
      await service.request('POST', `/v1/accounts/${accountId}/close`, { op: 'closeAccount', caller: opener });
      await credit(iban, '1.00', 'closed-1');
      await credit('DE89370400440532013000', '1.00', 'unknown-1');
      expect(await told('account.credit-refused', 'closed-1')).to.deep.equal([{ railReference: 'closed-1', messageId: 'M-closed-1', reason: 'AC04' }]);
      expect(await told('account.credit-refused', 'unknown-1')).to.deep.equal([{ railReference: 'unknown-1', messageId: 'M-unknown-1', reason: 'AC01' }]);
    });
  });
});
