/** The consent service by HTTP: its contract, the bank's pages, and the order in which a decision becomes visible. */
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { Secret, TOTP } from 'otpauth';
import { decisionKey, parseDecision, type DecisionRecord } from '@kontor/kernel/consent-decision';
import { newEvent } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { testServer } from '@kontor/testing/environment';
import { testService, type TestAnswer, type TestService } from '@kontor/testing/service';
import { options } from '../src/main.js';

const CALLBACK = 'https://fintech.example/callback';
const DECISION_KEY = randomBytes(16).toString('hex');
const PROVISION_KEY = randomBytes(16).toString('hex');
const context = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };

describe('consent service', () => {
  let service: TestService;
  let gateway: Server;
  let redis: Redis;
  const asked: URLSearchParams[] = [];

  before(async () => {
    gateway = createServer((request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => { body += part.toString(); });
      request.on('end', () => {
        const form = new URLSearchParams(body);
        asked.push(form);
        const back = new URL(form.get('redirect_uri') ?? '');
        if (form.get('client_id') === 'unregistered') back.searchParams.set('error', 'invalid_request');
        else back.searchParams.set('code', 'the-code');
        if (form.get('state')) back.searchParams.set('state', form.get('state') ?? '');
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ redirect_uri: back.toString() }));
      });
    });
    await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
    redis = new Redis(testServer('TEST_REDIS_URL'));
    service = await testService(options, {
      REDIS_URL: testServer('TEST_REDIS_URL'), OAUTH2_PROVISION_KEY: PROVISION_KEY, CONSENT_DECISION_KEY: DECISION_KEY,
      GATEWAY_OAUTH2_URL: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}/oauth2`,
      BANK_PAGES_URL: 'http://bank.example/bank', CREDENTIALS_KEY: randomBytes(32).toString('base64'),
    });
  });
  after(async () => {
    await service.stop();
    await redis.quit();
    gateway.close();
  });

  const create = (body: object, caller = { clientId: 'app-1' }, key = newId()): Promise<TestAnswer> =>
    service.request('POST', '/v1/consents', { op: 'createConsent', caller, headers: { 'idempotency-key': key }, body });
  const access = { type: 'account-access', permissions: ['accounts:read', 'balances:read'], validUntil: new Date(Date.now() + 86_400_000).toISOString(), redirectUri: CALLBACK };
  const payment = { type: 'payment', payment: { amount: { amount: '12.50', currency: 'EUR' }, creditor: { name: 'Green Grocer', iban: 'DE89370400440532013000' } }, redirectUri: CALLBACK };
  const recordOf = async (consentId: string): Promise<DecisionRecord | undefined> => parseDecision((await redis.get(decisionKey(consentId))) ?? '');
  const typesOf = async (consentId: string): Promise<string[]> => (await service.events()).filter((event) => event.subject === consentId).map((event) => event.type);

  /** An active customer with one account and online-banking credentials. */
  async function customer(): Promise<{ customerId: string; accountId: string; banking: { username: string; password: string; totpSecret: string } }> {
    const customerId = newId();
    const accountId = newId();
    await service.deliver(newEvent('customer.activated', { source: '/test', subject: customerId, context, data: { customerId, clientId: 'app-1', name: { given: 'Ada', family: 'Beispiel' } } }));
    await service.deliver(newEvent('account.opened', { source: '/test', subject: accountId, context, data: { accountId, customerId, clientId: 'app-1', iban: 'DE89370400440532013000', currency: 'EUR', product: 'current', holderName: 'Ada Beispiel' } }));
    const issued = await service.request('POST', `/sandbox/customers/${customerId}/credentials`, { op: 'issueSandboxCredentials' });
    expect(issued.status).to.equal(200);
    return { customerId, accountId, banking: issued.body };
  }

  /** A browser: keeps the session cookie, sends forms. */
  function browser() {
    let cookie = '';
    return async (method: string, path: string, form?: Record<string, string>, headers: Record<string, string> = {}): Promise<{ status: number; location: string; html: string; policy: string }> => {
      const answer = await fetch(`${service.url}/bank${path}`, {
        method, redirect: 'manual', headers: { ...(cookie ? { cookie } : {}), ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}), ...headers },
        ...(form ? { body: new URLSearchParams(form).toString() } : {}),
      });
      for (const set of answer.headers.getSetCookie()) cookie = set.split(';')[0] ?? '';
      return { status: answer.status, location: answer.headers.get('location') ?? '', html: await answer.text(), policy: answer.headers.get('content-security-policy') ?? '' };
    };
  }
  const codeNow = (secret: string, steps = 0): string => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + steps * 30_000 });
  const verifier = randomBytes(32).toString('base64url');
  const requestFor = (consentId: string, change: Record<string, string> = {}): string => `/authorise?${new URLSearchParams({
    consent_id: consentId, response_type: 'code', client_id: 'app-1', redirect_uri: CALLBACK, state: 'xyz',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256', ...change,
  }).toString()}`;

  /** Up to the page that asks for the decision. */
  async function upToDecision(consentId: string, banking: { username: string; password: string; totpSecret: string }, steps = 0) {
    const visit = browser();
    expect((await visit('GET', requestFor(consentId))).status).to.equal(200);
    expect((await visit('POST', '/sign-in', { username: banking.username, password: banking.password })).status).to.equal(200);
    const passed = await visit('POST', '/one-time-code', { code: codeNow(banking.totpSecret, steps) });
    expect(passed.location).to.equal('http://bank.example/bank/decision');
    return visit;
  }

  async function approved(body: object = access) {
    const someone = await customer();
    const { body: { consentId } } = await create(body);
    const visit = await upToDecision(consentId, someone.banking);
    const done = await visit('POST', '/decision', { decision: 'approve', account: someone.accountId });
    expect(done.status).to.equal(303);
    return { ...someone, consentId: consentId as string, visit, location: done.location };
  }

  describe('its contract', () => {
    it('creates a consent once per key, and tells of it', async () => {
      const first = await create(access, undefined, 'key-1');
      const again = await create(access, undefined, 'key-1');
      expect(first.status).to.equal(201);
      expect(first.body.authoriseUrl).to.equal(`http://bank.example/bank/authorise?consent_id=${first.body.consentId}`);
      expect(again.body).to.deep.equal(first.body);
      expect(again.headers['idempotency-replayed']).to.equal('true');
      expect(await typesOf(first.body.consentId)).to.deep.equal(['consent.created']);
      expect((await create(payment, undefined, 'key-1')).body.code).to.equal('idempotency_mismatch');
    });
    const refusals: [string, object, string][] = [
      ['an unknown field', { ...access, surprise: true }, 'invalid_request'],
      ['an unknown permission', { ...access, permissions: ['everything'] }, 'invalid_request'],
      ['an amount as a number', { ...payment, payment: { ...payment.payment, amount: { amount: 12.5, currency: 'EUR' } } }, 'invalid_request'],
      ['an amount with three decimals', { ...payment, payment: { ...payment.payment, amount: { amount: '12.505', currency: 'EUR' } } }, 'invalid_amount'],
      ['a wrong IBAN', { ...payment, payment: { ...payment.payment, creditor: { name: 'x', iban: 'DE00370400440532013000' } } }, 'invalid_iban'],
    ];
    for (const [what, body, code] of refusals) {
      it(`refuses ${what} and writes nothing`, async () => {
        const before = (await service.database.query('SELECT 1 FROM consents')).length;
        const answer = await create(body);
        expect([answer.status, answer.body.code]).to.deep.equal([400, code]);
        expect((await service.database.query('SELECT 1 FROM consents')).length).to.equal(before);
      });
    }
    it('shows a consent to its application and to no other', async () => {
      const { body: { consentId } } = await create(access);
      expect((await service.request('GET', `/v1/consents/${consentId}`, { op: 'getConsent', caller: { clientId: 'app-1' } })).status).to.equal(200);
      const other = await service.request('GET', `/v1/consents/${consentId}`, { op: 'getConsent', caller: { clientId: 'app-2' } });
      expect([other.status, other.body.code]).to.deep.equal([403, 'not_your_resource']);
      const revoked = await service.request('DELETE', `/v1/consents/${consentId}`, { op: 'revokeConsent', caller: { clientId: 'app-2' } });
      expect(revoked.status).to.equal(403);
    });
    it('lists page by page without losing or repeating one', async () => {
      const caller = { clientId: `app-${newId()}` };
      for (let count = 0; count < 5; count++) await create(access, caller);
      const seen: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const page: TestAnswer = await service.request('GET', `/v1/consents?limit=2${cursor ? `&cursor=${cursor}` : ''}`, { op: 'listConsents', caller });
        seen.push(...page.body.data.map((consent: { consentId: string }) => consent.consentId));
        cursor = page.body.nextCursor;
      }
      expect(seen).to.have.length(5);
      expect(new Set(seen).size).to.equal(5);
    });
  });

  describe('the bank\'s pages', () => {
    it('lead a customer from the request to an approval with two factors', async () => {
      const { consentId, customerId, accountId, location } = await approved();
      expect(location).to.equal(`${CALLBACK}?code=the-code&state=xyz`);
      const form = asked.at(-1);
      expect([form?.get('authenticated_userid'), form?.get('provision_key'), form?.get('scope')]).to.deep.equal([consentId, PROVISION_KEY, 'accounts']);
      expect(await recordOf(consentId)).to.deep.include({ status: 'authorised', version: 2, clientId: 'app-1', customerId, accounts: [accountId] });
      expect(await typesOf(consentId)).to.deep.equal(['consent.created', 'consent.authorised']);
      const proof = await service.database.query('SELECT factors FROM authentications WHERE consent_id = $1', [consentId]);
      expect(proof).to.deep.equal([{ factors: ['password', 'totp'] }]);
    });
    it('allow a form to lead to the application only on the page that decides', async () => {
      const { banking } = await customer();
      const { body: { consentId } } = await create(access);
      const visit = await upToDecision(consentId, banking);
      expect((await visit('GET', '/decision')).policy).to.contain("form-action 'self' https://fintech.example");
      expect((await visit('GET', '/sign-in')).policy).not.to.contain('fintech.example');
    });
    it('take a refusal back to the application, without a code', async () => {
      const { banking } = await customer();
      const { body: { consentId } } = await create(access);
      const visit = await upToDecision(consentId, banking);
      const done = await visit('POST', '/decision', { decision: 'deny' });
      expect(done.location).to.equal(`${CALLBACK}?error=access_denied&state=xyz`);
      expect(await recordOf(consentId)).to.include({ status: 'denied', reason: 'rejected' });
    });
    it('approve nothing when the gateway refuses the application', async () => {
      const { banking, accountId } = await customer();
      const { body: { consentId } } = await create(access, { clientId: 'unregistered' });
      const visit = browser();
      await visit('GET', requestFor(consentId, { client_id: 'unregistered' }));
      await visit('POST', '/sign-in', banking as never);
      await visit('POST', '/one-time-code', { code: codeNow(banking.totpSecret) });
      expect((await visit('POST', '/decision', { decision: 'approve', account: accountId })).status).to.equal(422);
      expect(await typesOf(consentId)).to.deep.equal(['consent.created']);
    });
    it('show nothing to decide after a password alone', async () => {
      const { banking } = await customer();
      const { body: { consentId } } = await create(access);
      const visit = browser();
      await visit('GET', requestFor(consentId));
      await visit('POST', '/sign-in', { username: banking.username, password: banking.password });
      expect((await visit('GET', '/decision')).status).to.equal(401);
      expect((await visit('POST', '/decision', { decision: 'approve' })).status).to.equal(401);
      expect((await visit('GET', '/consents')).status).to.equal(401);
    });
    it('take a one-time code once', async () => {
      const { banking } = await customer();
      const { body: { consentId } } = await create(access);
      const code = codeNow(banking.totpSecret);
      const tryWith = async (): Promise<number> => {
        const visit = browser();
        await visit('GET', requestFor(consentId));
        await visit('POST', '/sign-in', { username: banking.username, password: banking.password });
        return (await visit('POST', '/one-time-code', { code })).status;
      };
      expect([await tryWith(), await tryWith()]).to.deep.equal([303, 401]);
    });
    it('close signing in after five wrong passwords, also for the right one', async () => {
      const { banking } = await customer();
      const visit = browser();
      await visit('GET', '/sign-in');
      for (let attempt = 0; attempt < 5; attempt++) await visit('POST', '/sign-in', { username: banking.username, password: 'wrong' });
      const right = await visit('POST', '/sign-in', { username: banking.username, password: banking.password });
      expect(right.status).to.equal(401);
      expect(right.html).to.contain('closed for 15 minutes');
    });
    it('answer an unknown name as they answer a wrong password', async () => {
      const { banking } = await customer();
      const known = await browser()('POST', '/sign-in', { username: banking.username, password: 'wrong' });
      const unknown = await browser()('POST', '/sign-in', { username: 'nobody', password: 'wrong' });
      expect([unknown.status, unknown.html]).to.deep.equal([known.status, known.html]);
    });
    it('refuse a form another site sent', async () => {
      expect((await browser()('POST', '/sign-in', { username: 'a', password: 'b' }, { origin: 'https://evil.example' })).status).to.equal(400);
      expect((await browser()('POST', '/sign-in', { username: 'a', password: 'b' }, { 'sec-fetch-site': 'cross-site' })).status).to.equal(400);
    });
    it('do not offer or accept an account of somebody else', async () => {
      const { banking } = await customer();
      const stranger = await customer();
      const { body: { consentId } } = await create(access);
      const visit = await upToDecision(consentId, banking);
      expect((await visit('GET', '/decision')).html).not.to.contain(stranger.accountId);
      expect((await visit('POST', '/decision', { decision: 'approve', account: stranger.accountId })).status).to.equal(422);
      expect(await recordOf(consentId)).to.equal(undefined);
    });
    it('let a customer see and revoke own consents, and nobody else\'s', async () => {
      const mine = await approved();
      const theirs = await approved();
      const visit = browser();
      await visit('GET', '/sign-in');
      await visit('POST', '/sign-in', { username: mine.banking.username, password: mine.banking.password });
      await visit('POST', '/one-time-code', { code: codeNow(mine.banking.totpSecret, 1) });
      const page = await visit('GET', '/consents');
      expect(page.html).to.contain(mine.consentId).and.not.contain(theirs.consentId);
      expect((await visit('POST', `/consents/${theirs.consentId}/revoke`, {})).status).to.equal(404);
      expect(await recordOf(theirs.consentId)).to.include({ status: 'authorised' });
      expect((await visit('POST', `/consents/${mine.consentId}/revoke`, {})).status).to.equal(303);
      expect(await recordOf(mine.consentId)).to.include({ status: 'denied', reason: 'revoked', version: 3 });
    });
    it('escape what an application calls itself', async () => {
      await service.deliver(newEvent('app.registered', { source: '/test', subject: 'app-1', context, data: { appId: 'app-1', name: '<script>alert(1)</script>', roles: ['aisp'] } }));
      const { body: { consentId } } = await create(access);
      const { html } = await browser()('GET', requestFor(consentId));
      expect(html).to.contain('&lt;script&gt;').and.not.contain('<script');
    });
  });

  describe('a decision', () => {
    it('is denied in Redis before a revocation can commit', async () => {
      const { consentId } = await approved();
      const hold = await holdCommit(consentId);
      const revoking = service.request('DELETE', `/v1/consents/${consentId}`, { op: 'revokeConsent', caller: { clientId: 'app-1' } });
      await eventually(async () => (await recordOf(consentId))?.status === 'denied');
      const [row] = await service.database.query<{ status: string }>('SELECT status FROM consents WHERE id = $1', [consentId]);
      expect(row?.status, 'not committed yet').to.equal('authorised');
      await hold.release();
      expect((await revoking).status).to.equal(204);
    });
    it('never goes back to an older version', async () => {
      const { consentId } = await approved();
      const before = await recordOf(consentId);
      await service.request('DELETE', `/v1/consents/${consentId}`, { op: 'revokeConsent', caller: { clientId: 'app-1' } });
      const { decisionsIn } = await import('../src/decisions.js');
      await decisionsIn(redis).write(consentId, before as DecisionRecord);
      expect(await recordOf(consentId)).to.include({ status: 'denied', version: 3 });
    });
    it('is answered to the gateway when Redis has lost it, and to nobody without the key', async () => {
      const { consentId } = await approved();
      await redis.del(decisionKey(consentId));
      const path = `/internal/consents/${consentId}/decision`;
      expect((await service.request('GET', path, { headers: { 'x-decision-key': 'wrong' } })).status).to.equal(401);
      expect((await service.request('GET', path)).status).to.equal(401);
      expect((await service.request('GET', path, { headers: { 'x-decision-key': DECISION_KEY } })).body).to.include({ status: 'authorised', version: 2 });
      expect(await recordOf(consentId)).to.include({ status: 'authorised' });
    });
    it('ends with the payment it allowed, however often that is told', async () => {
      const { consentId, customerId, accountId } = await approved(payment);
      const paymentId = newId();
      const told = () => newEvent('payment.initiated', {
        source: '/test', subject: paymentId, context, data: { paymentId, clientId: 'app-1', customerId, consentId, debtorAccountId: accountId, ...payment.payment, endToEndId: 'e2e', uetr: '7a562c67-ca16-48ba-b074-65581be6f011' },
      });
      await service.deliver(told());
      await service.deliver(told());
      expect(await recordOf(consentId)).to.include({ status: 'denied', reason: 'consumed', version: 3 });
      expect(await typesOf(consentId)).to.deep.equal(['consent.created', 'consent.authorised', 'consent.consumed']);
    });
  });

  /** Holds every commit that appends an event of this consent: a lock on a row its transaction must still write. */
  async function holdCommit(consentId: string): Promise<{ release(): Promise<void> }> {
    await service.database.query(
      `CREATE OR REPLACE FUNCTION hold_commit() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END $body$;
       DROP TRIGGER IF EXISTS hold_commit ON consents;
       CREATE CONSTRAINT TRIGGER hold_commit AFTER UPDATE ON consents DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold_commit();`);
    let release: () => void = () => undefined;
    const held = service.database.transaction(async (tx) => {
      await service.database.query('SELECT pg_advisory_xact_lock(4711)', [], tx);
      await new Promise<void>((resolve) => { release = resolve; });
    });
    await eventually(async () => (await service.database.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND granted")).length > 0);
    return {
      async release() {
        release();
        await held;
        await service.database.query('DROP TRIGGER hold_commit ON consents');
        expect(consentId).to.be.a('string');
      },
    };
  }
});

async function eventually(fact: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await fact()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('not within 4 s');
}
