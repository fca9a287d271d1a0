/** For tests of the bank's pages: the service with a gateway that gives codes, customers with accounts, and a browser without scripts. */
import { createHash, randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { Secret, TOTP } from 'otpauth';
import { newEvent, type EventData } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { testServer } from '@kontor/testing/environment';
import { testService, type TestAnswer, type TestService } from '@kontor/testing/service';
import { options } from '../src/main.js';

export const CALLBACK = 'https://fintech.example/callback';
export const PAGES = 'http://bank.example/bank';
export const context = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
const GROCER = { name: 'Green Grocer', iban: 'DE89370400440532013000' };
const euro = (amount: string) => ({ amount, currency: 'EUR' });
export const ACCESS = { type: 'account-access', permissions: ['accounts:read', 'balances:read'], validUntil: inDays(90), frequencyPerDay: 4, redirectUri: CALLBACK };
export const PAYMENT = { type: 'payment', payment: { amount: euro('12.50'), creditor: GROCER, remittance: 'Invoice 17' }, redirectUri: CALLBACK };
export const RECURRING = {
  type: 'variable-recurring', redirectUri: CALLBACK,
  recurring: { maximumPerPayment: euro('50.00'), periodicLimits: [{ maximum: euro('200.00'), period: 'month', alignment: 'calendar' }], creditor: GROCER, validUntil: inDays(365) },
};
export const BULK = { type: 'bulk-payment', bulk: { transactions: 240, total: euro('98450.00'), digest: 'n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg' }, redirectUri: CALLBACK };
export const FUNDS = { type: 'funds-confirmation', validUntil: inDays(30), redirectUri: CALLBACK };

export interface Banking { username: string; password: string; totpSecret: string }
export interface Person { customerId: string; accountId: string; banking: Banking }
export interface Page { status: number; location: string; html: string; headers: Headers; path: string }
export type Values = Record<string, string | string[]>;

export interface TestBank {
  service: TestService;
  /** What the gateway was asked for, newest last. */
  asked: URLSearchParams[];
  /** The gateway answers 503 while this is set. */
  gateway: { down: boolean };
  create(body: object, clientId?: string): Promise<string>;
  person(): Promise<Person>;
  account(holders: string[], currency?: string): Promise<string>;
  credentials(customerId: string): Promise<Banking>;
  messages(customerId: string): Promise<{ messageId: string; text: string }[]>;
  approvals(customerId: string): Promise<{ approvalId: string; status: string; text: string }[]>;
  answer(customerId: string, approvalId: string, decision: string): Promise<TestAnswer>;
  requestFor(consentId: string, change?: Record<string, string>): string;
  browser(headers?: Record<string, string>): Browser;
  stop(): Promise<void>;
}

export async function testBank(settings: Record<string, string> = {}): Promise<TestBank> {
  const asked: URLSearchParams[] = [];
  const gateway = { down: false };
  const server = await gatewayOf(asked, gateway);
  const service = await testService(options, {
    REDIS_URL: testServer('TEST_REDIS_URL'), OAUTH2_PROVISION_KEY: randomBytes(16).toString('hex'), CONSENT_DECISION_KEY: randomBytes(16).toString('hex'),
    GATEWAY_OAUTH2_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/oauth2`,
    BANK_PAGES_URL: PAGES, CREDENTIALS_KEY: randomBytes(32).toString('base64'), ...settings,
  });
  const verifier = randomBytes(32).toString('base64url');
  const sandbox = async (op: string, path: string): Promise<never[]> => (await service.request('GET', `/sandbox/customers/${path}`, { op })).body.data;

  const bank: TestBank = {
    service, asked, gateway,
    async create(body, clientId = 'app-1') {
      const answer = await service.request('POST', '/v1/consents', { op: 'createConsent', caller: { clientId }, headers: { 'idempotency-key': newId() }, body });
      expect(answer.status, JSON.stringify(answer.body)).to.equal(201);
      return answer.body.consentId as string;
    },
    async person() {
      const customerId = newId();
      await activate(customerId);
      const accountId = await bank.account([customerId]);
      return { customerId, accountId, banking: await bank.credentials(customerId) };
    },
    async account([customerId, ...jointHolders], currency = 'EUR') {
      const accountId = newId();
      for (const holder of [customerId, ...jointHolders]) await activate(holder as string);
      const data: EventData<'account.opened'> = { accountId, customerId: customerId as string, clientId: 'app-1', iban: GROCER.iban, currency, product: 'current', holderName: 'Ada Beispiel', ...(jointHolders.length > 0 ? { jointHolders } : {}) };
      await service.deliver(newEvent('account.opened', { source: '/test', subject: accountId, context, data }));
      return accountId;
    },
    async credentials(customerId) {
      const issued = await service.request('POST', `/sandbox/customers/${customerId}/credentials`, { op: 'issueSandboxCredentials' });
      expect(issued.status).to.equal(200);
      return issued.body;
    },
    messages: (customerId) => sandbox('listSandboxMessages', `${customerId}/messages`),
    approvals: (customerId) => sandbox('listSandboxApprovals', `${customerId}/approvals`),
    answer: (customerId, approvalId, decision) => service.request('POST', `/sandbox/customers/${customerId}/approvals/${approvalId}`, { op: 'decideSandboxApproval', body: { decision } }),
    requestFor: (consentId, change = {}) => `/bank/authorise?${new URLSearchParams({
      consent_id: consentId, response_type: 'code', client_id: 'app-1', redirect_uri: CALLBACK, state: 'xyz',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256', ...change,
    }).toString()}`,
    browser: (headers = {}) => new Browser(service.url, headers),
    async stop() {
      await service.stop();
      server.close();
    },
  };
  const activate = (customerId: string): Promise<void> =>
    service.deliver(newEvent('customer.activated', { source: '/test', subject: customerId, context, data: { customerId, clientId: 'app-1', name: { given: 'Ada', family: 'Beispiel' } } }));
  return bank;
}

/** Kong's /oauth2/authorize: a code for everybody but the application `unregistered`. */
async function gatewayOf(asked: URLSearchParams[], state: { down: boolean }): Promise<Server> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => { body += part.toString(); });
    request.on('end', () => {
      if (state.down) return request.socket.destroy();
      const form = new URLSearchParams(body);
      asked.push(form);
      const back = new URL(form.get('redirect_uri') ?? '');
      if (form.get('client_id') === 'unregistered') back.searchParams.set('error', 'invalid_request');
      else back.searchParams.set('code', 'the-code');
      if (form.get('state')) back.searchParams.set('state', form.get('state') ?? '');
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ redirect_uri: back.toString() }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

export const codeNow = (secret: string, steps = 0): string => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + steps * 30_000 });
export const codeIn = (text: string): string => /^[0-9]{6}/.exec(text)?.[0] ?? '';

/** Keeps cookies, follows the bank's own redirects, fills in forms as they stand in the page; runs no script. */
export class Browser {
  readonly cookies = new Map<string, string>();
  page: Page = { status: 0, location: '', html: '', headers: new Headers(), path: '' };
  readonly #origin: string;
  readonly #headers: Record<string, string>;

  constructor(origin: string, headers: Record<string, string>) {
    this.#origin = origin;
    this.#headers = headers;
  }

  /** One request, no redirect followed. */
  async send(method: string, path: string, form?: Values, headers: Record<string, string> = {}): Promise<Page> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(this.#origin + path, {
      method, redirect: 'manual', headers: { ...this.#headers, ...(cookie ? { cookie } : {}), ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}), ...headers },
      ...(form ? { body: new URLSearchParams(Object.entries(form).flatMap(([name, value]) => [value].flat().map((one) => [name, one] as [string, string]))).toString() } : {}),
    });
    for (const set of answer.headers.getSetCookie()) {
      const [name = '', value = ''] = (set.split(';')[0] ?? '').split('=', 2);
      if (/expires=Thu, 01 Jan 1970/i.test(set)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return { status: answer.status, location: answer.headers.get('location') ?? '', html: await answer.text(), headers: answer.headers, path };
  }

  /** Opens an address, and follows where it leads within the bank. */
  async open(path: string): Promise<Page> {
    return this.#follow(await this.send('GET', path));
  }

  /** Sends the form with this action of the page in view. */
  async submit(action: string, values: Values): Promise<Page> {
    return this.#follow(await this.send('POST', `/bank/${action}`, { ...this.hidden(action), ...values }));
  }

  /** What the form carries by itself. */
  hidden(action: string): Record<string, string> {
    const form = new RegExp(`<form method="post" action="/bank/${action}"[^>]*>([\\s\\S]*?)</form>`).exec(this.page.html)?.[1];
    if (form === undefined) throw new Error(`${this.page.path} has no form for ${action}: ${this.page.html.slice(0, 2000)}`);
    return Object.fromEntries([...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(([, name = '', value = '']) => [name, value]));
  }

  async #follow(first: Page): Promise<Page> {
    this.page = first;
    while (/^http:\/\/(bank\.example|127\.0\.0\.1:\d+)\/bank\//.test(this.page.location)) this.page = await this.send('GET', this.page.location.replace(/^http:\/\/[^/]+/, ''));
    return this.page;
  }

  /** With the password, up to the next page. */
  signIn({ username, password }: Banking): Promise<Page> {
    return this.submit('sign-in', { username, password });
  }
}

/** Up to the page where the second factor is chosen. */
export async function upToConfirm(bank: TestBank, consentId: string, { banking, accountId }: Person, browser = bank.browser()): Promise<Browser> {
  await browser.open(bank.requestFor(consentId));
  await browser.signIn(banking);
  await browser.submit('decision', { decision: 'approve', account: accountId });
  expect(browser.page.html, browser.page.path).to.contain('name="method"');
  return browser;
}

/** Confirms with the code of a message. */
export async function confirmByMessage(bank: TestBank, browser: Browser, customerId: string): Promise<Page> {
  await browser.submit('confirm/method', { method: 'message' });
  return browser.submit('confirm', { code: codeIn((await bank.messages(customerId))[0]?.text ?? '') });
}

/** The dashboard of a person, signed in with both factors. */
export async function atHome(bank: TestBank, { banking, customerId }: Pick<Person, 'banking' | 'customerId'>, browser = bank.browser()): Promise<Browser> {
  await browser.open('/bank/sign-in');
  await browser.signIn(banking);
  await confirmByMessage(bank, browser, customerId);
  expect(browser.page.path).to.equal('/bank/consents');
  return browser;
}

export async function approved(bank: TestBank, body: object = ACCESS, someone?: Person): Promise<Person & { consentId: string; browser: Browser; page: Page }> {
  const person = someone ?? (await bank.person());
  const consentId = await bank.create(body);
  const browser = await upToConfirm(bank, consentId, person);
  const page = await confirmByMessage(bank, browser, person.customerId);
  expect(page.location, page.html.slice(0, 3000)).to.contain('code=the-code');
  return { ...person, consentId, browser, page };
}
