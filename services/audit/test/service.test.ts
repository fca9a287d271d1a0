import { expect } from 'chai';
import { EVENT_TYPES, newEvent, type Event } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { testService, type TestAnswer, type TestCaller, type TestService } from '@kontor/testing/service';
import { options } from '../src/main.js';
import type { TrailRepository } from '../src/repository.js';
import { subscriptions } from '../src/subscriptions.js';

const INGEST_KEY = 'the-key-of-the-gateway';
const OFFICER: TestCaller = { clientId: 'officer', scopes: ['audit'], roles: ['compliance'] };
const CONTEXT = { correlationId: 'c-1', traceparent: '', clientId: 'app-1' };

describe('Audit service', () => {
  let service: TestService;

  before(async () => {
    service = await testService(options, { AUDIT_INGEST_KEY: INGEST_KEY, AUDIT_MASTER_KEY: Buffer.alloc(32, 5).toString('base64') });
  });
  after(() => service.stop());

  const get = (op: string, path: string, caller = OFFICER): Promise<TestAnswer> => service.request('GET', path, { op, caller });
  const trailOf = async (customerId: string, more = ''): Promise<TestAnswer['body']> => (await get('listAuditEvents', `/v1/audit/events?customerId=${customerId}${more}`)).body;
  const handIn = (body: unknown, key: string | undefined = INGEST_KEY): Promise<TestAnswer> =>
    service.request('POST', '/internal/access-records', { body, headers: key === undefined ? {} : { 'x-audit-key': key } });
  const registered = (customerId: string): Event => newEvent('customer.registered', {
    subject: customerId, source: 'customer', context: CONTEXT, now: new Date('2026-03-01T10:00:00.000Z'),
    data: { customerId, clientId: 'app-1', name: { given: 'Ada', family: 'Sandbox' }, birthDate: '1990-12-10', nationality: 'DE', residence: 'DE' },
  });
  const access = (part: { customerId?: string; consentId?: string; operation?: string; status?: number; decision?: string; code?: string; id?: string } = {}): object => ({
    request: { id: part.id ?? newId(), method: 'GET', uri: '/v1/accounts' }, response: { status: part.status ?? 200 }, route: { name: 'listAccounts' },
    consumer: { custom_id: 'app-1' }, started_at: Date.parse('2026-03-01T11:00:00.000Z'), latencies: { request: 5 },
    kontor: { operation: part.operation ?? 'listAccounts', audience: 'account', consentId: part.consentId, customerId: part.customerId, decision: part.decision ?? 'allow', code: part.code },
  });

  it('hears every event type there is, but for the one it tells itself', () => {
    const heard = Object.keys(subscriptions({ trail: {} as TrailRepository, now: () => new Date() }));
    expect([...heard, 'access.decided'].sort()).to.deep.equal([...EVENT_TYPES].sort());
  });

  describe('what was decided under consents', () => {
    const told = async (consentId: string) => (await service.events()).filter((event) => event.type === 'access.decided' && event.subject === consentId);
    const counted = async (labels: string): Promise<number> =>
      Number(new RegExp(`^consent_decisions_total\\{${labels}[^}]*\\} (\\d+)$`, 'm').exec((await service.request('GET', '/metrics')).body as string)?.[1] ?? 0);

    it('is told once for each consent, operation and outcome of a batch, with how many and when the last was', async () => {
      const [consentId, other, customerId] = [newId(), newId(), newId()];
      const later = { ...access({ consentId, customerId }), started_at: Date.parse('2026-03-01T11:00:05.000Z') };
      await handIn([
        later, access({ consentId, customerId }), access({ consentId: other }), access({ consentId, operation: 'getBalances' }),
        access({ consentId, status: 403, decision: 'refuse', code: 'consent_revoked' }), access({ customerId }),
      ]);
      const events = await told(consentId);
      expect(events.map(({ data }) => data)).to.deep.equal([
        { consentId, clientId: 'app-1', operation: 'listAccounts', decision: 'allow', count: 2, lastAt: '2026-03-01T11:00:05.000Z' },
        { consentId, clientId: 'app-1', operation: 'getBalances', decision: 'allow', count: 1, lastAt: '2026-03-01T11:00:00.000Z' },
        { consentId, clientId: 'app-1', operation: 'listAccounts', decision: 'refuse', code: 'consent_revoked', count: 1, lastAt: '2026-03-01T11:00:00.000Z' },
      ]);
      expect(events[0]).to.include({ source: 'audit', clientid: 'app-1', customerid: customerId });
      expect(await told(other)).to.have.length(1);
    });

    it('is told and counted exactly once of each record, however often and in whatever company it is delivered', async () => {
      const consentId = newId();
      const [allowed, refused] = [await counted('decision="allow",code="none"'), await counted('decision="refuse",code="consent_expired"')];
      const batch = [access({ consentId }), access({ consentId }), access({ consentId, status: 403, decision: 'refuse', code: 'consent_expired' })];
      await Promise.all([handIn(batch), handIn(batch), handIn([...batch, batch[0]])]);
      await handIn([batch[1], access({ consentId })]);
      const sums = (await told(consentId)).map(({ data }) => data as { decision: string; count: number });
      const sum = (decision: string): number => sums.filter((one) => one.decision === decision).reduce((total, { count }) => total + count, 0);
      expect([sum('allow'), sum('refuse')]).to.deep.equal([3, 1]);
      expect(await counted('decision="allow",code="none"') - allowed).to.equal(3);
      expect(await counted('decision="refuse",code="consent_expired"') - refused).to.equal(1);
    });

    it('is told when the batch comes again after the document store took it and the chain did not', async () => {
      const consentId = newId();
      const batch = [access({ consentId })];
      await service.database.query('alter table outbox rename to outbox_away');
      try {
        expect((await handIn(batch)).status).to.equal(500);
      } finally {
        await service.database.query('alter table outbox_away rename to outbox');
      }
      expect((await get('listAuditEvents', `/v1/audit/events?consentId=${consentId}`)).body.data).to.deep.equal([]);
      expect((await get('listAccessRecords', `/v1/audit/access-records?consentId=${consentId}`)).body.data).to.have.length(1);
      expect((await handIn(batch)).status).to.equal(204);
      expect((await told(consentId)).map(({ data }) => (data as { count: number }).count)).to.deep.equal([1]);
    });
  });

  it('answers who did what to a customer, when, on which consent, with which outcome, in order', async () => {
    const [customerId, consentId] = [newId(), newId()];
    const event = registered(customerId);
    await service.deliver(event);
    await service.deliver(event);
    await handIn(access({ customerId, consentId }));
    await handIn(access({ customerId, consentId, status: 403, decision: 'refuse', code: 'consent_revoked' }));
    const { data } = await trailOf(customerId);
    expect(data.map((one: { type: string; clientId: string; at: string; consentId?: string; operation?: string; status?: number; decision?: string; code?: string }) =>
      [one.type, one.clientId, one.at, one.consentId, one.operation, one.status, one.decision, one.code])).to.deep.equal([
      ['customer.registered', 'app-1', '2026-03-01T10:00:00.000Z', undefined, undefined, undefined, undefined, undefined],
      ['access.decision', 'app-1', '2026-03-01T11:00:00.000Z', consentId, 'listAccounts', 200, 'allow', undefined],
      ['access.decision', 'app-1', '2026-03-01T11:00:00.000Z', consentId, 'listAccounts', 403, 'refuse', 'consent_revoked'],
    ]);
    expect(data[0].personalData.fields.name).to.deep.equal({ given: 'Ada', family: 'Sandbox' });
    const positions = data.map(({ position }: { position: number }) => position);
    expect(positions).to.deep.equal([...positions].sort((a: number, b: number) => a - b));
  });

  it('reads one record, filters by type and pages', async () => {
    const customerId = newId();
    const event = registered(customerId);
    await service.deliver(event);
    await handIn([access({ customerId }), access({ customerId })]);
    expect((await get('getAuditEvent', `/v1/audit/events/${event.id}`)).body).to.deep.include({ eventId: event.id, kind: 'event', source: 'customer', correlationId: 'c-1' });
    expect((await get('getAuditEvent', `/v1/audit/events/${newId()}`)).body.code).to.equal('audit_event_not_found');
    expect((await trailOf(customerId, '&type=access.decision')).data).to.have.length(2);
    const first = await trailOf(customerId, '&limit=2');
    const second = await trailOf(customerId, `&limit=2&cursor=${first.nextCursor}`);
    expect([...first.data, ...second.data]).to.have.length(3);
    expect(second.nextCursor).to.equal(null);
    expect((await trailOf(customerId, '&to=2026-03-01T10:30:00Z')).data).to.have.length(1);
  });

  it('takes access records, one or many, each request once; those of nobody only as documents', async () => {
    const [customerId, id] = [newId(), newId()];
    expect((await handIn([access({ customerId, id }), access({ customerId, id }), access()])).status).to.equal(204);
    expect((await handIn(access({ customerId, id }))).status).to.equal(204);
    expect((await trailOf(customerId)).data).to.have.length(1);
    const listed = await get('listAccessRecords', `/v1/audit/access-records?customerId=${customerId}`);
    expect(listed.body.data).to.deep.equal([{
      requestId: id, at: '2026-03-01T11:00:00.000Z', method: 'GET', route: 'listAccounts', status: 200, clientId: 'app-1', operation: 'listAccounts',
      audience: 'account', customerId, decision: 'allow', latencyMs: 5,
    }]);
  });

  it('keeps all of many that are handed in at once', async () => {
    const customerId = newId();
    const answers = await Promise.all(Array.from({ length: 60 }, () => handIn(access({ customerId }))));
    expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([204]));
    expect((await trailOf(customerId, '&limit=100')).data).to.have.length(60);
    expect((await get('verifyAuditChain', '/v1/audit/verification')).body.valid).to.equal(true);
  });

  it('keeps both decisions in the trail when a client repeats its request id', async () => {
    const [customerId, id] = [newId(), newId()];
    await handIn([access({ customerId, id }), { ...access({ customerId, id, status: 403, decision: 'refuse' }), started_at: Date.parse('2026-03-01T11:00:01.000Z') }]);
    expect((await trailOf(customerId)).data.map(({ status }: { status: number }) => status)).to.deep.equal([200, 403]);
  });

  for (const [what, key] of [['no key', ''], ['a wrong key', 'the-key-of-somebody-els']] as const)
    it(`refuses access records with ${what}, and keeps nothing`, async () => {
      const customerId = newId();
      const answer = await service.request('POST', '/internal/access-records', { body: access({ customerId }), headers: key === '' ? {} : { 'x-audit-key': key } });
      expect(answer).to.have.property('status', 401);
      expect((await trailOf(customerId)).data).to.deep.equal([]);
    });

  it('takes the readable entries of a batch and goes on after unreadable ones', async () => {
    const customerId = newId();
    expect((await handIn([{ nonsense: true }, access({ customerId }), null])).status).to.equal(204);
    expect((await trailOf(customerId)).data).to.have.length(1);
  });

  it('proves the chain, and against a hash noted before', async () => {
    await service.deliver(registered(newId()));
    const noted = (await get('verifyAuditChain', '/v1/audit/verification')).body;
    expect(noted.valid).to.equal(true);
    await service.deliver(registered(newId()));
    const against = (hash: string): Promise<TestAnswer> => get('verifyAuditChain', `/v1/audit/verification?expectedPosition=${noted.headPosition}&expectedHash=${hash}`);
    expect((await against(noted.headHash)).body).to.deep.include({ valid: true, headPosition: noted.headPosition + 1 });
    expect((await against('0'.repeat(64))).body).to.deep.include({ valid: false, firstBreak: { position: noted.headPosition, reason: 'unexpected_hash' } });
    expect((await get('verifyAuditChain', '/v1/audit/verification?expectedPosition=1')).status).to.equal(400);
  });

  it('erases a customer on request, says when, and records who asked', async () => {
    const customerId = newId();
    await service.deliver(registered(customerId));
    const erase = (id: string): Promise<TestAnswer> => service.request('DELETE', `/v1/audit/customers/${id}/personal-data`, { op: 'eraseCustomerData', caller: OFFICER });
    const erased = await erase(customerId);
    expect(erased).to.have.property('status', 200);
    expect((await erase(customerId)).body).to.deep.equal(erased.body);
    expect((await erase(newId())).body.code).to.equal('customer_not_found');
    const { data } = await trailOf(customerId);
    expect(data.map((one: { type: string; clientId: string; personalData: object }) => [one.type, one.clientId, one.personalData])).to.deep.equal([
      ['customer.registered', 'app-1', { state: 'erased' }], ['personal-data.erased', 'officer', { state: 'none' }],
    ]);
    expect((await get('verifyAuditChain', '/v1/audit/verification')).body.valid).to.equal(true);
  });

  it('is for compliance officers alone', async () => {
    const answer = await get('listAuditEvents', '/v1/audit/events', { clientId: 'app-1', scopes: ['audit'], roles: ['onboarding', 'aisp', 'pisp'] });
    expect(answer.body.code).to.equal('role_required');
  });
});
