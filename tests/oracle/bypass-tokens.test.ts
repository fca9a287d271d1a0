/** Attempts to pass without the customer's consent: by tokens, codes and grants. Each is a sentence; none passes. */
import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { newId } from '@kontor/kernel/ids';
import { gatewayToken, strangerKeys, testKeys } from '@kontor/testing/gateway-token';
import { revoke } from '../../services/consent/src/consent.js';
import { codeIn, expectProblem, type Answer, type App } from '../gateway/client.js';
import { secrets } from '../gateway/target.js';
import { expectEnded, nonePasses, onEachWorld, type Attempt } from './worlds.js';
import { approveAs, consentBody, consented, createConsent, EVENT, pay, type World } from './world.js';

const balances = (world: World, token: string | undefined, headers: Record<string, string | string[]> = {}, query = ''): Promise<Answer> =>
  world.client.ask('GET', `/v1/accounts/${world.accounts.first.id}/balances${query}`, { headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers } });
const own = ({ clientId, clientSecret }: App): Record<string, string> => ({ client_id: clientId, client_secret: clientSecret });
const token = (world: World, fields: Record<string, string>): Promise<Answer> => world.client.form('/oauth2/token', fields);

/** A code for a consent in force, not exchanged yet. */
async function codeFor(world: World, scope = 'accounts', more: Record<string, string> = {}): Promise<{ consentId: string; code: string; verifier: string }> {
  const consentId = await createConsent(world, consentBody('access'));
  await approveAs(world, consentId, [world.accounts.first.id]);
  const { body, verifier, status, text } = await world.client.authorise(world.apps.fintech, consentId, scope, more);
  expect(status, text).to.equal(200);
  return { consentId, code: codeIn(body), verifier };
}

const exchange = (world: World, app: App, fields: Record<string, string>): Promise<Answer> =>
  token(world, { grant_type: 'authorization_code', ...own(app), redirect_uri: app.redirectUri, ...fields });

onEachWorld('Bypass attempts by tokens', (world) => {
  /** The token endpoint speaks RFC 6749: an error and never a token. */
  const noToken = (answer: Answer): void => {
    expect(answer.status, answer.text).to.be.within(400, 499);
    expect(answer.body).to.have.property('error');
    expect(answer.text).to.not.include('access_token');
  };

  describe('that were obtained in another way', () => {
    nonePasses(world, [
      ['a token of the application itself (client credentials) reads nothing of a customer', async (w) => balances(w, await w.tokenOf(w.apps.fintech, 'accounts')), 'consent_required'],
      ['a token of the application itself initiates no payment', async (w) => pay(w, await w.tokenOf(w.apps.fintech, 'payments')), 'consent_required'],
      ['an API key of the sandbox opens no operation that needs a consent', (w) => balances(w, undefined, { apikey: w.apps.fintech.apiKey }), ['unauthenticated', 'invalid_token']],
      ['no token at all', (w) => balances(w, undefined), 'unauthenticated'],
      ['an id of a consent in place of a token', async (w) => balances(w, (await consented(w, 'access')).consentId), 'invalid_token'],
      ['a refresh token in place of an access token', async (w) => {
        const { code, verifier } = await codeFor(w);
        return balances(w, (await exchange(w, w.apps.fintech, { code, code_verifier: verifier })).body.refresh_token as string);
      }, 'invalid_token'],
      ['a code in place of a token', async (w) => balances(w, (await codeFor(w)).code), 'invalid_token'],
      ['a gateway token in place of an access token', (w) => balances(w, gatewayToken({ aud: 'account', op: 'getBalances' })), 'invalid_token'],
      ['a token that another application was issued on the consent', async (w) => balances(w, await w.client.consentToken(w.apps.other, (await consented(w, 'access')).consentId, 'accounts')), 'consent_not_active'],
      ['a token on a consent that does not exist', async (w) => balances(w, await w.client.consentToken(w.apps.fintech, newId(), 'accounts')), 'consent_not_active'],
      ['a token whose user is no consent but an account', async (w) => balances(w, await w.client.consentToken(w.apps.fintech, w.accounts.first.id, 'accounts')), 'consent_not_active'],
      ['a token whose user leads out of the place where decisions are kept', async (w) => balances(w, await w.client.consentToken(w.apps.fintech, '../../consents', 'accounts')), ['consent_required', 'consent_not_active']],
      ['a token for reading pays nothing', async (w) => pay(w, (await consented(w, 'access')).token), 'insufficient_scope'],
      ['a token for paying reads nothing', async (w) => balances(w, (await consented(w, 'payment')).token), 'insufficient_scope'],
      ['a token with every scope on a consent to pay reads nothing', async (w) => balances(w, await w.client.consentToken(w.apps.fintech, (await consented(w, 'payment')).consentId, 'accounts payments')), 'consent_permission_missing'],
      ['a token for asking about funds reads no balance', async (w) => balances(w, await w.client.consentToken(w.apps.fintech, (await consented(w, 'funds confirmation')).consentId, 'accounts funds')), 'consent_permission_missing'],
    ] satisfies Attempt[]);
  });

  describe('with the consent of another named beside them', () => {
    const names = ['X-Authenticated-Userid', 'X-Consent-Id', 'Consent-ID', 'X-Consent', 'X_Authenticated_Userid', 'X-Authenticated-UserId'];
    for (const name of names) {
      it(`the header ${name} gives no token a consent`, async () => {
        const { consentId } = await consented(world(), 'access');
        expectProblem(await balances(world(), await world().tokenOf(world().apps.fintech, 'accounts'), { [name]: consentId }), 403, 'consent_required');
      });
    }
    nonePasses(world, [
      ['a consent named in the query counts for nothing', async (w) => balances(w, await w.tokenOf(w.apps.fintech, 'accounts'), {}, `?consentId=${(await consented(w, 'access')).consentId}&authenticated_userid=x`), 'consent_required'],
      ['a consent named in the body counts for nothing', async (w) => pay(w, await w.tokenOf(w.apps.fintech, 'payments'), { consentId: (await consented(w, 'payment')).consentId }), ['consent_required', 'invalid_request']],
      ['the headers of identity a client sends do not make it another client', async (w) => balances(w, await w.client.consentToken(w.apps.other, (await consented(w, 'access')).consentId, 'accounts'),
        { 'x-consumer-custom-id': w.apps.fintech.clientId, 'x-consumer-id': w.apps.fintech.consumerId, 'x-credential-identifier': w.apps.fintech.clientId }), 'consent_not_active'],
      ['a gateway token a client sends is refused, also beside a good access token', async (w) => balances(w, (await consented(w, 'access')).token, { 'x-gateway-token': gatewayToken({ aud: 'account', op: 'getBalances' }) }), 'invalid_token'],
    ] satisfies Attempt[]);
  });

  describe('that a grant must not give', () => {
    it('the password grant is not offered', async () => noToken(await token(world(), { grant_type: 'password', ...own(world().apps.fintech), username: 'ada', password: 'x', authenticated_userid: newId(), provision_key: secrets.provisionKey })));
    it('the implicit grant is not offered', async () => {
      const answer = await world().client.authorise(world().apps.fintech, newId(), 'accounts', { response_type: 'token' });
      expect(answer.text).to.not.include('access_token');
      expect(answer.text).to.include('unsupported_response_type');
    });
    it('client credentials with the id of a consent give no token on it', async () => {
      const { consentId } = await consented(world(), 'access');
      for (const more of [{}, { provision_key: 'guessed' }] as Record<string, string>[]) noToken(await token(world(), { grant_type: 'client_credentials', ...own(world().apps.fintech), scope: 'accounts', authenticated_userid: consentId, ...more }));
    });
    it('no code is issued without the provision key, nor with a guessed one', async () => {
      const { consentId } = await consented(world(), 'access');
      for (const provision_key of ['', 'guessed', secrets.provisionKey.slice(1)]) {
        const answer = await world().client.authorise(world().apps.fintech, consentId, 'accounts', { provision_key });
        expect(answer.text).to.not.match(/[?&]code=/);
        expect(answer.text).to.include('invalid_provision_key');
      }
    });
    it('a code is taken once', async () => {
      const { code, verifier } = await codeFor(world());
      expect((await exchange(world(), world().apps.fintech, { code, code_verifier: verifier })).status).to.equal(200);
      noToken(await exchange(world(), world().apps.fintech, { code, code_verifier: verifier }));
    });
    it('a code of another client is not taken', async () => {
      const { code, verifier } = await codeFor(world());
      noToken(await exchange(world(), world().apps.other, { code, code_verifier: verifier }));
    });
    it('a code without its verifier, or with another, is not taken', async () => {
      for (const proof of [{}, { code_verifier: '' }, { code_verifier: randomBytes(32).toString('base64url') }]) {
        const { code } = await codeFor(world());
        noToken(await exchange(world(), world().apps.fintech, { code, ...proof } as Record<string, string>));
      }
    });
    it('the challenge cannot be left out, nor be the verifier itself (plain)', async () => {
      const verifier = randomBytes(32).toString('base64url');
      for (const [code_challenge, code_challenge_method] of [['', ''], ['', 'S256'], [verifier, 'plain']] as const) {
        const answer = await world().client.authorise(world().apps.fintech, newId(), 'accounts', { code_challenge, code_challenge_method });
        // Refused (Kong itself fails over an empty challenge, which the bank's pages never pass on), or else a code nobody can exchange so.
        if (!/[?&]code=/.test(answer.text)) expect(answer.status, answer.text).to.be.within(400, 599);
        else noToken(await exchange(world(), world().apps.fintech, { code: codeIn(answer.body), ...(code_challenge ? { code_verifier: verifier } : {}) }));
      }
    });
    it('a code is sent to no address that is not registered', async () => {
      for (const redirect_uri of ['https://evil.test/', 'https://fintech.test/callback/../evil', 'https://fintech.test/callback.evil.test', 'https://fintech.test@evil.test/callback']) {
        const answer = await world().client.authorise(world().apps.fintech, newId(), 'accounts', { redirect_uri });
        expect(answer.text, redirect_uri).to.not.match(/[?&]code=/);
      }
    });
    it('a code with an address that is not registered is not taken', async () => {
      const { code, verifier } = await codeFor(world());
      noToken(await exchange(world(), world().apps.fintech, { code, code_verifier: verifier, redirect_uri: 'https://evil.test/' }));
    });
    it('a refresh token of another client is not taken', async () => {
      const { code, verifier } = await codeFor(world());
      const { body } = await exchange(world(), world().apps.fintech, { code, code_verifier: verifier });
      noToken(await token(world(), { grant_type: 'refresh_token', ...own(world().apps.other), refresh_token: body.refresh_token as string }));
    });
    it('a refresh gives no scope that was not given', async () => {
      const { consentId, code, verifier } = await codeFor(world());
      const { body } = await exchange(world(), world().apps.fintech, { code, code_verifier: verifier });
      const answer = await token(world(), { grant_type: 'refresh_token', ...own(world().apps.fintech), refresh_token: body.refresh_token as string, scope: 'accounts payments consents' });
      if (answer.status >= 400) return noToken(answer);
      expectProblem(await pay(world(), answer.body.access_token as string), 403, 'insufficient_scope');
      expectProblem(await world().client.ask('GET', `/v1/consents/${consentId}`, { headers: { authorization: `Bearer ${answer.body.access_token as string}` } }), 403, 'insufficient_scope');
    });
    it('a refresh after the revocation reads nothing', async () => {
      const { consentId, code, verifier } = await codeFor(world());
      const { body } = await exchange(world(), world().apps.fintech, { code, code_verifier: verifier });
      await endAsCustomer(consentId);
      const answer = await token(world(), { grant_type: 'refresh_token', ...own(world().apps.fintech), refresh_token: body.refresh_token as string });
      expectEnded(await balances(world(), (answer.body.access_token as string | undefined) ?? body.access_token as string));
    });
    it('a code that is exchanged after the revocation reads nothing', async () => {
      const { consentId, code, verifier } = await codeFor(world());
      await endAsCustomer(consentId);
      const answer = await exchange(world(), world().apps.fintech, { code, code_verifier: verifier });
      if (answer.status === 200) expectEnded(await balances(world(), answer.body.access_token as string));
      else noToken(answer);
    });
    const endAsCustomer = (consentId: string): Promise<unknown> =>
      world().services.consents.change(consentId, (consent, now) => revoke(consent, { actor: { kind: 'customer', id: world().customers.ada }, reason: 'by_customer' }, now), EVENT);
  });

  describe('past the gateway, at the service itself', () => {
    const consentOf = (w: World) => ({ id: newId(), version: 2, permissions: ['balances:read'], accounts: [w.accounts.first.id], customerId: w.customers.ada });
    const at = async (w: World, headers: Record<string, string>, service: 'account' | 'payment' | 'consent' = 'account', path = `/v1/accounts/${w.accounts.first.id}/balances`): Promise<Answer> => {
      const answer = await fetch(w.services[service].url + path, { headers });
      const text = await answer.text();
      return { status: answer.status, headers: Object.fromEntries(answer.headers), text, body: text === '' ? undefined : JSON.parse(text) };
    };
    const claims = (w: World, more: Partial<Parameters<typeof gatewayToken>[0]> = {}): Record<string, string> =>
      ({ 'x-gateway-token': gatewayToken({ aud: 'account', op: 'getBalances', sub: w.apps.fintech.clientId, consent: consentOf(w), ...more }) });
    const now = (): number => Math.floor(Date.now() / 1000);

    it('what the gateway signs for this very request is taken there (so the refusals below are of what differs)', async () => {
      expect((await at(world(), claims(world()))).status).to.equal(200);
    });
    nonePasses(world, [
      ['no gateway token', (w) => at(w, {}), ['unauthenticated', 'invalid_token']],
      ['an access token of the gateway', async (w) => at(w, { authorization: `Bearer ${(await consented(w, 'access')).token}` }), ['unauthenticated', 'invalid_token']],
      ['a captured token for another operation', (w) => at(w, claims(w, { op: 'listTransactions' })), 'invalid_token'],
      ['a captured token for another service', (w) => at(w, claims(w, { aud: 'payment' })), ['unauthenticated', 'invalid_token']],
      ['a captured token whose time is over', (w) => at(w, claims(w, { claims: { iat: now() - 120, exp: now() - 60 } })), ['unauthenticated', 'invalid_token']],
      ['a captured token that should live for a day', (w) => at(w, claims(w, { claims: { exp: now() + 86_400 } })), ['unauthenticated', 'invalid_token']],
      ['a token for the operation without a consent', (w) => at(w, claims(w, { claims: { consent: undefined } })), 'consent_required'],
      ['a token for the operation on a consent without the permission', (w) => at(w, claims(w, { consent: { ...consentOf(w), permissions: ['accounts:read'] } })), 'consent_permission_missing'],
      ['a token for the operation on a consent to another account', (w) => at(w, claims(w, { consent: { ...consentOf(w), accounts: [w.accounts.strange.id] } })), 'consent_account_not_covered'],
      ['a token with a permission that is a text, not a list', (w) => at(w, claims(w, { claims: { consent: { ...consentOf(w), permissions: 'balances:read' } } })), ['unauthenticated', 'invalid_token']],
      ['a token signed by a stranger', (w) => at(w, claims(w, { keys: strangerKeys })), ['unauthenticated', 'invalid_token']],
      ['a token that says it needs no signature', (w) => at(w, claims(w, { header: { alg: 'none' } })), ['unauthenticated', 'invalid_token']],
      ['a token that says its signature is made with the public key', (w) => at(w, claims(w, { header: { alg: 'HS256' } })), ['unauthenticated', 'invalid_token']],
      ['a good token with its consent exchanged', (w) => {
        const [head, body, signature] = claims(w)['x-gateway-token']!.split('.') as [string, string, string];
        const forged = { ...JSON.parse(Buffer.from(body, 'base64url').toString()) as object, consent: { ...consentOf(w), accounts: [w.accounts.strange.id] } };
        return at(w, { 'x-gateway-token': `${head}.${Buffer.from(JSON.stringify(forged)).toString('base64url')}.${signature}` }, 'account', `/v1/accounts/${w.accounts.strange.id}/balances`);
      }, ['unauthenticated', 'invalid_token']],
      ['a token the gateway has made for another service, captured there', async (w) => {
        w.beside.reset();
        await w.client.ask('GET', `/v1/customers/${newId()}`, { headers: { authorization: `Bearer ${await w.tokenOf(w.apps.fintech, 'customers')}` } });
        return at(w, { 'x-gateway-token': String(w.beside.last().headers['x-gateway-token']) });
      }, ['unauthenticated', 'invalid_token']],
      ['the gateway\'s questions about decisions without its key', (w) => at(w, {}, 'consent', `/internal/consents/${newId()}/decision`), 'unauthenticated'],
      ['the gateway\'s questions about decisions with a guessed key', (w) => at(w, { 'x-decision-key': testKeys.publicKey }, 'consent', `/internal/consents/${newId()}/decision`), 'unauthenticated'],
    ] satisfies Attempt[]);
  });
});
