/** Attempts to pass by the counts and records that decisions rest on: how often a day, and what stands in Redis. None passes. */
import { expect } from 'chai';
import { decisionKey } from '@kontor/kernel/consent-decision';
import { eventually } from '@kontor/testing/wait';
import { revoke } from '../../services/consent/src/consent.js';
import { decisionsIn, type Decisions } from '../../services/consent/src/decisions.js';
import { knownRepository } from '../../services/consent/src/known-repository.js';
import { consentRepository, type ConsentRepository } from '../../services/consent/src/repository.js';
import { expectProblem, type Answer } from '../gateway/client.js';
import { expectEnded, onEachWorld } from './worlds.js';
import { consented, EVENT, type World } from './world.js';

const ask = (world: World, token: string, path: string, headers: Record<string, string | string[]> = {}): Promise<Answer> =>
  world.client.ask('GET', path, { headers: { authorization: `Bearer ${token}`, ...headers } });
const end = (world: World, consentId: string, by: ConsentRepository = world.services.consents): Promise<unknown> =>
  by.change(consentId, (consent, now) => revoke(consent, { actor: { kind: 'customer', id: world.customers.ada }, reason: 'by_customer' }, now), EVENT);

onEachWorld('Bypass attempts by counts and records', (world) => {
  const balances = (token: string, headers: Record<string, string | string[]> = {}, query = ''): Promise<Answer> => ask(world(), token, `/v1/accounts/${world().accounts.first.id}/balances${query}`, headers);

  describe('of how often a day the customer need not be there', () => {
    const variations: [sentence: string, headers: Record<string, string>, query: string][] = [
      ['another query does not begin the count anew', {}, '?x=1'], ['an empty address of the customer is none', { 'x-fapi-customer-ip-address': '' }, ''],
      ['an address of spaces is none', { 'x-fapi-customer-ip-address': '   ' }, ''], ['another spelling of the header is another header', { 'x_fapi_customer_ip_address': '203.0.113.7' }, ''],
      ['the address of the client is not the customer\'s', { 'x-forwarded-for': '203.0.113.7', 'psu-ip-address': '203.0.113.7' }, ''], ['no cache is asked to be passed by', { 'cache-control': 'no-cache', 'x-fapi-interaction-id': 'another' }, ''],
    ];
    for (const [sentence, headers, query] of variations) {
      it(sentence, async () => {
        const { token } = await consented(world(), 'access', { frequencyPerDay: 1 });
        expect((await balances(token)).status).to.equal(200);
        const answer = await balances(token, headers, query);
        expectProblem(answer, 429, 'consent_frequency_exceeded');
        expect(Number(answer.headers['retry-after'])).to.be.within(1, 86_400);
      });
    }
    it('another token on the same consent does not begin the count anew', async () => {
      const { consentId, token } = await consented(world(), 'access', { frequencyPerDay: 1 });
      expect((await balances(token)).status).to.equal(200);
      expectProblem(await balances(await world().client.consentToken(world().apps.fintech, consentId, 'accounts')), 429, 'consent_frequency_exceeded');
    });
    it('the BIAN names of an operation are counted as the operation', async () => {
      const { token } = await consented(world(), 'access', { frequencyPerDay: 1 });
      const { id } = world().accounts.first;
      expect((await ask(world(), token, `/v1/accounts/${id}`)).status).to.equal(200);
      for (const name of ['CurrentAccount', 'SavingsAccount']) expectProblem(await ask(world(), token, `/bian/${name}/${id}/Retrieve`), 429, 'consent_frequency_exceeded');
    });
    it('the loss of Redis loses no count', async () => {
      const { consentId, token } = await consented(world(), 'access', { frequencyPerDay: 1 });
      expect((await balances(token)).status).to.equal(200);
      await world().services.redis.del(decisionKey(consentId));
      expectProblem(await balances(token), 429, 'consent_frequency_exceeded');
    });
    it('of twenty at the same time exactly as many pass as the consent allows', async () => {
      const { token } = await consented(world(), 'access', { frequencyPerDay: 3 });
      const answers = await Promise.all(Array.from({ length: 20 }, () => balances(token)));
      expect(answers.filter(({ status }) => status === 200)).to.have.length(3);
      for (const answer of answers.filter(({ status }) => status !== 200)) expectProblem(answer, 429, 'consent_frequency_exceeded');
    });
  });

  describe('of the record of a consent that was revoked', () => {
    const whole = (w: World): Record<string, unknown> => ({
      version: 9, status: 'authorised', clientId: w.apps.fintech.clientId, customerId: w.customers.ada, permissions: ['balances:read'], accounts: [w.accounts.first.id], expiresAt: Math.floor(Date.now() / 1000) + 3600,
    });
    const records: [what: string, record: (w: World) => string][] = [
      ['something that is no JSON', () => 'authorised'], ['nothing', () => ''], ['null', () => 'null'], ['an empty object', () => '{}'], ['a list', () => '[]'], ['a text', () => '"authorised"'],
      ['only its status', () => '{"status":"authorised"}'], ['a record that was cut off', (w) => JSON.stringify(whole(w)).slice(0, -20)],
      ['a version in words', (w) => JSON.stringify({ ...whole(w), version: 'nine' })], ['permissions in one text', (w) => JSON.stringify({ ...whole(w), permissions: 'balances:read' })],
      ['accounts in one text', (w) => JSON.stringify({ ...whole(w), accounts: w.accounts.first.id })], ['an end in words', (w) => JSON.stringify({ ...whole(w), expiresAt: 'never' })],
      ['a status that is none', (w) => JSON.stringify({ ...whole(w), status: 'Authorised' })], ['a beginning in words', (w) => JSON.stringify({ ...whole(w), validFrom: 'now' })],
      ['a limit in words', (w) => JSON.stringify({ ...whole(w), frequencyPerDay: 'any' })], ['a list in a thousand lists', () => `${'['.repeat(1000)}${']'.repeat(1000)}`], ['bytes', () => '\u0000\u0001\u00ff{}'],
    ];
    for (const [what, record] of records) {
      it(`${what} in its place: the service is asked, and says no`, async () => {
        const { consentId, token } = await consented(world(), 'access');
        await end(world(), consentId);
        await world().services.redis.set(decisionKey(consentId), record(world()));
        const answer = await balances(token);
        expect(answer.status, answer.text).to.be.oneOf([401, 403, 503]);
        expect((answer.body as { code: string }).code).to.be.oneOf(['consent_revoked', 'consent_not_active', 'consent_check_unavailable', 'invalid_token']);
      });
    }
    it('something other than a text in its place', async () => {
      const { consentId, token } = await consented(world(), 'access');
      await end(world(), consentId);
      await world().services.redis.del(decisionKey(consentId));
      await world().services.redis.rpush(decisionKey(consentId), JSON.stringify(whole(world())));
      expect((await balances(token)).status).to.be.oneOf([401, 403, 503]);
    });
    for (const what of ['nonsense', '{}', '[1]', '{"version":"nine"}']) {
      it(`${what} in the place of the record does not keep a customer from revoking`, async () => {
        const { consentId, token } = await consented(world(), 'access');
        await world().services.redis.set(decisionKey(consentId), what);
        await end(world(), consentId);
        expectEnded(await balances(token));
      });
    }
    it('an older record does not come back over a newer one', async () => {
      const { consentId, token } = await consented(world(), 'access');
      const before = await world().services.redis.get(decisionKey(consentId));
      await end(world(), consentId);
      await decisionsIn(world().services.redis).write(consentId, JSON.parse(before!) as Parameters<Decisions['write']>[1]);
      expectEnded(await balances(token));
    });
  });

  describe('of a record that comes late, while Redis is lost', () => {
    /** A second replica of the consent service, whose writes to Redis wait for `hold`. */
    const replica = (hold: Partial<Record<'before' | 'after', () => Promise<void>>>): ConsentRepository => {
      const { consent: { database }, redis } = world().services;
      const decisions = decisionsIn(redis);
      return consentRepository(database, {
        ...decisions,
        async write(...given) {
          await hold.before?.();
          await decisions.write(...given);
          await hold.after?.();
        },
      }, knownRepository(database));
    };
    const someoneWaits = (): Promise<unknown> => eventually('somebody waits for the consent', async () =>
      (await world().services.consent.database.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")).length > 0, 5_000);

    it('what was read before the revocation and is written after Redis lost the denial', async () => {
      const { consentId, token } = await consented(world(), 'access');
      let revoked: Promise<unknown> | undefined;
      const late = replica({
        before: async () => {
          if (revoked) return;
          revoked = end(world(), consentId).then(() => world().services.redis.del(decisionKey(consentId)));
          // The revocation is through, or it waits until the record is written.
          await Promise.race([revoked, someoneWaits()]);
        },
      });
      await world().services.redis.del(decisionKey(consentId));
      await late.remember((await late.find(consentId))!);
      await revoked;
      expect((await world().services.consents.find(consentId))!.status).to.equal('revoked');
      expectEnded(await balances(token));
    });
    it('what is read while the revocation is not yet committed, after Redis lost the denial', async () => {
      const { consentId, token } = await consented(world(), 'access');
      const during: number[] = [];
      await end(world(), consentId, replica({
        after: async () => {
          await world().services.redis.del(decisionKey(consentId));
          // Not answered yet: this read may pass, but must leave nothing behind.
          during.push((await balances(token)).status);
        },
      }));
      expect(during).to.not.deep.equal([]);
      expectEnded(await balances(token));
    });
  });
});
