import { expect } from 'chai';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { importSPKI, jwtVerify, type JWTPayload } from 'jose';
import { Redis } from 'ioredis';
import { Agent, request, type Dispatcher } from 'undici';
import { AUDIT_KEY, DECISION_KEY, missingForKong, PROVISION_KEY, startKong, until, type PrivateKong } from '@kontor/testing/kong';

interface Seen { method: string; url: string; headers: Record<string, string>; body: string }
interface Answered { status: number; headers: Record<string, string>; body: Record<string, unknown> }

const REDIRECT = 'https://fintech.example/callback';
const VERIFIER = 'v'.repeat(64);

describe('the plugins in a real Kong', function () {
  this.timeout(60_000);
  let kong: PrivateKong;
  let upstream: Server;
  let redis: Redis;
  let agent: Agent;
  let seen: Seen[];
  let records: Record<string, unknown>[];
  /** What the upstream does with a request; 200 with an empty object unless a test says otherwise. */
  let behave: (request: Seen, response: ServerResponse) => void;

  before(async function () {
    const missing = missingForKong();
    if (missing.length > 0) {
      console.log(`      skipped: needs ${missing.join(', ')}`);
      this.skip();
    }
    records = [];
    upstream = createServer((incoming, response) => void receive(incoming, response));
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    kong = await startKong({ upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}` });
    redis = new Redis(process.env.TEST_REDIS_URL as string);
    agent = new Agent({ connect: { rejectUnauthorized: false } });
  });
  after(async () => {
    await agent?.close();
    redis?.disconnect();
    await kong?.stop();
    upstream?.closeAllConnections();
    upstream?.close();
  });
  beforeEach(() => {
    seen = [];
    behave = (_request, response) => response.end('{}');
  });

  async function receive(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of incoming) body += chunk;
    const one: Seen = { method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers as Record<string, string>, body };
    response.setHeader('content-type', 'application/json');
    if (one.url === '/internal/access-records') {
      expect(one.headers['x-audit-key']).to.equal(AUDIT_KEY);
      const given = JSON.parse(body) as Record<string, unknown> | Record<string, unknown>[];
      records.push(...Array.isArray(given) ? given : [given]);
      response.end();
      return;
    }
    seen.push(one);
    behave(one, response);
  }

  async function call(method: string, path: string, options: { token?: string; headers?: Record<string, string | string[]>; body?: unknown; form?: Record<string, string>; origin?: string } = {}): Promise<Answered> {
    const headers: Record<string, string | string[]> = { ...options.headers };
    if (options.token) headers.authorization = `Bearer ${options.token}`;
    let body: string | undefined;
    if (options.form) {
      headers['content-type'] = 'application/x-www-form-urlencoded';
      body = new URLSearchParams(options.form).toString();
    } else if (options.body !== undefined) {
      headers['content-type'] = 'application/json';
      body = JSON.stringify(options.body);
    }
    const answer = await request(`${options.origin ?? kong.https}${path}`, { method: method as Dispatcher.HttpMethod, headers, body, dispatcher: agent });
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: answer.headers as Record<string, string>, body: text ? JSON.parse(text) as Record<string, unknown> : {} };
  }

  async function admin(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const answer = await fetch(`${kong.admin}${path}`, { method, headers: { 'content-type': 'application/json' }, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) as Record<string, unknown> : {};
  }

  interface App { id: string; secret: string; apiKey: string }

  /** An application as the portal makes it: a consumer with its groups, OAuth2 credential (hashed secret) and API key. */
  async function app(roles: string[] = ['onboarding', 'aisp', 'pisp', 'sandbox']): Promise<App> {
    const made = { id: `app-${randomUUID()}`, secret: randomBytes(24).toString('base64url'), apiKey: randomBytes(24).toString('base64url') };
    await admin('POST', '/consumers', { username: made.id, custom_id: made.id });
    await admin('POST', `/consumers/${made.id}/oauth2`, { name: made.id, client_id: made.id, client_secret: made.secret, hash_secret: true, redirect_uris: [REDIRECT] });
    await admin('POST', `/consumers/${made.id}/key-auth`, { key: made.apiKey });
    for (const group of roles) await admin('POST', `/consumers/${made.id}/acls`, { group });
    return made;
  }

  async function token(form: Record<string, string>): Promise<string> {
    const answer = await call('POST', '/oauth2/token', { form });
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200);
    return answer.body.access_token as string;
  }

  const clientToken = (of: App, scope: string): Promise<string> =>
    token({ grant_type: 'client_credentials', client_id: of.id, client_secret: of.secret, scope });

  const authorise = (of: App, form: Record<string, string>): Promise<Answered> => call('POST', '/oauth2/authorize', { form: {
    response_type: 'code', client_id: of.id, redirect_uri: REDIRECT, provision_key: PROVISION_KEY,
    code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'), code_challenge_method: 'S256', ...form,
  } });

  /** A token on a consent, as the consent service and the client get it: authorize with the provision key, then PKCE. */
  async function consentToken(of: App, consentId: string, scope: string): Promise<string> {
    const answer = await authorise(of, { scope, authenticated_userid: consentId });
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200);
    const code = new URL(answer.body.redirect_uri as string).searchParams.get('code') as string;
    return token({ grant_type: 'authorization_code', client_id: of.id, client_secret: of.secret, code, code_verifier: VERIFIER, redirect_uri: REDIRECT });
  }

  const account = randomUUID();

  function decisionRecord(of: App, change: Record<string, unknown> = {}): Record<string, unknown> {
    return {
      version: 1, status: 'authorised', clientId: of.id, customerId: 'customer-1', permissions: ['accounts:read', 'balances:read'], accounts: [account],
      expiresAt: Math.floor(Date.now() / 1000) + 600, ...change,
    };
  }

  const decide = (consentId: string, record: Record<string, unknown>): Promise<unknown> =>
    redis.set(`consent:decision:${consentId}`, JSON.stringify(record), 'EX', 60);

  /** An app with a token on an authorised consent whose record is in Redis. */
  async function consented(): Promise<{ owner: App; consentId: string; bearer: string }> {
    const owner = await app();
    const consentId = randomUUID();
    await decide(consentId, decisionRecord(owner));
    return { owner, consentId, bearer: await consentToken(owner, consentId, 'accounts payments') };
  }

  async function claims(of: Seen): Promise<JWTPayload> {
    const key = await importSPKI(Buffer.from(kong.publicKey, 'base64').toString(), 'ES256');
    return (await jwtVerify(of.headers['x-gateway-token'] as string, key, { algorithms: ['ES256'], issuer: 'kontor-gateway' })).payload;
  }

  function expectProblem(answer: Answered, status: number, code: string): void {
    expect(answer.status, JSON.stringify(answer.body)).to.equal(status);
    expect(answer.headers['content-type']).to.equal('application/problem+json');
    expect(answer.body).to.include({ type: `urn:kontor:problem:${code}`, status, code, correlationId: answer.headers['x-correlation-id'] });
    expect(answer.body.title).to.be.a('string').that.is.not.empty;
    expect(answer.body.detail).to.be.a('string').that.is.not.empty;
  }

  it('serves the whole state, and decK sees no difference to it', async () => {
    expect(await kong.diff()).to.match(/Created: 0\s+Updated: 0\s+Deleted: 0/);
  });

  it('hands the service a gateway token that says who calls what, and none of the client\'s credentials', async () => {
    const owner = await app();
    const bearer = await clientToken(owner, 'payments');
    const answer = await call('GET', '/v1/payments?limit=5', { token: bearer, headers: { 'x-correlation-id': 'corr-77' } });
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200);
    expect(answer.headers['x-correlation-id']).to.equal('corr-77');
    const [reached] = seen as [Seen];
    expect(reached.url).to.equal('/v1/payments?limit=5');
    const claim = await claims(reached);
    expect(claim).to.include({ aud: 'payment', sub: owner.id, op: 'listPayments' });
    expect(claim.scopes).to.deep.equal(['payments']);
    expect(claim.roles).to.have.members(['onboarding', 'aisp', 'pisp', 'sandbox']);
    expect(claim.consent).to.equal(undefined);
    expect((claim.exp as number) - (claim.iat as number)).to.equal(30);
    expect(Object.keys(reached.headers).filter((name) => /^(authorization|x-consumer|x-credential|x-authenticated|x-anonymous)/.test(name))).to.deep.equal([]);
  });

  it('reuses a gateway token for the same client and operation, and for no other', async () => {
    const owner = await app();
    const bearer = await clientToken(owner, 'payments');
    const other = await app();
    await call('GET', '/v1/payments', { token: bearer });
    await call('GET', '/v1/payments', { token: bearer });
    await call('GET', `/v1/payments/${account}`, { token: bearer });
    await call('GET', '/v1/payments', { token: await clientToken(other, 'payments') });
    const tokens = seen.map((one) => one.headers['x-gateway-token']);
    expect(tokens[1]).to.equal(tokens[0]);
    expect(new Set(tokens).size).to.equal(3);
  });

  it('refuses without a token, with a wrong one, without the scope, without the role', async () => {
    const owner = await app();
    const poor = await app(['aisp']);
    expectProblem(await call('GET', '/v1/payments'), 401, 'unauthenticated');
    expectProblem(await call('GET', '/v1/payments', { token: 'nonsense' }), 401, 'invalid_token');
    expectProblem(await call('GET', '/v1/payments', { token: await clientToken(owner, 'accounts') }), 403, 'insufficient_scope');
    expectProblem(await call('GET', '/v1/payments', { token: await clientToken(poor, 'payments') }), 403, 'role_required');
    expectProblem(await call('GET', '/v1/payments', { headers: { apikey: owner.apiKey } }), 401, 'unauthenticated');
    expect(seen).to.deep.equal([]);
  });

  it('lets a call through on the customer\'s consent, and tells the service what it covers', async () => {
    const { owner, consentId, bearer } = await consented();
    const answer = await call('GET', `/v1/accounts/${account}/balances`, { token: bearer });
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200);
    const claim = await claims(seen[0] as Seen);
    expect(claim).to.include({ aud: 'account', sub: owner.id, op: 'getBalances' });
    const { expiresAt, ...consent } = claim.consent as { expiresAt: number };
    expect(consent).to.deep.equal({ id: consentId, version: 1, permissions: ['accounts:read', 'balances:read'], accounts: [account], customerId: 'customer-1' });
    expect(expiresAt).to.be.at.least(claim.exp as number);
  });

  it('refuses on the very next request after a revocation', async () => {
    const { owner, consentId, bearer } = await consented();
    expect((await call('GET', `/v1/accounts/${account}/balances`, { token: bearer })).status).to.equal(200);
    await decide(consentId, decisionRecord(owner, { version: 2, status: 'denied', reason: 'revoked' }));
    expectProblem(await call('GET', `/v1/accounts/${account}/balances`, { token: bearer }), 403, 'consent_revoked');
    expect(seen).to.have.length(1);
  });

  it('refuses another account, another permission, another client\'s consent and a token without consent', async () => {
    const { consentId, bearer } = await consented();
    const other = await app();
    expectProblem(await call('GET', `/v1/accounts/${randomUUID()}/balances`, { token: bearer }), 403, 'consent_account_not_covered');
    expectProblem(await call('GET', `/v1/accounts/${account}/transactions`, { token: bearer }), 403, 'consent_permission_missing');
    expectProblem(await call('GET', `/v1/accounts/${account}/balances`, { token: await consentToken(other, consentId, 'accounts') }), 403, 'consent_not_active');
    expectProblem(await call('GET', `/v1/accounts/${account}/balances`, { token: await clientToken(other, 'accounts') }), 403, 'consent_required');
    expect(seen).to.deep.equal([]);
  });

  describe('when Redis has no record', () => {
    let owner: App;
    let consentId: string;
    let bearer: string;
    beforeEach(async () => {
      owner = await app();
      consentId = randomUUID();
      bearer = await consentToken(owner, consentId, 'accounts');
    });
    const balances = (): Promise<Answered> => call('GET', `/v1/accounts/${account}/balances`, { token: bearer });
    const asked = (): Seen[] => seen.filter((one) => one.url === `/internal/consents/${consentId}/decision`);

    it('asks the consent service, with its key', async () => {
      behave = (one, response) => response.end(one.url.startsWith('/internal/') ? JSON.stringify(decisionRecord(owner)) : '{}');
      expect((await balances()).status).to.equal(200);
      expect(asked()).to.have.length(1);
      expect(asked()[0]?.headers['x-decision-key']).to.equal(DECISION_KEY);
    });

    it('refuses a consent the service does not know', async () => {
      behave = (_one, response) => { response.statusCode = 404; response.end('{}'); };
      expectProblem(await balances(), 403, 'consent_not_active');
    });

    it('refuses with 503 when the service fails or answers nonsense', async () => {
      behave = (_one, response) => { response.statusCode = 500; response.end('{}'); };
      expectProblem(await balances(), 503, 'consent_check_unavailable');
      behave = (_one, response) => response.end('not json');
      expectProblem(await balances(), 503, 'consent_check_unavailable');
      behave = (_one, response) => response.end('{"version":1}');
      expectProblem(await balances(), 503, 'consent_check_unavailable');
      expect(seen.every((one) => one.url.startsWith('/internal/'))).to.equal(true);
    });

    it('refuses with 503 within a second when the service hangs, also when it drips', async () => {
      behave = () => undefined;
      const started = Date.now();
      expectProblem(await balances(), 503, 'consent_check_unavailable');
      expect(Date.now() - started).to.be.below(1000);
      let drip: NodeJS.Timeout | undefined;
      behave = (_one, response) => {
        response.setHeader('content-length', '1000');
        drip = setInterval(() => response.write(' '), 50);
        response.on('close', () => clearInterval(drip));
      };
      const again = Date.now();
      expectProblem(await balances(), 503, 'consent_check_unavailable');
      expect(Date.now() - again).to.be.below(1000);
    });
  });

  it('strips identity headers a client forges: with a token, with an API key, on the bank\'s pages', async () => {
    const owner = await app();
    const forged = {
      'x-consumer-id': 'f', 'x-consumer-custom-id': 'f', 'x-consumer-username': 'f', 'x-consumer-groups': 'compliance', 'x-credential-identifier': 'f',
      'x-authenticated-userid': 'f', 'x-authenticated-scope': 'audit', 'x-authenticated-groups': 'compliance', 'x-anonymous-consumer': 'true',
      'x-consumer-invented': 'f', 'x-bian-mapping': 'exact-forged', 'x-bian-invented': 'f', forwarded: 'for=1.2.3.4', 'x-http-method-override': 'DELETE',
    };
    await call('GET', '/v1/payments', { token: await clientToken(owner, 'payments'), headers: forged });
    await call('POST', '/sandbox/incoming-payments', { headers: { ...forged, apikey: owner.apiKey }, body: {} });
    await call('GET', '/bank/consents', { headers: forged });
    expect(seen.map((one) => one.url)).to.deep.equal(['/v1/payments', '/sandbox/incoming-payments', '/bank/consents']);
    for (const one of seen) {
      const survived = Object.entries(one.headers).filter(([name, value]) => name in forged && value === forged[name as keyof typeof forged]);
      expect(survived, one.url).to.deep.equal([]);
      expect(one.headers.apikey, one.url).to.equal(undefined);
    }
    const sandbox = await claims(seen[1] as Seen);
    expect(sandbox).to.include({ aud: 'payment-rail', sub: owner.id, op: 'simulateIncomingPayment' });
    expect(sandbox.scopes).to.deep.equal([]);
    expect(seen[2]?.headers['x-gateway-token']).to.equal(undefined);
  });

  it('refuses a gateway token a client brings, and more headers than can be read', async () => {
    const owner = await app();
    const bearer = await clientToken(owner, 'payments');
    expectProblem(await call('GET', '/v1/payments', { token: bearer, headers: { 'x-gateway-token': 'e30.e30.x' } }), 401, 'invalid_token');
    expectProblem(await call('GET', '/bank/consents', { headers: { 'x-gateway-token': 'e30.e30.x' } }), 401, 'invalid_token');
    const many = Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`h${index}`, '1']));
    expectProblem(await call('GET', '/v1/payments', { token: bearer, headers: { ...many, 'x-consumer-custom-id': 'f' } }), 400, 'invalid_request');
    expect(seen).to.deep.equal([]);
  });

  it('turns a BIAN-shaped call into ours, and says on the answer what it was', async () => {
    const owner = await app();
    const bearer = await clientToken(owner, 'payments');
    const update = await call('PUT', `/bian/PaymentOrderInitiation/${account}/Update`, { token: bearer, body: { reference: 'R1' } });
    expect(update.status, JSON.stringify(update.body)).to.equal(200);
    const [reached] = seen as [Seen];
    expect([reached.method, reached.url, reached.body]).to.deep.equal(['PATCH', `/v1/payments/${account}`, '{"reference":"R1"}']);
    expect((await claims(reached)).op).to.equal('updatePayment');
    for (const headers of [reached.headers, update.headers]) {
      expect(headers).to.include({
        'x-bian-release': '14.0.0', 'x-bian-service-domain': 'PaymentOrderInitiation', 'x-bian-action-term': 'Update', 'x-bian-mapping': 'exact',
        'x-bian-operation-id': 'PaymentOrderInitiation.Update', 'x-bian-control-record-id': account,
      });
    }
    expectProblem(await call('GET', '/v1/payments', { token: bearer, headers: { 'x-bian-release': '12.0.0' } }), 400, 'invalid_request');
  });

  it('answers a BIAN-shaped creation with 200, its Location and the id of the record', async () => {
    const owner = await app();
    const bearer = await clientToken(owner, 'customers');
    behave = (_one, response) => {
      response.statusCode = 201;
      response.setHeader('location', '/v1/customers/customer-9');
      response.end('{}');
    };
    const answer = await call('POST', '/bian/PartyReferenceDataDirectory/Register', { token: bearer, headers: { 'idempotency-key': 'k1' }, body: {} });
    expect(answer.status).to.equal(200);
    expect(answer.headers).to.include({ location: '/v1/customers/customer-9', 'x-bian-control-record-id': 'customer-9' });
    expect((await call('POST', '/v1/customers', { token: bearer, headers: { 'idempotency-key': 'k1' }, body: {} })).status).to.equal(201);
  });

  it('answers every refusal of its own as a problem: no route, plain HTTP, too large, too many, upstream gone', async () => {
    const owner = await app();
    const bearer = await clientToken(owner, 'payments');
    expectProblem(await call('GET', '/nowhere'), 404, 'not_found');
    expectProblem(await call('DELETE', '/v1/payments', { token: bearer }), 404, 'not_found');
    expectProblem(await call('GET', '/v1/payments', { origin: kong.http, token: bearer }), 426, 'invalid_request');
    expectProblem(await call('PATCH', `/v1/payments/${account}`, { token: bearer, body: { reference: 'x'.repeat(260 * 1024) } }), 413, 'payload_too_large');
    behave = (_one, response) => response.destroy();
    expectProblem(await call('GET', '/v1/payments', { token: bearer }), 502, 'bad_gateway');
    behave = (_one, response) => response.end('{}');
    const busy = await app();
    const busyToken = await clientToken(busy, 'payments');
    const answers = await Promise.all(Array.from({ length: 200 }, () => call('GET', '/v1/payments', { token: busyToken })));
    const limited = answers.find((answer) => answer.status === 429) as Answered;
    expect(limited, 'one of 200 at once').to.be.an('object');
    expectProblem(limited, 429, 'rate_limited');
    expect(limited.headers['retry-after']).to.match(/^\d+$/);
  });

  it('leaves a service\'s own problem as it is', async () => {
    const owner = await app();
    behave = (_one, response) => {
      response.statusCode = 404;
      response.setHeader('content-type', 'application/problem+json');
      response.end('{"code":"payment_not_found","mine":true}');
    };
    const answer = await call('GET', `/v1/payments/${account}`, { token: await clientToken(owner, 'payments') });
    expect([answer.status, answer.body]).to.deep.equal([404, { code: 'payment_not_found', mine: true }]);
  });

  it('keeps OAuth\'s error members on the token endpoint (RFC 6749 §5.2), with the problem\'s beside them', async () => {
    const owner = await app();
    const wrong = await call('POST', '/oauth2/token', { form: { grant_type: 'client_credentials', client_id: owner.id, client_secret: 'wrong', scope: 'payments' } });
    expect(wrong.status).to.equal(400);
    expect(wrong.headers['content-type']).to.equal('application/json');
    expect(wrong.body).to.include({ error: 'invalid_client', code: 'invalid_request', correlationId: wrong.headers['x-correlation-id'] });
    const password = await call('POST', '/oauth2/token', { form: { grant_type: 'password', client_id: owner.id, client_secret: owner.secret, username: 'a', password: 'b' } });
    expect(password.body.error).to.equal('unsupported_grant_type');
    const unproven = await authorise(owner, { scope: 'accounts', authenticated_userid: 'c', provision_key: 'guessed' });
    expect(unproven.status).to.equal(400);
    expect(unproven.body.redirect_uri ?? unproven.body.error).to.match(/invalid_provision_key/);
  });

  it('keeps a refresh token good for another use', async () => {
    const owner = await app();
    const consentId = randomUUID();
    const answer = await authorise(owner, { scope: 'accounts', authenticated_userid: consentId });
    const code = new URL(answer.body.redirect_uri as string).searchParams.get('code') as string;
    const client = { client_id: owner.id, client_secret: owner.secret };
    const first = await call('POST', '/oauth2/token', { form: { grant_type: 'authorization_code', ...client, code, code_verifier: VERIFIER, redirect_uri: REDIRECT } });
    expect(first.body.expires_in).to.equal(900);
    const again = await call('POST', '/oauth2/token', { form: { grant_type: 'authorization_code', ...client, code, code_verifier: VERIFIER, redirect_uri: REDIRECT } });
    expect(again.body.error, 'a code is good once').to.equal('invalid_request');
    for (let i = 0; i < 2; i++) {
      const refreshed = await call('POST', '/oauth2/token', { form: { grant_type: 'refresh_token', ...client, refresh_token: first.body.refresh_token as string } });
      expect(refreshed.status, JSON.stringify(refreshed.body)).to.equal(200);
    }
  });

  it('reaches no service by a variant of a path, unless it is the same operation', async () => {
    const { bearer } = await consented();
    const other = randomUUID();
    const variants = [
      `//v1/accounts/${other}/balances`, `/v1//accounts/${other}/balances`, `/v1/accounts/${other}/balances/`, `/v1/accounts/${other}%2fbalances`,
      `/v1/accounts/${account}/../${other}/balances`, `/v1/accounts/${account}%2f..%2f${other}/balances`, `/v1/accounts/./${other}/balances`,
      `/v1/accounts/${other}/balances;x=1`, `/V1/accounts/${other}/balances`, `/v1/accounts/${other}/balances.`, `/v1/accounts/${other}/%62alances`,
      `/v1/accounts/${other}/balances%00`, `/v1/accounts/${other}/balances%2e`,
    ];
    for (const path of variants) {
      const answer = await call('GET', path, { token: bearer });
      expect(answer.status, path).to.be.oneOf([400, 403, 404]);
    }
    expect(seen).to.deep.equal([]);
  });

  it('answers a browser\'s preflight of the portal, and of nobody else', async () => {
    const preflight = (origin: string): Promise<Answered> => call('OPTIONS', '/v1/payments', { headers: { origin, 'access-control-request-method': 'POST' } });
    const portal = await preflight('http://localhost:8080');
    expect(portal.status).to.be.oneOf([200, 204]);
    expect(portal.headers['access-control-allow-origin']).to.equal('http://localhost:8080');
    expect((await preflight('https://evil.example')).headers['access-control-allow-origin']).to.not.equal('https://evil.example');
    expectProblem(await call('OPTIONS', '/v1/payments'), 404, 'not_found');
    expect(seen).to.deep.equal([]);
  });

  it('writes access records with the decision, and without headers, tokens and queries', async () => {
    const { consentId, bearer } = await consented();
    const mark = `secret-${randomUUID()}`;
    await call('GET', `/v1/accounts/${account}/balances?state=${mark}`, { token: bearer, headers: { cookie: mark } });
    await call('GET', `/v1/accounts/${randomUUID()}/balances`, { token: bearer });
    await call('GET', `/nowhere?state=${mark}`, { headers: { cookie: mark } });
    const kontor = (record: Record<string, unknown>): Record<string, string> => record.kontor as Record<string, string> ?? {};
    await until(async () => records.filter((one) => kontor(one).consentId === consentId).length >= 2 && JSON.stringify(records).includes('/nowhere'));
    const own = records.filter((one) => kontor(one).consentId === consentId).map(kontor);
    expect(own[0]).to.include({ operation: 'getBalances', audience: 'account', decision: 'allow', customerId: 'customer-1' });
    expect(own[1]).to.include({ decision: 'refuse', code: 'consent_account_not_covered' });
    const text = JSON.stringify(records);
    for (const secret of [mark, bearer, 'eyJ', PROVISION_KEY]) expect(text).to.not.include(secret);
  });

  it('refuses with 503 when its own code fails: broken never means open', async () => {
    const owner = await app();
    const bearer = await clientToken(owner, 'kyc');
    const { data } = await admin('GET', '/routes/listKycCases/plugins') as { data: { id: string; name: string; config: Record<string, unknown> }[] };
    const identity = data.find((one) => one.name === 'gateway-identity') as { id: string; config: Record<string, unknown> };
    await admin('POST', `/consumers/${owner.id}/acls`, { group: 'compliance' });
    await until(async () => (await call('GET', '/v1/kyc-cases', { token: bearer })).status === 200);
    seen = [];
    await admin('PATCH', `/plugins/${identity.id}`, { config: { ...identity.config, private_key: 'bm90IGEga2V5', lifetime: 29 } });
    try {
      await until(async () => (await call('GET', '/v1/kyc-cases', { token: bearer })).status !== 200);
      seen = [];
      expectProblem(await call('GET', '/v1/kyc-cases', { token: bearer }), 503, 'unavailable');
      expect(seen).to.deep.equal([]);
    } finally {
      await admin('PATCH', `/plugins/${identity.id}`, { config: identity.config });
    }
  });

  it('logged no fault of the plugins beyond the one just forced', async () => {
    const faults = (await kong.log()).split('\n').filter((line) => /\[(error|alert|crit|emerg)\]/.test(line) && /plugins\/dist|failed: |lua entry thread aborted|runtime error/.test(line));
    expect(faults.filter((line) => !line.includes('gateway token key'))).to.deep.equal([]);
  });
});
