import { expect } from 'chai';
import { newId } from '@kontor/kernel/ids';
import { testService, type TestService } from '@kontor/testing/service';
import { options } from '../src/main.js';
import {
  authorisation, authorised, caller, consentNews, consentState, ended, initiate, order, recurringState, recurringTerms, refused, reported, reserved, type Authorisation,
} from './fixtures.js';

describe('payment service', () => {
  let service: TestService;
  before(async () => { service = await testService(options); });
  after(() => service.stop());

  /** A consent the service has heard of. */
  async function known(named: Partial<Authorisation> = {}): Promise<Authorisation> {
    const given = authorisation(named);
    await service.deliver(authorised(given));
    return given;
  }

  const read = (paymentId: string, clientId = 'fintech-a', roles: string[] = ['pisp']) =>
    service.request('GET', `/v1/payments/${paymentId}`, { op: 'getPayment', caller: { clientId, roles } });
  const told = async (paymentId: string) => (await service.events()).filter(({ subject }) => subject === paymentId).map(({ type }) => type);

  describe('initiating', () => {
    it('answers 201 with the payment at RCVD, and tells it in the same transaction', async () => {
      const given = await known();
      const answer = await initiate(service, given);
      expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
      expect(answer.headers.location).to.equal(`/v1/payments/${answer.body.paymentId}`);
      expect(answer.body).to.deep.include({ status: 'RCVD', amount: { amount: '12.50', currency: 'EUR' }, consentId: given.consentId });
      expect(answer.body.uetr).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
      const events = (await service.events()).filter(({ subject }) => subject === answer.body.paymentId);
      expect(events.map(({ type }) => type)).to.deep.equal(['payment.initiated', 'payment.status-changed']);
      expect(events[0]).to.include({ clientid: 'fintech-a', customerid: given.customerId, source: 'payment' });
      expect(events[0]?.data).to.deep.include({ creditor: given.payment.creditor, debtorAccountId: given.debtorAccountId });
    });

    it('gives the same payment for the same key and body, in its current state, and makes no second one', async () => {
      const given = await known();
      const first = await initiate(service, given, { key: 'again-1' });
      await service.deliver(reserved(first.body.paymentId, given.debtorAccountId));
      const again = await initiate(service, given, { key: 'again-1' });
      expect(again.status).to.equal(201);
      expect(again.headers['idempotency-replayed']).to.equal('true');
      expect(again.body).to.deep.include({ paymentId: first.body.paymentId, status: 'ACCP' });
      expect((await told(first.body.paymentId)).filter((type) => type === 'payment.initiated')).to.have.length(1);
    });

    it('refuses the same key with another body (422)', async () => {
      const given = await known();
      await initiate(service, given, { key: 'again-2' });
      const other = await initiate(service, given, { key: 'again-2', body: { ...order(given), remittance: 'Something else' } });
      expect(other).to.deep.include({ status: 422 }).and.have.nested.property('body.code', 'idempotency_mismatch');
    });

    it('lets two clients use the same key', async () => {
      const [one, two] = [await known(), await known({ clientId: 'fintech-b' })];
      const answers = [await initiate(service, one, { key: 'shared' }), await initiate(service, two, { key: 'shared' })];
      expect(answers.map(({ status }) => status)).to.deep.equal([201, 201]);
      expect(answers[0]?.body.paymentId).not.to.equal(answers[1]?.body.paymentId);
    });

    it('makes one payment of twenty simultaneous calls with one key', async () => {
      const given = await known();
      const answers = await Promise.all(Array.from({ length: 20 }, () => initiate(service, given, { key: 'at-once' })));
      for (const { status, body } of answers) expect([201, 409], JSON.stringify(body)).to.include(status);
      const ids = new Set(answers.filter(({ status }) => status === 201).map(({ body }) => body.paymentId));
      expect(ids.size).to.equal(1);
      expect(await told([...ids][0])).to.deep.equal(['payment.initiated', 'payment.status-changed']);
    });

    it('makes one payment of ten simultaneous calls with different keys on one consent; the others learn it is consumed', async () => {
      const given = await known();
      const answers = await Promise.all(Array.from({ length: 10 }, () => initiate(service, given)));
      expect(answers.filter(({ status }) => status === 201)).to.have.length(1);
      for (const { body } of answers.filter(({ status }) => status !== 201)) expect(body.code).to.equal('consent_consumed');
    });

    it('leaves the key of a refused call free for a correct one', async () => {
      const given = await known();
      const wrong = await initiate(service, given, { key: 'mended', body: { ...order(given), amount: { amount: '12.51', currency: 'EUR' } } });
      expect(wrong.body.code).to.equal('consent_permission_missing');
      expect((await initiate(service, given, { key: 'mended' })).status).to.equal(201);
    });

    it('waits for news of an authorisation that is still on its way', async () => {
      const given = authorisation();
      const waiting = initiate(service, given);
      setTimeout(() => void service.deliver(authorised(given)), 300);
      expect((await waiting).status).to.equal(201);
    });

    it('answers 503 with Retry-After when the news does not come within 2 s', async () => {
      const started = Date.now();
      const answer = await initiate(service, authorisation());
      expect(answer).to.deep.include({ status: 503 }).and.have.nested.property('body.code', 'unavailable');
      expect(answer.headers['retry-after']).to.equal('1');
      expect(Date.now() - started).to.be.within(1_900, 4_000);
    });

    for (const how of ['revoked', 'withdrawn', 'expired'] as const)
      it(`refuses a consent that was ${how}, also when that was heard before the authorisation`, async () => {
        for (const heard of [[0, 1], [1, 0]]) {
          const given = authorisation();
          const news = [authorised(given), ended(given, how)];
          for (const i of heard) await service.deliver(news[i]!);
          expect((await initiate(service, given)).body.code).to.equal(`consent_${how}`);
        }
      });
  });

  describe('what the customer did not authorise', () => {
    const cases: [string, (given: Authorisation) => Record<string, unknown>, string][] = [
      ['another amount', (given) => ({ ...order(given), amount: { amount: '12.49', currency: 'EUR' } }), 'consent_permission_missing'],
      ['another currency', (given) => ({ ...order(given), amount: { amount: '12.50', currency: 'USD' } }), 'consent_permission_missing'],
      ['another creditor account', (given) => ({ ...order(given), creditor: { name: 'Fictional Books Ltd', iban: 'NL91ABNA0417164300' } }), 'consent_permission_missing'],
      ['another creditor name', (given) => ({ ...order(given), creditor: { name: 'Somebody Else', iban: 'DE89370400440532013000' } }), 'consent_permission_missing'],
      ['another debtor account', (given) => ({ ...order(given), debtorAccountId: newId() }), 'consent_account_not_covered'],
    ];
    for (const [what, body, code] of cases)
      it(`is refused: ${what}`, async () => {
        const given = await known();
        const answer = await initiate(service, given, { body: body(given) });
        expect(answer).to.deep.include({ status: 403 }).and.have.nested.property('body.code', code);
      });

    it('is refused: a single payment under a consent to a bulk', async () => {
      const given = authorisation();
      const { payment: _none, ...state } = consentState(given);
      await service.deliver(consentNews('consent.authorised', { ...state, consentType: 'bulk-payment', bulk: { transactions: 1, total: given.payment.amount } }));
      expect(await initiate(service, given)).to.deep.include({ status: 403 }).and.have.nested.property('body.code', 'consent_permission_missing');
    });

    it('is refused: another remittance than the one shown', async () => {
      const base = authorisation();
      const given = await known({ ...base, payment: { ...base.payment, remittance: 'Invoice 1' } });
      expect((await initiate(service, given, { body: { ...order(given), remittance: 'Invoice 2' } })).body.code).to.equal('consent_permission_missing');
      expect((await initiate(service, given)).status).to.equal(201);
    });

    it('is refused: a consent of another client, even if the token says otherwise', async () => {
      const given = await known();
      const answer = await initiate(service, { ...given, clientId: 'fintech-b' });
      expect(answer.body.code).to.equal('consent_not_active');
    });
  });

  describe('under a variable recurring consent', () => {
    const recurring = async (more: Parameters<typeof recurringState>[1] = {}): Promise<Authorisation> => {
      const given = authorisation();
      await service.deliver(consentNews('consent.authorised', recurringState(given, more)));
      return given;
    };
    const body = ({ debtorAccountId }: Authorisation, amount: string, more: object = {}) =>
      ({ debtorAccountId, amount: { amount, currency: 'EUR' }, creditor: recurringTerms().creditor, ...more });

    it('any number of payments is made until a limit is reached; the refusal says which, what is left and from when there is more', async () => {
      const given = await recurring();
      for (const amount of ['100.00', '100.00']) expect((await initiate(service, given, { body: body(given, amount) })).status).to.equal(201);
      const refusal = await initiate(service, given, { body: body(given, '50.01') });
      expect(refusal.body).to.deep.include({
        status: 403, code: 'consent_limit_exceeded', limit: 'month', maximum: { amount: '250.00', currency: 'EUR' }, left: { amount: '50.00', currency: 'EUR' },
      });
      expect(refusal.body.nextPeriodAt).to.match(/^\d{4}-\d{2}-01T00:00:00\.000Z$/);
      expect(refusal.body.detail).to.equal(`The consent allows 250.00 EUR a month; 50.00 EUR is left, and the next period begins at ${refusal.body.nextPeriodAt}.`);
      expect((await initiate(service, given, { body: body(given, '50.00') })).status).to.equal(201);
    });

    it('a repeated key gives the same payment and counts once', async () => {
      const given = await recurring();
      const [first, again] = [await initiate(service, given, { key: 'vrp-1', body: body(given, '100.00') }), await initiate(service, given, { key: 'vrp-1', body: body(given, '100.00') })];
      expect([again.status, again.body.paymentId, again.headers['idempotency-replayed']]).to.deep.equal([201, first.body.paymentId, 'true']);
      for (const amount of ['100.00', '50.00']) expect((await initiate(service, given, { body: body(given, amount) })).status).to.equal(201);
    });

    const cases: [string, (given: Authorisation) => object, string][] = [
      ['more than the maximum of one payment', (given) => body(given, '100.01', { remittance: 'Savings plan' }), 'consent_limit_exceeded'],
      ['another currency', (given) => body(given, '1.00', { amount: { amount: '1.00', currency: 'USD' } }), 'consent_permission_missing'],
      ['another creditor account', (given) => body(given, '1.00', { creditor: { ...recurringTerms().creditor, iban: 'NL91ABNA0417164300' } }), 'consent_permission_missing'],
      ['another creditor name', (given) => body(given, '1.00', { creditor: { ...recurringTerms().creditor, name: 'Somebody Else' } }), 'consent_permission_missing'],
      ['another remittance than a fixed one', (given) => body(given, '1.00', { remittance: 'Other' }), 'consent_permission_missing'],
      ['no remittance where one is fixed', (given) => body(given, '1.00'), 'consent_permission_missing'],
    ];
    for (const [what, wrong, code] of cases)
      it(`is refused: ${what}`, async () => {
        const given = await recurring({ recurring: recurringTerms({ remittance: 'Savings plan' }) });
        expect((await initiate(service, given, { body: wrong(given) })).body.code).to.equal(code);
        expect((await initiate(service, given, { body: body(given, '1.00', { remittance: 'Savings plan' }) })).status).to.equal(201);
      });

    it('is refused: an account that is not of the consent, also when the token names it; any that is may be debited', async () => {
      const given = await recurring();
      const second = newId();
      await service.deliver(consentNews('consent.amended', recurringState(given, { accounts: [given.debtorAccountId, second], version: 3 })));
      const elsewhere = { ...given, debtorAccountId: newId() };
      expect((await initiate(service, elsewhere, { body: body(elsewhere, '1.00') })).body.code).to.equal('consent_account_not_covered');
      for (const debtorAccountId of [given.debtorAccountId, second])
        expect((await initiate(service, { ...given, debtorAccountId }, { body: body({ ...given, debtorAccountId }, '1.00') })).status).to.equal(201);
    });

    it('is refused: another client, another customer, before it begins and after its end', async () => {
      const given = await recurring();
      for (const other of [{ ...given, clientId: 'fintech-b' }, { ...given, customerId: newId() }])
        expect((await initiate(service, other, { body: body(given, '1.00') })).body.code).to.equal('consent_not_active');
      const later = await recurring({ recurring: recurringTerms({ validFrom: '2120-01-01T00:00:00.000Z' }) });
      expect((await initiate(service, later, { body: body(later, '1.00') })).body.code).to.equal('consent_not_active');
      const over = await recurring({ recurring: recurringTerms({ validUntil: '2022-01-01T00:00:00.000Z' }) });
      expect((await initiate(service, over, { body: body(over, '1.00') })).body.code).to.equal('consent_expired');
      await service.deliver(consentNews('consent.withdrawn', recurringState(given)));
      expect((await initiate(service, given, { body: body(given, '1.00') })).body.code).to.equal('consent_withdrawn');
    });
  });

  describe('the date a consent names', () => {
    const today = (): string => new Date().toISOString().slice(0, 10);
    const dated = (requestedExecutionDate: string) => known({ payment: { ...authorisation().payment, requestedExecutionDate } });

    it('must be named by the payment as well, and is kept', async () => {
      const given = await dated(today());
      const { requestedExecutionDate: _date, ...without } = order(given);
      expect((await initiate(service, given, { body: without })).body.code).to.equal('consent_permission_missing');
      expect((await initiate(service, given, { body: { ...without, requestedExecutionDate: '2027-01-01' } })).body.code).to.equal('consent_permission_missing');
      const answer = await initiate(service, given, { key: 'dated-1' });
      expect(answer.body).to.include({ status: 'RCVD', requestedExecutionDate: given.payment.requestedExecutionDate });
      expect((await read(answer.body.paymentId)).body.requestedExecutionDate).to.equal(given.payment.requestedExecutionDate);
    });

    it('cannot lie ahead or behind; the consent stays good for its day', async () => {
      for (const [date, words] of [['2120-01-01', /at most a year ahead/], ['2026-01-01', /is over/]] as const) {
        const given = await dated(date);
        const answer = await initiate(service, given);
        expect(answer.body).to.include({ status: 422, code: 'unprocessable' });
        expect(answer.body.detail).to.match(words);
        expect(await service.database.query('select 1 from payments where consent_id = $1', [given.consentId])).to.have.length(0);
      }
    });

    it('may be today where the consent names none, and must be a date', async () => {
      const given = await known();
      expect((await initiate(service, given, { body: { ...order(given), requestedExecutionDate: '2026-02-30' } })).status).to.equal(400);
      expect((await initiate(service, given, { body: { ...order(given), requestedExecutionDate: today() } })).status).to.equal(201);
    });
  });

  it('refuses a payment after the end of its consent, before the news of it has come', async () => {
    const given = await known({ expiresAt: new Date(Date.now() - 1).toISOString() });
    expect((await initiate(service, given)).body.code).to.equal('consent_expired');
  });

  it('keeps nothing of consents under which nothing is paid', async () => {
    const given = authorisation();
    const state = { ...consentState(given), consentType: 'account-access' as const, permissions: ['accounts:read'] };
    await service.deliver(consentNews('consent.authorised', state));
    await service.deliver(consentNews('consent.revoked', state));
    expect(await service.database.query('select 1 from authorised_consents where consent_id = $1', [given.consentId])).to.have.length(0);
  });

  describe('orders that are wrong in themselves', () => {
    const cases: [string, (body: Record<string, unknown>) => Record<string, unknown>, string][] = [
      ['an amount of zero', (body) => ({ ...body, amount: { amount: '0.00', currency: 'EUR' } }), 'invalid_amount'],
      ['three decimals of euro', (body) => ({ ...body, amount: { amount: '1.005', currency: 'EUR' } }), 'invalid_amount'],
      ['decimals of yen', (body) => ({ ...body, amount: { amount: '1.5', currency: 'JPY' } }), 'invalid_amount'],
      ['an unknown currency', (body) => ({ ...body, amount: { amount: '1', currency: 'XQZ' } }), 'invalid_amount'],
      ['a negative amount', (body) => ({ ...body, amount: { amount: '-1.00', currency: 'EUR' } }), 'invalid_request'],
      ['an amount that is a number', (body) => ({ ...body, amount: { amount: 1.5, currency: 'EUR' } }), 'invalid_request'],
      ['wrong IBAN check digits', (body) => ({ ...body, creditor: { name: 'A', iban: 'DE88370400440532013000' } }), 'invalid_iban'],
      ['characters outside the SEPA set', (body) => ({ ...body, remittance: 'Rechnung <b>' }), 'invalid_request'],
      ['an end-to-end id that begins with a slash', (body) => ({ ...body, endToEndId: '/x' }), 'invalid_request'],
      ['a member nobody knows', (body) => ({ ...body, urgency: 'high' }), 'invalid_request'],
    ];
    for (const [what, change, code] of cases)
      it(`are refused: ${what}`, async () => {
        const given = await known();
        const answer = await initiate(service, given, { body: change(order(given)) });
        expect(answer, JSON.stringify(answer.body)).to.deep.include({ status: 400 }).and.have.nested.property('body.code', code);
      });

    it('are refused: no Idempotency-Key', async () => {
      const given = await known();
      const answer = await service.request('POST', '/v1/payments', { op: 'initiatePayment', caller: caller(given), body: order(given) });
      expect(answer.status).to.equal(400);
    });

    it('are refused: no consent in the gateway token', async () => {
      const given = await known();
      const answer = await service.request('POST', '/v1/payments', { op: 'initiatePayment', caller: { clientId: 'fintech-a' }, headers: { 'idempotency-key': 'k' }, body: order(given) });
      expect(answer.status).to.be.oneOf([401, 403]);
    });
  });

  describe('the way to settlement', () => {
    it('follows funds and rail, tells each step once, and survives repeated deliveries', async () => {
      const given = await known();
      const { body: { paymentId } } = await initiate(service, given);
      const news = [reserved(paymentId, given.debtorAccountId), reported(paymentId, 'ACTC'), reported(paymentId, 'ACSP'), reported(paymentId, 'ACSC')];
      for (const event of [...news, ...news].sort((a, b) => news.indexOf(a) - news.indexOf(b))) await service.deliver(event);
      const { body } = await read(paymentId);
      expect(body.statusHistory.map(({ status }: { status: string }) => status)).to.deep.equal(['RCVD', 'ACTC', 'ACCP', 'ACSP', 'ACSC']);
      const types = await told(paymentId);
      for (const type of ['payment.submitted', 'payment.settled']) expect(types.filter((entry) => entry === type), type).to.have.length(1);
      const status = await service.request('GET', `/v1/payments/${paymentId}/status`, { op: 'getPaymentStatus', caller: { clientId: 'fintech-a' } });
      expect(status.body).to.include({ status: 'ACSC', final: true });
    });

    it('ends in one state when reports arrive at the same time in any order', async () => {
      const given = await known();
      const { body: { paymentId } } = await initiate(service, given);
      await service.deliver(reserved(paymentId, given.debtorAccountId));
      await Promise.all(['ACSC', 'ACSP', 'ACTC', 'ACSC', 'ACSP'].map((status) => service.deliver(reported(paymentId, status as 'ACSC'))));
      expect((await read(paymentId)).body.status).to.equal('ACSC');
      expect((await told(paymentId)).filter((type) => type === 'payment.settled')).to.have.length(1);
    });

    it('ends at RJCT with the reason when funds are missing', async () => {
      const given = await known();
      const { body: { paymentId } } = await initiate(service, given);
      await service.deliver(refused(paymentId, given.debtorAccountId, 'AM04'));
      expect((await read(paymentId)).body).to.include({ status: 'RJCT', statusReason: 'AM04' });
      expect(await told(paymentId)).to.include('payment.rejected');
    });

    it('takes a report about an unknown payment without fault, and tells nothing', async () => {
      const before = (await service.events()).length;
      await service.deliver(reported(newId(), 'ACSC'));
      expect(await service.events()).to.have.length(before);
    });
  });

  describe('cancelling', () => {
    const cancel = (paymentId: string, clientId = 'fintech-a') => service.request('DELETE', `/v1/payments/${paymentId}`, { op: 'cancelPayment', caller: { clientId, roles: ['pisp'] } });

    it('works before submission, and again gives the same answer', async () => {
      const given = await known();
      const { body: { paymentId } } = await initiate(service, given);
      expect((await cancel(paymentId)).body).to.include({ status: 'CANC', statusReason: 'CUST' });
      expect((await cancel(paymentId)).status).to.equal(200);
      expect((await told(paymentId)).filter((type) => type === 'payment.cancelled')).to.have.length(1);
      await service.deliver(reserved(paymentId, given.debtorAccountId));
      expect((await read(paymentId)).body.status).to.equal('CANC');
      expect(await told(paymentId)).not.to.include('payment.submitted');
    });

    it('is refused after submission (409 invalid_state)', async () => {
      const given = await known();
      const { body: { paymentId } } = await initiate(service, given);
      await service.deliver(reserved(paymentId, given.debtorAccountId));
      expect(await cancel(paymentId)).to.deep.include({ status: 409 }).and.have.nested.property('body.code', 'invalid_state');
    });

    it('is refused to another client, and to a compliance officer', async () => {
      const given = await known();
      const { body: { paymentId } } = await initiate(service, given);
      expect((await cancel(paymentId, 'fintech-b')).body.code).to.equal('not_your_resource');
      const officer = await service.request('DELETE', `/v1/payments/${paymentId}`, { op: 'cancelPayment', caller: { clientId: 'officer', roles: ['compliance', 'pisp'] } });
      expect(officer.body.code).to.equal('not_your_resource');
    });
  });

  describe('reading', () => {
    it('is for the client that initiated, and for compliance; others get 403, nobody a stranger id (404)', async () => {
      const given = await known();
      const { body: { paymentId } } = await initiate(service, given);
      expect((await read(paymentId)).status).to.equal(200);
      expect((await read(paymentId, 'fintech-b')).body.code).to.equal('not_your_resource');
      expect((await read(paymentId, 'officer', ['compliance'])).status).to.equal(200);
      expect((await read(newId())).body.code).to.equal('payment_not_found');
    });

    it('lists newest first, page by page, only the own payments', async () => {
      const mine = { clientId: `lister-${newId()}` };
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) ids.unshift((await initiate(service, await known(mine))).body.paymentId);
      const list = async (query: string) => (await service.request('GET', `/v1/payments${query}`, { op: 'listPayments', caller: { ...mine, roles: ['pisp'] } })).body;
      const first = await list('?limit=3');
      const second = await list(`?limit=3&cursor=${first.nextCursor}`);
      expect([...first.data, ...second.data].map(({ paymentId }: { paymentId: string }) => paymentId)).to.deep.equal(ids);
      expect(second.nextCursor).to.equal(null);
      expect((await list('?status=ACSC')).data).to.deep.equal([]);
      expect((await list('?cursor=forged')).code).to.equal('invalid_cursor');
    });

    it('shows your own reference once you have set it', async () => {
      const given = await known();
      const { body: { paymentId } } = await initiate(service, given);
      const patch = (clientId: string) => service.request('PATCH', `/v1/payments/${paymentId}`, { op: 'updatePayment', caller: { clientId, roles: ['pisp'] }, body: { reference: 'ORDER-17' } });
      expect((await patch('fintech-b')).body.code).to.equal('not_your_resource');
      expect((await patch('fintech-a')).body.reference).to.equal('ORDER-17');
      expect((await read(paymentId)).body.reference).to.equal('ORDER-17');
    });
  });
});
