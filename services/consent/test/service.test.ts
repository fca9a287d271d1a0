/** The consent service by HTTP: its contract, and the order in which a decision becomes visible. */
import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { decisionKey, parseDecision, type DecisionRecord } from '@kontor/kernel/consent-decision';
import { newEvent } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { testServer } from '@kontor/testing/environment';
import type { TestAnswer, TestService } from '@kontor/testing/service';
import { approved as approvedAt, CALLBACK, context, testBank, type TestBank } from './bank.js';

const DECISION_KEY = randomBytes(16).toString('hex');

describe('consent service', () => {
  let bank: TestBank;
  let service: TestService;
  let redis: Redis;

  before(async () => {
    redis = new Redis(testServer('TEST_REDIS_URL'));
    bank = await testBank({ CONSENT_DECISION_KEY: DECISION_KEY });
    service = bank.service;
  });
  after(async () => {
    await bank.stop();
    await redis.quit();
  });

  const create = (body: object, caller = { clientId: 'app-1' }, key = newId()): Promise<TestAnswer> =>
    service.request('POST', '/v1/consents', { op: 'createConsent', caller, headers: { 'idempotency-key': key }, body });
  const access = { type: 'account-access', permissions: ['accounts:read', 'balances:read'], validUntil: new Date(Date.now() + 86_400_000).toISOString(), redirectUri: CALLBACK };
  const payment = { type: 'payment', payment: { amount: { amount: '12.50', currency: 'EUR' }, creditor: { name: 'Green Grocer', iban: 'DE89370400440532013000' } }, redirectUri: CALLBACK };
  const recordOf = async (consentId: string): Promise<DecisionRecord | undefined> => parseDecision((await redis.get(decisionKey(consentId))) ?? '');
  const typesOf = async (consentId: string): Promise<string[]> => (await service.events()).filter((event) => event.subject === consentId).map((event) => event.type);

  const approved = (body: object = access) => approvedAt(bank, body);

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
