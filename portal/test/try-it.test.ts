import { request as plainRequest } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { portalUnderTest, signedUp, type PortalUnderTest, type Visitor } from './portal-under-test.js';

describe('trying an operation', () => {
  let portal: PortalUnderTest;
  let developer: Visitor;
  before(async () => {
    portal = await portalUnderTest();
    developer = await signedUp(portal);
  });
  after(() => portal.stop());
  beforeEach(() => portal.gateway.relayed.splice(0));

  it('reaches the gateway with what the operation needs, and nothing of the portal\'s', async () => {
    const { status, body, headers } = await portal.ask(developer, 'POST', '/try/v1/customers?dry=1', { name: 'x' }, {
      authorization: 'Bearer t', apikey: 'k', 'idempotency-key': 'once', 'if-match': '"3"', 'if-none-match': '"4"', 'x-correlation-id': 'mine', 'x-consumer-id': 'forged', 'x-gateway-token': 'forged', 'x-forwarded-for': '1.2.3.4', te: 'trailers',
    });
    expect(status).equal(201);
    expect(body).deep.equal({ method: 'POST', path: '/v1/customers?dry=1' });
    const [relayed] = portal.gateway.relayed;
    expect(relayed?.headers).include({ authorization: 'Bearer t', apikey: 'k', 'idempotency-key': 'once', 'if-match': '"3"', 'if-none-match': '"4"', 'x-correlation-id': 'mine', 'content-type': 'application/json', accept: 'application/json' });
    for (const kept of ['cookie', 'x-consumer-id', 'x-gateway-token', 'x-forwarded-for', 'te', 'origin']) expect(relayed?.headers).not.property(kept);
    expect(relayed?.body).equal('{"name":"x"}');
    expect(headers['x-correlation-id']).equal('from-the-gateway');
    expect(headers).not.property('set-cookie');
    expect(headers['content-security-policy']).include('sandbox');
  });

  it('takes a token at the relay', async () => {
    const answer = await portal.submit(developer, '/try/oauth2/token', { grant_type: 'client_credentials', scope: 'customers' }, { authorization: 'Basic aWQ6c2VjcmV0', 'sec-fetch-site': 'same-origin' });
    expect(answer.body.access_token).equal('token-of-the-stand-in');
    expect(portal.gateway.relayed[0]?.body).equal('grant_type=client_credentials&scope=customers');
  });

  it('is for signed-in developers on the portal\'s own pages', async () => {
    expect((await portal.ask({}, 'GET', '/try/v1/customers')).status).equal(401);
    for (const site of ['cross-site', 'same-site', 'none'])
      expect((await portal.ask(developer, 'GET', '/try/v1/customers', undefined, { 'sec-fetch-site': site })).status).equal(400);
    expect((await portal.ask(developer, 'POST', '/try/v1/customers', {}, { origin: 'https://evil.example' })).status).equal(400);
    expect(portal.gateway.relayed).length(0);
  });

  for (const path of ['/bank/consents', '/oauth2/authorize', '/', '//evil.example/v1/x', '/v1/../oauth2/authorize', '/v1/%2e%2e/bank', '/v1/..%2fbank', '/v1/a%5c..%5cbank', '/oauth2/token/x']) {
    it(`does not relay ${path}`, async () => {
      // fetch would tidy the path up before sending it.
      const status = await new Promise((resolve, reject) => {
        plainRequest(portal.service.url, { path: `/try${path}`, headers: { cookie: developer.cookie ?? '' } }, (answer) => resolve(answer.resume().statusCode)).on('error', reject).end();
      });
      expect(status).equal(404);
      expect(portal.gateway.relayed).length(0);
    });
  }

  it('passes refusals on, as they are', async () => {
    const usual = portal.gateway.answer;
    portal.gateway.answer = (_relayed, response) => response.writeHead(401, { 'content-type': 'application/problem+json', 'www-authenticate': 'Basic' }).end('{"code":"invalid_token"}');
    const { status, headers, body } = await portal.ask(developer, 'GET', '/try/v1/customers');
    portal.gateway.answer = usual;
    expect([status, body.code, headers['content-type']]).deep.equal([401, 'invalid_token', 'application/problem+json']);
    expect(headers, 'else the browser would ask for a password').not.property('www-authenticate');
  });

  it('bounds the request as the gateway does', async () => {
    expect((await portal.ask(developer, 'POST', '/try/v1/customers', { a: 'x'.repeat(200 * 1024) })).status).equal(201);
    expect((await portal.ask(developer, 'POST', '/try/v1/customers', { a: 'x'.repeat(256 * 1024) })).status).equal(413);
    expect(portal.gateway.relayed).length(1);
  });

  it('streams the answer, and ends one without end', async () => {
    const usual = portal.gateway.answer;
    let sent = 0;
    portal.gateway.answer = (_relayed, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      const more = (): void => {
        if (response.destroyed) return;
        sent += 64 * 1024;
        response.write('x'.repeat(64 * 1024), more);
      };
      more();
    };
    const answer = await fetch(`${portal.service.url}/try/v1/customers`, { headers: { cookie: developer.cookie ?? '' } });
    expect(answer.status).equal(200);
    expect(await answer.text().catch(() => 'broken off')).equal('broken off');
    await pause(50);
    const after = sent;
    await pause(50);
    expect(sent, 'the gateway is no longer read').equal(after);
    portal.gateway.answer = usual;
  });

  it('is a 502 with a problem when the gateway does not answer', async () => {
    const usual = portal.gateway.answer;
    portal.gateway.answer = (_relayed, response) => response.destroy();
    const { status, body } = await portal.ask(developer, 'GET', '/try/v1/customers');
    portal.gateway.answer = usual;
    expect([status, body.code]).deep.equal([502, 'bad_gateway']);
  });
});
