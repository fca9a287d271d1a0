/**
 * The main job of the platform, walked as a fintech would: ten steps, over HTTP, through the gateway. Each step hands on
 * what the next ones need. A step stops at the first thing that is not as it should be.
 */
import { authorisation, bearer, bianOf, clientToken, exchange, newKey, registerApp, type App, type Place, type Token } from './fintech.js';
import { bankCustomer, type BankCustomer } from './customer.js';
import { ensure, send, type Journal } from './journal.js';
import type { Receiver } from './receiver.js';

export interface Traveller {
  journal: Journal;
  place: Place;
  receiver: Receiver;
  /** A name on the sanctions list the platform screens against. */
  sanctioned: { given: string; family: string };
}

const CREDITOR = { name: 'Green Grocer', iban: 'DE89370400440532013000' };
const PAID = { amount: '12.50', currency: 'EUR' };
const FUNDED = { amount: '1500.00', currency: 'EUR' };

/** Scopes of the application's own token. */
const OWN_SCOPES = 'customers accounts payments consents webhooks';

/** 1 and 2: sign-up, credentials, first token; and an endpoint for webhooks. */
export async function comeOnBoard({ journal, place, receiver }: Traveller): Promise<{ app: App; own: Token }> {
  journal.step('A developer signs up at the portal and registers an app');
  const app = await registerApp(journal, place, receiver.callbackUrl);
  journal.step('The app gets a token from the gateway (client credentials)');
  const own = await clientToken(journal, place, app, OWN_SCOPES);
  const endpoint = await journal.call({
    method: 'POST', url: `${place.gatewayUrl}/v1/webhook-endpoints`, headers: { ...bearer(own), 'idempotency-key': newKey() }, expect: 201, fact: 'webhooks will come to the fintech, signed',
    json: { url: receiver.webhookUrl, eventTypes: ['customer.activated', 'account.opened', 'payment.status-changed', 'payment.settled', 'consent.revoked'] },
  });
  receiver.trust(endpoint.body.secret);
  return { app, own };
}

/** 3: one customer becomes active, one whose name is on the list does not. @returns the id of the active one */
export async function registerCustomers({ journal, place, sanctioned }: Traveller, own: Token): Promise<string> {
  journal.step('A customer is registered; KYC runs; a name on the sanctions list goes to manual review');
  const register = (name: { given: string; family: string }, fact: string) => journal.call({
    method: 'POST', url: `${place.gatewayUrl}/v1/customers`, headers: { ...bearer(own), 'idempotency-key': newKey() }, expect: 201, fact,
    json: { name, birthDate: '1990-12-10', nationality: 'DE', residence: 'DE', contact: { email: 'customer@sandbox.example' } },
  });
  const becomes = (id: string, status: string, fact: string) => journal.until(
    { url: `${place.gatewayUrl}/v1/customers/${id}`, headers: bearer(own), expect: 200, fact }, ({ body }) => body.status !== 'pending').then(({ body }) =>
    ensure(body.status === status, `The customer is ${body.status}, not ${status}.`));
  const good = await register({ given: 'Ada', family: 'Beispiel' }, 'registered, pending');
  const listed = await register(sanctioned, 'another one, whose name is on the list');
  await becomes(good.body.customerId, 'active', 'identity verified, name clear: active');
  await becomes(listed.body.customerId, 'under_review', 'possible match: under review, not active');
  const refused = await journal.call({
    method: 'POST', url: `${place.gatewayUrl}/v1/accounts`, headers: { ...bearer(own), 'idempotency-key': newKey() }, expect: 409,
    json: { customerId: listed.body.customerId, product: 'current', currency: 'EUR' }, fact: ({ body }) => `no account for a customer who is not active: ${body.code}`,
  });
  ensure(refused.body.code === 'customer_not_active', 'The refusal has another code.');
  return good.body.customerId;
}

/** 4: an account, booked in the legacy core, funded from the rail. */
export async function openAccount({ journal, place }: Traveller, app: App, own: Token, customerId: string): Promise<string> {
  journal.step('An account is opened in the legacy core (SOAP) and funded by a credit transfer (pacs.008)');
  const open = () => send({
    method: 'POST', url: `${place.gatewayUrl}/v1/accounts`, headers: { ...bearer(own), 'idempotency-key': key }, json: { customerId, product: 'current', currency: 'EUR' },
  });
  const key = newKey();
  // The account service hears of the activation by event, a moment after the customer service answered.
  for (let tries = 0; tries < 40 && (await open()).status === 409; tries++) await new Promise((resolve) => setTimeout(resolve, 100));
  const account = await journal.call({
    method: 'POST', url: `${place.gatewayUrl}/v1/accounts`, headers: { ...bearer(own), 'idempotency-key': key }, expect: 201, fact: 'a current account in EUR is asked for',
    json: { customerId, product: 'current', currency: 'EUR' },
  });
  const { accountId } = account.body;
  const opened = await journal.until(
    { url: `${place.gatewayUrl}/v1/accounts/${accountId}/opening`, headers: bearer(own), expect: 200, fact: ({ body }) => `the core booked it: IBAN ${body.iban}` },
    ({ body }) => Boolean(body.iban));
  await journal.call({
    method: 'POST', url: `${place.gatewayUrl}/sandbox/incoming-payments`, headers: { apikey: app.apiKey, 'idempotency-key': newKey() }, expect: 202, fact: 'somebody pays in 1500.00 EUR over the rail',
    json: { creditorIban: opened.body.iban, amount: FUNDED, debtor: { name: 'Example Employer', iban: 'NL91ABNA0417164300' }, remittance: 'Salary' },
  });
  return accountId;
}

/** 5: an account-access consent, approved by the customer with two factors. */
export async function giveAccess(traveller: Traveller, app: App, own: Token, customerId: string, accountId: string): Promise<{ customer: BankCustomer; consentId: string; token: Token }> {
  const { journal, place, receiver } = traveller;
  journal.step('The customer gives access to the account on the bank\'s page (two factors, PKCE)');
  const banking = await journal.until({
    method: 'POST', url: `${place.gatewayUrl}/sandbox/customers/${customerId}/credentials`, headers: { apikey: app.apiKey }, expect: 200,
    fact: 'sandbox only: the customer gets online-banking credentials',
  }, () => true);
  const customer = bankCustomer(journal, place.pagesUrl, banking.body, { gatewayUrl: place.gatewayUrl, apiKey: app.apiKey, customerId });
  const { consentId, token } = await consentTo(traveller, customer, app, own, 'accounts', {
    type: 'account-access', permissions: ['accounts:read', 'balances:read', 'transactions:read'],
    validUntil: new Date(Date.now() + 90 * 24 * 3600 * 1000).toISOString(), redirectUri: receiver.callbackUrl,
  }, accountId);
  return { customer, consentId, token };
}

/** The customer approves what is asked for on the bank's page, for this account. */
export async function consentTo({ journal, place, receiver }: Traveller, customer: BankCustomer, app: App, own: Token, scope: string, ask: object, accountId: string): Promise<{ consentId: string; token: Token }> {
  const created = await journal.call({
    method: 'POST', url: `${place.gatewayUrl}/v1/consents`, headers: { ...bearer(own), 'idempotency-key': newKey() }, json: ask, expect: 201, fact: ({ body }) => `a consent, ${body.status.replace('_', ' ')}`,
  });
  const authorised = authorisation(created.body.authoriseUrl, app, receiver.callbackUrl, scope);
  const back = await customer.approve(authorised.url, (offered) => {
    ensure(offered.includes(accountId), 'The page does not offer the account.');
    return [accountId];
  });
  return { consentId: created.body.consentId, token: await exchange(journal, place, app, receiver.callbackUrl, authorised, back) };
}

/** 6: reading on the consent, by our path and by the BIAN-shaped one. */
export async function readAccounts({ journal, place }: Traveller, token: Token, own: Token, accountId: string): Promise<void> {
  journal.step('The fintech reads accounts, balances and transactions on that consent');
  const headers = bearer(token);
  const url = `${place.gatewayUrl}/v1/accounts`;
  const list = await journal.call({ url, headers, expect: 200, fact: ({ body }) => `${body.data.length} account: the one the customer chose` });
  ensure(list.body.data.length === 1 && list.body.data[0].accountId === accountId, 'The list is not the one consented account.');
  const balances = await journal.until(
    { url: `${url}/${accountId}/balances`, headers, expect: 200, fact: (answer) => `booked ${answer.body.balances[0].amount.amount} · ${bianOf(answer)}` },
    ({ body }) => body.balances[0].amount.amount === FUNDED.amount);
  ensure(balances.headers.get('x-bian-service-domain') === 'CurrentAccount', 'The answer carries no X-BIAN-Service-Domain.');
  const transactions = await journal.call({ url: `${url}/${accountId}/transactions`, headers, expect: 200, fact: (answer) => `${answer.body.data.length} transaction · ${bianOf(answer)}` });
  ensure(transactions.body.data[0].creditDebitIndicator === 'CRDT', 'The incoming payment is not booked as a credit.');
  const ours = await journal.call({ url: `${url}/${accountId}`, headers, expect: 200, fact: (answer) => `the account by our path · ${bianOf(answer)}` });
  const bian = await journal.call({ url: `${place.gatewayUrl}/bian/CurrentAccount/${accountId}/Retrieve`, headers, expect: 200, fact: 'the same by its BIAN-shaped path' });
  ensure(JSON.stringify(ours.body) === JSON.stringify(bian.body), 'The BIAN-shaped path answers something else.');
  await journal.call({ url: `${url}/${accountId}`, headers: bearer(own), expect: 403, fact: ({ body }) => `without a consent: ${body.code}` });
}

/** 7: one payment, asked twice, settled over the rail. @returns its id */
export async function pay(traveller: Traveller, customer: BankCustomer, app: App, own: Token, accountId: string): Promise<string> {
  const { journal, place, receiver } = traveller;
  journal.step('A payment under a payment consent; repeated it is the same payment; pacs.008/pacs.002 settle it');
  const payment = { amount: PAID, creditor: CREDITOR, remittance: 'Invoice 17' };
  const { token } = await consentTo(traveller, customer, app, own, 'payments', { type: 'payment', payment: { ...payment, debtorAccountId: accountId }, redirectUri: receiver.callbackUrl }, accountId);
  const key = newKey();
  const initiate = (fact: string) => journal.call({
    method: 'POST', url: `${place.gatewayUrl}/v1/payments`, headers: { ...bearer(token), 'idempotency-key': key }, json: { debtorAccountId: accountId, ...payment }, expect: 201, fact,
  });
  const first = await initiate(`${PAID.amount} ${PAID.currency} to ${CREDITOR.name}: received (RCVD)`);
  const again = await initiate('the same key and body: the same payment, replayed');
  const { paymentId } = first.body;
  ensure(again.body.paymentId === paymentId && again.headers.get('idempotency-replayed') === 'true', 'The repeat was not a replay.');
  const settled = await journal.until(
    { url: `${place.gatewayUrl}/v1/payments/${paymentId}`, headers: bearer(own), expect: 200, fact: ({ body }) => body.statusHistory.map((change: { status: string }) => change.status).join(' → ') },
    ({ body }) => ['ACSC', 'RJCT', 'CANC'].includes(body.status));
  ensure(settled.body.status === 'ACSC', `The payment ended as ${settled.body.status} ${settled.body.statusReason ?? ''}.`);
  await bothSides(traveller, paymentId);
  await arrives(traveller, (event) => event.type === 'payment.settled' && event.data.paymentId === paymentId);
  journal.note('a webhook payment.settled arrived, its signature verified');
  return paymentId;
}

async function bothSides({ journal, place }: Traveller, paymentId: string): Promise<void> {
  const officer = await clientToken(journal, place, place.compliance, 'audit');
  const ledger = await journal.until(
    { url: `${place.gatewayUrl}/v1/ledger/transactions?paymentId=${paymentId}`, headers: bearer(officer), expect: 200, fact: ({ body }) => `the ledger: ${sides(body.data[0])}` },
    ({ body }) => body.data.length > 0);
  const entries = ledger.body.data[0].entries as { side: string; amount: { amount: string } }[];
  ensure(entries.length === 2 && entries.every(({ amount }) => amount.amount === PAID.amount) && new Set(entries.map(({ side }) => side)).size === 2, 'The ledger does not show a debit and a credit of the amount.');
}

const sides = ({ entries }: { entries: { side: string; ledgerAccount: string; amount: { amount: string } }[] }): string =>
  entries.map(({ side, ledgerAccount, amount }) => `${side} ${ledgerAccount.split(':')[0]} ${amount.amount}`).join(', ');

async function arrives({ receiver }: Traveller, matches: (event: Receiver['received'][number]) => boolean): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (receiver.received.some(matches)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  ensure(false, 'The webhook did not arrive within 20 s.');
}

/** 8: revoked at the bank; the very next read is refused. */
export async function revoke({ journal, place }: Traveller, customer: BankCustomer, consentId: string, token: Token, accountId: string): Promise<void> {
  journal.step('The customer revokes; the very next read is refused');
  await customer.revoke(consentId);
  const refused = await journal.call({ url: `${place.gatewayUrl}/v1/accounts/${accountId}/balances`, headers: bearer(token), expect: 403, fact: ({ body }) => `${body.code}: ${body.detail}` });
  ensure(refused.body.code === 'consent_revoked', `The problem is ${refused.body.code}, not consent_revoked.`);
}

/** 9: too fast, without a token, with a forged identity. */
export async function overstep({ journal, place }: Traveller, own: Token): Promise<void> {
  journal.step('Too many requests, no token, a forged identity');
  const url = `${place.gatewayUrl}/v1/consents`;
  const answers = await Promise.all(Array.from({ length: 200 }, () => send({ url, headers: bearer(own) })));
  const limited = answers.find(({ status }) => status === 429);
  ensure(limited, 'A burst of 200 requests was not limited.');
  const wait = Number(limited.headers.get('retry-after'));
  ensure(wait >= 1, 'The 429 has no Retry-After.');
  journal.note(`a burst of 200: ${answers.filter(({ status }) => status === 429).length} × 429 ${limited.body.code}, Retry-After ${wait} s`);
  await new Promise((resolve) => setTimeout(resolve, Math.min(wait, 65) * 1000 + 200));
  await journal.call({ url, expect: 401, fact: ({ body }) => `without a token: ${body.code}` });
  const forged = { 'x-gateway-token': 'eyJhbGciOiJub25lIn0.e30.', 'x-consumer-id': newKey(), 'x-authenticated-userid': newKey() };
  await journal.call({ url, headers: forged, expect: 401, fact: ({ body }) => `with forged identity headers: ${body.code}` });
}

/** What the trail of this customer must name. */
const TRAIL = ['customer.registered', 'customer.activated', 'kyc.approved', 'account.opened', 'account.credited', 'consent.authorised', 'payment.initiated', 'payment.settled', 'consent.revoked', 'access.decision'];

/** 10: the customer's audit trail lists all of it, and the chain verifies. */
export async function audit({ journal, place }: Traveller, customerId: string, consentId: string): Promise<void> {
  journal.step('Compliance reads the customer\'s audit trail and verifies its hash chain');
  const officer = await clientToken(journal, place, place.compliance, 'audit');
  const complete = (data: Trail): boolean => TRAIL.every((type) => data.some((event) => event.type === type)) && decisions(data, 200) > 0 && decisions(data, 403) > 0;
  const decisions = (data: Trail, status: number): number => data.filter((event) => event.type === 'access.decision' && event.consentId === consentId && event.status === status).length;
  const trail = await journal.until(
    { url: `${place.gatewayUrl}/v1/audit/events?customerId=${customerId}&limit=100`, headers: bearer(officer), expect: 200, fact: ({ body }) => `${body.data.length} records about this customer` },
    ({ body }) => complete(body.data));
  const data = trail.body.data as Trail;
  journal.note(`reads allowed on the consent: ${decisions(data, 200)}; refused after it was revoked: ${decisions(data, 403)}`);
  const chain = await journal.call({ url: `${place.gatewayUrl}/v1/audit/verification`, headers: bearer(officer), expect: 200, fact: ({ body }) => `the hash chain verifies over ${body.records} records` });
  ensure(chain.body.valid === true, `The chain breaks at ${JSON.stringify(chain.body.firstBreak)}.`);
}

type Trail = { type: string; consentId?: string; status?: number }[];

/** All ten, in order. */
export async function walk(traveller: Traveller): Promise<void> {
  const { app, own } = await comeOnBoard(traveller);
  const customerId = await registerCustomers(traveller, own);
  const accountId = await openAccount(traveller, app, own, customerId);
  const { customer, consentId, token } = await giveAccess(traveller, app, own, customerId, accountId);
  await readAccounts(traveller, token, own, accountId);
  await pay(traveller, customer, app, own, accountId);
  await revoke(traveller, customer, consentId, token, accountId);
  await overstep(traveller, own);
  await audit(traveller, customerId, consentId);
}
