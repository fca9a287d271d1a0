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
let ibans = 100;

describe('the account service', () => {
  let service: TestService;
  before(async () => { service = await testService(options); });
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
    return (body.balances as { amount: { amount: string } }[]).map(({ amount }) => amount.amount);
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
