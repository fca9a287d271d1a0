/**
 * Kills every process in turn, at the four moments of a journey at which something was just answered with 2xx and the rest
 * is still under way. The client does what a client does: it repeats a request that got no answer, with the same key.
 * Then everything that was answered must have happened, once.
 */
import { expect } from 'chai';
import { authorisation, bearer, exchange, newKey, registerApp, clientToken, type App, type Token } from '../../scripts/demo/fintech.js';
import { bankCustomer } from '../../scripts/demo/customer.js';
import { journal, send, type Answer, type Call, type Journal } from '../../scripts/demo/journal.js';
import { startReceiver, type Receiver } from '../../scripts/demo/receiver.js';
import { kill, place, processNames } from './platform.js';

type Request = Omit<Call, 'expect' | 'fact'>;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Repeats while there is no answer, or one that says "not now" (429, 5xx). */
async function insist(request: Request, good: (answer: Answer) => boolean, seconds = 60): Promise<Answer> {
  const end = Date.now() + seconds * 1000;
  let last = 'no answer';
  while (Date.now() < end) {
    try {
      const answer = await send(request);
      if (good(answer)) return answer;
      last = `${answer.status} ${JSON.stringify(answer.body).slice(0, 300)}`;
    } catch (error) {
      last = String((error as { cause?: unknown }).cause ?? error);
    }
    await pause(200);
  }
  throw new Error(`${request.method ?? 'GET'} ${request.url}: not so within ${seconds} s; last: ${last}`);
}

const status = (wanted: number) => (answer: Answer): boolean => answer.status === wanted;

/** A journal whose calls are repeated: for flows that have several steps (sign-up, the bank's pages). */
function stubborn(): Journal {
  const quiet = journal(() => undefined);
  return { ...quiet, call: (call) => insist(call, status(call.expect)) };
}

interface Company { app: App; own: Token; officer: Token; receiver: Receiver }

describe('killing any one process and starting it again loses nothing and does nothing twice', function () {
  this.timeout(240_000);
  const { gatewayUrl: gateway, pagesUrl } = place();
  let company: Company;

  before(async () => {
    const receiver = await startReceiver();
    const app = await registerApp(stubborn(), place(), receiver.callbackUrl);
    company = { app, receiver, own: { access: '' }, officer: { access: '' } };
  });
  after(() => company.receiver.close());

  beforeEach(async () => {
    company.own = await clientToken(stubborn(), place(), company.app, 'customers accounts payments consents webhooks');
    company.officer = await clientToken(stubborn(), place(), place().compliance, 'audit');
  });

  const post = (path: string, json: unknown, headers: Record<string, string>): Request => ({ method: 'POST', url: `${gateway}${path}`, json, headers: { 'idempotency-key': newKey(), ...headers } });
  const get = (path: string, token: Token): Request => ({ url: `${gateway}${path}`, headers: bearer(token) });

  for (const name of processNames()) {
    it(name, async () => {
      const { app, own, officer, receiver } = company;
      const endpoint = await insist(post('/v1/webhook-endpoints', { url: receiver.webhookUrl, eventTypes: ['payment.settled'] }, bearer(own)), status(201));
      receiver.trust(endpoint.body.secret);

      const registered = await insist(post('/v1/customers', { name: { given: 'Ada', family: 'Beispiel' }, birthDate: '1990-12-10', nationality: 'DE', residence: 'DE', contact: { email: 'ada@sandbox.example' } }, bearer(own)), status(201));
      const { customerId } = registered.body;
      await kill(name);
      await insist(get(`/v1/customers/${customerId}`, own), ({ body }) => body?.status === 'active');

      const opening = await insist(post('/v1/accounts', { customerId, product: 'current', currency: 'EUR' }, bearer(own)), status(201));
      const { accountId } = opening.body;
      await kill(name);
      const opened = await insist(get(`/v1/accounts/${accountId}/opening`, own), ({ body }) => Boolean(body?.iban));

      await insist(post('/sandbox/incoming-payments', { creditorIban: opened.body.iban, amount: { amount: '100.00', currency: 'EUR' }, debtor: { name: 'Example Employer', iban: 'NL91ABNA0417164300' } }, { apikey: app.apiKey }), status(202));
      await kill(name);
      await insist(get(`/v1/ledger/transactions?accountId=${accountId}`, officer), ({ body }) => body?.data?.length === 1);

      const payment = { amount: { amount: '12.50', currency: 'EUR' }, creditor: { name: 'Green Grocer', iban: 'DE89370400440532013000' } };
      const token = await consentedToken(company, customerId, accountId, payment);
      const initiation = post('/v1/payments', { debtorAccountId: accountId, ...payment }, bearer(token));
      const { paymentId } = (await insist(initiation, status(201))).body;
      await kill(name);
      await insist(get(`/v1/payments/${paymentId}`, own), ({ body }) => body?.status === 'ACSC');
      const repeated = await insist(initiation, status(201));
      expect(repeated.body.paymentId, 'the same key answers the same payment').to.equal(paymentId);

      const booked = await insist(get(`/v1/ledger/transactions?accountId=${accountId}`, officer), ({ body }) => body?.data?.length >= 2);
      expect(booked.body.data.filter((entry: { paymentId?: string }) => entry.paymentId === paymentId), 'booked once').to.have.length(1);
      expect(booked.body.data, 'one credit, one debit').to.have.length(2);
      const settled = (): number => receiver.received.filter((event) => event.type === 'payment.settled' && event.data['paymentId'] === paymentId).length;
      for (let tries = 0; tries < 300 && settled() === 0; tries++) await pause(100);
      expect(settled(), 'the webhook arrived').to.equal(1);
      const chain = await insist(get('/v1/audit/verification', officer), status(200));
      expect(chain.body.valid, 'the audit chain verifies').to.equal(true);
      await insist({ method: 'DELETE', url: `${gateway}/v1/webhook-endpoints/${endpoint.body.endpointId}`, headers: bearer(own) }, status(204));
    });
  }

  /** A payment consent the customer approved at the bank, and the token bound to it. */
  async function consentedToken({ app, own, receiver }: Company, customerId: string, accountId: string, payment: object): Promise<Token> {
    const banking = await insist({ method: 'POST', url: `${gateway}/sandbox/customers/${customerId}/credentials`, headers: { apikey: app.apiKey } }, status(200));
    const consent = await insist(post('/v1/consents', { type: 'payment', payment: { ...payment, debtorAccountId: accountId }, redirectUri: receiver.callbackUrl }, bearer(own)), status(201));
    const authorised = authorisation(consent.body.authoriseUrl, app, receiver.callbackUrl, 'payments');
    const back = await bankCustomer(stubborn(), pagesUrl, banking.body, { gatewayUrl: gateway, apiKey: app.apiKey, customerId }).approve(authorised.url, () => [accountId]);
    return exchange(stubborn(), place(), app, receiver.callbackUrl, authorised, back);
  }
});
