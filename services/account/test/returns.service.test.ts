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
const compliance: TestCaller = { clientId: 'officer', scopes: ['bank-operations'], roles: ['compliance'] };
const payer = { name: 'Example Employer', iban: 'NL02ABNA0123456789' };
let ibans = 100;

describe('returns and recalls at the account service', () => {
  let service: TestService;
  before(async () => { service = await testService(options, { ACCOUNT_BALANCES_KEY: 'shared-with-the-consent-service' }); });
  after(() => service.stop());

  const told = async (type: EventType, about: string) =>
    (await service.events()).filter((e) => e.type === type && JSON.stringify(e).includes(about)).map((e) => e.data as Record<string, unknown>);
  const funded = async (amount: string) => {
    const customerId = newId();
    await service.deliver(event('customer.activated', { customerId, clientId: 'app-1', name: { given: 'Ada', family: 'Example' } }));
    const { body } = await service.request('POST', '/v1/accounts', { op: 'openAccount', caller: opener, headers: { 'Idempotency-Key': newId() }, body: { customerId, product: 'current', currency: 'EUR' } });
    const { accountId } = body as { accountId: string };
    const iban = `DE00RETURN${ibans++}TEST`;
    await service.deliver(event('core.account-booked', { accountId, iban, coreReference: `C-${iban}` }));
    const railReference = `M-${newId()}/tx/T`;
    await service.deliver(event('rail.credit-transfer-received', { railReference, messageId: railReference, creditorIban: iban, debtor: payer, amount: eur(amount), endToEndId: 'SALARY' }));
    return { accountId, customerId, railReference, transactionId: (await told('account.credited', railReference))[0]?.transactionId as string };
  };
  const booked = async (accountId: string): Promise<string> => {
    const caller = { clientId: 'tpp-9', scopes: ['accounts'], roles: ['aisp'], consent: { id: newId(), version: 1, permissions: ['balances:read'], accounts: [accountId], customerId: newId() } };
    const { body } = await service.request('GET', `/v1/accounts/${accountId}/balances`, { op: 'getBalances', caller });
    return (body.balances as { amount: { amount: string } }[])[0]?.amount.amount ?? '';
  };
  const initiated = (paymentId: string, debtorAccountId: string, amount: string) => event('payment.initiated', {
    paymentId, clientId: 'app-1', customerId: newId(), consentId: newId(), debtorAccountId, amount: eur(amount), creditor: payer, endToEndId: 'INV-1', uetr: newId(),
  });
  const settled = (paymentId: string, debtorAccountId: string, amount: string) =>
    event('payment.settled', { paymentId, clientId: 'app-1', customerId: newId(), debtorAccountId, amount: eur(amount) });
  const returned = (paymentId: string | undefined, amount: string, railReference = newId()) =>
    event('rail.payment-returned', { amount: eur(amount), railReference, reason: 'AC04', ...(paymentId === undefined ? {} : { paymentId }) });
  const recalled = async (originalReference: string, amount: string) => {
    const railReference = `${newId()}/CASE/-/tx/T`;
    const asked = event('rail.recall-received', { railReference, originalReference, endToEndId: 'SALARY', amount: eur(amount), reason: 'DUPL' });
    await service.deliver(asked);
    await service.deliver({ ...asked, id: newId() });
    const { body } = await service.request('GET', '/v1/recalls?status=open', { op: 'listRecalls', caller: staff });
    const [found] = body.data as { recallId: string }[];
    return { railReference, recallId: found?.recallId ?? '' };
  };
  const ask = (method: string, path: string, op: string, body: object | undefined, caller = staff, headers: Record<string, string> = {}) =>
    service.request(method, path, { op, caller, headers, ...(body ? { body } : {}) });

  it('a returned payment is on the account again and told once; the statement names who sent it back', async () => {
    const { accountId } = await funded('10.00');
    const paymentId = newId();
    await service.deliver(initiated(paymentId, accountId, '10.00'));
    await service.deliver(settled(paymentId, accountId, '10.00'));
    const back = returned(paymentId, '4.00');
    await service.deliver(back);
    await service.deliver({ ...back, id: newId() });
    expect(await booked(accountId)).to.equal('4.00');
    const [funds, ...more] = await told('funds.returned', paymentId);
    expect(more).to.deep.equal([]);
    expect(funds).to.include({ paymentId, accountId, reason: 'AC04', railReference: back.data.railReference });
    const caller = { clientId: 'tpp-9', scopes: ['accounts'], roles: ['aisp'], consent: { id: newId(), version: 1, permissions: ['transactions:read'], accounts: [accountId], customerId: newId() } };
    const { body } = await service.request('GET', `/v1/accounts/${accountId}/transactions`, { op: 'listTransactions', caller });
    expect((body.data as object[])[0]).to.deep.include({ type: 'return', creditDebitIndicator: 'CRDT', counterparty: payer, endToEndId: 'INV-1', paymentId });
  });

  it('what comes back too much, or of no payment of ours, is told as a break', async () => {
    const { accountId } = await funded('10.00');
    const paymentId = newId();
    await service.deliver(initiated(paymentId, accountId, '10.00'));
    await service.deliver(settled(paymentId, accountId, '10.00'));
    await service.deliver(returned(paymentId, '10.01'));
    expect(await booked(accountId)).to.equal('0.00');
    expect(await told('funds.returned', paymentId)).to.deep.equal([]);
    expect((await told('reconciliation.break-found', paymentId))[0]).to.deep.include({ reason: 'return-more-than-paid', amount: eur('10.01'), paymentId });
    const { body } = await ask('GET', '/v1/reconciliation/breaks?reason=return-more-than-paid', 'listReconciliationBreaks', undefined);
    expect((body.data as object[])[0]).to.deep.include({ reason: 'return-more-than-paid', status: 'open', amount: eur('10.01'), paymentId });
    await service.deliver(returned(undefined, '77.77'));
    expect((await told('reconciliation.break-found', '77.77'))[0]).to.deep.include({ reason: 'return-unknown-payment' }).and.not.have.property('paymentId');
  });

  it('every order of initiated, settled and returned ends with the same money on the account', async () => {
    for (const order of ['ISR', 'IRS', 'SIR', 'SRI', 'RIS', 'RSI']) {
      const { accountId } = await funded('10.00');
      const paymentId = newId();
      const events: Record<string, Event> = { I: initiated(paymentId, accountId, '10.00') as Event, S: settled(paymentId, accountId, '10.00') as Event, R: returned(paymentId, '4.00') as Event };
      for (const one of order) await service.deliver(events[one]!);
      for (const one of order) await service.deliver(events[one]!);
      expect(await booked(accountId), order).to.equal('4.00');
      expect(await told('funds.returned', paymentId), order).to.have.length(1);
    }
  });

  it('a recall is told, listed, and accepted by the staff: the money goes back and the rail is answered', async () => {
    const { accountId, customerId, railReference, transactionId } = await funded('100.00');
    const recall = await recalled(railReference, '100.00');
    expect(await told('account.recall-received', recall.recallId)).to.deep.equal([{ recallId: recall.recallId, accountId, customerId, clientId: 'app-1', amount: eur('100.00'), reason: 'DUPL' }]);
    const accept = (caller = staff, body: object = { staffMember: 'staff-17' }) => ask('POST', `/v1/recalls/${recall.recallId}/accept`, 'acceptRecall', body, caller);
    expect((await accept(compliance)).body.code).to.equal('role_required');
    expect((await accept({ ...staff, scopes: ['accounts'] })).body.code).to.equal('insufficient_scope');
    expect((await accept(staff, {})).status).to.equal(400);
    expect((await accept(staff, { staffMember: 'Ada Example' })).status).to.equal(400);
    const [accepted, again] = [await accept(), await accept()];
    expect(accepted.body).to.include({ status: 'accepted', decidedBy: 'back-office/staff-17', transactionId, accountId });
    expect(again.body).to.deep.equal(accepted.body);
    expect(await booked(accountId)).to.equal('0.00');
    const [back, ...more] = await told('account.credit-returned', railReference);
    expect(more).to.deep.equal([]);
    expect(back).to.deep.include({ accountId, clientId: 'app-1', railReference, amount: eur('100.00'), endToEndId: 'SALARY', reason: 'FOCR', recallReference: recall.railReference });
    expect(await told('account.recall-answered', recall.recallId)).to.deep.equal([
      { recallId: recall.recallId, accountId, customerId, clientId: 'app-1', recallReference: recall.railReference, outcome: 'accepted' }]);
    expect((await ask('GET', `/v1/recalls/${recall.recallId}`, 'getRecall', undefined, compliance)).body).to.deep.equal(accepted.body);
    expect((await ask('POST', `/v1/recalls/${recall.recallId}/refuse`, 'refuseRecall', { reason: 'CUST', staffMember: 'staff-17' })).body.code).to.equal('invalid_state');
  });

  it('a recall is refused by the staff with a reason; one of a transfer never received can only be refused', async () => {
    const { accountId, railReference } = await funded('100.00');
    const recall = await recalled(railReference, '100.00');
    const refuse = (recallId: string, reason: string) => ask('POST', `/v1/recalls/${recallId}/refuse`, 'refuseRecall', { reason, staffMember: 'staff-17' });
    expect((await refuse(recall.recallId, 'NOPE')).status).to.equal(400);
    expect((await refuse(recall.recallId, 'CUST')).body).to.include({ status: 'refused', decisionReason: 'CUST' });
    expect((await told('account.recall-answered', recall.recallId))[0]).to.include({ outcome: 'refused', reason: 'CUST' });
    expect(await booked(accountId)).to.equal('100.00');
    const strange = await recalled('NEVER/tx/SEEN', '5.00');
    expect(await told('account.recall-received', strange.recallId)).to.deep.equal([]);
    expect((await ask('POST', `/v1/recalls/${strange.recallId}/accept`, 'acceptRecall', { staffMember: 'staff-17' })).body.code).to.equal('invalid_state');
    await refuse(strange.recallId, 'NOOR');
    expect((await told('account.recall-answered', strange.recallId))[0]).to.deep.equal({ recallId: strange.recallId, recallReference: strange.railReference, outcome: 'refused', reason: 'NOOR' });
    expect((await refuse(newId(), 'CUST')).body.code).to.equal('recall_not_found');
  });

  it('the staff send a received transfer back in parts, once for a key, and never more than came', async () => {
    const { accountId, transactionId, railReference } = await funded('50.00');
    const send = (key: string, amount: string, caller = staff, id = transactionId) => ask('POST', `/v1/ledger/transactions/${id}/return`, 'returnTransaction',
      { amount: eur(amount), reason: 'MS02', staffMember: 'staff-17' }, caller, { 'Idempotency-Key': key });
    const [first, again] = [await send('part-1', '20.00'), await send('part-1', '20.00')];
    expect([first.status, again.status, again.headers['idempotency-replayed']]).to.deep.equal([201, 201, 'true']);
    expect((await send('part-1', '21.00')).body.code).to.equal('idempotency_mismatch');
    expect((await send('part-2', '30.01')).body).to.include({ code: 'unprocessable', status: 422 });
    expect((await send('part-3', '0.00')).body.code).to.equal('invalid_amount');
    expect((await send('part-4', '1.00', compliance)).body.code).to.equal('role_required');
    expect((await send('part-5', '1.00', staff, newId())).body.code).to.equal('transaction_not_found');
    expect((await send('part-6', '30.00')).status).to.equal(201);
    expect(await booked(accountId)).to.equal('0.00');
    const backs = await told('account.credit-returned', railReference);
    expect(backs.map(({ amount }) => amount)).to.deep.equal([eur('20.00'), eur('30.00')]);
    expect(backs[0]).to.include({ reason: 'MS02' }).and.not.have.property('recallReference');
  });
});
