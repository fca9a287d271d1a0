import type { lookup } from 'node:dns';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { startReceiver } from '../simulator/receiver.js';
import { newSecret } from '../src/secrets.js';
import { transport, type Transport } from '../src/transport.js';

const secret = newSecret();

/** A resolver that knows one name. */
const resolving = (...addresses: { address: string; family: number }[]) =>
  ((_name: string, _options: object, callback: (error: null, found: typeof addresses) => void) => callback(null, addresses)) as unknown as typeof lookup;

describe('the transport against a receiver', () => {
  let receiver: Awaited<ReturnType<typeof startReceiver>>;
  let way: Transport;
  const post = (path: string, change: { secret?: string; webhookId?: string; now?: Date } = {}) =>
    way.post({ url: receiver.url + path, webhookId: 'msg-1', body: '{"type":"payment.settled"}', secret, now: new Date(), ...change });
  before(async () => {
    receiver = await startReceiver({ host: '127.0.0.1', port: 0, secrets: [secret], slowMs: 2000 });
    way = transport({ allowPrivate: true, timeoutMs: 400 });
  });
  after(async () => {
    await way.close();
    await receiver.stop();
  });

  it('delivers a body whose signature the receiver verifies', async () => {
    expect(await post('/ok')).to.deep.equal({ status: 204 });
    expect(receiver.received.at(-1)).to.deep.include({ verified: true, webhookId: 'msg-1', body: '{"type":"payment.settled"}' });
  });
  it('is not believed under another secret, or with a signature older than five minutes', async () => {
    expect(await post('/ok', { secret: newSecret() })).to.deep.equal({ status: 401 });
    expect(await post('/ok', { now: new Date(Date.now() - 6 * 60_000) })).to.deep.equal({ status: 401 });
  });
  it('tells what the receiver answered', async () => {
    expect(await post('/gone')).to.deep.equal({ status: 410 });
    expect([await post('/fail-once', { webhookId: 'f-1' }), await post('/fail-once', { webhookId: 'f-1' })]).to.deep.equal([{ status: 500 }, { status: 204 }]);
  });
  it('does not follow a redirect', async () => {
    const before = receiver.received.length;
    expect(await post('/redirect')).to.deep.equal({ status: 302 });
    expect(receiver.received.slice(before).map(({ path }) => path)).to.deep.equal(['/redirect']);
  });
  it('gives up on a slow receiver in time', async () => {
    const started = Date.now();
    expect(await post('/slow')).to.deep.equal({ error: 'timeout' });
    expect(Date.now() - started).to.be.below(1500);
  });
});

describe('the transport against the outside', () => {
  let server: Server;
  let hits = 0;
  let port: number;
  let answer: RequestListener = (_request, response) => response.writeHead(204).end();
  before(async () => {
    server = createServer((request, response) => { hits++; answer(request, response); }).listen(0, '127.0.0.1');
    await new Promise((ready) => server.once('listening', ready));
    port = (server.address() as AddressInfo).port;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const through = async (way: Transport, host: string) => {
    hits = 0;
    const attempt = await way.post({ url: `http://${host}:${port}/`, webhookId: 'm', body: '{}', secret, now: new Date() });
    await way.close();
    return attempt;
  };

  it('refuses a literal private address without connecting', async () => {
    expect(await through(transport({ allowPrivate: false, timeoutMs: 500 }), '127.0.0.1')).to.deep.equal({ error: 'address-refused' });
    expect(hits).to.equal(0);
  });
  it('refuses a public name that leads to a private address when the connection is made', async () => {
    expect(await through(transport({ allowPrivate: false, timeoutMs: 500, lookup: resolving({ address: '127.0.0.1', family: 4 }) }), 'rebound.example')).to.deep.equal({ error: 'address-refused' });
    expect(hits).to.equal(0);
  });
  it('refuses a name as soon as one of its addresses is private', async () => {
    const mixed = resolving({ address: '8.8.8.8', family: 4 }, { address: '::1', family: 6 });
    expect(await through(transport({ allowPrivate: false, timeoutMs: 500, lookup: mixed }), 'mixed.example')).to.deep.equal({ error: 'address-refused' });
  });
  it('takes the name that the sandbox allows', async () => {
    expect(await through(transport({ allowPrivate: true, timeoutMs: 500 }), 'localhost')).to.deep.equal({ status: 204 });
    expect(hits).to.equal(1);
  });
  it('says connection when there is nobody', async () => {
    const way = transport({ allowPrivate: true, timeoutMs: 500 });
    expect(await way.post({ url: 'http://127.0.0.1:1/', webhookId: 'm', body: '{}', secret, now: new Date() })).to.deep.equal({ error: 'connection' });
    await way.close();
  });
  it('is not held up by an answer without end', async () => {
    answer = (_request, response) => {
      response.writeHead(200);
      const flood = setInterval(() => response.write('x'.repeat(8192)), 5);
      response.once('close', () => clearInterval(flood));
    };
    const started = Date.now();
    expect(await through(transport({ allowPrivate: true, timeoutMs: 800 }), '127.0.0.1')).to.deep.equal({ status: 200 });
    expect(Date.now() - started).to.be.below(1500);
  });
});
