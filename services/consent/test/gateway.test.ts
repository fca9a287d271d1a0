import { expect } from 'chai';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transient } from '@kontor/kernel/messaging';
import { Problem } from '@kontor/kernel/problem';
import { gatewayAt, type Gateway } from '../src/gateway.js';
import { tokenSubscriptions } from '../src/subscriptions.js';

interface Asked { method: string; url: string; key: string | undefined; body: string }

/** What the gateway really does with these requests is in tests/gateway/consent-tokens.test.ts; here it is what this service makes of its answers. */
describe('the gateway, asked by the consent service', () => {
  let server: Server;
  let gateway: Gateway;
  let asked: Asked[];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  before(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        asked.push({ method: request.method!, url: request.url!, key: request.headers['x-provision-key'] as string | undefined, body });
        answer(request, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    gateway = gatewayAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}/oauth2`, 'the-key');
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => { asked = []; });

  const says = (status: number, body = '') => { answer = (_request, response) => void response.writeHead(status, { 'content-type': 'application/json' }).end(body); };
  const breaks = () => { answer = (request) => void request.socket.destroy(); };
  const faultOf = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => undefined, (fault: unknown) => fault);

  it('ends the tokens of a consent', async () => {
    says(204);
    await gateway.endTokens('consent/1');
    expect(asked).to.deep.equal([{ method: 'DELETE', url: '/oauth2/consents/consent%2F1/tokens', key: 'the-key', body: '' }]);
  });
  for (const status of [200, 401, 404, 429, 500, 503]) {
    it(`has not ended them where it answers ${status}: the event waits`, async () => {
      says(status, '{}');
      expect(await faultOf(gateway.endTokens('c'))).to.be.instanceOf(Transient);
    });
  }
  it('has not ended them where the connection breaks', async () => {
    breaks();
    expect(await faultOf(gateway.endTokens('c'))).to.be.instanceOf(Transient);
  });

  it('says what a token is good for', async () => {
    says(200, '{"active":true,"sub":"consent-1"}');
    expect(await gateway.introspect('a token&x=1')).to.deep.equal({ active: true, sub: 'consent-1' });
    expect(asked[0]).to.include({ method: 'POST', url: '/oauth2/introspect', key: 'the-key', body: 'token=a+token%26x%3D1' });
  });
  for (const [what, act] of [['refuses', () => says(401, '{}')], ['answers no JSON', () => says(200, 'yes')], ['breaks the connection', breaks]] as const) {
    it(`says so where the gateway ${what} when asked about a token`, async () => {
      act();
      const fault = await faultOf(gateway.introspect('t'));
      expect(fault).to.be.instanceOf(Problem).and.to.include({ code: 'bad_gateway' });
    });
  }

  describe('after the end of a consent', () => {
    const event = (type: string, time: string) => ({ type, subject: 'consent-1', time }) as never;
    const ended: string[] = [];
    const hear = tokenSubscriptions({ endTokens: (consentId) => Promise.resolve(void ended.push(consentId)), now: () => new Date('2026-11-22T10:00:00Z') });
    beforeEach(() => { ended.length = 0; });

    for (const type of ['consent.revoked', 'consent.withdrawn', 'consent.expired', 'consent.rejected'] as const) {
      it(`ends its tokens (${type})`, async () => {
        await hear[type]!(event(type, '2026-11-22T09:59:00Z'));
        expect(ended).to.deep.equal(['consent-1']);
      });
    }
    it('leaves the tokens of a payment\'s used-up consent, whose repetition still gets its first answer', () => {
      expect(Object.keys(hear)).to.not.include('consent.consumed');
    });
    it('lets the application hear the reason first, and waits no longer for an event of a clock that is ahead', async () => {
      const hearing = hear['consent.revoked']!(event('consent.revoked', '2026-11-22T23:00:00Z'));
      expect(ended).to.be.empty;
      await hearing;
      expect(ended).to.deep.equal(['consent-1']);
    });
  });
});
