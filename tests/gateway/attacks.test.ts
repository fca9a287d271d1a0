import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { claimsOf, Client, expectProblem, type Answer, type App } from './client.js';
import { deckVariables, houseState, onEachTarget, type Target } from './target.js';
import { startUpstream, type Upstream } from './upstream.js';

onEachTarget('Attacks on the gateway', ({ start }) => {
  let upstream: Upstream;
  let target: Target;
  let client: Client;
  let app: App;
  let scopeless: string;
  let access: string;
  const account: string = randomUUID();
  const foreign: string = randomUUID();

  before(async () => {
    upstream = await startUpstream();
    target = await start(houseState(), deckVariables(upstream.url));
    client = new Client(target);
    app = await client.app();
    const consentId = randomUUID();
    await client.decide(consentId, { clientId: app.clientId, accounts: [account] });
    access = await client.consentToken(app, consentId, 'accounts');
    scopeless = await client.clientToken(app, 'webhooks');
  });
  after(async () => {
    await client?.close();
    await target?.stop();
    await upstream?.stop();
  });
  beforeEach(() => upstream.reset());

  const get = (path: string, headers: Record<string, string | string[]> = {}) => client.ask('GET', path, { headers: { authorization: `Bearer ${access}`, ...headers } });

  describe('by a forged identity', () => {
    const identity: [name: string, value: string][] = [
      ['X-Consumer-Id', 'someone'], ['X-Consumer-Custom-Id', 'someone'], ['X-Consumer-Username', 'compliance'], ['X-Consumer-Groups', 'compliance'],
      ['X-Credential-Identifier', 'someone'], ['X-Authenticated-Scope', 'audit'], ['X-Authenticated-Userid', 'someone'], ['X-Authenticated-Groups', 'compliance'],
      ['X-Anonymous-Consumer', 'true'], ['X-Bian-Control-Record-Id', 'forged'], ['X-BIAN-Mapping', 'exact-forged'], ['X-Bian-Anything', 'forged'],
      ['X-Original-URL', '/v1/audit/events'], ['X-Rewrite-URL', '/v1/audit/events'], ['X-HTTP-Method-Override', 'DELETE'], ['X-Method-Override', 'DELETE'], ['X-HTTP-Method', 'DELETE'],
      ['Forwarded', 'for=10.0.0.1;host=evil.test'], ['X-Consumer-New-Thing', 'forged'], ['X-Credential-New-Thing', 'forged'],
      ['X_Consumer_Custom_Id', 'forged-by-underscore'], ['X_Authenticated_Userid', 'forged-by-underscore'], ['x-Credential_Identifier', 'forged-by-underscore'], ['X_BIAN_Control_Record_Id', 'forged-by-underscore'],
      ['X_Gateway_Token', 'forged-by-underscore'], ['X_HTTP_Method_Override', 'forged-by-underscore'], ['X_Original_URL', '/forged-by-underscore'], ['x-consumer-custom-id', 'forged-in-lower-case'], ['X-AUTHENTICATED-SCOPE', 'FORGED-IN-UPPER-CASE'],
    ];
    for (const [name, value] of identity) {
      it(`${name}: a service never sees it`, async () => {
        for (const path of [`/v1/accounts/${account}/balances`, '/bank/consents']) {
          upstream.reset();
          expect((await get(path, { [name]: value })).status).to.equal(200);
          expect(JSON.stringify(upstream.last().headers)).to.not.include(value === 'true' ? 'x-anonymous' : value);
        }
      });
    }

    it('X-Gateway-Token: refused on every route, open ones too', async () => {
      for (const path of [`/v1/accounts/${account}/balances`, '/bank/consents']) expectProblem(await get(path, { 'x-gateway-token': 'eyJhbGciOiJub25lIn0.e30.' }), 401, 'invalid_token');
      expect(upstream.arrived).to.be.empty;
    });

    it('X-Forwarded-*: what the gateway knows replaces what the client says', async () => {
      await get('/bank/consents', { 'x-forwarded-proto': 'gopher', 'x-forwarded-host': 'evil.test', 'x-forwarded-port': '1', 'x-forwarded-path': '/evil', 'x-forwarded-prefix': '/evil', 'x-real-ip': '10.9.9.9' });
      const { headers } = upstream.last();
      expect(headers).to.include({ 'x-forwarded-proto': 'https', 'x-forwarded-host': 'localhost', 'x-forwarded-port': new URL(target.httpsUrl).port, 'x-forwarded-path': '/bank/consents' });
      expect(JSON.stringify(headers)).to.not.match(/evil|gopher|10\.9\.9\.9/);
    });

    it('X-Forwarded-For: the real address comes last', async () => {
      await get('/bank/consents', { 'x-forwarded-for': '10.9.9.9' });
      expect(upstream.last().headers['x-forwarded-for']).to.match(/^10\.9\.9\.9, (127\.0\.0\.1|::1|::ffff:127\.0\.0\.1)$/);
    });

    it('Connection: headers the gateway adds cannot be declared hop-by-hop', async () => {
      await client.raw('x', 1);
      const answer = await get(`/v1/accounts/${account}/balances`, { connection: 'keep-alive' });
      expect(answer.status).to.equal(200);
      const bytes = `GET /bank/consents HTTP/1.1\r\nHost: a\r\nConnection: x-forwarded-for, x-real-ip, x-correlation-id, via, cookie\r\nCookie: s=1\r\n\r\n`;
      expect(await client.raw(bytes)).to.match(/^HTTP\/1\.1 200/);
      expect(upstream.last().headers).to.include.keys('x-forwarded-for', 'x-real-ip', 'x-correlation-id', 'via');
      expect(upstream.last().headers).to.not.have.property('cookie');
    });

    for (const name of ['X-Gateway-Token', 'X-Gateway-Token, Authorization', 'close, x-gateway-token', 'X-Correlation-Id', 'X-BIAN-Operation-Id']) {
      it(`Connection: ${name} does not take the gateway's own header off`, async () => {
        const answer = await client.secureRaw(`GET /v1/accounts/${account}/balances HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${access}\r\nConnection: ${name}\r\n\r\n`);
        // Where the client declares its own token hop-by-hop, it has none.
        if (/^HTTP\/1\.1 401/.test(answer)) return expect(upstream.arrived).to.be.empty;
        expect(answer).to.match(/^HTTP\/1\.1 200/);
        expect(upstream.last().headers).to.include.keys('x-gateway-token', 'x-correlation-id', 'x-bian-operation-id');
      });
    }

    it('every token a service gets is the gateway\'s own, for this client', async () => {
      await get(`/v1/accounts/${account}/balances`);
      expect(upstream.last().rawHeaders.filter((name) => name.toLowerCase() === 'x-gateway-token')).to.have.length(1);
      expect(claimsOf(upstream.last().headers['x-gateway-token'])).to.include({ iss: 'kontor-gateway', sub: app.clientId });
    });
  });

  describe('by another way of writing a path', () => {
    // Whatever a variant means, it must not reach another account or operation than the route that was checked.
    const variants = [
      `//v1/accounts/${foreign}/balances`, `/v1//accounts/${foreign}/balances`, `/v1/accounts//${foreign}/balances`, `/v1/accounts/${foreign}//balances`,
      `/v1/./accounts/${foreign}/balances`, `/v1/accounts/${account}/../${foreign}/balances`, `/v1/accounts/${account}/%2e%2e/${foreign}/balances`,
      `/v1/accounts/${account}/%2E%2e/${foreign}/balances`, `/v1/accounts/${account}%2f..%2f${foreign}/balances`, `/v1/accounts/${account}%2F${foreign}/balances`,
      `/v1/accounts/${account}%5c..%5c${foreign}/balances`, `/v1/accounts/${account}\\..\\${foreign}/balances`, `/v1/accounts/${foreign}/balances/`,
      `/v1/accounts/${foreign}/balances/.`, `/v1/accounts/${foreign}/balances/x/..`, `/v1/accounts/${foreign}/balances%20`, `/v1/accounts/${foreign}/balances%09`,
      `/v1/accounts/${foreign}/balances%00`, `/v1/accounts/${foreign}/balances;x=1`, `/v1/accounts;x=1/${foreign}/balances`, `/v1/accounts/${foreign};a/balances`,
      `/V1/accounts/${foreign}/balances`, `/v1/Accounts/${foreign}/balances`, `/v1/accounts/${foreign}/Balances`, `/v1/accounts/${foreign}/balances.`,
      `/v1/accounts/${foreign}/balances.json`, `/v1/accounts/${foreign}/balances?x=${account}`, `/v1/accounts/${foreign}/balances?accountId=${account}`,
      `/v1/%61ccounts/${foreign}/balances`, `/v1/accounts/%${foreign.charCodeAt(0).toString(16)}${foreign.slice(1)}/balances`, `/v1/accounts/${foreign}/%62alances`,
      `/v1/accounts/${account},${foreign}/balances`, `/v1/accounts/${account}%0d%0aX-Y:1/balances`, `/%2e/v1/accounts/${foreign}/balances`,
      `/v1/accounts/${foreign}/balances%2f`, `/v1/accounts/${foreign}%252fbalances`, `/v1%2faccounts/${foreign}/balances`, `/.//v1/accounts/${foreign}/balances`,
      `/bian/../v1/accounts/${foreign}/balances`, `/bank/../v1/accounts/${foreign}/balances`, `/bank/%2e%2e/v1/accounts/${foreign}/balances`, `/bank/..%2fv1/accounts/${foreign}/balances`,
      `/bank/..;/v1/accounts/${foreign}/balances`, `/v1/accounts/${foreign}/balances%c0%ae`, `/v1/accounts/${'a'.repeat(129)}/balances`, `/v1/accounts/${account} ${foreign}/balances`,
      '/internal/consents/x/decision', '/bank/../internal/consents/x/decision', '/bank/%2e%2e/internal/access-records', '/v1/accounts/../../internal/access-records', '/internal/customers/x/balances', '/v1/accounts/../internal/customers/x/balances', '/livez', '/metrics', '/oauth2_tokens', '/consumers',
    ];
    for (const path of variants) {
      it(`${path}`, async () => {
        const answer = await client.raw(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${access}\r\nConnection: close\r\n\r\n`);
        // By HTTP even a good call is refused, so the same bytes go over HTTPS too where a client can send them.
        expect(answer).to.match(/^HTTP\/1\.1 4\d\d|^HTTP\/1\.1 200/);
        const sendable = !/[ \\]/.test(path) && !path.includes('\t');
        const secure = sendable ? await client.ask('GET', path, { headers: { authorization: `Bearer ${access}` } }) : undefined;
        for (const arrived of upstream.arrived) {
          // Only the bank's pages may be reached without a consent, and only as what they are.
          expect(arrived.url).to.match(/^\/bank(\/|$|\?)/);
          expect(new URL(arrived.url, 'http://x').pathname).to.equal(arrived.url.split('?')[0]);
        }
        if (secure && upstream.arrived.length === 0) expectProblem(secure, secure.status);
      });
    }

    it('a good path in an unusual spelling is checked and sent on in its normal form', async () => {
      for (const path of [`//v1/accounts/${account}/balances`, `/v1/x/../accounts/${account}/balances`, `/v1/%61ccounts/${account}/balances`]) {
        upstream.reset();
        expect((await get(path)).status).to.equal(200);
        expect(upstream.last().url).to.equal(`/v1/accounts/${account}/balances`);
      }
    });
  });

  describe('by headers sent several times', () => {
    const twice: [name: string, a: () => string, b: () => string][] = [
      ['Authorization', () => `Bearer ${access}`, () => `Bearer ${scopeless}`],
      ['Authorization', () => `Bearer ${scopeless}`, () => `Bearer ${access}`],
      ['X-Gateway-Token', () => 'a', () => 'b'],
      ['Idempotency-Key', () => 'a', () => 'b'],
      ['Content-Type', () => 'application/json', () => 'text/plain'],
    ];
    for (const [name, a, b] of twice) {
      it(`${name} twice`, async () => {
        const answer = await get(`/v1/accounts/${account}/balances`, name === 'Authorization' ? { authorization: [a(), b()] } : { [name]: [a(), b()] });
        // nginx itself refuses a second Authorization.
        expectProblem(answer, 400, name === 'Authorization' ? ['duplicate_header', 'invalid_request'] : 'duplicate_header');
        expect(upstream.arrived).to.be.empty;
      });
    }
    it('two API keys', async () => {
      expectProblem(await client.ask('POST', '/sandbox/incoming-payments', { headers: { apikey: [app.apiKey, 'x'] }, body: {} }), 401);
      expect(upstream.arrived).to.be.empty;
    });
    it('more headers than the gateway reads', async () => {
      const many = Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`x-pad-${i}`, '1']));
      expectProblem(await get(`/v1/accounts/${account}/balances`, { ...many, 'x-consumer-id': 'hidden' }), 400, 'invalid_request');
      expect(upstream.arrived).to.be.empty;
    });
    it('exactly as many headers as the gateway reads, forged ones last; and one more', async () => {
      const bytes = (count: number) => `GET /bank/consents HTTP/1.1\r\nHost: a\r\n${Array.from({ length: count - 3 }, (_, i) => `X-Pad-${i}: 1\r\n`).join('')}X-Consumer-Id: forged\r\nX-Authenticated-Userid: forged\r\n\r\n`;
      expect(await client.raw(bytes(100))).to.match(/^HTTP\/1\.1 200/);
      expect(JSON.stringify(upstream.last().headers)).to.not.include('forged');
      upstream.reset();
      expect(await client.raw(bytes(101))).to.match(/^HTTP\/1\.1 400[^]*application\/problem\+json/i);
      expect(upstream.arrived).to.be.empty;
    });
    it('forged headers several times', async () => {
      await get('/bank/consents', { 'x-consumer-id': ['forged', 'forged'], 'x-authenticated-userid': ['forged', 'forged'], 'x-bian-anything': ['forged', 'forged'] });
      expect(JSON.stringify(upstream.last().headers)).to.not.include('forged');
      upstream.reset();
      expectProblem(await get(`/v1/accounts/${foreign}/balances`, { 'x-authenticated-scope': ['audit', 'accounts'], 'x-consumer-custom-id': [app.clientId, 'x'] }), 403, 'consent_account_not_covered');
      expect(upstream.arrived).to.be.empty;
    });
    it('a header of 8 kB is read whole, and a forged one behind it is stripped', async () => {
      expect((await get('/bank/consents', { 'x-pad': 'x'.repeat(8_000), 'x-consumer-id': 'forged' })).status).to.equal(200);
      expect(JSON.stringify(upstream.last().headers)).to.not.include('forged');
    });
    it('one header of 9 kB, and headers of 40 kB together', async () => {
      expectProblem(await get(`/v1/accounts/${account}/balances`, { 'x-pad': 'x'.repeat(9_000) }), 400, 'invalid_request');
      const all = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`x-pad-${i}`, 'x'.repeat(4_000)]));
      const answer = await get(`/v1/accounts/${account}/balances`, all);
      expect(answer.status).to.be.oneOf([400, 431]);
      expectProblem(answer, answer.status);
      expect(upstream.arrived).to.be.empty;
    });
  });

  describe('by bytes that two parties could read in two ways', () => {
    const head = 'POST /bank/x HTTP/1.1\r\nHost: a\r\n';
    const smuggled = 'GET /bank/smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
    const broken: [what: string, bytes: string][] = [
      ['two lengths', `${head}Content-Length: 5\r\nContent-Length: 0\r\n\r\n${smuggled}`],
      ['a list of lengths', `${head}Content-Length: 5, 0\r\n\r\n${smuggled}`],
      ['a length and chunks', `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`],
      ['an encoding that is not the last', `${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`],
      ['an encoding with a vertical tab', `${head}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n${smuggled}`],
      ['an encoding in a strange name', `${head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${smuggled}`],
      ['gzip', `${head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${smuggled}`],
      ['a negative length', `${head}Content-Length: -1\r\n\r\n${smuggled}`],
      ['a length with a sign', `${head}Content-Length: +5\r\n\r\nhello${smuggled}`],
      ['a length in hexadecimal', `${head}Content-Length: 0x5\r\n\r\nhello${smuggled}`],
      ['a chunk size with a sign', `${head}Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n${smuggled}`],
      ['a chunk longer than it says', `${head}Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n${smuggled}`],
      ['a folded header', `${head}X-A: 1\r\n Transfer-Encoding: chunked\r\n\r\n${smuggled}`],
      ['a NUL in a header', `${head}X-A: a\0b\r\n\r\n`],
      ['no host', 'GET /bank/x HTTP/1.1\r\n\r\n'],
      ['two hosts', 'GET /bank/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
      ['a host with a path', 'GET /bank/x HTTP/1.1\r\nHost: a/b\r\n\r\n'],
      ['another protocol', 'GET /bank/x GOPHER/1.1\r\nHost: a\r\n\r\n'],
      ['an absolute address', 'GET http://evil.test/bank/x HTTP/1.1\r\nHost: a\r\n\r\n'],
      ['a fragment', 'GET /bank/x#/../v1 HTTP/1.1\r\nHost: a\r\n\r\n'],
      ['a tunnel', 'CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n'],
    ];
    for (const [what, bytes] of broken) {
      it(what, async () => {
        const answer = await client.raw(bytes);
        const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
        // Refused, or the connection was cut; never a second answer for smuggled bytes.
        expect(statuses.length).to.be.lessThan(2);
        if (statuses[0] !== undefined) {
          expect(statuses[0]).to.be.within(400, 499);
          expect(answer).to.match(/application\/problem\+json/i);
        }
        expect(upstream.arrived).to.be.empty;
      });
    }

    it('a bare line feed: refused, or read as the end of a line (RFC 9112 §2.2) and passed on as one clean request', async () => {
      const answer = await client.raw(`POST /bank/x HTTP/1.1\nHost: a\nX-Consumer-Id: forged\n\n`);
      expect([...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status)).to.be.deep.oneOf([['400'], ['200']]);
      for (const { headers } of upstream.arrived) expect(JSON.stringify(headers)).to.not.include('forged');
    });

    it('a request in HTTP/1.1 that is sound still passes on the same listener', async () => {
      expect(await client.raw(`${head}Content-Length: 5\r\n\r\nhello`)).to.match(/^HTTP\/1\.1 200/);
      expect(upstream.last().body.toString()).to.equal('hello');
    });
  });

  describe('by what the HTTP server itself refuses', () => {
    const refused: [what: string, bytes: string, statuses: number[]][] = [
      ['a request line that is none', 'GET\r\n\r\n', [400]],
      ['a request line in another language', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n', [400]],
      ['a request line of 9 kB', `GET /bank/${'x'.repeat(9_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, [414]],
      ['a request line of 40 kB', `GET /bank/${'x'.repeat(40_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, [400, 414, 431]],
      ['headers of 40 kB', `GET /bank/x HTTP/1.1\r\nHost: a\r\n${'X-Pad: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n'.repeat(900)}\r\n`, [400, 431]],
      ['a header of 9 kB', `GET /bank/x HTTP/1.1\r\nHost: a\r\nX-Pad: ${'x'.repeat(9_000)}\r\n\r\n`, [400, 431]],
      ['a header without a name', 'GET /bank/x HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n', [400]],
      ['HTTP/3.0', 'GET /bank/x HTTP/3.0\r\nHost: a\r\n\r\n', [400]],
      ['TRACE', 'TRACE /bank/x HTTP/1.1\r\nHost: a\r\n\r\n', [404, 405]],
    ];
    for (const [what, bytes, statuses] of refused) {
      it(`${what}: a problem with a correlation id`, async () => {
        const answer = await client.raw(bytes);
        expect(Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]), answer).to.be.oneOf(statuses);
        expect(answer).to.match(/\r\ncontent-type: application\/problem\+json/i);
        expect(answer).to.match(/"correlationId":"[A-Za-z0-9._-]+"/);
        expect(answer).to.match(/"type":"urn:kontor:problem:\w+"/);
        expect(answer).to.not.match(/nginx|openresty|kong\/|<html/i);
        expect(upstream.arrived).to.be.empty;
      });
    }
  });

  describe('by another method', () => {
    for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'TRACE', 'get', 'PROPFIND']) {
      it(`${method} on a GET operation`, async () => {
        let answer: Answer | undefined;
        try {
          answer = await client.ask(method, `/v1/accounts/${account}/balances`, { headers: { authorization: `Bearer ${access}` } });
        } catch {
          // The client library refuses to send it.
        }
        if (answer) expect(answer.status).to.be.within(400, 499);
        expect(upstream.arrived).to.be.empty;
      });
    }
    it('a method override in the query or a header', async () => {
      await get(`/v1/accounts/${account}/balances?_method=DELETE`, { 'x-http-method-override': 'DELETE' });
      expect(upstream.last().method).to.equal('GET');
      expect(upstream.last().headers).to.not.have.property('x-http-method-override');
    });
  });
});
