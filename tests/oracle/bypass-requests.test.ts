/** Attempts to pass beyond what the customer consented to: by the way a request is written, and by what it asks for. None passes. */
import { expect } from 'chai';
import { decisionKey } from '@kontor/kernel/consent-decision';
import { newId } from '@kontor/kernel/ids';
import { approveJointly, reject, revoke } from '../../services/consent/src/consent.js';
import { expectProblem, type Answer } from '../gateway/client.js';
import { nonePasses, onEachWorld, type Attempt } from './worlds.js';
import { approveAs, consentBody, consented, consumed, createConsent, EVENT, euro, GROCER, pay, SCOPE, type World } from './world.js';

const read = (world: World, token: string, path: string, headers: Record<string, string | string[]> = {}): Promise<Answer> =>
  world.client.ask('GET', path, { headers: { authorization: `Bearer ${token}`, ...headers } });
const balancesOf = (account: string): string => `/v1/accounts/${account}/balances`;

/** A consent to Ada's first account only, and a token on it. */
async function limitedToFirst(world: World, more: Record<string, unknown> = {}): Promise<{ consentId: string; token: string }> {
  return consented(world, 'access', more);
}

onEachWorld('Bypass attempts by requests', (world) => {
  describe('to an account the customer did not choose', () => {
    nonePasses(world, [
      ['another account of the same customer', async (w) => read(w, (await limitedToFirst(w)).token, balancesOf(w.accounts.second.id)), 'consent_account_not_covered'],
      ['an account of another customer', async (w) => read(w, (await limitedToFirst(w)).token, balancesOf(w.accounts.strange.id)), 'consent_account_not_covered'],
      ['the chosen account in capital letters', async (w) => read(w, (await limitedToFirst(w)).token, balancesOf(w.accounts.first.id.toUpperCase())), 'consent_account_not_covered'],
      ['a transaction of another account under the path of the chosen one', async (w) => read(w, (await limitedToFirst(w)).token, `/v1/accounts/${w.accounts.first.id}/transactions/${w.accounts.strange.transaction}`), 'transaction_not_found'],
      ['a payment from another account of the same customer', async (w) => pay(w, (await consented(w, 'payment')).token, { debtorAccountId: w.accounts.second.id }), 'consent_account_not_covered'],
      ['a payment from an account of another customer', async (w) => pay(w, (await consented(w, 'payment')).token, { debtorAccountId: w.accounts.strange.id }), 'consent_account_not_covered'],
      ['the funds of another account', async (w) => w.client.ask('POST', `/v1/accounts/${w.accounts.second.id}/funds-confirmations`, {
        headers: { authorization: `Bearer ${(await consented(w, 'funds confirmation')).token}` }, body: { amount: euro(100) } }), 'consent_account_not_covered'],
      ['the BIAN path of the same operation with another account', async (w) => read(w, (await limitedToFirst(w)).token, `/bian/CurrentAccount/${w.accounts.second.id}/Retrieve`), 'consent_account_not_covered'],
      ['the other BIAN name of the same operation', async (w) => read(w, (await limitedToFirst(w)).token, `/bian/SavingsAccount/${w.accounts.second.id}/Retrieve`), 'consent_account_not_covered'],
      ['the BIAN path of an operation that was not granted', async (w) => read(w, (await limitedToFirst(w, { permissions: ['accounts:read'] })).token, `/bian/PositionKeeping/${w.accounts.first.id}/Retrieve`), 'consent_permission_missing'],
    ] satisfies Attempt[]);
    it('a list shows the chosen accounts and no other, whatever the query asks for', async () => {
      const { token } = await limitedToFirst(world());
      for (const query of ['', `?accountId=${world().accounts.strange.id}`, '?limit=100', `?customerId=${world().customers.bert}`]) {
        const { status, body } = await read(world(), token, `/v1/accounts${query}`);
        if (status === 200) expect((body.data as { accountId: string }[]).map(({ accountId }) => accountId), query).to.deep.equal([world().accounts.first.id]);
        else expect(status).to.equal(400);
      }
    });
  });

  describe('by another way of writing a request', () => {
    const spellings: [what: string, path: (chosen: string, foreign: string) => string][] = [
      ['two slashes', (_, foreign) => `//v1//accounts//${foreign}/balances`], ['a step back', (chosen, foreign) => `/v1/accounts/${chosen}/../${foreign}/balances`],
      ['a step back in percent', (chosen, foreign) => `/v1/accounts/${chosen}/%2e%2e/${foreign}/balances`], ['a step back with its slash in percent', (chosen, foreign) => `/v1/accounts/${chosen}%2f..%2f${foreign}/balances`],
      ['a step in place', (_, foreign) => `/v1/./accounts/./${foreign}/balances`], ['a dot at the end', (_, foreign) => `/v1/accounts/${foreign}/balances.`], ['a slash at the end', (_, foreign) => `/v1/accounts/${foreign}/balances/`],
      ['capital letters', (_, foreign) => `/V1/Accounts/${foreign}/Balances`], ['letters in percent', (_, foreign) => `/v1/%61ccounts/${foreign}/%62alances`], ['a percent of percent', (_, foreign) => `/v1/accounts/${foreign}%252fbalances`],
      ['two accounts at once', (chosen, foreign) => `/v1/accounts/${chosen},${foreign}/balances`], ['a matrix parameter', (chosen, foreign) => `/v1/accounts/${foreign};${chosen}/balances`],
      ['a line break', (chosen, foreign) => `/v1/accounts/${chosen}%0d%0aX-A:%20${foreign}/balances`], ['a zero byte', (chosen, foreign) => `/v1/accounts/${foreign}%00${chosen}/balances`],
      ['the chosen account in the query', (chosen, foreign) => `/v1/accounts/${foreign}/balances?accountId=${chosen}`], ['over the pages of the bank', (_, foreign) => `/bank/%2e%2e/v1/accounts/${foreign}/balances`],
    ];
    for (const [what, path] of spellings) {
      it(`${what}: no path leads to the balances of another account`, async () => {
        const { token } = await limitedToFirst(world());
        const { first, strange } = world().accounts;
        const answer = await read(world(), token, path(first.id, strange.id));
        // It is refused, or it is nowhere; what the bank's pages answer shows no account.
        expect(answer.text).to.not.include('interimBooked');
        expect(answer.status, answer.text).to.be.within(400, 499);
      });
    }
    for (const name of ['X-HTTP-Method-Override', 'X-Method-Override', 'X-HTTP-Method']) {
      it(`the header ${name} makes no payment of a read`, async () => {
        const { token, consentId } = await consented(world(), 'payment');
        const answer = await read(world(), token, '/v1/payments', { [name]: 'POST', 'idempotency-key': newId() });
        expect(answer.status, answer.text).to.equal(200);
        expect(await paymentsOf(consentId)).to.equal(0);
      });
    }
    nonePasses(world, [
      ['two access tokens, the good one first', async (w) => read(w, '', balancesOf(w.accounts.first.id), { authorization: [`Bearer ${(await limitedToFirst(w)).token}`, `Bearer ${await w.tokenOf(w.apps.fintech, 'accounts')}`] }), ['duplicate_header', 'invalid_request']],
      ['two access tokens, the good one last', async (w) => read(w, '', balancesOf(w.accounts.first.id), { authorization: [`Bearer ${await w.tokenOf(w.apps.fintech, 'accounts')}`, `Bearer ${(await limitedToFirst(w)).token}`] }), ['duplicate_header', 'invalid_request']],
      ['two idempotency keys', async (w) => w.client.ask('POST', '/v1/payments', {
        headers: { authorization: `Bearer ${(await consented(w, 'payment')).token}`, 'idempotency-key': [newId(), newId()] }, body: { debtorAccountId: w.accounts.first.id, amount: euro(1250), creditor: GROCER } }), 'duplicate_header'],
      ['a forged consent behind a hundred headers', async (w) => read(w, await w.tokenOf(w.apps.fintech, 'accounts'), balancesOf(w.accounts.first.id),
        { ...Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`x-pad-${i}`, '1'])), 'x-authenticated-userid': (await limitedToFirst(w)).consentId }), 'invalid_request'],
      ['the gateway\'s own questions, asked through the gateway', async (w) => read(w, (await limitedToFirst(w)).token, `/internal/consents/${newId()}/decision`), 'not_found'],
      ['the gateway\'s own questions, asked over another path', async (w) => read(w, (await limitedToFirst(w)).token, `/v1/consents/../../internal/consents/${newId()}/decision`), 'not_found'],
    ] satisfies Attempt[]);
    it('the tokens of a consent are not ended, nor introspected, without the provision key', async () => {
      const { consentId, token } = await limitedToFirst(world());
      for (const headers of [{}, { 'x-provision-key': 'guessed' }, { authorization: `Bearer ${token}` }] as Record<string, string>[]) {
        expect((await world().client.ask('DELETE', `/oauth2/consents/${consentId}/tokens`, { headers })).status).to.be.within(400, 499);
        const introspected = await world().client.form('/oauth2/introspect', { token }, headers);
        expect(introspected.status, introspected.text).to.be.within(400, 499);
      }
      expect((await read(world(), token, balancesOf(world().accounts.first.id))).status).to.equal(200);
    });
  });

  const paymentsOf = async (consentId: string): Promise<number> =>
    Number((await world().services.payment.database.query<{ count: string }>('SELECT count(*) FROM payments WHERE consent_id = $1', [consentId]))[0]!.count);

  describe('with a consent of another application, and as the bank', () => {
    const foreign = (w: World): Promise<string> => createConsent(w, consentBody('access'), w.apps.other);
    const own = async (w: World, method: string, path: string, body?: object): Promise<Answer> =>
      w.client.ask(method, path, { headers: { authorization: `Bearer ${await w.tokenOf(w.apps.fintech, 'consents')}`, ...(body ? { 'idempotency-key': newId() } : {}) }, ...(body ? { body } : {}) });
    const staff = async (w: World, method: string, path: string, body?: object): Promise<Answer> =>
      w.client.ask(method, `/v1/consent-administration${path}`, { headers: { authorization: `Bearer ${await w.tokenOf(w.apps.fintech, 'consent-administration')}` }, ...(body ? { body } : {}) });
    nonePasses(world, [
      ['it is not read', async (w) => own(w, 'GET', `/v1/consents/${await foreign(w)}`), 'not_your_resource'],
      ['its history is not read', async (w) => own(w, 'GET', `/v1/consents/${await foreign(w)}/history`), 'not_your_resource'],
      ['it is not withdrawn', async (w) => own(w, 'DELETE', `/v1/consents/${await foreign(w)}`), 'not_your_resource'],
      ['it is not amended', async (w) => own(w, 'POST', `/v1/consents/${await foreign(w)}/amend`, { frequencyPerDay: 9 }), 'not_your_resource'],
      ['no link is left to authorise it', async (w) => own(w, 'POST', `/v1/consents/${await foreign(w)}/authorise`, { codeChallenge: 'x'.repeat(43), codeChallengeMethod: 'S256' }), 'not_your_resource'],
      ['it is not asked what it would allow', async (w) => own(w, 'POST', `/v1/consents/${await foreign(w)}/validate`, { permission: 'balances:read' }), 'not_your_resource'],
      ['a fintech does not search as the bank\'s staff do', (w) => staff(w, 'GET', '/consents'), 'role_required'],
      ['a fintech does not revoke as the bank\'s staff do', async (w) => staff(w, 'POST', `/consents/${await foreign(w)}/revoke`, { reason: 'other' }), 'role_required'],
      ['a fintech does not introspect tokens as the bank\'s staff do', (w) => staff(w, 'POST', '/token-introspection', { token: 'x' }), 'role_required'],
      ['a fintech does not read the report of the bank', (w) => staff(w, 'GET', '/report'), 'role_required'],
      ['staff do not read accounts without a consent', async (w) => read(w, await w.tokenOf(w.apps.staff, 'accounts'), balancesOf(w.accounts.first.id)), 'role_required'],
    ] satisfies Attempt[]);
  });

  describe('with a consent that does not allow it, or not any more', () => {
    const undecided = async (w: World, kind: Parameters<typeof consentBody>[0], more: Record<string, unknown> = {}): Promise<{ consentId: string; token: string }> => {
      const consentId = await createConsent(w, consentBody(kind, more));
      return { consentId, token: await w.client.consentToken(w.apps.fintech, consentId, SCOPE[kind]) };
    };
    const change = (w: World, consentId: string, rule: Parameters<World['services']['consents']['change']>[1]): Promise<unknown> => w.services.consents.change(consentId, rule, EVENT);
    const endsWith = async (w: World, rule: Parameters<World['services']['consents']['change']>[1]): Promise<Answer> => {
      const { consentId, token } = await limitedToFirst(w);
      expect((await read(w, token, balancesOf(w.accounts.first.id))).status).to.equal(200);
      await change(w, consentId, rule);
      return read(w, token, balancesOf(w.accounts.first.id));
    };
    const amended = async (w: World, terms: object, chosen: string[], more: Record<string, unknown> = {}): Promise<string> => {
      const { consentId, token } = await consented(w, 'access', more);
      const asked = await w.client.ask('POST', `/v1/consents/${consentId}/amend`, { headers: { authorization: `Bearer ${await w.tokenOf(w.apps.fintech, 'consents')}`, 'idempotency-key': newId() }, body: terms });
      expect(asked.status, asked.text).to.equal(200);
      if (chosen.length > 0) await approveAs(w, consentId, chosen);
      return token;
    };
    nonePasses(world, [
      ['one nobody has approved', async (w) => read(w, (await undecided(w, 'access')).token, balancesOf(w.accounts.first.id)), 'consent_not_active'],
      ['one of a joint account that one of two has approved', async (w) => {
        const { consentId, token } = await undecided(w, 'access');
        await approveAs(w, consentId, [w.accounts.joint.id]);
        return read(w, token, balancesOf(w.accounts.joint.id));
      }, 'consent_not_active'],
      ['a payment from a joint account that one of two has approved', async (w) => {
        const { consentId, token } = await undecided(w, 'payment');
        await approveAs(w, consentId, [w.accounts.joint.id]);
        return pay(w, token, { debtorAccountId: w.accounts.joint.id });
      }, 'consent_not_active'],
      ['one the second holder has rejected', async (w) => {
        const { consentId, token } = await undecided(w, 'access');
        await approveAs(w, consentId, [w.accounts.joint.id]);
        await change(w, consentId, (consent, now) => reject(consent, 'by_customer', now, w.customers.bert));
        return read(w, token, balancesOf(w.accounts.joint.id));
      }, ['consent_not_active', 'invalid_token']],
      ['one that the customer has revoked a moment ago', (w) => endsWith(w, (consent, now) => revoke(consent, { actor: { kind: 'customer', id: w.customers.ada }, reason: 'by_customer' }, now)), ['consent_revoked', 'invalid_token']],
      ['one that the bank has revoked because the customer left', (w) => endsWith(w, (consent, now) => revoke(consent, { actor: { kind: 'system' }, reason: 'customer_closed' }, now)), ['consent_revoked', 'invalid_token']],
      ['one that was given up by the application itself', async (w) => {
        const { consentId, token } = await limitedToFirst(w);
        await w.client.ask('DELETE', `/v1/consents/${consentId}`, { headers: { authorization: `Bearer ${await w.tokenOf(w.apps.fintech, 'consents')}` } });
        return read(w, token, balancesOf(w.accounts.first.id));
      }, ['consent_withdrawn', 'invalid_token']],
      ['one whose time is over though the record of it is gone', async (w) => {
        const { consentId, token } = await limitedToFirst(w);
        await w.services.consent.database.query("UPDATE consents SET expires_at = clock_timestamp() - interval '1 second' WHERE id = $1", [consentId]);
        await w.services.redis.del(decisionKey(consentId));
        return read(w, token, balancesOf(w.accounts.first.id));
      }, 'consent_expired'],
      ['payments under one that begins tomorrow', async (w) => pay(w, (await consented(w, 'variable recurring', { validFrom: new Date(Date.now() + 86_400_000).toISOString() })).token), 'consent_not_active'],
      ['what an amendment took away', async (w) => read(w, await amended(w, { permissions: ['accounts:read'] }, [w.accounts.first.id]), balancesOf(w.accounts.first.id)), 'consent_permission_missing'],
      ['an account that an amendment took away', async (w) => read(w, await amended(w, {}, [w.accounts.second.id]), balancesOf(w.accounts.first.id)), 'consent_account_not_covered'],
      ['what an amendment asks for and nobody has approved', async (w) =>
        read(w, await amended(w, { permissions: ['accounts:read', 'balances:read'] }, [], { permissions: ['accounts:read'] }), balancesOf(w.accounts.first.id)), 'consent_permission_missing'],
      ['a consent that has ended is not approved any more', async (w) => {
        const { consentId } = await limitedToFirst(w);
        await change(w, consentId, (consent, now) => revoke(consent, { actor: { kind: 'bank', id: 'staff' }, reason: 'by_bank' }, now));
        return w.client.ask('POST', `/v1/consents/${consentId}/authorise`, {
          headers: { authorization: `Bearer ${await w.tokenOf(w.apps.fintech, 'consents')}`, 'idempotency-key': newId() }, body: { codeChallenge: 'x'.repeat(43), codeChallengeMethod: 'S256' } });
      }, 'invalid_state'],
    ] satisfies Attempt[]);
    it('one of a joint account is good once both have approved (so that it is the second approval that was missing)', async () => {
      const { consentId, token } = await undecided(world(), 'access');
      await approveAs(world(), consentId, [world().accounts.joint.id]);
      await change(world(), consentId, (consent, now) => approveJointly(consent, { customerId: world().customers.bert, now }));
      expect((await read(world(), token, balancesOf(world().accounts.joint.id))).status).to.equal(200);
    });
  });

  describe('with a payment the customer did not authorise', () => {
    const differing: [sentence: string, change: Record<string, unknown>, code: string][] = [
      ['a cent more', { amount: euro(1251) }, 'consent_permission_missing'], ['a cent less', { amount: euro(1249) }, 'consent_permission_missing'],
      ['another currency', { amount: { amount: '12.50', currency: 'USD' } }, 'consent_permission_missing'], ['another creditor\'s account', { creditor: { ...GROCER, iban: 'NL91ABNA0417164300' } }, 'consent_permission_missing'],
      ['another creditor\'s name', { creditor: { ...GROCER, name: 'Green Grocers' } }, 'consent_permission_missing'],
    ];
    for (const [sentence, change, code] of differing) {
      it(`${sentence}: refused, and the consent is not used up`, async () => {
        const { token } = await consented(world(), 'payment');
        expectProblem(await pay(world(), token, change), 403, code);
        const paid = await pay(world(), token);
        expect(paid.status, paid.text).to.equal(201);
      });
    }
    it('another remittance than the one that was authorised', async () => {
      const { token } = await consented(world(), 'payment', { remittance: 'Invoice 17' });
      for (const remittance of [undefined, 'Invoice 18', 'invoice 17']) expectProblem(await pay(world(), token, remittance === undefined ? {} : { remittance }), 403, 'consent_permission_missing');
    });
    it('a second payment on a consent that was used, at once and after the news of it', async () => {
      const { token, consentId } = await consented(world(), 'payment');
      expect((await pay(world(), token)).status).to.equal(201);
      expectProblem(await pay(world(), token), 403, 'consent_consumed');
      await consumed(world(), consentId);
      expectProblem(await pay(world(), token), 403, 'consent_consumed');
      expect(await paymentsOf(consentId)).to.equal(1);
    });
    it('the key of a payment that was made, with another payment', async () => {
      const [one, other] = [await consented(world(), 'payment'), await consented(world(), 'payment')];
      const key = newId();
      expect((await pay(world(), one.token, {}, { 'idempotency-key': key })).status).to.equal(201);
      expectProblem(await pay(world(), other.token, {}, { 'idempotency-key': key }), 422, 'idempotency_mismatch');
      expect(await paymentsOf(other.consentId)).to.equal(0);
    });
    it('fifty payments at the same time on one consent: exactly one exists', async () => {
      const { token, consentId } = await consented(world(), 'payment');
      const answers = await Promise.all(Array.from({ length: 50 }, () => pay(world(), token)));
      expect(answers.filter(({ status }) => status === 201)).to.have.length(1);
      expect(new Set(answers.filter(({ status }) => status !== 201).map(({ body }) => (body as { code: string }).code))).to.deep.equal(new Set(['consent_consumed']));
      expect(await paymentsOf(consentId)).to.equal(1);
    });
    it('ten recurring payments at the same time: no more of them than the limit of the period allows', async () => {
      const { token, consentId } = await consented(world(), 'variable recurring', { periodicLimits: [{ maximum: euro(5000), period: 'day', alignment: 'consent' }] });
      const answers = await Promise.all(Array.from({ length: 10 }, () => pay(world(), token, { amount: euro(2000) })));
      expect(answers.filter(({ status }) => status === 201)).to.have.length(2);
      for (const answer of answers.filter(({ status }) => status !== 201)) expectProblem(answer, 403, 'consent_limit_exceeded');
      expect(await paymentsOf(consentId)).to.equal(2);
    });
    it('a recurring payment over the maximum of one', async () => {
      const { token } = await consented(world(), 'variable recurring');
      expectProblem(await pay(world(), token, { amount: euro(5001) }), 403, 'consent_limit_exceeded');
    });
  });
});
