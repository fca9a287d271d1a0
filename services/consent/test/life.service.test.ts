/** The life of a consent in the database and by HTTP: kinds, approvals of several, amendments, links, counts, sweeps, the bank's staff. */
import { createHash, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { decisionKey, parseDecision, type DecisionRecord } from '@kontor/kernel/consent-decision';
import { newEvent, type EventData } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { testServer } from '@kontor/testing/environment';
import { testService, type TestAnswer, type TestService } from '@kontor/testing/service';
import { approve, approveJointly, withdraw } from '../src/consent.js';
import { decisionsIn, type Decisions } from '../src/decisions.js';
import { knownRepository } from '../src/known-repository.js';
import { options } from '../src/main.js';
import { consentRepository, type ConsentRepository } from '../src/repository.js';

const CALLBACK = 'https://fintech.example/callback';
const DECISION_KEY = randomBytes(16).toString('hex');
const DAY_MS = 86_400_000;
const context = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const inDays = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString();
const euro = (amount: string) => ({ amount, currency: 'EUR' });
const GROCER = { name: 'Green Grocer', iban: 'DE89370400440532013000' };
const ACCESS = { type: 'account-access', permissions: ['accounts:read', 'balances:read'], validUntil: inDays(90), redirectUri: CALLBACK };
const PAYMENT = { type: 'payment', payment: { amount: euro('12.50'), creditor: GROCER }, redirectUri: CALLBACK };
const RECURRING = {
  type: 'variable-recurring', redirectUri: CALLBACK,
  recurring: { maximumPerPayment: euro('50.00'), periodicLimits: [{ maximum: euro('200.00'), period: 'month', alignment: 'calendar' }], creditor: GROCER, validUntil: inDays(365) },
};
const STAFF = { clientId: 'staff-app', roles: ['bank-staff'], scopes: ['consent-administration'] };

describe('the life of a consent, kept', () => {
  let service: TestService;
  let redis: Redis;
  let consents: ConsentRepository;

  const settings = (): Record<string, string> => ({
    REDIS_URL: testServer('TEST_REDIS_URL'), OAUTH2_PROVISION_KEY: randomBytes(16).toString('hex'), CONSENT_DECISION_KEY: DECISION_KEY,
    GATEWAY_OAUTH2_URL: 'http://127.0.0.1:1/oauth2', BANK_PAGES_URL: 'http://bank.example/bank', CREDENTIALS_KEY: randomBytes(32).toString('base64'),
  });
  const repositoryWith = (decisions: Decisions): ConsentRepository => consentRepository(service.database, decisions, knownRepository(service.database));

  before(async () => {
    redis = new Redis(testServer('TEST_REDIS_URL'));
    service = await testService(options, settings());
    consents = repositoryWith(decisionsIn(redis));
  });
  after(async () => {
    await service.stop();
    await redis.quit();
  });

  const call = (op: string, method: string, path: string, more: { body?: unknown; key?: string; caller?: object } = {}): Promise<TestAnswer> =>
    service.request(method, path, { op, caller: { clientId: 'app-1', ...more.caller }, body: more.body, headers: { 'idempotency-key': more.key ?? newId() } });
  async function create(body: object): Promise<string> {
    const answer = await call('createConsent', 'POST', '/v1/consents', { body });
    expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
    return answer.body.consentId as string;
  }
  const read = async (consentId: string) => (await call('getConsent', 'GET', `/v1/consents/${consentId}`)).body;
  const recordOf = async (consentId: string): Promise<DecisionRecord | undefined> => parseDecision((await redis.get(decisionKey(consentId))) ?? '');
  const typesOf = async (consentId: string): Promise<string[]> => (await service.events()).filter((event) => event.subject === consentId).map((event) => event.type);
  /** Makes it look as if something had happened earlier. */
  const backdate = (consentId: string, set: string): Promise<unknown> => service.database.query(`UPDATE consents SET ${set} WHERE id = $1`, [consentId]);
  const sweep = (): Promise<number> => consents.sweep(() => context);

  async function account(...holders: string[]): Promise<string> {
    const accountId = newId();
    const [customerId, ...jointHolders] = holders as [string];
    for (const holder of holders) {
      await service.deliver(newEvent('customer.activated', { source: '/test', subject: holder, context, data: { customerId: holder, clientId: 'app-1', name: { given: 'Ada', family: 'Beispiel' } } }));
    }
    const data: EventData<'account.opened'> = { accountId, customerId, clientId: 'app-1', iban: GROCER.iban, currency: 'EUR', product: 'current', holderName: 'Ada Beispiel', ...(jointHolders.length > 0 ? { jointHolders } : {}) };
    await service.deliver(newEvent('account.opened', { source: '/test', subject: accountId, context, data }));
    return accountId;
  }
  async function approveAs(customerId: string, consentId: string, chosen: string[]): Promise<void> {
    const owned = await consents.accountsOf(customerId);
    await consents.change(consentId, (consent, now) => approve(consent, { customerId, chosen, owned, now }), context);
  }
  async function approved(body: object = ACCESS): Promise<{ consentId: string; customerId: string; accountId: string }> {
    const customerId = newId();
    const accountId = await account(customerId);
    const consentId = await create(body);
    await approveAs(customerId, consentId, [accountId]);
    return { consentId, customerId, accountId };
  }

  describe('its kinds', () => {
    it('are created, approved and told with their terms', async () => {
      const { consentId } = await approved(RECURRING);
      expect(await read(consentId)).to.deep.include({ type: 'variable-recurring', status: 'authorised', recurring: true, permissions: ['payments:initiate'] });
      const told = (await service.events()).filter(({ subject, type }) => subject === consentId && type === 'consent.authorised')[0]!;
      expect((told.data as EventData<'consent.authorised'>).recurring).to.deep.include({ maximumPerPayment: euro('50.00'), creditor: GROCER });
      expect(await recordOf(consentId)).to.include({ status: 'authorised' }).and.not.have.property('validFrom');
    });
    it('take the role of their application', async () => {
      for (const [body, role] of [[ACCESS, 'pisp'], [PAYMENT, 'cbpii'], [{ type: 'funds-confirmation', validUntil: inDays(30), redirectUri: CALLBACK }, 'aisp']] as const) {
        expect((await call('createConsent', 'POST', '/v1/consents', { body, caller: { roles: [role] } })).body, role).to.include({ code: 'role_required' });
      }
    });
    it('of a bulk is used up when the bulk is taken, and by nothing else; twice told is once', async () => {
      const bulk = { transactions: 2, total: euro('25.00'), digest: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg' };
      const { consentId, customerId, accountId } = await approved({ type: 'bulk-payment', bulk, redirectUri: CALLBACK });
      expect(await read(consentId)).to.deep.include({ type: 'bulk-payment', status: 'authorised', recurring: false, permissions: ['payments:initiate'], bulk });
      const told = (await service.events()).filter(({ subject, type }) => subject === consentId && type === 'consent.authorised')[0]!;
      expect((told.data as EventData<'consent.authorised'>).bulk).to.deep.equal(bulk);
      const bulkPaymentId = newId();
      const order = { paymentId: newId(), clientId: 'app-1', customerId, consentId, debtorAccountId: accountId, amount: euro('12.50'), creditor: GROCER, endToEndId: 'A-1', uetr: newId() };
      for (const named of [{ bulkPaymentId }, {}]) {
        await service.deliver(newEvent('payment.initiated', { source: '/test', subject: order.paymentId, context, data: { ...order, ...named } }));
        expect(await read(consentId), JSON.stringify(named)).to.include({ status: 'authorised' });
      }
      for (let time = 0; time < 2; time++) {
        await service.deliver(newEvent('bulk-payment.received', { source: '/test', subject: bulkPaymentId, context, data: { bulkPaymentId, clientId: 'app-1', customerId, consentId, transactions: 2, refused: 0 } }));
      }
      expect(await read(consentId)).to.include({ status: 'consumed', statusReason: 'payment_initiated' });
      expect(await recordOf(consentId)).to.include({ status: 'denied', reason: 'consumed' });
      expect((await typesOf(consentId)).filter((type) => type === 'consent.consumed')).to.have.length(1);
    });
    it('of a payment is not used up by a bulk', async () => {
      const { consentId, customerId } = await approved(PAYMENT);
      const bulkPaymentId = newId();
      await service.deliver(newEvent('bulk-payment.received', { source: '/test', subject: bulkPaymentId, context, data: { bulkPaymentId, clientId: 'app-1', customerId, consentId, transactions: 1, refused: 0 } }));
      expect(await read(consentId)).to.include({ status: 'authorised' });
    });
    it('end one-off access an hour after the approval, and tell the gateway so', async () => {
      const { consentId } = await approved({ ...ACCESS, recurring: false });
      expect((await recordOf(consentId))!.expiresAt).to.be.closeTo(Date.now() / 1000 + 3600, 60);
      expect(await read(consentId)).to.include({ recurring: false });
    });
  });

  describe('an account of two', () => {
    it('is allowed once both have approved, and either may see and end it', async () => {
      const [anna, bert] = [newId(), newId()];
      const joint = await account(anna, bert);
      const consentId = await create(ACCESS);
      await approveAs(anna, consentId, [joint]);
      expect(await read(consentId)).to.deep.include({ status: 'partially_authorised', approvals: { required: 2, given: 1 }, authoriseUrl: null });
      expect(await recordOf(consentId)).to.include({ status: 'denied', reason: 'not_authorised' });
      expect((await consents.listOfCustomer(bert)).map(({ id }) => id)).to.deep.equal([consentId]);
      await consents.change(consentId, (consent, now) => approveJointly(consent, { customerId: bert, now }), context);
      expect(await recordOf(consentId)).to.include({ status: 'authorised' });
      expect(await typesOf(consentId)).to.deep.equal(['consent.created', 'consent.partially-authorised', 'consent.authorised']);
    });
    it('approved by both at the same instant ends in one authorised consent', async () => {
      const holders = [newId(), newId(), newId()];
      const joint = await account(...holders);
      const consentId = await create(ACCESS);
      await approveAs(holders[0]!, consentId, [joint]);
      await Promise.all(holders.slice(1).map((customerId) => consents.change(consentId, (consent, now) => approveJointly(consent, { customerId, now }), context)));
      expect(await read(consentId)).to.deep.include({ status: 'authorised', approvals: { required: 3, given: 3 }, version: 4 });
    });
  });

  describe('an amendment', () => {
    it('is asked for once a key, holds once approved, and both are in the history', async () => {
      const { consentId, customerId, accountId } = await approved({ ...ACCESS, frequencyPerDay: 4 });
      const key = newId();
      const asked = [1, 2].map(() => call('amendConsent', 'POST', `/v1/consents/${consentId}/amend`, { key, body: { permissions: ['balances:read'] } }));
      for (const answer of await Promise.all(asked)) {
        expect(answer.status, JSON.stringify(answer.body)).to.equal(200);
        expect(answer.body).to.deep.include({ status: 'authorised', permissions: ['accounts:read', 'balances:read'], version: 3 }).and.nested.include({ 'amendment.permissions[0]': 'balances:read' });
        expect(answer.body.authoriseUrl).to.be.a('string');
      }
      await approveAs(customerId, consentId, [accountId]);
      expect(await recordOf(consentId)).to.deep.include({ permissions: ['balances:read'], frequencyPerDay: 4, version: 4 });
      const { body: { data } } = await call('getConsentHistory', 'GET', `/v1/consents/${consentId}/history`);
      expect(data.map(({ act, actor, reason }: Record<string, string>) => [act, actor, reason].join(' '))).to.deep.equal([
        'create third_party requested', 'approve customer approved', 'ask_amendment third_party requested', 'amend customer amended']);
      expect(data.map(({ terms }: { terms: { permissions: string[] } }) => terms.permissions.length)).to.deep.equal([2, 2, 2, 1]);
      expect(JSON.stringify(data)).not.to.contain(customerId);
      expect(await typesOf(consentId)).to.deep.equal(['consent.created', 'consent.authorised', 'consent.amended']);
    });
    it('allows, until it is committed, only what old and new terms both allow', async () => {
      const { consentId, customerId, accountId } = await approved();
      await call('amendConsent', 'POST', `/v1/consents/${consentId}/amend`, { body: { permissions: ['balances:read', 'transactions:read'] } });
      const written: DecisionRecord[] = [];
      const store = decisionsIn(redis);
      const watched = repositoryWith({ ...store, write: (id, record, life) => { written.push(record); return store.write(id, record, life); } });
      const owned = await consents.accountsOf(customerId);
      await watched.change(consentId, (consent, now) => approve(consent, { customerId, chosen: [accountId], owned, now }), context);
      expect(written.map(({ permissions }) => permissions)).to.deep.equal([['balances:read'], ['balances:read', 'transactions:read']]);
    });
    it('changes nothing when Redis is away', async () => {
      const { consentId, customerId, accountId } = await approved();
      await call('amendConsent', 'POST', `/v1/consents/${consentId}/amend`, { body: { permissions: ['balances:read'] } });
      const away = repositoryWith({ write: () => Promise.reject(new Error('redis is away')), takeBack: async () => undefined, close: async () => undefined });
      const owned = await consents.accountsOf(customerId);
      const fault = await away.change(consentId, (consent, now) => approve(consent, { customerId, chosen: [accountId], owned, now }), context).then(() => 'changed', (error: Error) => error.message);
      expect(fault).to.equal('redis is away');
      expect(await read(consentId)).to.deep.include({ permissions: ['accounts:read', 'balances:read'], version: 3 });
    });
    it('is refused where there is nothing to amend', async () => {
      expect((await call('amendConsent', 'POST', `/v1/consents/${await create(ACCESS)}/amend`, { body: {} })).body).to.include({ code: 'invalid_state' });
      expect((await call('amendConsent', 'POST', `/v1/consents/${(await approved(PAYMENT)).consentId}/amend`, { body: {} })).body).to.include({ code: 'unprocessable' });
      expect((await call('amendConsent', 'POST', `/v1/consents/${(await approved()).consentId}/amend`, { body: { validUntil: inDays(200) } })).body).to.include({ code: 'unprocessable' });
      expect((await call('amendConsent', 'POST', `/v1/consents/${(await approved()).consentId}/amend`, { body: {}, caller: { clientId: 'app-2' } })).body).to.include({ code: 'not_your_resource' });
    });
  });

  describe('a link for the customer', () => {
    const body = { codeChallenge: createHash('sha256').update('verifier').digest('base64url'), codeChallengeMethod: 'S256', state: 'xyz' };
    const referenceIn = (url: string): string => new URL(url).searchParams.get('request') ?? '';
    it('is the same for the same key, and works once among many who try', async () => {
      const consentId = await create(ACCESS);
      const key = newId();
      const links = await Promise.all([1, 2].map(() => call('authoriseConsent', 'POST', `/v1/consents/${consentId}/authorise`, { key, body })));
      expect(links.map(({ status }) => status)).to.deep.equal([201, 201]);
      expect(links[0]!.body.authoriseUrl).to.equal(links[1]!.body.authoriseUrl);
      const reference = referenceIn(links[0]!.body.authoriseUrl as string);
      const taken = (await Promise.all(Array.from({ length: 20 }, () => consents.takeRequest(reference)))).filter((request) => request !== undefined);
      expect(taken).to.deep.equal([{ consentId, clientId: 'app-1', redirectUri: CALLBACK, scope: 'accounts', codeChallenge: body.codeChallenge, state: 'xyz' }]);
    });
    it('is over after ten minutes', async () => {
      const { body: link } = await call('authoriseConsent', 'POST', `/v1/consents/${await create(ACCESS)}/authorise`, { body });
      expect(new Date(link.expiresAt as string).getTime() - Date.now()).to.be.within(9 * 60_000, 10 * 60_000 + 5_000);
      await service.database.query(`UPDATE authorisation_references SET expires_at = clock_timestamp()`);
      expect(await consents.takeRequest(referenceIn(link.authoriseUrl as string))).to.equal(undefined);
    });
    it('is made for nobody else, and for nothing that is decided', async () => {
      expect((await call('authoriseConsent', 'POST', `/v1/consents/${await create(ACCESS)}/authorise`, { body, caller: { clientId: 'app-2' } })).body).to.include({ code: 'not_your_resource' });
      expect((await call('authoriseConsent', 'POST', `/v1/consents/${(await approved()).consentId}/authorise`, { body })).body).to.include({ code: 'invalid_state' });
    });
  });

  describe('accesses without the customer', () => {
    const use = async (consentId: string, operation = 'getBalances', accountId = '', key = DECISION_KEY): Promise<{ status: number; body: Record<string, unknown> }> => {
      const answer = await fetch(`${service.url}/internal/consents/${consentId}/uses`, { method: 'POST', headers: { 'x-decision-key': key, 'content-type': 'application/json' }, body: JSON.stringify({ operation, account: accountId }) });
      return { status: answer.status, body: await answer.json() as Record<string, unknown> };
    };
    it('are counted exactly, for each operation and account', async () => {
      const { consentId, accountId } = await approved({ ...ACCESS, frequencyPerDay: 4 });
      const answers = await Promise.all(Array.from({ length: 20 }, () => use(consentId, 'getBalances', accountId)));
      expect(answers.filter(({ body }) => body.allowed === true)).to.have.length(4);
      for (const { body } of answers.filter((answer) => answer.body.allowed === false)) expect(body).to.include({ used: 4, limit: 4 }).and.have.property('retryAfter').within(1, 86_400);
      expect((await use(consentId, 'getAccount', accountId)).body).to.deep.equal({ allowed: true, used: 1, limit: 4 });
      expect((await use(consentId, 'getBalances')).body).to.deep.equal({ allowed: true, used: 1, limit: 4 });
    });
    it('are new the next day (UTC)', async () => {
      const { consentId } = await approved({ ...ACCESS, frequencyPerDay: 1 });
      expect([(await use(consentId)).body.allowed, (await use(consentId)).body.allowed]).to.deep.equal([true, false]);
      await service.database.query('UPDATE consent_uses SET day = day - 1 WHERE consent_id = $1', [consentId]);
      expect((await use(consentId)).body.allowed).to.equal(true);
    });
    it('are not allowed on what is no longer authorised, nor told to a stranger', async () => {
      const { consentId } = await approved({ ...ACCESS, frequencyPerDay: 4 });
      expect((await use(consentId, 'getBalances', '', 'wrong')).status).to.equal(401);
      expect((await use(newId())).status).to.equal(404);
      expect((await use(consentId, 'get balances')).status).to.equal(400);
      await consents.change(consentId, (consent, now) => withdraw(consent, 'app-1', now), context);
      expect((await use(consentId)).status).to.equal(403);
    });
  });

  describe('time', () => {
    it('expires a consent for every reader before the sweep comes by', async () => {
      const { consentId } = await approved();
      await backdate(consentId, "expires_at = clock_timestamp()");
      expect(await read(consentId)).to.include({ status: 'expired', statusReason: 'end_reached' });
      const answer = await fetch(`${service.url}/internal/consents/${consentId}/decision`, { headers: { 'x-decision-key': DECISION_KEY } });
      expect(await answer.json()).to.include({ status: 'denied', reason: 'expired' });
    });
    it('then in the database, once, and tells of it', async () => {
      const { consentId } = await approved();
      await backdate(consentId, "expires_at = clock_timestamp()");
      await sweep();
      await sweep();
      expect(await typesOf(consentId)).to.deep.equal(['consent.created', 'consent.authorised', 'consent.expired']);
      expect(await recordOf(consentId)).to.include({ status: 'denied', reason: 'expired', version: 3 });
    });
    it('gives up what nobody decided within an hour', async () => {
      const consentId = await create(ACCESS);
      await backdate(consentId, "created_at = clock_timestamp() - interval '1 hour'");
      await sweep();
      expect(await read(consentId)).to.include({ status: 'rejected', statusReason: 'abandoned' });
      expect(await typesOf(consentId)).to.deep.equal(['consent.created', 'consent.rejected']);
    });
    it('is too late for an approval at the end, even where no sweep came by', async () => {
      const customerId = newId();
      const accountId = await account(customerId);
      const consentId = await create(ACCESS);
      await backdate(consentId, "expires_at = clock_timestamp()");
      const code = await approveAs(customerId, consentId, [accountId]).then(() => 'approved', (error: { code?: string }) => error.code);
      expect(code).to.equal('invalid_state');
    });
    it('tells of an end a week and a day before, each once', async () => {
      const { consentId } = await approved();
      const told = async (): Promise<(number | undefined)[]> => (await service.events())
        .filter(({ subject, type }) => subject === consentId && type === 'consent.expiring').map(({ data }) => (data as EventData<'consent.expiring'>).daysLeft);
      await sweep();
      expect(await told()).to.deep.equal([]);
      for (const [left, expected] of [['7 days', [7]], ['6 days', [7]], ['1 day', [7, 1]], ['3 hours', [7, 1]]] as const) {
        await backdate(consentId, `expires_at = clock_timestamp() + interval '${left}'`);
        await sweep();
        await sweep();
        expect(await told(), left).to.deep.equal(expected);
      }
    });
  });

  describe('the bank\'s staff', () => {
    const staff = (op: string, method: string, path: string, body?: unknown): Promise<TestAnswer> => call(op, method, `/v1/consent-administration${path}`, { body, caller: STAFF });
    it('search by customer, application, account and state', async () => {
      const { consentId, customerId, accountId } = await approved();
      for (const query of [`customerId=${customerId}`, `accountId=${accountId}`, `customerId=${customerId}&status=authorised&type=account-access&clientId=app-1`]) {
        const { body } = await staff('searchConsents', 'GET', `/consents?${query}`);
        expect(body.data.map((consent: { consentId: string }) => consent.consentId), query).to.deep.equal([consentId]);
      }
      expect((await staff('searchConsents', 'GET', `/consents?customerId=${customerId}&status=revoked`)).body.data).to.deep.equal([]);
    });
    it('revoke with a reason that the history keeps and the third party does not read', async () => {
      const { consentId } = await approved();
      for (let turn = 0; turn < 2; turn++) {
        const { status, body } = await staff('revokeConsentAsStaff', 'POST', `/consents/${consentId}/revoke`, { reason: 'fraud_suspected', note: 'told by telephone' });
        expect(status).to.equal(200);
        expect(body).to.include({ status: 'revoked', statusReason: 'by_bank', version: 3 });
        expect(body.history.at(-1)).to.include({ act: 'revoke', actor: 'bank', actorId: 'staff-app', reason: 'by_bank', note: 'fraud_suspected: told by telephone' });
      }
      expect(await recordOf(consentId)).to.include({ status: 'denied', reason: 'revoked' });
      expect(JSON.stringify((await call('getConsentHistory', 'GET', `/v1/consents/${consentId}/history`)).body)).not.to.contain('telephone');
    });
    it('are told apart in the history where the application names who decided, by an id and by nothing else', async () => {
      const { consentId } = await approved();
      for (const staffMember of ['', 'Ada Officer', 'a/b', 'x'.repeat(65)]) {
        const { body } = await staff('revokeConsentAsStaff', 'POST', `/consents/${consentId}/revoke`, { reason: 'other', staffMember });
        expect(body, staffMember).to.include({ code: 'invalid_request' });
      }
      const { body } = await staff('revokeConsentAsStaff', 'POST', `/consents/${consentId}/revoke`, { reason: 'other', staffMember: 'officer-7' });
      expect(body.history.at(-1)).to.include({ act: 'revoke', actor: 'bank', actorId: 'staff-app/officer-7', note: 'other' });
      const ended = (await approved()).consentId;
      expect((await staff('expireConsentAsStaff', 'POST', `/consents/${ended}/expire`, { reason: 'other', staffMember: 'officer-7' })).body.history.at(-1))
        .to.include({ act: 'expire', actorId: 'staff-app/officer-7' });
      expect(JSON.stringify((await call('getConsentHistory', 'GET', `/v1/consents/${consentId}/history`)).body)).not.to.contain('officer-7');
    });
    it('end a consent early', async () => {
      const { consentId } = await approved();
      expect((await staff('expireConsentAsStaff', 'POST', `/consents/${consentId}/expire`, { reason: 'data_corrected' })).body).to.include({ status: 'expired', statusReason: 'by_bank' });
    });
    it('report states, ages, applications and refusals, as JSON and as CSV, and the figures add up', async () => {
      const { consentId } = await approved();
      const lastAt = new Date().toISOString();
      await service.deliver(newEvent('app.registered', { source: '/test', subject: 'app-1', context, data: { appId: 'app-1', name: '=cmd|calc', roles: ['aisp'] } }));
      for (const count of [2, 3]) {
        await service.deliver(newEvent('access.decided', { source: '/test', subject: consentId, context, data: { consentId, clientId: 'app-1', operation: 'getBalances', decision: 'refuse', code: 'consent_account_not_covered', count, lastAt } }));
      }
      await service.deliver(newEvent('access.decided', { source: '/test', subject: consentId, context, data: { consentId, clientId: 'app-1', operation: 'getBalances', decision: 'allow', count: 7, lastAt } }));
      const { body } = await staff('reportConsents', 'GET', '/report');
      const [all] = await service.database.query<{ count: string }>('SELECT count(*) FROM consents');
      const sum = (figures: { consents?: number; all?: number }[]): number => figures.reduce((total, { consents: number, all: every }) => total + (number ?? every ?? 0), 0);
      expect(sum(body.byState)).to.equal(Number(all!.count));
      expect(sum(body.byClient)).to.equal(Number(all!.count));
      expect(body.refusals).to.deep.equal([{ code: 'consent_account_not_covered', clientId: 'app-1', refusals: 5 }]);
      const csv = await staff('reportConsents', 'GET', '/report?format=csv');
      expect(csv.headers['content-type']).to.equal('text/csv; charset=utf-8');
      expect(csv.body).to.contain('refusals,app-1,,consent_account_not_covered,5\r\n').and.to.contain("'=cmd|calc");
      expect((await staff('getConsentAsStaff', 'GET', `/consents/${consentId}`)).body).to.include({ lastUsedAt: lastAt });
      expect((await staff('reportConsents', 'GET', '/report?from=2026-02-01&to=2026-01-01')).body).to.include({ code: 'unprocessable' });
    });
    it('are the only ones who may', async () => {
      const { consentId } = await approved();
      for (const [op, method, path] of [['searchConsents', 'GET', '/consents'], ['reportConsents', 'GET', '/report'], ['revokeConsentAsStaff', 'POST', `/consents/${consentId}/revoke`]] as const) {
        const refused = await service.request(method, `/v1/consent-administration${path}`, { op, caller: { clientId: 'app-1', roles: ['aisp', 'pisp'] }, body: method === 'POST' ? { reason: 'other' } : undefined });
        expect(refused.body, op).to.include({ code: 'role_required' });
      }
    });
  });

  it('ends with its customer', async () => {
    const { consentId, customerId } = await approved();
    await service.deliver(newEvent('customer.closed', { source: '/test', subject: customerId, context, data: { customerId, clientId: 'app-1' } }));
    expect(await read(consentId)).to.include({ status: 'revoked', statusReason: 'customer_closed' });
    expect(await recordOf(consentId)).to.include({ status: 'denied', reason: 'revoked' });
  });
  it('can be asked about beforehand, without using anything up', async () => {
    const { consentId, accountId } = await approved(PAYMENT);
    const ask = (payment: object) => call('validateConsent', 'POST', `/v1/consents/${consentId}/validate`, { body: { permission: 'payments:initiate', accountId, payment } });
    expect((await ask(PAYMENT.payment)).body).to.deep.equal({ allowed: true });
    expect((await ask({ ...PAYMENT.payment, amount: euro('12.51') })).body).to.include({ allowed: false, code: 'consent_permission_missing' });
    expect(await read(consentId)).to.include({ status: 'authorised', version: 2 });
  });
});
