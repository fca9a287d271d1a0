import { expect } from 'chai';
import { newEvent } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { testService, type TestAnswer, type TestCaller, type TestService } from '@kontor/testing/service';
import { options } from '../src/main.js';

const FINTECH: TestCaller = { clientId: 'app-1', scopes: ['customers'], roles: ['onboarding'] };
const OTHER: TestCaller = { clientId: 'app-2', scopes: ['customers'], roles: ['onboarding'] };
const OFFICER: TestCaller = { clientId: 'officer', scopes: ['customers'], roles: ['compliance'] };

const ADA = {
  name: { given: 'Ada', family: 'Sandbox' }, birthDate: '1990-12-10', nationality: 'DE', residence: 'DE', contact: { email: 'ada@sandbox.example' },
};

describe('Customer service', () => {
  let service: TestService;

  before(async () => { service = await testService(options); });
  after(() => service.stop());

  const register = (body: unknown = ADA, key: string = newId(), caller: TestCaller = FINTECH): Promise<TestAnswer> =>
    service.request('POST', '/v1/customers', { op: 'registerCustomer', body, headers: { 'idempotency-key': key }, caller });
  const read = (id: string, caller: TestCaller = FINTECH): Promise<TestAnswer> => service.request('GET', `/v1/customers/${id}`, { op: 'getCustomer', caller });
  const told = async (customerId: string): Promise<string[]> => (await service.events()).filter((event) => event.subject === customerId).map(({ type }) => type);
  const hear = (type: 'kyc.approved' | 'kyc.rejected' | 'kyc.review-required', customerId: string, caseId: string = newId()): Promise<void> => {
    const data = { caseId, customerId, clientId: 'app-1', reasons: [] };
    return service.deliver(newEvent(type, { subject: caseId, data, context: { correlationId: 'c', traceparent: '' }, source: 'kyc' }));
  };

  async function anActiveCustomer(): Promise<string> {
    const { body } = await register();
    await hear('kyc.approved', body.customerId);
    return body.customerId as string;
  }

  it('registers a customer, pending, and tells it with the identity for the check', async () => {
    const answer = await register();
    expect(answer.status).to.equal(201);
    expect(answer.headers).to.include({ location: `/v1/customers/${answer.body.customerId}`, etag: '"1"' });
    expect(answer.body).to.deep.include({ ...ADA, status: 'pending', version: 1 });
    const event = (await service.events()).find(({ subject }) => subject === answer.body.customerId);
    expect(event).to.include({ type: 'customer.registered', source: 'customer', clientid: 'app-1', customerid: answer.body.customerId });
    expect(event?.data).to.deep.equal({ customerId: answer.body.customerId, clientId: 'app-1', name: ADA.name, birthDate: ADA.birthDate, nationality: 'DE', residence: 'DE' });
  });

  it('answers a repeated registration with the same customer, and another body under its key with 422', async () => {
    const key = newId();
    const first = await register(ADA, key);
    const again = await register(ADA, key);
    expect(again.body).to.deep.equal(first.body);
    expect(again.headers['idempotency-replayed']).to.equal('true');
    expect((await register({ ...ADA, residence: 'FR' }, key)).body.code).to.equal('idempotency_mismatch');
    expect(await told(first.body.customerId)).to.deep.equal(['customer.registered']);
  });

  it('refuses a registration without Idempotency-Key', async () => {
    const answer = await service.request('POST', '/v1/customers', { op: 'registerCustomer', body: ADA, caller: FINTECH });
    expect(answer.status).to.equal(400);
  });

  it('says which field is wrong', async () => {
    const answer = await register({ ...ADA, nationality: 'ZZ' });
    expect(answer).to.have.property('status', 400);
    expect(answer.headers['content-type']).to.match(/^application\/problem\+json/);
    expect(answer.body.errors).to.deep.equal([{ path: '/body/nationality', message: 'must be an ISO 3166-1 alpha-2 country code' }]);
  });

  it('refuses fields it does not know', async () => {
    expect((await register({ ...ADA, status: 'active' })).body.code).to.equal('invalid_request');
  });

  it('becomes active, under review or rejected as the check ends, and tells it once however often it hears it', async () => {
    for (const [heard, status, event] of [
      ['kyc.approved', 'active', 'customer.activated'], ['kyc.review-required', 'under_review', 'customer.placed-under-review'], ['kyc.rejected', 'rejected', 'customer.rejected'],
    ] as const) {
      const { body } = await register();
      const caseId = newId();
      await hear(heard, body.customerId, caseId);
      await hear(heard, body.customerId, caseId);
      expect((await read(body.customerId)).body.status).to.equal(status);
      expect(await told(body.customerId)).to.deep.equal(['customer.registered', event]);
    }
  });

  it('fails loudly on an outcome for a customer that does not exist', async () => {
    const failed = await hear('kyc.approved', newId()).then(() => false, () => true);
    expect(failed).to.equal(true);
  });

  it('changes contact and identity, and tells which fields', async () => {
    const id = await anActiveCustomer();
    const contact = await service.request('PUT', `/v1/customers/${id}/contact`, { op: 'updateCustomerContact', body: { email: 'new@sandbox.example', phone: '+431234567' }, caller: FINTECH });
    expect(contact.body.contact).to.deep.equal({ email: 'new@sandbox.example', phone: '+431234567' });
    const identity = { name: { given: 'Ada', family: 'Beispiel' }, birthDate: '1990-12-10', nationality: 'AT', residence: 'AT' };
    const changed = await service.request('PUT', `/v1/customers/${id}/identity`, { op: 'updateCustomerIdentity', body: identity, caller: FINTECH });
    expect(changed.body).to.deep.include({ ...identity, version: 4 });
    const events = (await service.events()).filter(({ subject, type }) => subject === id && type === 'customer.updated').map(({ data }) => data);
    expect(events).to.deep.equal([
      { customerId: id, clientId: 'app-1', changed: ['contact'] },
      { customerId: id, clientId: 'app-1', changed: ['name', 'nationality', 'residence'], ...identity },
    ]);
  });

  it('changes with If-Match only what the client has seen', async () => {
    const id = await anActiveCustomer();
    const patch = (ifMatch: string): Promise<TestAnswer> =>
      service.request('PATCH', `/v1/customers/${id}`, { op: 'updateCustomer', body: { residence: 'FR' }, headers: { 'if-match': ifMatch }, caller: FINTECH });
    expect((await patch('"1"')).status).to.equal(412);
    const done = await patch('"2"');
    expect(done).to.have.property('status', 200);
    expect(done.headers.etag).to.equal('"3"');
  });

  it('closes an active customer once', async () => {
    const id = await anActiveCustomer();
    const close = (): Promise<TestAnswer> => service.request('DELETE', `/v1/customers/${id}`, { op: 'closeCustomer', caller: FINTECH });
    expect((await close()).body.status).to.equal('closed');
    expect((await close()).body.code).to.equal('invalid_state');
    expect(await told(id)).to.deep.equal(['customer.registered', 'customer.activated', 'customer.closed']);
  });

  it('shows a customer to its own client and to compliance, and to no other client', async () => {
    const { body } = await register();
    expect((await read(body.customerId, OTHER)).body.code).to.equal('not_your_resource');
    expect((await read(body.customerId, OFFICER)).status).to.equal(200);
    const change = await service.request('PATCH', `/v1/customers/${body.customerId}`, { op: 'updateCustomer', body: { residence: 'FR' }, caller: OTHER });
    expect(change.body.code).to.equal('not_your_resource');
    expect((await read(newId())).body.code).to.equal('customer_not_found');
  });

  it('lists a client only its own customers, by state and page', async () => {
    const caller = { ...FINTECH, clientId: `lister-${newId()}` };
    for (let i = 0; i < 3; i++) await register(ADA, newId(), caller);
    const list = (query: string): Promise<TestAnswer> => service.request('GET', `/v1/customers${query}`, { op: 'listCustomers', caller });
    const first = await list('?limit=2&status=pending');
    expect(first.body.data).to.have.length(2);
    const second = await list(`?limit=2&cursor=${first.body.nextCursor}`);
    expect(second.body).to.deep.include({ nextCursor: null });
    expect(second.body.data).to.have.length(1);
    expect((await list('?status=active')).body.data).to.deep.equal([]);
    expect((await list('?cursor=forged')).body.code).to.equal('invalid_cursor');
  });
});
