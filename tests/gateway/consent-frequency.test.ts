/** How often a consent is used without the customer, and what the access record says of every decision. */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { eventually } from '@kontor/testing/wait';
import { expect } from 'chai';
import { Client, expectProblem, type Answer, type App } from './client.js';
import { deckVariables, houseState, onEachTarget, secrets, type Target } from './target.js';
import { startUpstream, type Upstream } from './upstream.js';

const PRESENT = { 'x-fapi-customer-ip-address': '203.0.113.7' };

onEachTarget('A consent that is used without the customer', ({ start }) => {
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
  });

  async function consented(more: Partial<Parameters<Client['decide']>[1]> = {}): Promise<{ consentId: string; customerId: string; access: string }> {
    const consentId = randomUUID();
    const { customerId } = await client.decide(consentId, { clientId: app.clientId, accounts: [account], frequencyPerDay: 4, ...more });
    return { consentId, customerId, access: await client.consentToken(app, consentId, 'accounts') };
  }

  const call = (path: string, access: string, headers: Record<string, string> = {}): Promise<Answer> =>
    client.ask('GET', path, { headers: { authorization: `Bearer ${access}`, ...headers } });
  const balances = (access: string, headers: Record<string, string> = {}): Promise<Answer> => call(`/v1/accounts/${account}/balances`, access, headers);
  const says = (answer: object | string, status = 200) => {
    consentService.answer = (_request, response: ServerResponse) => void response.writeHead(status, { 'content-type': 'application/json' }).end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  };

  it('has each use counted by the consent service, under operation and account', async () => {
    const { consentId, access } = await consented();
    says({ allowed: true, used: 2, limit: 4 });
    expect((await balances(access)).status).to.equal(200);
    expect(consentService.arrived).to.have.length(1);
    const asked = consentService.last();
    expect(asked).to.include({ method: 'POST', url: `/internal/consents/${consentId}/uses` });
    expect(asked.headers).to.include({ 'x-decision-key': secrets.decisionKey, 'content-type': 'application/json' });
    expect(JSON.parse(asked.body.toString())).to.deep.equal({ operation: 'getBalances', account });
    expect((await call('/v1/accounts', access)).status).to.equal(200);
    expect(JSON.parse(consentService.last().body.toString())).to.deep.equal({ operation: 'listAccounts', account: '' });
  });

  it('is not counted while the customer is there, nor without a frequency', async () => {
    const { access } = await consented();
    expect((await balances(access, PRESENT)).status).to.equal(200);
    const unlimited = await consented({ frequencyPerDay: undefined });
    expect((await balances(unlimited.access)).status).to.equal(200);
    expect(consentService.arrived).to.be.empty;
  });

  it('is counted where the customer\'s address is empty, and refused where it is there twice', async () => {
    const { access } = await consented();
    says({ allowed: true, used: 1, limit: 4 });
    expect((await balances(access, { 'x-fapi-customer-ip-address': '' })).status).to.equal(200);
    expect(consentService.arrived).to.have.length(1);
    const twice = await client.ask('GET', `/v1/accounts/${account}/balances`, { headers: { authorization: `Bearer ${access}`, 'x-fapi-customer-ip-address': ['', '203.0.113.7'] } });
    expectProblem(twice, 400, 'duplicate_header');
  });

  it('is refused with the time to wait once the day is used up; with the customer it goes on', async () => {
    const { access } = await consented();
    says({ allowed: false, used: 4, limit: 4, retryAfter: 3600 });
    const refused = await balances(access);
    expectProblem(refused, 429, 'consent_frequency_exceeded');
    expect(refused.headers['retry-after']).to.equal('3600');
    expect(refused.body.detail).to.include('4 times a day');
    expect(upstream.arrived).to.be.empty;
    expect((await balances(access, PRESENT)).status).to.equal(200);
  });

  it('is not counted where anything else refuses it', async () => {
    const { access } = await consented();
    expectProblem(await call(`/v1/accounts/${randomUUID()}/balances`, access), 403, 'consent_account_not_covered');
    const ended = await consented({ status: 'denied', reason: 'revoked' });
    expectProblem(await balances(ended.access), 403, 'consent_revoked');
    expect(consentService.arrived).to.be.empty;
  });

  const faults: [what: string, answer: NonNullable<Upstream['answer']>][] = [
    ['does not know the consent', (_request, response) => void response.writeHead(404).end('{}')],
    ['fails', (_request, response) => void response.writeHead(500).end('{"allowed":true}')],
    ['answers neither yes nor no', (_request, response) => void response.writeHead(200).end('{"allowed":"true"}')],
    ['answers no JSON', (_request, response) => void response.writeHead(200).end('yes')],
    ['answers JSON that is no object', (_request, response) => void response.writeHead(200).end('true')],
    ['says no without a time', (_request, response) => void response.writeHead(200).end('{"allowed":false,"limit":4}')],
    ['breaks the connection', (request) => void request.socket.destroy()],
    ['does not answer', () => undefined],
  ];
  for (const [what, answer] of faults) {
    it(`is refused when the consent service ${what}`, async () => {
      const { access } = await consented();
      consentService.answer = answer;
      const refused = await balances(access);
      expectProblem(refused, 503, 'consent_check_unavailable');
      expect(refused.headers['retry-after']).to.equal('1');
      expect(upstream.arrived).to.be.empty;
    });
  }

  it('leaves the whole decision on the access record, each time, allowed or refused', async () => {
    const { consentId, customerId, access } = await consented();
    const other = await consented({ clientId: randomUUID() });
    const revoked = await consented({ status: 'denied', reason: 'revoked' });
    const about = { operation: 'getBalances', audience: 'account', clientId: app.clientId, consentId };
    const cases: [id: string, run: (headers: Record<string, string>) => Promise<Answer>, expected: Record<string, string | undefined>][] = [
      ['allowed', (headers) => balances(access, { ...PRESENT, ...headers }), { ...about, customerId, decision: 'allow', code: undefined }],
      ['frequency', (headers) => balances(access, headers), { ...about, customerId, decision: 'refuse', code: 'consent_frequency_exceeded' }],
      ['account', (headers) => call(`/v1/accounts/${randomUUID()}/balances`, access, headers), { ...about, customerId, decision: 'refuse', code: 'consent_account_not_covered' }],
      ['stranger', (headers) => balances(other.access, headers), { ...about, consentId: other.consentId, customerId: other.customerId, decision: 'refuse', code: 'consent_not_active' }],
      ['revoked', (headers) => balances(revoked.access, headers), { ...about, consentId: revoked.consentId, customerId: revoked.customerId, decision: 'refuse', code: 'consent_revoked' }],
      ['bian', (headers) => balances(access, { ...PRESENT, ...headers, 'x-bian-release': '1.0.0' }), { ...about, customerId, decision: 'refuse', code: 'invalid_request' }],
    ];
    says({ allowed: false, used: 4, limit: 4, retryAfter: 60 });
    for (const [id, run] of cases) for (let i = 0; i < 5; i++) await run({ 'x-correlation-id': `decided-${id}-${i}` });
    const find = (id: string) => upstream.records.filter(({ record }) => String(record.correlation_id).startsWith(`decided-${id}-`)).map(({ record }) => record.kontor as Record<string, string>);
    for (const [id, , expected] of cases) {
      await eventually(`all records of ${id} have come`, () => Promise.resolve(find(id).length === 5));
      for (const kontor of find(id)) for (const [name, value] of Object.entries(expected)) expect(kontor[name], `${id}: ${name}`).to.equal(value);
    }
  });
});
