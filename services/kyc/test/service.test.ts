import { expect } from 'chai';
import { newEvent, type EventData } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { testService, type TestAnswer, type TestCaller, type TestService } from '@kontor/testing/service';
import { options } from '../src/main.js';

const FINTECH: TestCaller = { clientId: 'app-1', scopes: ['customers'], roles: ['onboarding'] };
const OTHER: TestCaller = { clientId: 'app-2', scopes: ['customers'], roles: ['onboarding'] };
const OFFICER: TestCaller = { clientId: 'officer', scopes: ['customers', 'kyc'], roles: ['compliance'] };
const CONTEXT = { correlationId: 'c-1', traceparent: '', clientId: 'app-1' };
const ADA = { name: { given: 'Ada', family: 'Sandbox' }, birthDate: '1990-12-10', nationality: 'DE', residence: 'DE' };

describe('Know-your-customer service', () => {
  let service: TestService;

  before(async () => { service = await testService(options); });
  after(() => service.stop());

  const hear = <T extends 'customer.registered' | 'customer.updated' | 'customer.closed' | 'kyc.check-completed'>(type: T, data: EventData<T>, now = new Date()): Promise<void> =>
    service.deliver(newEvent(type, { subject: 'any', data, context: CONTEXT, source: 'test', now }));
  const told = async (customerId: string): Promise<string[]> => (await service.events()).filter((event) => event.customerid === customerId).map(({ type }) => type);
  const call = (op: string, method: string, path: string, more: { body?: unknown; caller?: TestCaller; key?: string } = {}): Promise<TestAnswer> =>
    service.request(method, path, {
      op, caller: more.caller ?? FINTECH, ...(more.body === undefined ? {} : { body: more.body }), ...(more.key === undefined ? {} : { headers: { 'idempotency-key': more.key } }),
    });
  const kyc = (customerId: string, caller?: TestCaller): Promise<TestAnswer> => call('getKyc', 'GET', `/v1/customers/${customerId}/kyc`, caller ? { caller } : {});

  async function registered(): Promise<{ customerId: string; caseId: string }> {
    const customerId = newId();
    await hear('customer.registered', { customerId, clientId: 'app-1', ...ADA });
    return { customerId, caseId: (await kyc(customerId)).body.caseId as string };
  }

  const completed = (customerId: string, caseId: string, identity: 'verified' | 'failed' | 'refer', screening: 'clear' | 'potential-match' = 'clear'): Promise<void> =>
    hear('kyc.check-completed', {
      caseId, customerId, identity, screening, matches: screening === 'clear' ? [] : [{ list: 'list.csv', entryId: '7', score: 0.93 }], providerReference: 'SIM-1',
    });

  async function inReview(): Promise<{ customerId: string; caseId: string }> {
    const found = await registered();
    await completed(found.customerId, found.caseId, 'verified', 'potential-match');
    return found;
  }

  it('opens a case for a registered customer and asks for its checks with the identity', async () => {
    const { customerId, caseId } = await registered();
    const [event] = (await service.events()).filter((one) => one.customerid === customerId);
    expect(event).to.include({ type: 'kyc.check-requested', subject: caseId, source: 'kyc', correlationid: 'c-1' });
    expect(event?.data).to.deep.equal({ caseId, customerId, clientId: 'app-1', ...ADA });
    expect((await kyc(customerId)).body).to.deep.include({ status: 'checking', cause: 'registered', reasons: [] });
  });

  it('approves verified and clear at once', async () => {
    const { customerId, caseId } = await registered();
    await completed(customerId, caseId, 'verified');
    expect((await kyc(customerId)).body.status).to.equal('approved');
    expect(await told(customerId)).to.deep.equal(['kyc.check-requested', 'kyc.approved']);
  });

  it('rejects a failed identity, and does not change its mind when another outcome is delivered', async () => {
    const { customerId, caseId } = await registered();
    await completed(customerId, caseId, 'failed');
    await completed(customerId, caseId, 'verified');
    expect((await kyc(customerId)).body).to.deep.include({ status: 'rejected', reasons: ['identity_failed'] });
    expect(await told(customerId)).to.deep.equal(['kyc.check-requested', 'kyc.rejected']);
  });

  it('shows identity and screening, the matches to officers only', async () => {
    const { customerId, caseId } = await registered();
    const read = (what: 'identity' | 'screening', caller: TestCaller): Promise<TestAnswer> =>
      call(what === 'identity' ? 'getKycIdentity' : 'getKycScreening', 'GET', `/v1/customers/${customerId}/kyc/${what}`, { caller });
    expect((await read('identity', FINTECH)).body).to.deep.equal({ caseId, customerId, outcome: 'pending' });
    expect((await read('screening', FINTECH)).body).to.deep.equal({ caseId, customerId, outcome: 'pending' });
    await completed(customerId, caseId, 'verified', 'potential-match');
    expect((await read('identity', FINTECH)).body).to.deep.include({ outcome: 'verified', providerReference: 'SIM-1' });
    expect((await read('screening', FINTECH)).body).to.not.have.property('matches');
    expect((await read('screening', OFFICER)).body.matches).to.deep.equal([{ list: 'list.csv', entryId: '7', score: 0.93 }]);
  });

  it('waits in review for an officer, who decides once with a reason', async () => {
    const { customerId } = await inReview();
    const decide = (decision: string, reason = 'other birth date'): Promise<TestAnswer> =>
      call('decideKyc', 'POST', `/v1/customers/${customerId}/kyc/decision`, { body: { decision, reason }, caller: OFFICER });
    expect((await kyc(customerId)).body.status).to.equal('review');
    expect((await decide('approve', '')).status).to.equal(400);
    expect((await decide('approve')).body).to.deep.include({ status: 'approved', decisionReason: 'other birth date', decidedBy: 'officer' });
    expect((await decide('approve')).status).to.equal(200);
    expect((await decide('reject')).body.code).to.equal('invalid_state');
    expect(await told(customerId)).to.deep.equal(['kyc.check-requested', 'kyc.review-required', 'kyc.approved']);
    const approved = (await service.events()).find(({ type, customerid }) => type === 'kyc.approved' && customerid === customerId);
    expect(approved).to.deep.include({ clientid: 'officer' });
    expect(approved?.data).to.deep.include({ clientId: 'app-1', decidedBy: 'officer', decisionReason: 'other birth date' });
    expect((await kyc(customerId)).body).to.not.have.any.keys('decisionReason', 'decidedBy');
  });

  it('of two officers deciding at once one wins, and one outcome is told', async () => {
    const { customerId } = await inReview();
    const decide = (decision: string, clientId: string): Promise<TestAnswer> =>
      call('decideKyc', 'POST', `/v1/customers/${customerId}/kyc/decision`, { body: { decision, reason: 'my view' }, caller: { ...OFFICER, clientId } });
    const answers = await Promise.all([decide('approve', 'officer-1'), decide('reject', 'officer-2')]);
    expect(answers.map(({ status }) => status).sort()).to.deep.equal([200, 409]);
    expect(await told(customerId)).to.have.length(3);
  });

  it('refuses the decision to a fintech', async () => {
    const { customerId } = await inReview();
    const answer = await call('decideKyc', 'POST', `/v1/customers/${customerId}/kyc/decision`, { body: { decision: 'approve', reason: 'we know her' }, caller: { ...FINTECH, scopes: ['kyc'] } });
    expect(answer.body.code).to.equal('role_required');
  });

  it('starts again when the identity changes, and forgets the checks of the old one', async () => {
    const { customerId, caseId } = await inReview();
    await hear('customer.updated', { customerId, clientId: 'app-1', changed: ['name'], ...ADA, name: { given: 'Ada', family: 'Beispiel' } });
    const renewed = (await kyc(customerId)).body;
    expect(renewed).to.deep.include({ status: 'checking', cause: 'identity_changed' });
    const asked = (await service.events()).filter(({ type, customerid }) => type === 'kyc.check-requested' && customerid === customerId).at(-1);
    expect(asked?.data).to.deep.include({ caseId: renewed.caseId, name: { given: 'Ada', family: 'Beispiel' } });
    await completed(customerId, caseId, 'failed');
    expect((await kyc(customerId)).body).to.deep.include({ caseId: renewed.caseId, status: 'checking' });
  });

  it('needs no check when only the contact changed', async () => {
    const { customerId, caseId } = await registered();
    await completed(customerId, caseId, 'verified');
    await hear('customer.updated', { customerId, clientId: 'app-1', changed: ['contact'] });
    expect((await kyc(customerId)).body.caseId).to.equal(caseId);
  });

  it('does not let an older event overwrite a newer identity, nor open a second first case', async () => {
    const customerId = newId();
    const early = new Date('2026-01-01T00:00:00.000Z');
    await hear('customer.updated', { customerId, clientId: 'app-1', changed: ['residence'], ...ADA, residence: 'FR' });
    await hear('customer.registered', { customerId, clientId: 'app-1', ...ADA }, early);
    const asked = (await service.events()).filter((event) => event.customerid === customerId);
    expect(asked.map(({ data }) => (data as { residence: string }).residence)).to.deep.equal(['FR']);
  });

  it('checks again on request, one case at a time, once per key', async () => {
    const { customerId, caseId } = await registered();
    const request = (key: string, caller = FINTECH): Promise<TestAnswer> => call('requestKyc', 'POST', `/v1/customers/${customerId}/kyc`, { key, caller });
    expect((await request(newId())).body.code).to.equal('conflict');
    await completed(customerId, caseId, 'verified');
    const key = newId();
    const opened = await request(key);
    expect(opened.status).to.equal(201);
    expect(opened.body).to.deep.include({ status: 'checking', cause: 'requested' });
    expect((await request(key)).body).to.deep.equal(opened.body);
    expect((await request(newId(), OTHER)).body.code).to.equal('not_your_resource');
  });

  it('ends with a customer who leaves', async () => {
    const { customerId } = await inReview();
    await hear('customer.closed', { customerId, clientId: 'app-1' });
    expect((await kyc(customerId)).body.status).to.equal('superseded');
    expect((await call('requestKyc', 'POST', `/v1/customers/${customerId}/kyc`, { key: newId() })).body.code).to.equal('customer_not_active');
  });

  it('shows a case to its client and to compliance, and to no other client', async () => {
    const { customerId } = await registered();
    expect((await kyc(customerId, OTHER)).body.code).to.equal('not_your_resource');
    expect((await kyc(customerId, OFFICER)).status).to.equal(200);
    expect((await kyc(newId())).body.code).to.equal('customer_not_found');
  });

  it('lists officers their work, oldest first, by page', async () => {
    const list = (query: string): Promise<TestAnswer> => call('listKycCases', 'GET', `/v1/kyc-cases${query}`, { caller: OFFICER });
    const mine = [await inReview(), await inReview(), await inReview()].map(({ caseId }) => caseId);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await list(`?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(body.data.every((one: { status: string }) => one.status === 'review')).to.equal(true);
      seen.push(...body.data.map((one: { caseId: string }) => one.caseId));
      cursor = body.nextCursor;
    }
    expect(seen.filter((id) => mine.includes(id))).to.deep.equal(mine);
    expect(new Set(seen).size).to.equal(seen.length);
  });
});
