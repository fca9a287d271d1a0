import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { Client, expectProblem, type Answer } from './client.js';
import { deckVariables, houseState, onEachTarget, type Target } from './target.js';
import { startUpstream, type Upstream } from './upstream.js';

const MEGABYTE = 1024 * 1024;

/** A file of payments may be larger than any other body (`x-body` of its operation), and no other body may be so large. */
onEachTarget('A file of payments at the gateway', ({ start }) => {
  let upstream: Upstream;
  let target: Target;
  let client: Client;
  let authorization: string;

  before(async function () {
    this.timeout(120_000);
    upstream = await startUpstream();
    target = await start(houseState(), deckVariables(upstream.url));
    client = new Client(target);
    const app = await client.app(['pisp']);
    const consentId = randomUUID();
    await client.decide(consentId, { clientId: app.clientId, accounts: [randomUUID()], permissions: ['payments:initiate'] });
    authorization = `Bearer ${await client.consentToken(app, consentId, 'payments')}`;
  });
  after(async () => {
    await client?.close();
    await target?.stop();
    await upstream?.stop();
  });
  beforeEach(() => upstream.reset());

  const post = (path: string, bytes: number, type: string): Promise<Answer> =>
    client.ask('POST', path, { headers: { authorization, 'content-type': type, 'idempotency-key': randomUUID() }, body: Buffer.alloc(bytes, ' ') });

  it('passes whole, with a gateway token, up to 64 MB', async () => {
    for (const bytes of [MEGABYTE, 8 * MEGABYTE]) {
      const answer = await post('/v1/bulk-payments/files', bytes, 'application/xml');
      expect(answer.status, answer.text).to.equal(200);
      expect(upstream.last().headers['x-gateway-token']).to.be.a('string');
      expect(upstream.last().body.length).to.equal(bytes);
    }
  });
  it('beyond that is refused, and reaches no service', async () => {
    expectProblem(await post('/v1/bulk-payments/files', 64 * MEGABYTE + 1, 'application/xml'), 413, 'payload_too_large');
    expect(upstream.arrived).to.be.empty;
  });
  it('as JSON has its own limit, 8 MB, and a single payment the usual one', async () => {
    expect((await post('/v1/bulk-payments', MEGABYTE, 'application/json')).status).to.equal(200);
    expectProblem(await post('/v1/bulk-payments', 8 * MEGABYTE + 1, 'application/json'), 413, 'payload_too_large');
    expectProblem(await post('/v1/payments', MEGABYTE, 'application/json'), 413, 'payload_too_large');
  });
});
