/** A fintech with a customer of two funded accounts, and the bank's staff: where the journeys of accounts and payments begin. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { sign, SIGNATURE_HEADER } from '../../adapters/payment-rail/src/signature.js';
import { bankCustomer, type BankCustomer } from '../../scripts/demo/customer.js';
import { authorisation, bearer, clientToken, exchange, newKey, registerApp, type App, type Token } from '../../scripts/demo/fintech.js';
import { journal, send, type Answer } from '../../scripts/demo/journal.js';
import { startReceiver } from '../../scripts/demo/receiver.js';
import { openAccount, registerCustomers } from '../../scripts/demo/walk.js';
import { place, rail, sanctioned, staffApp } from './platform.js';

export const quiet = journal(() => undefined);
export const euro = (amount: string): { amount: string; currency: string } => ({ amount, currency: 'EUR' });
export const today = (): string => new Date().toISOString().slice(0, 10);
/** A day, so many days from now. */
export const dayIn = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

/** Asks four times a second, as the limits of the gateway allow, until there is something. @throws Error after `withinMs` */
export async function until<T>(what: string, probe: () => Promise<T | undefined | false>, withinMs = 20_000): Promise<T> {
  for (const giveUpAt = Date.now() + withinMs; ; await pause(250)) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > giveUpAt) throw new Error(`not within ${withinMs} ms: ${what}`);
  }
}

export interface Ask {
  method?: string;
  headers?: Record<string, string>;
  json?: unknown;
  /** A file in place of JSON. */
  xml?: string;
  /** The status that is right; 200 when absent. */
  expect?: number;
}

/** Asks the gateway as the holder of a token, or of an API key. @throws when the status is another one */
export type Caller = (path: string, ask?: Ask) => Promise<Answer>;

function caller(auth: Record<string, string>): Caller {
  return async (path, { method, headers = {}, json, xml, expect: status = 200 } = {}) => {
    const verb = method ?? (json === undefined && xml === undefined ? 'GET' : 'POST');
    const key: Record<string, string> = verb === 'POST' ? { 'idempotency-key': newKey() } : {};
    const url = `${place().gatewayUrl}${path}`;
    const answer = xml === undefined ? await send({ method: verb, url, headers: { ...auth, ...key, ...headers }, ...(json === undefined ? {} : { json }) })
      : await sendFile(url, { ...auth, ...key, ...headers, 'content-type': 'application/xml' }, xml);
    expect(answer.status, `${verb} ${path}: ${JSON.stringify(answer.body)}`).to.equal(status);
    return answer;
  };
}

async function sendFile(url: string, headers: Record<string, string>, body: string): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(20_000) });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

export interface Banking {
  /** The application without a customer; and with its API key, what the sandbox can simulate. */
  own: Caller;
  sandbox: Caller;
  /** The bank's staff (scope bank-operations). */
  staff: Caller;
  customerId: string;
  accountId: string;
  iban: string;
  /** The same customer's. */
  otherAccountId: string;
  otherIban: string;
  /** The customer approves a consent on the bank's pages. @returns the application with the token on it */
  consented(scope: string, ask: object, accounts?: string[]): Promise<Caller>;
  /** A consent that waits for the customer. */
  asked(ask: object): Promise<{ consentId: string; authoriseUrl: string }>;
  /** Waits until a payment stands at a status. */
  becomes(paymentId: string, status: string, withinMs?: number): Promise<Answer['body']>;
  app: App;
  callbackUrl: string;
  close(): Promise<void>;
}

const SCOPES = 'customers accounts payments consents webhooks';

/** Signs up a fintech, opens two accounts of one customer, and pays 20 000 EUR more into the first. */
export async function bankingFintech(): Promise<Banking> {
  const where = place();
  const receiver = await startReceiver();
  const traveller = { journal: quiet, place: where, receiver, sanctioned: await sanctioned() };
  const app = await registerApp(quiet, where, receiver.callbackUrl);
  const token = await clientToken(quiet, where, app, SCOPES);
  const own = caller(bearer(token));
  const sandbox = caller({ apikey: app.apiKey });
  const customerId = await registerCustomers(traveller, token);
  const accountId = await openAccount(traveller, app, token, customerId);
  const otherAccountId = await openAccount(traveller, app, token, customerId);
  const ibanOf = async (id: string): Promise<string> => (await own(`/v1/accounts/${id}/opening`)).body.iban;
  const [iban, otherIban] = [await ibanOf(accountId), await ibanOf(otherAccountId)];
  await sandbox('/sandbox/incoming-payments', { json: { creditorIban: iban, amount: euro('20000.00'), debtor: { name: 'Example Employer', iban: 'NL91ABNA0417164300' }, remittance: 'Bonus' }, expect: 202 });
  const banking = (await sandbox(`/sandbox/customers/${customerId}/credentials`, { method: 'POST' })).body;
  const customer: BankCustomer = bankCustomer(quiet, where.pagesUrl, banking, { gatewayUrl: where.gatewayUrl, apiKey: app.apiKey, customerId });
  const asked = async (ask: object): Promise<{ consentId: string; authoriseUrl: string }> =>
    (await own('/v1/consents', { json: { ...ask, redirectUri: receiver.callbackUrl }, expect: 201 })).body;
  return {
    own, sandbox, customerId, accountId, iban, otherAccountId, otherIban, asked, app, callbackUrl: receiver.callbackUrl,
    staff: caller(bearer(await clientToken(quiet, where, staffApp(), 'bank-operations'))),
    async consented(scope, ask, accounts = [accountId]) {
      const { authoriseUrl } = await asked(ask);
      const authorised = authorisation(authoriseUrl, app, receiver.callbackUrl, scope);
      const back = await customer.approve(authorised.url, () => accounts);
      const given: Token = await exchange(quiet, where, app, receiver.callbackUrl, authorised, back);
      return caller(bearer(given));
    },
    becomes: (paymentId, status, withinMs) => until(`payment ${paymentId} is ${status}`, async () => {
      const { body } = await own(`/v1/payments/${paymentId}`);
      if (['RJCT', 'CANC'].includes(body.status) && body.status !== status) throw new Error(`the payment is ${body.status} ${body.statusReason ?? ''}`);
      return body.status === status ? body : undefined;
    }, withinMs),
    close: () => receiver.close(),
  };
}

/** What an account says, as the application reads it on an account-access consent. */
export const booked = (transactions: Answer): { type: string; amount: { amount: string }; creditDebitIndicator: string; [more: string]: unknown }[] => transactions.body.data;

/** Orders the simulated rail to do what no operation of the sandbox does: to send a statement of its day. */
export async function orderOfRail(what: string, order: object): Promise<void> {
  const { url, secret } = rail();
  const body = JSON.stringify(order);
  const answer = await fetch(`${url}/simulate/${what}`, { method: 'POST', body, headers: { [SIGNATURE_HEADER]: sign(body, secret, Math.floor(Date.now() / 1000)) } });
  expect(answer.status, what).to.equal(202);
}
