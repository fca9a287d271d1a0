/** Tokens go with their consent, and the consent service can ask what one is good for; the public addresses of its pages and metadata. */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { missingForKong, startKong, type KongNode, type PrivateKong } from '@kontor/testing/kong';
import { expect } from 'chai';
import { Client, codeIn, expectProblem, soon, type Answer, type App } from './client.js';
import { certificate, deckVariables, houseState, onEachTarget, secrets, type Target } from './target.js';
import { startUpstream, type Upstream } from './upstream.js';

const KEY = { 'x-provision-key': secrets.provisionKey };

/** What a customer's approval gives, each once: an access token, its refresh token, and a code nobody has exchanged. */
interface Granted { consentId: string; access: string; refresh: string; code: string; verifier: string }

const exchange = (client: Client, app: App, code: string, verifier: string): Promise<Answer> => client.form('/oauth2/token', {
  grant_type: 'authorization_code', client_id: app.clientId, client_secret: app.clientSecret, redirect_uri: app.redirectUri, code, code_verifier: verifier,
});
const renew = (client: Client, app: App, refresh_token: string): Promise<Answer> =>
  client.form('/oauth2/token', { grant_type: 'refresh_token', client_id: app.clientId, client_secret: app.clientSecret, refresh_token });
const list = (client: Client, access: string): Promise<Answer> => client.ask('GET', '/v1/accounts', { headers: { authorization: `Bearer ${access}` } });

async function grant(client: Client, app: App): Promise<Granted> {
  const consentId = randomUUID();
  await client.decide(consentId, { clientId: app.clientId });
  const approved = await client.authorise(app, consentId, 'accounts');
  const issued = await exchange(client, app, codeIn(approved.body), approved.verifier);
  const pending = await client.authorise(app, consentId, 'accounts');
  return { consentId, access: issued.body.access_token as string, refresh: issued.body.refresh_token as string, code: codeIn(pending.body), verifier: pending.verifier };
}

/** Nothing of what was granted opens anything any more. */
async function expectEnded(client: Client, app: App, granted: Granted): Promise<void> {
  await soon(async () => expectProblem(await list(client, granted.access), 401, 'invalid_token'));
  expect((await renew(client, app, granted.refresh)).body.error).to.equal('invalid_request');
  expect((await exchange(client, app, granted.code, granted.verifier)).body.error).to.equal('invalid_request');
}

onEachTarget('Tokens of a consent', ({ start }) => {
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

  const end = (consentId: string, headers: Record<string, string> = KEY) => client.ask('DELETE', `/oauth2/consents/${consentId}/tokens`, { headers });
  const introspect = (token: string, headers: Record<string, string> = KEY) => client.form('/oauth2/introspect', { token }, headers);

  it('end when the consent service says so: access token, refresh token and the code nobody has exchanged', async () => {
    const granted = await grant(client, app);
    expect((await list(client, granted.access)).status).to.equal(200);
    const answer = await end(granted.consentId);
    expect(answer.status, answer.text).to.equal(204);
    expect(answer.text).to.equal('');
    await expectEnded(client, app, granted);
  });

  it('end all of them, those of other consents go on, and ending them again changes nothing', async () => {
    const first = await grant(client, app);
    const other = await grant(client, app);
    const second = await client.consentToken(app, first.consentId, 'accounts');
    expect((await end(first.consentId)).status).to.equal(204);
    await soon(async () => expectProblem(await list(client, second), 401, 'invalid_token'));
    expect((await end(first.consentId)).status).to.equal(204);
    expect((await end(randomUUID())).status).to.equal(204);
    expect((await list(client, other.access)).status).to.equal(200);
    expect((await renew(client, app, other.refresh)).status).to.equal(200);
    expect((await exchange(client, app, other.code, other.verifier)).status).to.equal(200);
  });

  it('are told what they are good for, to the consent service', async () => {
    const { consentId, access, refresh } = await grant(client, app);
    const told = await introspect(access);
    expect(told.status, told.text).to.equal(200);
    expect(told.headers['content-type']).to.match(/^application\/json/);
    expect(told.headers['cache-control']).to.equal('no-store');
    expect(told.body).to.include({ active: true, scope: 'accounts', client_id: app.clientId, sub: consentId, token_type: 'Bearer' });
    expect(told.body.exp - told.body.iat).to.equal(900);
    expect(told.body.iat).to.be.closeTo(Date.now() / 1000, 30);
    const own = await introspect(await client.clientToken(app, 'customers kyc'));
    expect(own.body).to.include({ active: true, scope: 'customers kyc', client_id: app.clientId }).and.to.not.have.property('sub');
    await end(consentId);
    for (const dead of [access, refresh, 'A'.repeat(32), '\'; drop table oauth2_tokens; --', '€']) expect((await introspect(dead)).body, dead).to.deep.equal({ active: false });
  });

  describe('are refused', () => {
    afterEach(() => expect(upstream.arrived).to.be.empty);

    for (const [who, headers] of [['nobody', {}], ['a guess', { 'x-provision-key': 'guess' }], ['an empty key', { 'x-provision-key': '' }]] as [string, Record<string, string>][]) {
      it(`to ${who}`, async () => {
        const { consentId, access } = await grant(client, app);
        expectProblem(await end(consentId, headers), 401, 'unauthenticated');
        expectProblem(await introspect(access, headers), 401, 'unauthenticated');
        expect((await introspect(access)).body.active).to.equal(true);
      });
    }
    it('to a client\'s own access token', async () => {
      const { consentId, access } = await grant(client, app);
      expectProblem(await end(consentId, { authorization: `Bearer ${access}` }), 401, 'unauthenticated');
    });
    it('over plain HTTP', async () => {
      expectProblem(await client.ask('DELETE', `/oauth2/consents/${randomUUID()}/tokens`, { headers: KEY, plain: true }), 426);
      expectProblem(await client.form('/oauth2/introspect', { token: 'x' }, KEY, true), 426);
    });
    it('for what is no consent id, or another method', async () => {
      for (const id of ['a%27b', 'a%20b', `${'x'.repeat(129)}`, '..%2f..']) expect((await end(id)).status, id).to.be.oneOf([400, 404]);
      expectProblem(await client.ask('GET', `/oauth2/consents/${randomUUID()}/tokens`, { headers: KEY }), 404);
      expectProblem(await client.ask('GET', '/oauth2/introspect?token=x', { headers: KEY }), 404);
    });
    it('without a form that names one token', async () => {
      expectProblem(await client.form('/oauth2/introspect', {}, KEY), 400, 'invalid_request');
      expectProblem(await client.form('/oauth2/introspect', { token: '' }, KEY), 400, 'invalid_request');
      expectProblem(await client.ask('POST', '/oauth2/introspect', { headers: { ...KEY, 'content-type': 'application/x-www-form-urlencoded' }, body: 'token=a&token=b' }), 400, 'invalid_request');
      expectProblem(await client.ask('POST', '/oauth2/introspect', { headers: KEY, body: { token: 'a' } }), 400, 'invalid_request');
      expectProblem(await client.form('/oauth2/introspect?token=a', {}, KEY), 400, 'invalid_request');
    });
  });

  it('are asked about within a limit', async () => {
    const { consentId } = await grant(client, app);
    const answer = await end(consentId);
    expect(answer.headers).to.include.keys('x-ratelimit-limit-second', 'x-ratelimit-limit-minute');
    expect((await introspect('x')).headers).to.include.keys('x-ratelimit-limit-second', 'x-ratelimit-limit-minute');
  });

  describe('and what everybody may ask', () => {
    const forged = { 'x-authenticated-userid': 'forged', 'x-consumer-custom-id': 'forged', 'x-credential-identifier': 'forged', 'x-bian-mapping': 'forged' };

    it('is where to send a customer: /authorize, with its query, to the consent service', async () => {
      upstream.answer = (_request, response) => void response.writeHead(303, { location: '/bank/authorise?client_id=a&state=b' }).end();
      const answer = await client.ask('GET', '/authorize?client_id=a&state=b', { plain: true, headers: forged });
      expect(answer.status).to.equal(303);
      expect(answer.headers.location).to.equal('/bank/authorise?client_id=a&state=b');
      expect(upstream.last()).to.include({ method: 'GET', url: '/authorize?client_id=a&state=b' });
      expect(upstream.last().headers).to.not.include.any.keys(...Object.keys(forged), 'x-gateway-token');
      expect(answer.headers).to.include.keys('x-ratelimit-limit-second', 'x-ratelimit-limit-minute');
    });

    it('is what the authorization server offers, over TLS', async () => {
      const answer = await client.ask('GET', '/.well-known/oauth-authorization-server', { headers: forged });
      expect(answer.status).to.equal(200);
      expect(upstream.last()).to.include({ method: 'GET', url: '/.well-known/oauth-authorization-server' });
      expect(upstream.last().headers).to.not.include.any.keys(...Object.keys(forged), 'x-gateway-token');
      expect(answer.headers).to.include.keys('x-ratelimit-limit-second', 'x-ratelimit-limit-minute');
    });

    it('is nothing else beside them', async () => {
      for (const [method, path] of [['POST', '/authorize'], ['GET', '/authorize/x'], ['GET', '/authorizex'], ['POST', '/.well-known/oauth-authorization-server'],
        ['GET', '/.well-known/oauth-authorization-server/x'], ['GET', '/.well-known/xoauth-authorization-server'], ['GET', '/xwell-known/oauth-authorization-server']] as const) {
        expectProblem(await client.ask(method, path, method === 'POST' ? { body: {} } : {}), 404);
      }
      expect(upstream.arrived).to.be.empty;
    });
  });
});

describe('Tokens of a consent on two nodes of Kong', function () {
  this.timeout(120_000);
  let upstream: Upstream;
  let kong: PrivateKong;
  let clients: [Client, Client];

  before(async function () {
    const missing = missingForKong();
    if (missing.length > 0) {
      console.log(`      skipped: needs ${missing.join(', ')}`);
      this.skip();
    }
    upstream = await startUpstream();
    kong = await startKong({
      upstream: upstream.url, state: houseState(), values: { DECK_OAUTH2_PROVISION_KEY: secrets.provisionKey },
      async prepare(folder, state) {
        const { cert, key } = certificate();
        await writeFile(join(folder, 'cert.pem'), cert);
        await writeFile(join(folder, 'key.pem'), key, { mode: 0o600 });
        return { settings: { KONG_SSL_CERT: join(folder, 'cert.pem'), KONG_SSL_CERT_KEY: join(folder, 'key.pem') }, state };
      },
    });
    clients = [at(kong), at(await kong.another())];
  });
  after(async () => {
    for (const client of clients ?? []) await client.close();
    await kong?.stop();
    await upstream?.stop();
  });

  const at = (node: KongNode): Client => new Client({ httpsUrl: node.https, proxyUrl: node.http, adminUrl: node.admin, authority: certificate().cert } as Target);

  it('end on both, whichever was told, though both had them in their memory', async () => {
    const [first, second] = clients;
    const app = await first.app();
    for (const [told, other] of [[first, second], [second, first]] as const) {
      const granted = await grant(told, app);
      for (const client of [told, other]) await soon(async () => void expect((await list(client, granted.access)).status).to.equal(200), 20_000);
      const answer = await told.ask('DELETE', `/oauth2/consents/${granted.consentId}/tokens`, { headers: KEY });
      expect(answer.status, answer.text).to.equal(204);
      await expectEnded(other, app, granted);
      await expectEnded(told, app, granted);
    }
  });
});
