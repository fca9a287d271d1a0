import { Agent, request as httpRequest } from 'node:http';
import { expect } from 'chai';
import { operationsOf } from '@kontor/kernel/contract';
import { newId } from '@kontor/kernel/ids';
import { createApp } from '@kontor/kernel/http';
import { gatewayToken, strangerKeys, testKeys, type TokenOptions } from '@kontor/testing/gateway-token';
import { testService, type TestAnswer, type TestRequest, type TestService } from '@kontor/testing/service';
import { during, options } from './desk/main.js';

const noteId = '0190a1b2-0000-7000-8000-000000000001';
const reader = { scopes: ['notes'], roles: ['reader'] };
const writer = { scopes: ['notes'], roles: ['writer'] };
const consent = { id: 'consent-1', version: 1, permissions: ['notes:read'], accounts: [noteId], customerId: 'p-1' };

describe('a service by HTTP', () => {
  let service: TestService;
  before(async () => { service = await testService(options); });
  after(() => service.stop());

  const write = (body: unknown, more: TestRequest = {}): Promise<TestAnswer> => service.request('POST', '/v1/notes', {
    op: 'writeNote', caller: writer, body, ...more, headers: { 'idempotency-key': newId().replaceAll('-', ''), ...more.headers },
  });
  const good = { word: 'hello', amount: '12.50' };

  /** Every refusal is a problem of the expected code with a correlation id and nothing of our inside. */
  const expectProblem = (answer: TestAnswer, status: number, code: string): void => {
    expect(answer.body, JSON.stringify(answer.body)).to.include({ status, code, type: `urn:kontor:problem:${code}` });
    expect(answer.status).to.equal(status);
    expect(answer.headers['content-type']).to.match(/^application\/problem\+json/);
    expect(answer.body.correlationId).to.be.a('string').and.equal(answer.headers['x-correlation-id']);
    expect(JSON.stringify(answer.body)).to.not.match(/\bat .*\.(ts|js):\d|node_modules|select |insert /);
  };

  describe('carries out', () => {
    it('a write, once, and answers a repeat alike', async () => {
      const headers = { 'idempotency-key': 'same-key' };
      const first = await write(good, { headers });
      expect(first.status).to.equal(201);
      const again = await write(good, { headers });
      expect(again.body).to.deep.equal(first.body);
      expect(again.headers['idempotency-replayed']).to.equal('true');
      expect((await service.events()).filter(({ subject }) => subject === first.body.noteId)).to.have.length(1);
      expect((await service.request('GET', '/metrics')).body).to.match(/idempotency_replays_total\{service="desk"\} 1/);
    });

    it('a read with the query converted, defaults filled in and dates left as text', async () => {
      const answer = await service.request('GET', '/v1/notes?from=2026-01-01T00:00:00Z', { op: 'listNotes', caller: reader });
      expect(answer.body).to.deep.equal({ limit: 25, from: '2026-01-01T00:00:00Z' });
    });

    it('a fixed path before one with a parameter', async () => {
      expect((await service.request('GET', '/v1/notes/latest', { op: 'getLatestNote', caller: reader })).body).to.deep.equal({ latest: true });
    });

    describe('a body that is refused before it is whole', () => {
      const half = 512 * 1024;
      /** Sends half, then the other half once the answer is there; gives the answer, and then a second one on the same connection. */
      const sendOn = async (first: string, query = ''): Promise<{ status: number; code: string; then: number }> => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        try {
          const ask = (method: string, path: string, op: string, body?: string): Promise<{ status: number; text: string }> => new Promise((resolve, reject) => {
            const asked = httpRequest(new URL(path, service.url), {
              method, agent, headers: { 'x-gateway-token': gatewayToken({ aud: 'desk', op, ...(method === 'POST' ? writer : reader) }), ...(body === undefined ? {} : { 'content-type': 'application/xml', accept: 'application/xml' }) },
            }, (answer) => {
              let text = '';
              answer.on('data', (chunk: Buffer) => { text += String(chunk); });
              answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
              if (body !== undefined) asked.end('x'.repeat(half));
            });
            asked.on('error', reject);
            if (body === undefined) asked.end();
            else asked.write(body);
          });
          const refused = await ask('POST', `/v1/notes/files${query}`, 'uploadNotes', first.padEnd(half, 'x'));
          return { status: refused.status, code: (JSON.parse(refused.text) as { code: string }).code, then: (await ask('GET', '/v1/notes/latest', 'getLatestNote')).status };
        } finally {
          agent.destroy();
        }
      };
      it('by its handler: the client that sends on gets the refusal, and its connection goes on', async () => {
        expect(await sendOn('refuse')).to.deep.equal({ status: 409, code: 'invalid_state', then: 200 });
      });
      it('by the contract, before anybody reads it: alike', async () => {
        expect(await sendOn('x', '?surprise=1')).to.deep.equal({ status: 400, code: 'invalid_request', then: 200 });
      });
      it('by its client, which goes away: the handler learns that it is not whole', async () => {
        const read = new Promise<number>((resolve) => { during.uploaded = resolve; });
        const asked = httpRequest(new URL('/v1/notes/files', service.url), { method: 'POST', headers: { 'x-gateway-token': gatewayToken({ aud: 'desk', op: 'uploadNotes', ...writer }), 'content-type': 'application/xml' } });
        asked.on('error', () => undefined);
        asked.write('x'.repeat(1000), () => setTimeout(() => asked.destroy(), 50));
        expect(await read).to.equal(1000);
        during.uploaded = () => undefined;
        expect((await service.request('GET', '/livez')).status).to.equal(200);
      });
    });

    it('a body that is no JSON, as a stream, up to the limit of its operation', async () => {
      const upload = (body: string, type = 'application/xml') =>
        service.request('POST', '/v1/notes/files', { op: 'uploadNotes', caller: writer, body, headers: { 'content-type': type, accept: 'application/xml' } });
      expect((await upload('x'.repeat(1024 * 1024))).body).to.equal('<bytes>1048576</bytes>');
      expectProblem(await upload('x'.repeat(1024 * 1024 + 1)), 413, 'payload_too_large');
      expectProblem(await upload('{}', 'application/json'), 415, 'unsupported_media_type');
    });

    it('a request to a page of its own, without a token', async () => {
      expect((await service.request('GET', '/internal/words')).body).to.deep.equal({ words: [] });
    });
  });

  describe('refuses', () => {
    for (const [why, body] of [
      ['a number as amount', { ...good, amount: 12.5 }], ['an unknown field', { ...good, extra: 1 }], ['a forged prototype', '{"word":"w","amount":"1","__proto__":{"x":1}}'],
      ['a missing field', { word: 'x' }], ['a list', []], ['text', '"x"'], ['null', 'null'], ['an impossible date', { ...good, day: '2026-02-30' }], ['a date without time zone', { ...good, at: '2026-01-01T00:00:00' }],
    ] as const) {
      it(`a body with ${why}`, async () => {
        const answer = await write(body);
        expectProblem(answer, 400, ['text', 'null'].includes(why) ? 'malformed_json' : 'invalid_request');
      });
    }

    it('a body and says every place that is wrong', async () => {
      const answer = await write({ word: 5, extra: 1 });
      expect(answer.body.errors.map(({ path }: { path: string }) => path)).to.include.members(['/body/word', '/body/amount', '/body/extra']);
      expect(answer.body.errors[0]).to.have.keys(['path', 'message']);
    });

    it('a body full of errors with a short answer', async () => {
      const answer = await write(Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`x${i}`, 1])));
      expect(answer.body.errors).to.have.length(20);
    });

    it('a body that is no JSON', async () => expectProblem(await write('{"word":'), 400, 'malformed_json'));
    it('no body', async () => expectProblem(await write(undefined), 415, 'unsupported_media_type'));
    it('another content type', async () => expectProblem(await write('word=x', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }), 415, 'unsupported_media_type'));
    it('another character set', async () => expectProblem(await write(good, { headers: { 'content-type': 'application/json; charset=iso-8859-1' } }), 415, 'unsupported_media_type'));
    it('a body over 256 kB', async () => expectProblem(await write({ ...good, word: 'x'.repeat(262_200) }), 413, 'payload_too_large'));
    it('an answer in HTML', async () => expectProblem(await write(good, { headers: { accept: 'text/html' } }), 406, 'not_acceptable'));
    it('a write without Idempotency-Key', async () => expectProblem(await service.request('POST', '/v1/notes', { op: 'writeNote', caller: writer, body: good }), 400, 'idempotency_key_required'));
    it('an unsound Idempotency-Key', async () => expectProblem(await write(good, { headers: { 'idempotency-key': 'a b' } }), 400, 'idempotency_key_required'));
    it('a query out of bounds', async () => expectProblem(await service.request('GET', '/v1/notes?limit=101', { op: 'listNotes', caller: reader }), 400, 'invalid_request'));
    it('a query given twice', async () => expectProblem(await service.request('GET', '/v1/notes?limit=1&limit=2', { op: 'listNotes', caller: reader }), 400, 'invalid_request'));
    it('an unknown query', async () => expectProblem(await service.request('GET', '/v1/notes?where=1', { op: 'listNotes', caller: reader }), 400, 'invalid_request'));
    it('an id that is none', async () => expectProblem(await service.request('DELETE', '/v1/notes/17', { op: 'burnNote', caller: writer }), 400, 'invalid_request'));
    it('an address with nothing there', async () => expectProblem(await service.request('GET', '/v1/nothing', { op: 'listNotes' }), 404, 'not_found'));
    it('a broken escape in the address', async () => expectProblem(await service.request('DELETE', '/v1/notes/%E0%A4%A', { op: 'burnNote' }), 400, 'invalid_request'));

    for (const path of ['/V1/notes', '/v1/notes/', '//v1/notes', '/v1//notes', '/v1/notes;x=1', '/v1/%6eotes/']) {
      it(`the variant ${path} of an address`, async () => {
        const { port } = new URL(service.url);
        const status = await new Promise((resolve, reject) => {
          httpRequest({ port, path, host: '127.0.0.1', headers: { 'x-gateway-token': gatewayToken({ aud: 'desk', op: 'listNotes', ...reader }) } }, (answer) => resolve(answer.resume().statusCode)).on('error', reject).end();
        });
        expect(status).to.be.oneOf([404, 401]);
      });
    }

    it('another method, and says which there are', async () => {
      const answer = await service.request('PUT', '/v1/notes', { op: 'listNotes' });
      expectProblem(answer, 405, 'method_not_allowed');
      expect(answer.headers.allow?.split(', ')).to.have.members(['GET', 'POST']);
      expect((await service.request('HEAD', '/v1/notes', { op: 'listNotes' })).status).to.equal(405);
    });

    it('a method told in a header', async () => {
      const answer = await service.request('GET', `/v1/notes/${noteId}`, { op: 'burnNote', caller: writer, headers: { 'x-http-method-override': 'DELETE' } });
      expectProblem(answer, 401, 'invalid_token');
    });

    for (const header of ['X-Gateway-Token', 'Idempotency-Key', 'Content-Type', 'Authorization', 'X-Correlation-Id']) {
      it(`the header ${header} sent twice`, async () => {
        const answer = await raw(service, ['POST /v1/notes HTTP/1.1', 'Host: desk', `${header}: one`, `${header}: two`, 'Content-Length: 2', '', '{}']);
        expect(answer).to.match(/^HTTP\/1\.1 400 /).and.include('"code":"duplicate_header"');
      });
    }

    it('more than 100 headers', async () => {
      const answer = await raw(service, ['GET /v1/notes HTTP/1.1', 'Host: desk', ...Array.from({ length: 101 }, (_, i) => `X-N${i}: 1`), '', '']);
      expect(answer).to.match(/^HTTP\/1\.1 400 /);
    });

    it('with the words of the handler', async () => {
      const answer = await write({ ...good, word: 'refuse' });
      expectProblem(answer, 409, 'invalid_state');
      expect(answer.body.detail).to.equal('Not today.');
    });
  });

  describe('keeps its faults to itself', () => {
    it('when a handler throws', async () => {
      const answer = await write({ ...good, word: 'crash' });
      expectProblem(answer, 500, 'internal');
      expect(JSON.stringify(answer.body)).to.not.include('fault of ours');
    });

    for (const [why, body] of [['a field too many', { noteId, word: 'w', at: '2026-01-01T00:00:00Z', iban: 'x' }], ['a field too few', { noteId }], ['nothing', undefined]] as const) {
      it(`when an answer has ${why}`, async () => {
        const before = during.get;
        during.get = () => body;
        const answer = await service.request('GET', `/v1/notes/${noteId}`, { op: 'getNote', caller: { ...reader, consent } });
        during.get = before;
        expectProblem(answer, 500, 'internal');
      });
    }

    it('when an answer has a status the contract does not name', async () => {
      expectProblem(await service.request('DELETE', `/v1/notes/${newId()}`, { op: 'burnNote', caller: writer }), 500, 'internal');
    });
  });

  describe('believes only the gateway token', () => {
    const call = (token: string | undefined): Promise<TestAnswer> => service.request('GET', '/v1/notes', { headers: token === undefined ? {} : { 'x-gateway-token': token } });
    const token = (more: Partial<TokenOptions> = {}): string => gatewayToken({ aud: 'desk', op: 'listNotes', ...reader, ...more });
    const now = Math.floor(Date.now() / 1000);

    it('and accepts a good one', async () => expect((await call(token())).status).to.equal(200));
    it('and refuses a request without', async () => {
      const answer = await call(undefined);
      expectProblem(answer, 401, 'unauthenticated');
      expect(answer.headers).to.have.property('www-authenticate');
    });

    const unsigned = [{ alg: 'none', typ: 'JWT' }, { iss: 'kontor-gateway', aud: 'desk', sub: 'x', op: 'listNotes', scopes: ['notes'], roles: ['reader'], iat: now, exp: now + 30 }]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const cases: Record<string, string> = {
      'another signer': token({ keys: strangerKeys }),
      'no signature': `${unsigned}.`,
      'an altered claim': token().replace(/\.[^.]+\./, (claims) => `.${Buffer.from(Buffer.from(claims.slice(1, -1), 'base64url').toString().replace('reader', 'writer')).toString('base64url')}.`),
      'another algorithm in its header': token({ header: { alg: 'HS256' } }),
      'another service as audience': token({ aud: 'payment' }),
      'a list of audiences': token({ claims: { aud: ['desk', 'payment'] } }),
      'another issuer': token({ claims: { iss: 'someone' } }),
      'another operation': token({ op: 'writeNote' }),
      'no operation': token({ claims: { op: undefined } }),
      'no client': token({ claims: { sub: undefined } }),
      'no expiry': token({ claims: { exp: undefined } }),
      'an end in the past': token({ claims: { iat: now - 60, exp: now - 6 } }),
      'a long life': token({ claims: { exp: now + 3600 } }),
      'a beginning in the future': token({ claims: { iat: now + 60, exp: now + 90 } }),
      'scopes that are text': token({ claims: { scopes: 'notes' } }),
      'roles that are no list': token({ claims: { roles: { 0: 'reader' } } }),
      'a consent of another shape': token({ claims: { consent: { id: 'c', permissions: 'notes:read' } } }),
      'nothing in it': 'x',
    };
    for (const [why, bad] of Object.entries(cases)) it(`and refuses one with ${why}`, async () => expectProblem(await call(bad), 401, 'invalid_token'));

    it('and a token it has verified before no longer than it lives, and no other with its beginning', async () => {
      const known = token();
      expect([(await call(known)).status, (await call(known)).status]).to.deep.equal([200, 200]);
      expectProblem(await call(`${known.slice(0, -4)}AAAA`), 401, 'invalid_token');
      expectProblem(await service.request('POST', '/v1/notes', { body: {}, headers: { 'x-gateway-token': known, 'idempotency-key': 'k' } }), 401, 'invalid_token');
      const clock = Date.now;
      Date.now = () => clock() + 36_000;
      try {
        expectProblem(await call(known), 401, 'invalid_token');
      } finally {
        Date.now = clock;
      }
    });

    it('and still accepts one that ended less than 5 s ago', async () => expect((await call(token({ claims: { iat: now - 30, exp: Math.floor(Date.now() / 1000) - 2 } }))).status).to.equal(200));
    it('and refuses a missing scope', async () => expectProblem(await call(token({ scopes: ['other'] })), 403, 'insufficient_scope'));
    it('and refuses a missing role', async () => expectProblem(await call(token({ roles: ['compliance'] })), 403, 'role_required'));
    it('and says so before it reads the body', async () => {
      expectProblem(await service.request('POST', '/v1/notes', { body: '{', headers: { 'idempotency-key': 'k' } }), 401, 'unauthenticated');
    });
  });

  describe('asks for the consent its contract names', () => {
    const get = (given?: typeof consent): Promise<TestAnswer> => service.request('GET', `/v1/notes/${noteId}`, { op: 'getNote', caller: given ? { ...reader, consent: given } : reader });
    it('and answers with it', async () => expect((await get(consent)).status).to.equal(200));
    it('and refuses without', async () => expectProblem(await get(), 403, 'consent_required'));
    it('and refuses one without the permission', async () => expectProblem(await get({ ...consent, permissions: ['other:read'] }), 403, 'consent_permission_missing'));
    it('and refuses one for other accounts', async () => expectProblem(await get({ ...consent, accounts: [newId()] }), 403, 'consent_account_not_covered'));
  });

  describe('marks its answers', () => {
    it('with the correlation id it was given, when it is sound', async () => {
      expect((await service.request('GET', '/v1/notes', { op: 'listNotes', headers: { 'x-correlation-id': 'my-id.1' } })).headers['x-correlation-id']).to.equal('my-id.1');
      expect((await service.request('GET', '/v1/nothing', { headers: { 'x-correlation-id': 'a b<script>' } })).headers['x-correlation-id']).to.match(/^[0-9a-f-]{36}$/);
    });

    it('as not to be stored', async () => expect((await service.request('GET', '/v1/notes', { op: 'listNotes' })).headers['cache-control']).to.equal('no-store'));

    it('in its metrics by the template, never by an id', async () => {
      await service.request('GET', `/v1/notes/${noteId}`, { op: 'getNote', caller: { ...reader, consent } });
      const { body } = await service.request('GET', '/metrics');
      expect(body).to.match(/http_server_request_duration_seconds_count\{service="desk",method="GET",route="\/v1\/notes\/\{noteId\}",status="200"\}/);
      expect(body).to.include('outbox_oldest_seconds').and.not.include(noteId);
    });
  });

  it('does not have its sandbox operations outside the sandbox', async () => {
    expect((await service.request('POST', '/sandbox/notes', { op: 'inventNote' })).status).to.equal(204);
    expectProblem(await service.request('POST', '/sandbox/notes', { op: 'inventNote', caller: { roles: ['writer'] } }), 403, 'role_required');
    const real = await testService(options, { SANDBOX: 'false' });
    expectProblem(await real.request('POST', '/sandbox/notes', { op: 'inventNote' }), 404, 'not_found');
    await real.stop();
  });
});

describe('a contract', () => {
  const contract = (operation: object): Parameters<typeof operationsOf>[0] => ({ paths: { '/v1/x/{id}': { get: operation } } });
  const access = { scopes: ['a'], roles: ['b'] };

  for (const [why, operation] of [
    ['has no operationId', { 'x-access': access }], ['names no x-access', { operationId: 'x' }], ['asks for no scope', { operationId: 'x', 'x-access': { roles: ['b'] } }],
    ['asks for no role', { operationId: 'x', 'x-access': { scopes: ['a'], roles: [] } }], ['has a consent without permission', { operationId: 'x', 'x-access': access, 'x-consent': {} }],
    ['names an account that is no path parameter', { operationId: 'x', 'x-access': access, 'x-consent': { permission: 'p', account: 'accountId' } }],
  ] as const) {
    it(`is not served when an operation ${why}`, () => expect(() => operationsOf(contract(operation))).to.throw('cannot be served'));
  }

  it('is not served when an operationId is used twice', () => {
    const get = { operationId: 'x', 'x-access': access };
    expect(() => operationsOf({ paths: { '/a': { get }, '/b': { get } } })).to.throw('used twice');
  });

  it('is not served with a handler missing or left over', () => {
    const operations = operationsOf(contract({ operationId: 'getX', 'x-access': access }));
    const parts = { name: 'desk', contract: { operations, validator: () => () => undefined }, gatewayTokenPublicKey: testKeys.publicKey, sandbox: true } as never as Parameters<typeof createApp>[0];
    const handler = async (): Promise<{ status: number }> => ({ status: 200 });
    expect(() => createApp({ ...parts, routes: {} })).to.throw('no handler for the operation getX');
    expect(() => createApp({ ...parts, routes: { getX: handler, getY: handler } })).to.throw('a handler for getY');
  });
});

/** Sends bytes as they are and gives back the whole answer. */
async function raw(service: TestService, lines: readonly string[]): Promise<string> {
  const { connect } = await import('node:net');
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1', () => socket.write(lines.join('\r\n')));
    let answer = '';
    socket.on('data', (bytes) => {
      answer += bytes.toString();
      if (answer.includes('\r\n\r\n') && answer.includes('}')) socket.end();
    });
    socket.on('close', () => resolve(answer)).on('error', reject);
  });
}
