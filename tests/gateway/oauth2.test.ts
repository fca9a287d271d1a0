import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { challengeOf, claimsOf, Client, codeIn, expectProblem, soon, type App } from './client.js';
import { deckVariables, houseState, onEachTarget, PROBE_STATE, secrets, type Target } from './target.js';
import { startUpstream, type Upstream } from './upstream.js';

onEachTarget('OAuth 2 at the gateway', ({ start }) => {
  let upstream: Upstream;
  let target: Target;
  let client: Client;
  let app: App;

  before(async () => {
    upstream = await startUpstream();
    target = await start(houseState(), deckVariables(upstream.url));
    client = new Client(target);
    app = await client.app();
  });
  after(async () => {
    await client?.close();
    await target?.stop();
    await upstream?.stop();
  });
  beforeEach(() => upstream.reset());

  const token = (fields: Record<string, string>, headers: Record<string, string> = {}) => client.form('/oauth2/token', fields, headers);
  const own = () => ({ client_id: app.clientId, client_secret: app.clientSecret });

  describe('issues a token by client credentials', () => {
    it('to a client that identifies itself in the body', async () => {
      const answer = await token({ grant_type: 'client_credentials', ...own(), scope: 'customers kyc' });
      expect(answer.status).to.equal(200);
      expect(answer.body).to.include({ token_type: 'bearer', expires_in: 900 });
      expect(answer.body.access_token).to.match(/^[A-Za-z0-9]{32}$/);
      expect(answer.body).to.not.have.property('refresh_token');
      expect(answer.headers).to.include({ 'cache-control': 'no-store', pragma: 'no-cache' });
    });

    it('to a client that identifies itself by Basic authentication, or in JSON', async () => {
      const basic = `Basic ${Buffer.from(`${app.clientId}:${app.clientSecret}`).toString('base64')}`;
      expect((await token({ grant_type: 'client_credentials', scope: 'kyc' }, { authorization: basic })).status).to.equal(200);
      expect((await client.ask('POST', '/oauth2/token', { body: { grant_type: 'client_credentials', ...own() } })).status).to.equal(200);
    });

    it('and with it the call reaches the service, without the token', async () => {
      const access = await client.clientToken(app, 'customers');
      const answer = await client.ask('GET', '/v1/customers', { headers: { authorization: `Bearer ${access}` } });
      expect(answer.status, answer.text).to.equal(200);
      expect(upstream.last().headers).to.not.have.property('authorization');
      expect(claimsOf(upstream.last().headers['x-gateway-token'])).to.deep.include({ aud: 'customer', sub: app.clientId, op: 'listCustomers', scopes: ['customers'] });
    });
  });

  describe('refuses at the token endpoint', () => {
    const refused: [what: string, fields: () => Record<string, string>, status: number, error: string][] = [
      ['a wrong secret', () => ({ grant_type: 'client_credentials', client_id: app.clientId, client_secret: 'wrong' }), 400, 'invalid_client'],
      ['no secret', () => ({ grant_type: 'client_credentials', client_id: app.clientId }), 400, 'invalid_client'],
      ['an unknown client', () => ({ grant_type: 'client_credentials', client_id: randomUUID(), client_secret: 'x' }), 400, 'invalid_client'],
      ['a scope nobody has', () => ({ grant_type: 'client_credentials', ...own(), scope: 'customers admin' }), 400, 'invalid_scope'],
      ['the password grant', () => ({ grant_type: 'password', ...own(), username: 'a', password: 'b' }), 400, 'unsupported_grant_type'],
      ['an unknown grant', () => ({ grant_type: 'implicit', ...own() }), 400, 'unsupported_grant_type'],
      ['a made-up code', () => ({ grant_type: 'authorization_code', ...own(), code: 'A'.repeat(32), code_verifier: 'v'.repeat(43) }), 400, 'invalid_request'],
      ['a made-up refresh token', () => ({ grant_type: 'refresh_token', ...own(), refresh_token: 'A'.repeat(32) }), 400, 'invalid_request'],
      ['a client that names a customer itself', () => ({ grant_type: 'client_credentials', ...own(), authenticated_userid: randomUUID() }), 400, 'invalid_provision_key'],
      ['a redirect_uri that is not registered', () => ({ grant_type: 'authorization_code', ...own(), code: 'A'.repeat(32), redirect_uri: 'https://evil.test/' }), 400, 'invalid_request'],
    ];
    for (const [what, fields, status, error] of refused) {
      it(what, async () => {
        const answer = await token(fields());
        expect(answer.status, answer.text).to.equal(status);
        expect(answer.body).to.include({ error, status });
        expect(answer.body.type).to.match(/^urn:kontor:problem:/);
        expect(answer.body).to.not.have.property('access_token');
      });
    }

    it('a wrong secret by Basic authentication with 401 and a challenge', async () => {
      const answer = await token({ grant_type: 'client_credentials' }, { authorization: `Basic ${Buffer.from(`${app.clientId}:no`).toString('base64')}` });
      expect(answer.status).to.equal(401);
      expect(answer.headers['www-authenticate']).to.equal('Basic realm="OAuth2.0"');
      expect(answer.body.error).to.equal('invalid_client');
    });

    it('plain HTTP', async () => {
      const answer = await client.form('/oauth2/token', { grant_type: 'client_credentials', ...own() }, {}, true);
      expect(answer.status).to.equal(426);
      expect(answer.headers.upgrade).to.equal('TLS/1.2, HTTP/1.1');
    });

    it('plain HTTP that claims to have been HTTPS', async () => {
      const answer = await client.form('/oauth2/token', { grant_type: 'client_credentials', ...own() }, { 'x-forwarded-proto': 'https' }, true);
      expect(answer.status).to.equal(426);
    });

    it('a parameter that is sent twice', async () => {
      const answer = await client.ask('POST', '/oauth2/token', {
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: `${new URLSearchParams({ grant_type: 'client_credentials', ...own(), scope: 'kyc' }).toString()}&scope=payments`,
      });
      expect(answer.status).to.equal(400);
    });

    it('a body of 100 kB', async () => {
      const answer = await token({ grant_type: 'client_credentials', ...own(), padding: 'x'.repeat(100_000) });
      expect(answer.status).to.be.oneOf([400, 413]);
      expect(answer.text).to.not.include('access_token');
    });
  });

  describe('on a customer\'s consent', () => {
    const exchange = (code: string, verifier: string | undefined, as: App = app) => token({
      grant_type: 'authorization_code', client_id: as.clientId, client_secret: as.clientSecret, redirect_uri: as.redirectUri, code,
      ...(verifier === undefined ? {} : { code_verifier: verifier }),
    });

    it('gives the code inside the redirect address, and for the code a token with a refresh token', async () => {
      const { status, body, verifier } = await client.authorise(app, randomUUID(), 'accounts');
      expect(status).to.equal(200);
      const address = new URL(body.redirect_uri as string);
      expect(address.origin + address.pathname).to.equal('https://fintech.test/callback');
      expect(Object.fromEntries(address.searchParams)).to.deep.equal({ code: codeIn(body), state: 'st-1' });
      expect(codeIn(body)).to.match(/^[A-Za-z0-9]{32}$/);
      const answer = await exchange(codeIn(body), verifier);
      expect(answer.status).to.equal(200);
      expect(answer.body).to.include.keys('access_token', 'refresh_token', 'expires_in');
    });

    it('takes a code once', async () => {
      const { body, verifier } = await client.authorise(app, randomUUID(), 'accounts');
      expect((await exchange(codeIn(body), verifier)).status).to.equal(200);
      expect((await exchange(codeIn(body), verifier)).body.error).to.equal('invalid_request');
    });

    it('takes a code once when ten clients send it at the same time', async () => {
      const { body, verifier } = await client.authorise(app, randomUUID(), 'accounts');
      const answers = await Promise.all(Array.from({ length: 10 }, () => exchange(codeIn(body), verifier)));
      const issued = answers.filter(({ status }) => status === 200);
      // Kong deletes a code after it has issued the token: requests of the client itself, with its verifier, can race (README).
      if (target.embedded) expect(issued).to.have.length(1);
      else expect(issued).to.not.be.empty;
      expect((await exchange(codeIn(body), verifier)).status).to.equal(400);
    });

    it('refuses a code with a wrong verifier, without one, or with one that is too short', async () => {
      const { body } = await client.authorise(app, randomUUID(), 'accounts');
      expect((await exchange(codeIn(body), 'w'.repeat(43))).body.error).to.equal('invalid_grant');
      expect((await exchange(codeIn(body), undefined)).body.error_description).to.match(/code_verifier is required/);
      expect((await exchange(codeIn(body), 'short')).body.error_description).to.match(/between 43 and 128/);
    });

    it('refuses another client\'s code', async () => {
      const other = await client.app();
      const { body, verifier } = await client.authorise(app, randomUUID(), 'accounts');
      expect((await exchange(codeIn(body), verifier, other)).body).to.include({ error: 'invalid_request', error_description: 'Invalid code' });
      expect((await exchange(codeIn(body), verifier)).status).to.equal(200);
    });

    const refused: [what: string, fields: Record<string, string>, error: string][] = [
      ['without the provision key', { provision_key: '' }, 'invalid_provision_key'],
      ['with a wrong provision key', { provision_key: 'x'.repeat(48) }, 'invalid_provision_key'],
      ['without a consent', { authenticated_userid: ' ' }, 'invalid_authenticated_userid'],
      ['for an unknown client', { client_id: randomUUID() }, 'invalid_client'],
    ];
    for (const [what, fields, error] of refused) {
      it(`gives no code ${what}`, async () => {
        const answer = await client.authorise(app, randomUUID(), 'accounts', fields);
        expect(answer.status).to.equal(400);
        expect(answer.body.error).to.equal(error);
        expect(answer.text).to.not.include('code=');
      });
    }

    const refusedInside: [what: string, fields: Record<string, string>, error: string][] = [
      ['without PKCE', { code_challenge: '' }, 'invalid_request'],
      ['with the plain method', { code_challenge_method: 'plain' }, 'invalid_request'],
      ['for another redirect address', { redirect_uri: 'https://evil.test/' }, 'invalid_request'],
      ['for an unknown scope', { scope: 'everything' }, 'invalid_scope'],
      ['by the implicit flow', { response_type: 'token' }, 'unsupported_response_type'],
    ];
    for (const [what, fields, error] of refusedInside) {
      it(`gives no code ${what}; the fault is told inside the registered address`, async () => {
        const form: Record<string, string> = {
          response_type: 'code', client_id: app.clientId, redirect_uri: app.redirectUri, scope: 'accounts', state: 's',
          provision_key: secrets.provisionKey, authenticated_userid: randomUUID(), code_challenge: challengeOf('v'.repeat(43)), code_challenge_method: 'S256', ...fields,
        };
        if (fields.code_challenge === '') {
          delete form.code_challenge;
          delete form.code_challenge_method;
        }
        const answer = await client.form('/oauth2/authorize', form);
        expect(answer.status).to.equal(400);
        const address = new URL(answer.body.redirect_uri as string);
        expect(address.origin).to.equal('https://fintech.test');
        expect(address.searchParams.get('error')).to.equal(error);
        expect(address.searchParams.get('state')).to.equal('s');
        expect(address.searchParams.has('code')).to.equal(false);
      });
    }

    it('renews the access token under the same refresh token, and the old one ends', async () => {
      const consentId = randomUUID();
      await client.decide(consentId, { clientId: app.clientId });
      const { body, verifier } = await client.authorise(app, consentId, 'accounts');
      const first = (await exchange(codeIn(body), verifier)).body;
      const list = (access: string) => client.ask('GET', '/v1/accounts', { headers: { authorization: `Bearer ${access}` } });
      const renew = () => token({ grant_type: 'refresh_token', ...own(), refresh_token: first.refresh_token as string });
      expect((await list(first.access_token as string)).status).to.equal(200);
      const second = (await renew()).body;
      expect(second).to.include({ refresh_token: first.refresh_token });
      // Kong tells its workers to forget the old one; the embedded gateway has forgotten it.
      await soon(async () => expectProblem(await list(first.access_token as string), 401, 'invalid_token'));
      expect((await list(second.access_token as string)).status).to.equal(200);
    });

    it('keeps consent and scope when it is renewed, and when the answer was lost and it is renewed again', async () => {
      const consentId = randomUUID();
      const { expiresAt } = await client.decide(consentId, { clientId: app.clientId });
      const { body, verifier } = await client.authorise(app, consentId, 'accounts');
      const first = (await exchange(codeIn(body), verifier)).body;
      // More than the customer agreed to is not to be had by asking for it.
      const renew = () => token({ grant_type: 'refresh_token', ...own(), refresh_token: first.refresh_token as string, scope: 'accounts payments' });
      expect((await renew()).status).to.equal(200);
      // That answer never came: the confidential client asks again with what it has, and needs no new consent.
      const again = await renew();
      expect(again.status, again.text).to.equal(200);
      const answer = await client.ask('GET', '/v1/accounts', { headers: { authorization: `Bearer ${String(again.body.access_token)}` } });
      expect(answer.status, answer.text).to.equal(200);
      const claims = claimsOf(upstream.last().headers['x-gateway-token']);
      expect(claims.scopes).to.deep.equal(['accounts']);
      expect(claims.consent).to.include({ id: consentId, expiresAt });
      await client.decide(consentId, { clientId: app.clientId, version: 2, status: 'denied', reason: 'revoked' });
      const renewed = await renew();
      expectProblem(await client.ask('GET', '/v1/accounts', { headers: { authorization: `Bearer ${String(renewed.body.access_token)}` } }), 403, 'consent_revoked');
    });

    it('is to be had for funds, the scope of card-based payment services', async () => {
      const answer = await token({ grant_type: 'client_credentials', ...own(), scope: 'funds' });
      expect(answer.status, answer.text).to.equal(200);
    });

    it('refuses another client\'s refresh token', async () => {
      const other = await client.app();
      const { body, verifier } = await client.authorise(app, randomUUID(), 'accounts');
      const { refresh_token } = (await exchange(codeIn(body), verifier)).body as { refresh_token: string };
      const answer = await token({ grant_type: 'refresh_token', client_id: other.clientId, client_secret: other.clientSecret, refresh_token });
      expect(answer.body.error).to.equal('invalid_client');
    });
  });

  describe('refuses a call', () => {
    const call = (authorization?: string | string[], path = '/v1/customers') => client.ask('GET', path, authorization === undefined ? {} : { headers: { authorization } });
    afterEach(() => expect(upstream.arrived).to.be.empty);

    it('without a token', async () => {
      const answer = await call();
      expectProblem(answer, 401, 'unauthenticated');
      expect(answer.headers['www-authenticate']).to.match(/^Bearer/);
    });
    for (const bad of ['Bearer ', 'Bearer x', `Bearer ${'A'.repeat(32)}`, 'Basic YTpi', 'Bearer a b', `Bearer ${'A'.repeat(33)}`, '\'; drop table oauth2_tokens; --']) {
      it(`with "${bad}"`, async () => expectProblem(await call(bad), 401));
    }
    it('with a token of another scope', async () => {
      expectProblem(await call(`Bearer ${await client.clientToken(app, 'payments')}`), 403, 'insufficient_scope');
    });
    it('with a token without scopes', async () => {
      expectProblem(await call(`Bearer ${await client.clientToken(app, '')}`), 403, 'insufficient_scope');
    });
    it('of an application without the role', async () => {
      const reader = await client.app(['aisp']);
      expectProblem(await call(`Bearer ${await client.clientToken(reader, 'customers')}`), 403, 'role_required');
    });
    it('of an application without any role', async () => {
      const nobody = await client.app([]);
      expectProblem(await call(`Bearer ${await client.clientToken(nobody, 'customers')}`), 403, 'role_required');
    });
    it('whose application was removed a moment ago', async () => {
      const leaving = await client.app();
      const access = await client.clientToken(leaving, 'customers');
      expect((await call(`Bearer ${access}`)).status).to.equal(200);
      await client.admin('DELETE', `/consumers/${leaving.consumerId}`);
      await soon(async () => {
        upstream.reset();
        expectProblem(await call(`Bearer ${access}`), 401, 'invalid_token');
      });
    });
    it('whose role was taken away a moment ago', async () => {
      const losing = await client.app(['onboarding']);
      const access = await client.clientToken(losing, 'customers');
      expect((await call(`Bearer ${access}`)).status).to.equal(200);
      await client.admin('DELETE', `/consumers/${losing.consumerId}/acls/onboarding`);
      await soon(async () => {
        upstream.reset();
        expectProblem(await call(`Bearer ${access}`), 403, 'role_required');
      });
    });
  });

  it('loses nothing in a restart', async () => {
    const access = await client.clientToken(app, 'customers');
    const pending = await client.authorise(app, randomUUID(), 'accounts');
    await target.halt();
    await target.resume();
    expect((await client.ask('GET', '/v1/customers', { headers: { authorization: `Bearer ${access}` } })).status).to.equal(200);
    const answer = await token({ grant_type: 'authorization_code', ...own(), redirect_uri: app.redirectUri, code: codeIn(pending.body), code_verifier: pending.verifier });
    expect(answer.status, answer.text).to.equal(200);
  });
});

onEachTarget('OAuth 2 with rotation and short-lived tokens', ({ start }) => {
  let upstream: Upstream;
  let target: Target;
  let client: Client;
  let shiftMs = 0;

  before(async () => {
    upstream = await startUpstream();
    const more = { DECK_PROBE_URL: upstream.url, DECK_CLOSED_PORT: '1', DECK_HANGING_PORT: '2' };
    target = await start(PROBE_STATE, deckVariables(upstream.url, more), { now: () => Date.now() + shiftMs });
    client = new Client(target);
  });
  after(async () => {
    await client?.close();
    await target?.stop();
    await upstream?.stop();
  });

  it('gives a new refresh token each time and takes the old one once', async () => {
    const app = await client.app();
    const verifier = 'v'.repeat(64);
    const authorised = await client.form('/rotating/oauth2/authorize', {
      response_type: 'code', client_id: app.clientId, scope: 'accounts', provision_key: secrets.provisionKey, authenticated_userid: randomUUID(),
      code_challenge: challengeOf(verifier), code_challenge_method: 'S256',
    });
    const own = { client_id: app.clientId, client_secret: app.clientSecret };
    const first = await client.form('/rotating/oauth2/token', { grant_type: 'authorization_code', ...own, code: codeIn(authorised.body), code_verifier: verifier });
    expect(first.status, first.text).to.equal(200);
    const renew = (refresh_token: string) => client.form('/rotating/oauth2/token', { grant_type: 'refresh_token', ...own, refresh_token });
    const second = await renew(first.body.refresh_token as string);
    expect(second.status, second.text).to.equal(200);
    expect(second.body.refresh_token).to.not.equal(first.body.refresh_token);
    expect((await renew(first.body.refresh_token as string)).status).to.equal(400);
    expect((await renew(second.body.refresh_token as string)).status).to.equal(200);
  });

  it('refuses an expired token, also one it has just seen', async () => {
    const app = await client.app();
    const consentId = randomUUID();
    await client.decide(consentId, { clientId: app.clientId });
    const verifier = 'v'.repeat(64);
    const authorised = await client.form('/rotating/oauth2/authorize', {
      response_type: 'code', client_id: app.clientId, scope: 'accounts', provision_key: secrets.provisionKey, authenticated_userid: consentId,
      code_challenge: challengeOf(verifier), code_challenge_method: 'S256',
    });
    const issued = await client.form('/rotating/oauth2/token', { grant_type: 'authorization_code', client_id: app.clientId, client_secret: app.clientSecret, code: codeIn(authorised.body), code_verifier: verifier });
    const call = () => client.ask('GET', '/storeless-consent', { headers: { authorization: `Bearer ${String(issued.body.access_token)}` } });
    // Redis and the consent service are down on this route: a good token gets as far as the consent.
    expect((await call()).status).to.not.equal(401);
    if (target.embedded) shiftMs = 1_500;
    else await pause(2_100);
    expectProblem(await call(), 401, 'invalid_token');
    shiftMs = 0;
  });

  it('takes a code only at the plugin instance that issued it', async () => {
    const app = await client.app();
    const verifier = 'v'.repeat(64);
    const authorised = await client.form('/rotating/oauth2/authorize', {
      response_type: 'code', client_id: app.clientId, scope: 'accounts', provision_key: secrets.provisionKey, authenticated_userid: randomUUID(),
      code_challenge: challengeOf(verifier), code_challenge_method: 'S256',
    });
    const answer = await client.form('/storeless-consent/oauth2/token', {
      grant_type: 'authorization_code', client_id: app.clientId, client_secret: app.clientSecret, code: codeIn(authorised.body), code_verifier: verifier,
    });
    expect(answer.status).to.equal(400);
    expect(answer.body.access_token).to.equal(undefined);
  });
});
