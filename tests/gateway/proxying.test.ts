import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { request as send } from 'undici';
import { Client, expectProblem } from './client.js';
import { deckVariables, onEachTarget, PROBE_STATE, type Target } from './target.js';
import { startUpstream, type Upstream } from './upstream.js';

onEachTarget('Proxying', ({ start }) => {
  let upstream: Upstream;
  let target: Target;
  let client: Client;

  before(async () => {
    upstream = await startUpstream();
    const closed = await startUpstream();
    await closed.stop();
    target = await start(PROBE_STATE, deckVariables(upstream.url, { DECK_PROBE_URL: `${upstream.url}/base`, DECK_CLOSED_PORT: String(closed.port), DECK_HANGING_PORT: '2' }));
    client = new Client(target);
  });
  after(async () => {
    await client?.close();
    await target?.stop();
    await upstream?.stop();
  });
  beforeEach(() => upstream.reset());

  describe('the request', () => {
    it('keeps method, query, body and headers, and names the gateway in Via', async () => {
      const answer = await client.ask('POST', '/open/a?x=1&x=2&y=%20', { plain: true, headers: { 'x-own': 'ä'.normalize('NFC') && 'abc', accept: 'text/html' }, body: { a: 1 } });
      expect(answer.status).to.equal(200);
      const arrived = upstream.last();
      expect(arrived).to.include({ method: 'POST', url: '/base/open/a?x=1&x=2&y=%20' });
      expect(arrived.headers).to.include({ 'x-own': 'abc', accept: 'text/html', 'content-type': 'application/json', 'content-length': '7' });
      expect(arrived.headers.via).to.match(/^1\.1 (kontor-gateway|kong\/\d)/);
      expect(arrived.headers.host).to.match(/^127\.0\.0\.1:\d+$/);
      expect(arrived.body.toString()).to.equal('{"a":1}');
    });
    it('loses the matched prefix where the route says so', async () => {
      await client.ask('GET', '/stripped/a/b?c', { plain: true });
      expect(upstream.last().url).to.equal('/base/a/b?c');
      expect(upstream.last().headers).to.include({ 'x-forwarded-prefix': '/stripped', 'x-forwarded-path': '/stripped/a/b' });
      await client.ask('GET', '/stripped', { plain: true });
      expect(upstream.last().url).to.equal('/base');
    });
    it('loses hop-by-hop headers and those the client declares so', async () => {
      const answer = await client.raw(['GET /open HTTP/1.1', 'Host: a', 'Connection: close, X-Drop', 'X-Drop: 1', 'X-Keep: 1', 'Keep-Alive: 5', 'TE: trailers', 'Proxy-Authorization: Basic x', 'Proxy-Connection: x', 'Upgrade: h2c', 'HTTP2-Settings: x', '', ''].join('\r\n'));
      expect(answer).to.match(/^HTTP\/1\.1 200/);
      expect(upstream.last().headers).to.have.property('x-keep');
      expect(upstream.last().headers).to.not.have.any.keys('x-drop', 'te', 'proxy-authorization', 'proxy-connection', 'upgrade', 'http2-settings', 'keep-alive');
    });
    it('waits for 100 Continue only when the route takes it', async () => {
      const ask = (path: string) => new Promise<{ status: number; continued: boolean }>((resolve, reject) => {
        let continued = false;
        const request = http.request(target.proxyUrl + path, { method: 'POST', headers: { expect: '100-continue', 'content-length': '5' } }, (answer) => {
          answer.resume();
          resolve({ status: answer.statusCode!, continued });
        });
        request.on('continue', () => {
          continued = true;
          request.end('hello');
        });
        request.on('error', reject);
        request.flushHeaders();
      });
      expect(await ask('/open')).to.deep.equal({ status: 200, continued: true });
      expect(upstream.last().body.toString()).to.equal('hello');
      expect(upstream.last().headers).to.not.have.property('expect');
      // nginx takes the body before Kong finds no route.
      expect(await ask('/nothing-here')).to.deep.equal({ status: 404, continued: !target.embedded });
    });
  });

  describe('the answer', () => {
    it('keeps status, headers and several cookies, and loses hop-by-hop headers', async () => {
      upstream.answer = (_request, response) => void response.writeHead(418, { 'set-cookie': ['a=1', 'b=2'], 'x-own': '1', connection: 'close, x-drop', 'x-drop': '1', 'keep-alive': 'timeout=1' }).end('short and stout');
      const answer = await send(`${target.proxyUrl}/open`);
      expect(answer.statusCode).to.equal(418);
      expect(answer.headers['set-cookie']).to.deep.equal(['a=1', 'b=2']);
      expect(answer.headers).to.include({ 'x-own': '1' });
      expect(answer.headers.server ?? '').to.not.match(/\d/);
      expect(answer.headers).to.not.have.any.keys('x-drop');
      expect(await answer.body.text()).to.equal('short and stout');
    });
    it('passes a service\'s own problem untouched', async () => {
      upstream.answer = (_request, response) => void response.writeHead(409, { 'content-type': 'application/problem+json' }).end('{"code":"conflict"}');
      const answer = await client.ask('GET', '/open', { plain: true });
      expect([answer.status, answer.text]).to.deep.equal([409, '{"code":"conflict"}']);
    });
    it('may have no body', async () => {
      upstream.answer = (_request, response) => void response.writeHead(204).end();
      const answer = await client.ask('DELETE', '/open', { plain: true });
      expect([answer.status, answer.text]).to.deep.equal([204, '']);
    });
    it('to HEAD has the length and no body', async () => {
      upstream.answer = (_request, response) => void response.writeHead(200, { 'content-length': '1234' }).end();
      const answer = await client.ask('HEAD', '/open', { plain: true });
      expect(answer.status).to.equal(200);
      expect(answer.headers['content-length']).to.equal('1234');
    });
  });

  describe('streams', () => {
    const big = randomBytes(8 * 1024 * 1024);
    const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

    it('8 MB up with a length, unchanged', async () => {
      const answer = await client.ask('POST', '/open', { plain: true, body: big });
      expect(answer.status).to.equal(200);
      expect(upstream.last().headers['content-length']).to.equal(String(big.length));
      expect(digest(upstream.last().body)).to.equal(digest(big));
    });
    it('chunks up as they come: the service has the first before the client sends the last', async () => {
      const seen: string[] = [];
      let first: () => void;
      const firstSeen = new Promise<void>((resolve) => (first = resolve));
      upstream.stream = (request, response) => {
        request.on('data', (chunk: Buffer) => {
          seen.push(chunk.toString());
          first();
        });
        request.on('end', () => response.end('done'));
      };
      const status = await new Promise<number>((resolve, reject) => {
        const request = http.request(`${target.proxyUrl}/open`, { method: 'POST' }, (answer) => {
          answer.resume();
          resolve(answer.statusCode!);
        });
        request.on('error', reject);
        request.write('one');
        void firstSeen.then(() => request.end('two'));
      });
      expect(status).to.equal(200);
      expect(seen.join('')).to.equal('onetwo');
    });
    it('8 MB down, unchanged, and the first bytes before the service has sent the last', async () => {
      let finish: () => void;
      const firstArrived = new Promise<void>((resolve) => (finish = resolve));
      upstream.stream = (_request, response) => {
        response.writeHead(200);
        response.write(big.subarray(0, 1000));
        void firstArrived.then(() => response.end(big.subarray(1000)));
      };
      const answer = await send(`${target.proxyUrl}/open`);
      const chunks: Buffer[] = [];
      for await (const chunk of answer.body) {
        chunks.push(chunk as Buffer);
        finish!();
      }
      expect(digest(Buffer.concat(chunks))).to.equal(digest(big));
    });
    it('down no faster than the client reads', async () => {
      let written = 0;
      upstream.stream = (_request, response) => {
        response.on('error', () => undefined);
        response.writeHead(200);
        const chunk = Buffer.alloc(64 * 1024);
        const pump = () => {
          while (written < 64 * 1024 * 1024 && response.write(chunk)) written += chunk.length;
        };
        response.on('drain', pump);
        pump();
      };
      const request = http.get(`${target.proxyUrl}/open`);
      const answer = await new Promise<http.IncomingMessage>((resolve) => request.on('response', resolve));
      answer.pause();
      await pause(300);
      expect(written).to.be.lessThan(32 * 1024 * 1024);
      request.destroy();
    });
    it('and tells the service when the client goes away', async () => {
      const gone = new Promise<void>((resolve) => {
        upstream.stream = (request, response) => {
          response.on('error', () => undefined);
          response.writeHead(200);
          response.write('x');
          request.socket.on('close', () => resolve());
        };
      });
      const request = http.get(`${target.proxyUrl}/open`, (answer) => {
        answer.on('error', () => undefined);
        request.destroy();
      });
      request.on('error', () => undefined);
      await gone;
    });
    it('and cuts the connection when the service breaks off, so that half an answer is never taken for a whole one', async () => {
      upstream.stream = (request, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('half');
        setTimeout(() => request.socket.destroy(), 20);
      };
      const answer = await send(`${target.proxyUrl}/open`);
      let fault: unknown;
      await answer.body.text().catch((error: unknown) => (fault = error));
      expect(fault).to.be.instanceOf(Error);
    });
  });

  describe('a service that fails is a problem with a correlation id', () => {
    it('down: 502', async () => expectProblem(await client.ask('GET', '/down', { plain: true }), 502, 'bad_gateway'));
    it('without an address: 503', async () => expectProblem(await client.ask('GET', '/nowhere', { plain: true }), 503, 'unavailable'));
    it('no service at all: 503', async () => expectProblem(await client.ask('GET', '/serviceless', { plain: true }), 503, 'unavailable'));
    it('slow to answer: 504, after the route\'s read time-out', async () => {
      upstream.answer = () => undefined;
      const started = performance.now();
      expectProblem(await client.ask('GET', '/open', { plain: true }), 504, 'timeout');
      expect(performance.now() - started).to.be.within(400, 3_000);
      expect(upstream.arrived).to.have.length(1);
    });
    it('breaking the connection: 502, and what may have an effect is not sent again', async () => {
      upstream.answer = (request) => void request.socket.destroy();
      for (const method of ['POST', 'GET']) {
        upstream.arrived = [];
        expectProblem(await client.ask(method, '/open', { plain: true, ...(method === 'POST' ? { body: { a: 1 } } : {}) }), 502, 'bad_gateway');
        // nginx asks again for what has no effect, as often as the service's retries say.
        expect(upstream.arrived.length).to.be.within(1, method === 'POST' || target.embedded ? 1 : 3);
      }
    });
    it('answering garbage: 502', async () => {
      upstream.stream = (request) => void request.socket.end('SMTP ready\r\n\r\n');
      // nginx takes it for HTTP/0.9: the client gets no HTTP answer at all.
      if (target.embedded) expectProblem(await client.ask('GET', '/open', { plain: true }), 502, 'bad_gateway');
      else expect(await client.ask('GET', '/open', { plain: true }).then(() => 'answered', (fault: Error) => fault.name)).to.equal('HTTPParserError');
    });
    it('answering with headers of 100 kB: 502', async () => {
      upstream.stream = (request) => void request.socket.end(`HTTP/1.1 200 OK\r\nX-Big: ${'x'.repeat(100_000)}\r\n\r\n`);
      expectProblem(await client.ask('GET', '/open', { plain: true }), 502, 'bad_gateway');
    });
  });

  it('a path no route takes is a problem: 404', async () => {
    for (const [method, path] of [['GET', '/'], ['GET', '/nothing'], ['PUT', '/named/a/1'], ['GET', '/named/a/b']] as const) expectProblem(await client.ask(method, path, { plain: true }), 404, 'not_found');
    expect(upstream.arrived).to.be.empty;
    expect((await client.ask('GET', '/named/a/1', { plain: true })).status).to.equal(200);
  });

  it('finishes what is running when it stops, and takes nothing new', async () => {
    let arrived: () => void;
    const isThere = new Promise<void>((resolve) => (arrived = resolve));
    upstream.answer = (_request, response) => {
      arrived();
      setTimeout(() => response.end('whole'), 200);
    };
    const running = send(`${target.proxyUrl}/open`);
    await isThere;
    const halted = target.halt();
    const answer = await running;
    expect(await answer.body.text()).to.equal('whole');
    await halted;
    expect(await send(`${target.proxyUrl}/open`).then(() => 'answered', (fault: { code: string }) => fault.code)).to.equal('ECONNREFUSED');
    await target.resume();
    expect((await client.ask('GET', '/open', { plain: true })).status).to.equal(200);
  });
});
