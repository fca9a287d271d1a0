import { expect } from 'chai';
import { newEvent, type Event, type EventData, type EventType } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { testService, type TestCaller, type TestService } from '@kontor/testing/service';
import { options } from '../src/main.js';

const CONTEXT = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', clientId: 'app-1' };
const event = <T extends EventType>(type: T, data: EventData<T>): Event<T> => newEvent(type, { subject: newId(), data, context: CONTEXT, source: 'test' });
const eur = (amount: string) => ({ amount, currency: 'EUR' });
const opener: TestCaller = { clientId: 'app-1', scopes: ['accounts'], roles: ['onboarding'] };
const staff: TestCaller = { clientId: 'back-office', scopes: ['bank-operations'], roles: ['bank-staff'] };
const payer = { name: 'Example Employer', iban: 'NL02ABNA0123456789' };
let ibans = 100;

describe('the ledger for the bank\'s staff', () => {
  let service: TestService;
  before(async () => { service = await testService(options, { ACCOUNT_BALANCES_KEY: 'shared-with-the-consent-service' }); });
  after(() => service.stop());

  const told = async (type: EventType, about: string) =>
    (await service.events()).filter((e) => e.type === type && JSON.stringify(e.data).includes(about)).map((e) => e.data as Record<string, unknown>);
  const enabled = async (): Promise<{ accountId: string; iban: string }> => {
    const customerId = newId();
    await service.deliver(event('customer.activated', { customerId, clientId: 'app-1', name: { given: 'Ada', family: 'Example' } }));
    const { body } = await service.request('POST', '/v1/accounts', { op: 'openAccount', caller: opener, headers: { 'Idempotency-Key': newId() }, body: { customerId, product: 'current', currency: 'EUR' } });
    const { accountId } = body as { accountId: string };
    const iban = `DE00STAFF${ibans++}TEST`;
    await service.deliver(event('core.account-booked', { accountId, iban, coreReference: `C-${iban}` }));
    return { accountId, iban };
  };
  const credit = async (creditorIban: string, amount: string): Promise<string> => {
    const railReference = newId();
    await service.deliver(event('rail.credit-transfer-received', { railReference, messageId: `M-${railReference}`, creditorIban, debtor: payer, amount: eur(amount), endToEndId: 'SALARY' }));
    return (await told('account.credited', railReference))[0]?.transactionId as string;
  };
  const order = (type: 'payment.initiated' | 'payment.due', paymentId: string, debtorAccountId: string, amount: string, change: object = {}) => event(type, {
    paymentId, clientId: 'app-1', customerId: newId(), consentId: newId(), debtorAccountId, amount: eur(amount), creditor: payer, endToEndId: 'INV-1', uetr: newId(), ...change,
  });
  const ask = (method: string, path: string, op: string, body: object | undefined, caller = staff) => service.request(method, path, { op, caller, ...(body ? { body } : {}) });

  it('sets an overdraft limit, which is shown beside the balances and told', async () => {
    const { accountId } = await enabled();
    const set = (amount: string, caller = staff) => ask('PUT', `/v1/accounts/${accountId}/overdraft`, 'setOverdraft', { limit: eur(amount), staffMember: 'staff-17' }, caller);
    const answer = await set('50.00');
    expect([answer.status, answer.body.creditLine]).to.deep.equal([200, { included: false, limit: eur('50.00') }]);
    expect((await told('account.overdraft-changed', accountId))[0]).to.deep.include({ accountId, limit: eur('50.00') });
    await service.deliver(order('payment.initiated', newId(), accountId, '20.00'));
    expect((await set('19.99')).body).to.include({ status: 409, code: 'invalid_state' });
    expect((await set('-1.00')).status).to.equal(400);
    expect((await set('20.00', { ...staff, roles: ['compliance'] })).body.code).to.equal('role_required');
    expect((await set('20.00', { ...staff, scopes: ['accounts'] })).body.code).to.equal('insufficient_scope');
    expect((await ask('PUT', `/v1/accounts/${accountId}/overdraft`, 'setOverdraft', { limit: eur('20.00') })).status).to.equal(400);
  });
  it('reverses a booking once, and says who ordered it and why', async () => {
    const { iban } = await enabled();
    const transactionId = await credit(iban, '10.00');
    const reverse = (id: string, body: object = { reason: 'Booked twice', staffMember: 'staff-17' }, caller = staff) =>
      ask('POST', `/v1/ledger/transactions/${id}/reversal`, 'reverseLedgerTransaction', body, caller);
    const [first, again] = [await reverse(transactionId), await reverse(transactionId)];
    expect(first.body).to.include({ type: 'reversal', reverses: transactionId, reason: 'Booked twice', by: 'back-office/staff-17' });
    expect(again.body).to.deep.equal(first.body);
    expect(await told('ledger.reversed', transactionId)).to.have.length(1);
    expect((await reverse(first.body.transactionId as string)).body).to.include({ status: 409, code: 'invalid_state' });
    expect((await reverse(newId())).body.code).to.equal('transaction_not_found');
    expect((await reverse(transactionId, { reason: 'x', staffMember: 'staff-17' })).status).to.equal(400);
    expect((await reverse(transactionId, { reason: 'Booked twice', staffMember: 'Ada Example' })).status).to.equal(400);
    expect((await reverse(transactionId, undefined, { ...staff, roles: ['onboarding'] })).body.code).to.equal('role_required');
  });
  it('verifies the books and says what was checked', async () => {
    const verify = (caller = staff) => ask('POST', '/v1/ledger/verification', 'verifyLedger', undefined, caller);
    const sound = await verify();
    expect(sound.body).to.include({ sound: true });
    expect(sound.body.checked.entries).to.be.at.least(2);
    expect(sound.body.invariants).to.have.length(7);
    const { accountId } = await enabled();
    await service.database.query('update ledger_balances set held_minor = 1, overdraft_minor = 1 where ledger_account_id = $1', [accountId]);
    const broken = await verify({ ...staff, roles: ['compliance'] });
    await service.database.query('update ledger_balances set held_minor = 0, overdraft_minor = 0 where ledger_account_id = $1', [accountId]);
    expect([broken.body.sound, broken.body.breaches]).to.deep.equal([false, [{ invariant: 'held equals its holds', subject: accountId, expected: '0', actual: '1' }]]);
    expect((await verify({ ...staff, roles: ['aisp'] })).body.code).to.equal('role_required');
  });
  it('closes days that are over, never today, and opens none again', async () => {
    const close = (closedThrough: string) => ask('PUT', '/v1/ledger/closed-period', 'closeLedgerPeriod', { closedThrough, staffMember: 'staff-17' });
    expect((await close('2024-12-31')).body).to.deep.equal({ closedThrough: '2024-12-31' });
    expect((await close('2023-12-31')).body).to.deep.equal({ closedThrough: '2024-12-31' });
    expect((await close(new Date().toISOString().slice(0, 10))).body.code).to.equal('unprocessable');
    expect((await close('yesterday')).status).to.equal(400);
  });

  describe('hears of payments', () => {
    it('that are put off, and holds nothing until they are due', async () => {
      const { accountId, iban } = await enabled();
      await credit(iban, '10.00');
      const paymentId = newId();
      await service.deliver(order('payment.initiated', paymentId, accountId, '4.00', { deferred: true, requestedExecutionDate: '2027-01-04' }));
      expect(await told('funds.reserved', paymentId)).to.deep.equal([]);
      await service.deliver(order('payment.due', paymentId, accountId, '4.00', { deferred: true }));
      expect(await told('funds.reserved', paymentId)).to.have.length(1);
    });
    it('to an account of ours, and says so', async () => {
      const [from, to] = [await enabled(), await enabled()];
      await credit(from.iban, '10.00');
      const paymentId = newId();
      await service.deliver(order('payment.initiated', paymentId, from.accountId, '4.00', { creditor: { name: 'Ada Example', iban: to.iban } }));
      expect((await told('funds.reserved', paymentId))[0]).to.include({ onUs: true });
    });
    it('that refund a received transfer, and names it; beyond it they are refused', async () => {
      const { accountId, iban } = await enabled();
      await credit(iban, '100.00');
      const refundOf = await credit(iban, '10.00');
      const [fits, exceeds] = [newId(), newId()];
      await service.deliver(order('payment.initiated', fits, accountId, '6.00', { refundOf }));
      await service.deliver(order('payment.initiated', exceeds, accountId, '6.00', { refundOf }));
      expect((await told('funds.reserved', fits))[0]?.original).to.deep.include({ endToEndId: 'SALARY', amount: eur('10.00') });
      expect((await told('funds.refused', exceeds))[0]?.reason).to.equal('AM09');
    });
  });
});
