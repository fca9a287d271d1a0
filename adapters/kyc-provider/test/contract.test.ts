import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { newEvent } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { Transient } from '@kontor/kernel/messaging';
import { testService, type TestService } from '@kontor/testing/service';
import { simulator } from '../simulator/simulator.js';
import { options } from '../src/main.js';
import { identityProvider, type IdentityProvider, type ProviderOptions } from '../src/provider.js';

const API_KEY = 'a-key-for-the-simulator';
const PERSON = { birthDate: '1990-12-10', nationality: 'DE', residence: 'DE' };

interface Listening {
  url: string;
  requests: () => number;
  close(): Promise<void>;
}

async function listening(listener: RequestListener): Promise<Listening> {
  let requests = 0;
  const server: Server = createServer((request, response) => {
    requests++;
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => requests,
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}

describe('Contract with the identity provider', () => {
  let provider: Listening;
  let client: IdentityProvider;

  const clientOf = (part: Partial<ProviderOptions> = {}): IdentityProvider =>
    identityProvider({ url: provider.url, apiKey: API_KEY, timeoutMs: 200, attempts: 3, pauseMs: 5, resetMs: 150, ...part });
  const check = (family: string, reference: string = newId()): ReturnType<IdentityProvider['check']> =>
    client.check(reference, { ...PERSON, name: { given: 'Ada', family } });
  const faultOf = (call: Promise<unknown>): Promise<Error> => call.then(() => { throw new Error('it answered'); }, (fault: Error) => fault);

  beforeEach(async () => {
    provider = await listening(simulator({ apiKey: API_KEY, seed: 1 }));
    client = clientOf();
  });
  afterEach(async () => {
    await client.close();
    await provider.close();
  });

  for (const [family, identity] of [['Sandbox', 'verified'], ['Refer', 'refer'], ['FAIL', 'failed'], ['Unprocessable', 'refer']] as const)
    it(`${family} is ${identity}`, async () => {
      expect(await check(family)).to.have.property('identity', identity);
    });

  for (const [family, attempts] of [['Timeout', 2], ['Flaky', 3], ['Garbage', 2], ['Limited', 2]] as const)
    it(`${family} is verified at attempt ${attempts}`, async () => {
      expect(await check(family)).to.have.property('identity', 'verified');
      expect(provider.requests()).to.equal(attempts);
    });

  it('names a check by its reference: asked again, the provider gives the same one', async () => {
    const reference = newId();
    expect(await check('Sandbox', reference)).to.deep.equal(await check('Sandbox', reference));
  });

  it('gives up for now after three attempts', async () => {
    expect(await faultOf(check('Unavailable'))).to.be.instanceOf(Transient);
    expect(provider.requests()).to.equal(3);
  });

  it('stops asking a provider that keeps failing, and comes back when it recovers', async () => {
    await faultOf(check('Unavailable'));
    await faultOf(check('Unavailable'));
    const asked = provider.requests();
    expect(await faultOf(check('Sandbox'))).to.be.instanceOf(Transient);
    expect(provider.requests()).to.equal(asked);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await check('Sandbox')).to.have.property('identity', 'verified');
  });

  it('counts a refused key as a fault of ours, never as an outcome', async () => {
    await client.close();
    client = clientOf({ apiKey: 'another-key-entirely' });
    expect(await faultOf(check('Sandbox'))).to.be.instanceOf(Transient);
  });

  it('counts a provider that is not there as a passing fault', async () => {
    await provider.close();
    expect(await faultOf(check('Sandbox'))).to.be.instanceOf(Transient);
    provider = await listening(simulator({ apiKey: API_KEY, seed: 1 }));
  });

  for (const [what, body] of [['an outcome nobody knows', '{"id":"X-1","outcome":"maybe"}'], ['no outcome', '{"id":"X-1"}'], ['no reference', '{"outcome":"pass"}'], ['null', 'null']])
    it(`does not take ${what} for a verified person`, async () => {
      const liar = await listening((_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end(body));
      const asking = identityProvider({ url: liar.url, apiKey: API_KEY, timeoutMs: 200, attempts: 2, pauseMs: 1, resetMs: 100 });
      expect(await faultOf(asking.check(newId(), { ...PERSON, name: { given: 'Ada', family: 'Sandbox' } }))).to.be.instanceOf(Transient);
      await asking.close();
      await liar.close();
    });
});

describe('KYC provider adapter', () => {
  let provider: Listening;
  let adapter: TestService;

  before(async () => {
    provider = await listening(simulator({ apiKey: API_KEY, seed: 1 }));
    adapter = await testService(options, { KYC_PROVIDER_URL: provider.url, KYC_PROVIDER_API_KEY: API_KEY });
  });
  after(async () => {
    await adapter.stop();
    await provider.close();
  });

  const asked = (given: string, family: string, caseId: string = newId()): ReturnType<typeof newEvent<'kyc.check-requested'>> => newEvent('kyc.check-requested', {
    subject: caseId, source: 'kyc', context: { correlationId: 'c-1', traceparent: '', clientId: 'app-1' },
    data: { caseId, customerId: newId(), clientId: 'app-1', name: { given, family }, ...PERSON },
  });

  it('answers a request with identity and screening', async () => {
    const request = asked('Ada', 'Sandbox');
    await adapter.deliver(request);
    const event = (await adapter.events()).at(-1)!;
    expect(event).to.include({ type: 'kyc.check-completed', subject: request.data.caseId, source: 'kyc-provider', correlationid: 'c-1', customerid: request.data.customerId });
    expect(event.data).to.deep.include({ caseId: request.data.caseId, identity: 'verified', screening: 'clear', matches: [] });
  });

  it('tells the same event when the request is delivered again', async () => {
    const request = asked('Ada', 'Refer');
    await adapter.deliver(request);
    await adapter.deliver(request);
    const [first, second] = (await adapter.events()).slice(-2);
    expect(second!.id).to.equal(first!.id);
  });

  it('finds the fictional people of the sandbox list, without middle name and in another order', async () => {
    for (const [given, family] of [['Maximus', 'Schattenfeld'], ['Schattenfeld', 'Maximus'], ['Esmeralda', 'Villanova'], ['Sameer', 'Al Khayali']]) {
      await adapter.deliver(asked(given!, family!));
      const { data } = (await adapter.events()).at(-1)!;
      expect(data, `${given} ${family}`).to.have.property('screening', 'potential-match');
    }
  });

  it('does not start on a list that is missing, empty or of another form, nor outside the sandbox without one', async () => {
    const env = { KYC_PROVIDER_URL: provider.url, KYC_PROVIDER_API_KEY: API_KEY };
    const { pathname: here } = new URL('contract.test.ts', import.meta.url);
    const wrongs: Record<string, string>[] = [{ SANCTIONS_FILES: '/nowhere/list.csv' }, { SANCTIONS_FILES: '/dev/null' }, { SANCTIONS_FILES: here }, { SANDBOX: 'false' }];
    for (const wrong of wrongs) {
      const started = await testService(options, { ...env, ...wrong }).then(async (service) => { await service.stop(); return true; }, () => false);
      expect(started, JSON.stringify(wrong)).to.equal(false);
    }
  });
});
