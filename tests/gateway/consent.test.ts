import { randomUUID } from 'node:crypto';
import net from 'node:net';
import type { DenialReason } from '@kontor/kernel/consent-decision';
import { testKeys } from '@kontor/testing/gateway-token';
import { expect } from 'chai';
import { jwtVerify, importSPKI } from 'jose';
import { claimsOf, Client, expectProblem, type Answer, type App } from './client.js';
import { deckVariables, houseState, onEachTarget, PROBE_STATE, secrets, type Target } from './target.js';
import { startUpstream, type Upstream } from './upstream.js';

onEachTarget('Consent at the gateway', ({ start }) => {
  let upstream: Upstream;
  let consentService: Upstream;
  let target: Target;
  let client: Client;
  let app: App;
  const account: string = randomUUID();

  before(async () => {
    upstream = await startUpstream();
    consentService = await startUpstream();
    target = await start(houseState(), deckVariables(upstream.url, { DECK_CONSENT_URL: consentService.url }));
    client = new Client(target);
    app = await client.app();
  });
  after(async () => {
    await client?.close();
    await target?.stop();
    await upstream?.stop();
    await consentService?.stop();
  });
  beforeEach(() => {
    upstream.reset();
    consentService.reset();
    consentService.answer = (_request, response) => void response.writeHead(404).end();
  });

  async function consented(more: Parameters<Client['decide']>[1] = { clientId: app.clientId }, as: App = app): Promise<{ consentId: string; access: string }> {
    const consentId = randomUUID();
    await client.decide(consentId, { accounts: [account], ...more });
    return { consentId, access: await client.consentToken(as, consentId, 'accounts') };
  }

  const balances = (access: string, of = account): Promise<Answer> => client.ask('GET', `/v1/accounts/${of}/balances`, { headers: { authorization: `Bearer ${access}` } });

  it('lets a call through that the consent covers, with a token the service can verify', async () => {
    const { consentId, access } = await consented();
    const answer = await balances(access);
    expect(answer.status, answer.text).to.equal(200);
    const token = String(upstream.last().headers['x-gateway-token']);
    const key = await importSPKI(Buffer.from(testKeys.publicKey, 'base64').toString(), 'ES256');
    const { payload, protectedHeader } = await jwtVerify(token, key, { issuer: 'kontor-gateway', audience: 'account', algorithms: ['ES256'] });
    expect(protectedHeader.alg).to.equal('ES256');
    expect(payload).to.deep.include({ op: 'getBalances', sub: app.clientId, scopes: ['accounts'] });
    expect(payload.roles).to.have.members(['onboarding', 'aisp', 'pisp', 'sandbox']);
    expect(payload.consent).to.deep.include({ id: consentId, version: 1, accounts: [account] });
    expect((payload.consent as { expiresAt: number }).expiresAt).to.be.greaterThan(payload.exp!);
    expect(payload.exp! - payload.iat!).to.equal(30);
  });

  it('uses a signed token again for the same client, consent and operation, and a new one when the consent changes', async () => {
    const { consentId, access } = await consented();
    await balances(access);
    await balances(access);
    const [first, second] = upstream.arrived.map(({ headers }) => headers['x-gateway-token']);
    expect(second).to.equal(first);
    await client.decide(consentId, { clientId: app.clientId, accounts: [account], version: 2 });
    await balances(access);
    expect(upstream.last().headers['x-gateway-token']).to.not.equal(first);
    expect(claimsOf(upstream.last().headers['x-gateway-token']).consent).to.include({ version: 2 });
  });

  it('gives no token that outlives its consent', async () => {
    const expiresAt = Math.floor(Date.now() / 1000) + 12;
    const { access } = await consented({ clientId: app.clientId, expiresAt });
    expect((await balances(access)).status).to.equal(200);
    expect(claimsOf(upstream.last().headers['x-gateway-token'])).to.deep.include({ exp: expiresAt });
    expect(claimsOf(upstream.last().headers['x-gateway-token']).consent).to.include({ expiresAt });
  });

  describe('refuses, and nothing reaches the service', () => {
    afterEach(() => expect(upstream.arrived).to.be.empty);

    const denials: [DenialReason | undefined, string][] = [
      ['revoked', 'consent_revoked'], ['withdrawn', 'consent_withdrawn'], ['expired', 'consent_expired'], ['consumed', 'consent_consumed'], ['rejected', 'consent_not_active'], ['not_authorised', 'consent_not_active'], [undefined, 'consent_not_active'],
    ];
    for (const [reason, code] of denials) {
      it(`a consent that is denied: ${reason ?? 'without a reason'}`, async () => {
        const { access } = await consented({ clientId: app.clientId, status: 'denied', ...(reason ? { reason } : {}) });
        expectProblem(await balances(access), 403, code);
      });
    }
    it('a consent whose time is over though its record says authorised', async () => {
      const { access } = await consented({ clientId: app.clientId, expiresAt: Math.floor(Date.now() / 1000) - 1 });
      expectProblem(await balances(access), 403, 'consent_expired');
    });
    it('a consent that begins later, and says when', async () => {
      const { access } = await consented({ clientId: app.clientId, validFrom: Date.UTC(2026, 11, 31, 23, 59, 59) / 1000 + 365 * 86_400, expiresAt: 4_000_000_000 });
      const answer = await balances(access);
      expectProblem(answer, 403, 'consent_not_active');
      expect(answer.body.detail).to.equal('The consent is valid from 2027-12-31T23:59:59Z on.');
    });
    it('a consent of another application', async () => {
      const { access } = await consented({ clientId: randomUUID() });
      expectProblem(await balances(access), 403, 'consent_not_active');
    });
    it('a permission the customer did not give', async () => {
      const { access } = await consented({ clientId: app.clientId, permissions: ['accounts:read'] });
      expectProblem(await balances(access), 403, 'consent_permission_missing');
    });
    it('an account the customer did not choose', async () => {
      const { access } = await consented();
      expectProblem(await balances(access, randomUUID()), 403, 'consent_account_not_covered');
    });
    it('an account written in another case', async () => {
      const { access } = await consented();
      expectProblem(await balances(access, account.toUpperCase()), 403, 'consent_account_not_covered');
    });
    it('a token without a consent (client credentials)', async () => {
      expectProblem(await balances(await client.clientToken(app, 'accounts')), 403, 'consent_required');
    });
    it('an API key where a token is needed', async () => {
      expectProblem(await client.ask('GET', `/v1/accounts/${account}/balances`, { headers: { apikey: app.apiKey } }), 401);
    });
    it('a consent named by the client in a header', async () => {
      const { consentId } = await consented();
      const access = await client.clientToken(app, 'accounts');
      for (const name of ['x-authenticated-userid', 'consent-id', 'x-consent-id']) {
        expectProblem(await client.ask('GET', `/v1/accounts/${account}/balances`, { headers: { authorization: `Bearer ${access}`, [name]: consentId } }), 403, 'consent_required');
      }
    });
    it('a consent that was revoked a moment ago', async () => {
      const { consentId, access } = await consented();
      expect((await balances(access)).status).to.equal(200);
      upstream.reset();
      await client.decide(consentId, { clientId: app.clientId, accounts: [account], version: 2, status: 'denied', reason: 'revoked' });
      expectProblem(await balances(access), 403, 'consent_revoked');
    });
    it('a consent Redis does not know and the consent service neither', async () => {
      const { consentId, access } = await consented();
      await client.forget(consentId);
      expectProblem(await balances(access), 403, 'consent_not_active');
      expect(consentService.arrived).to.have.length(1);
      // For some seconds the gateway remembers that there is none.
      for (let i = 0; i < 10; i++) expectProblem(await balances(access), 403, 'consent_not_active');
      expect(consentService.arrived).to.have.length(1);
    });
  });

  it('believes a record in Redis at once, also of a consent it has just been told does not exist', async () => {
    const { consentId, access } = await consented();
    await client.forget(consentId);
    expectProblem(await balances(access), 403, 'consent_not_active');
    await client.decide(consentId, { clientId: app.clientId, accounts: [account] });
    expect((await balances(access)).status).to.equal(200);
  });

  describe('asks the consent service when Redis has no record', () => {
    it('with its own key, and believes what it says', async () => {
      const { consentId, access } = await consented();
      const record = await client.decide(consentId, { clientId: app.clientId, accounts: [account], version: 7 });
      await client.forget(consentId);
      consentService.answer = (_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(record));
      expect((await balances(access)).status).to.equal(200);
      expect(consentService.last()).to.include({ method: 'GET', url: `/internal/consents/${consentId}/decision` });
      expect(consentService.last().headers['x-decision-key']).to.equal(secrets.decisionKey);
      expect(claimsOf(upstream.last().headers['x-gateway-token']).consent).to.include({ version: 7 });
    });

    const faults: [what: string, answer: NonNullable<Upstream['answer']>][] = [
      ['answers 500', (_request, response) => void response.writeHead(500).end()],
      ['answers 403', (_request, response) => void response.writeHead(403).end()],
      ['answers something that is no record', (_request, response) => void response.writeHead(200).end('{"status":"authorised"}')],
      ['answers something that is no JSON', (_request, response) => void response.writeHead(200).end('yes')],
      ['breaks the connection', (request) => void request.socket.destroy()],
      ['does not answer', () => undefined],
      ['answers half and stops', (_request, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('{');
      }],
    ];
    for (const [what, answer] of faults) {
      it(`and refuses within a second when it ${what}`, async () => {
        const { consentId, access } = await consented();
        await client.forget(consentId);
        consentService.answer = answer;
        const started = performance.now();
        const refused = await balances(access);
        expectProblem(refused, 503, 'consent_check_unavailable');
        expect(refused.headers['retry-after']).to.equal('1');
        expect(performance.now() - started).to.be.lessThan(1000);
        expect(upstream.arrived).to.be.empty;
      });
    }

    it('also when the record in Redis is broken', async () => {
      const { consentId, access } = await consented();
      for (const broken of ['', 'null', '{}', '[]', '{"status":"authorised"}', 'authorised', '{"version":1,"status":"yes"}']) {
        await client.redis.set(`consent:decision:${consentId}`, broken);
        expectProblem(await balances(access), 403, 'consent_not_active');
      }
      expect(upstream.arrived).to.be.empty;
    });
  });

  it('never lets a call through after its revocation, in 300 trials with calls under way', async function () {
    this.timeout(60_000);
    let late = 0;
    for (let trial = 0; trial < 30; trial++) {
      const { consentId, access } = await consented();
      const running = Array.from({ length: 5 }, () => balances(access));
      await client.decide(consentId, { clientId: app.clientId, accounts: [account], version: 2, status: 'denied', reason: 'revoked' });
      const after = await Promise.all(Array.from({ length: 10 }, () => balances(access)));
      late += after.filter(({ status }) => status !== 403).length;
      await Promise.all(running);
    }
    expect(late).to.equal(0);
  });
});

onEachTarget('Consent without its store', ({ start }) => {
  let upstream: Upstream;
  let consentService: Upstream;
  let silent: net.Server;
  let target: Target;
  let client: Client;
  let app: App;
  const sockets = new Set<net.Socket>();

  before(async () => {
    upstream = await startUpstream();
    consentService = await startUpstream();
    // A Redis that takes connections and never says anything.
    silent = net.createServer((socket) => void sockets.add(socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const more = {
      DECK_PROBE_URL: upstream.url, DECK_CONSENT_URL: consentService.url, DECK_CLOSED_PORT: '1',
      DECK_HANGING_PORT: String((silent.address() as net.AddressInfo).port),
    };
    target = await start(PROBE_STATE, deckVariables(upstream.url, more));
    client = new Client(target);
    app = await client.app();
  });
  after(async () => {
    await client?.close();
    await target?.stop();
    for (const socket of sockets) socket.destroy();
    silent?.close();
    await upstream?.stop();
    await consentService?.stop();
  });

  for (const path of ['/storeless-consent', '/hanging-consent']) {
    it(`is decided by the consent service (${path})`, async () => {
      const consentId = randomUUID();
      const record = await client.decide(consentId, { clientId: app.clientId });
      const access = await tokenFrom(path, consentId);
      upstream.reset();
      consentService.answer = (_request, response) => void response.writeHead(200).end(JSON.stringify(record));
      expect((await client.ask('GET', path, { headers: { authorization: `Bearer ${access}` } })).status).to.equal(200);
      consentService.answer = (_request, response) => void response.writeHead(200).end(JSON.stringify({ ...record, status: 'denied', reason: 'revoked', version: 2 }));
      expectProblem(await client.ask('GET', path, { headers: { authorization: `Bearer ${access}` } }), 403, 'consent_revoked');
      expect(upstream.arrived).to.have.length(1);
    });

    it(`is refused within a second when that does not answer either (${path})`, async () => {
      const access = await tokenFrom(path, randomUUID());
      upstream.reset();
      consentService.answer = () => undefined;
      const started = performance.now();
      expectProblem(await client.ask('GET', path, { headers: { authorization: `Bearer ${access}` } }), 503, 'consent_check_unavailable');
      expect(performance.now() - started).to.be.lessThan(1000);
      expect(upstream.arrived).to.be.empty;
    });
  }

  async function tokenFrom(path: string, consentId: string): Promise<string> {
    const answer = await client.form(`${path}/oauth2/token`, {
      grant_type: 'client_credentials', client_id: app.clientId, client_secret: app.clientSecret, scope: 'accounts',
      provision_key: secrets.provisionKey, authenticated_userid: consentId,
    });
    expect(answer.status, answer.text).to.equal(200);
    return answer.body.access_token as string;
  }
});
