/** Who there is and what is theirs: two customers, four accounts (one of both), applications of different licences. */
import { newEvent, type EventContext, type EventData, type EventType } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { eventually } from '@kontor/testing/wait';
import { approve } from '../../services/consent/src/consent.js';
import { Client, type Answer, type App } from '../gateway/client.js';
import { deckVariables, houseState, type Target, type TargetKind } from '../gateway/target.js';
import { startUpstream, type Upstream } from '../gateway/upstream.js';
import type { Customer, Kind } from './model.js';
import { startServices, type Services } from './services.js';

export const EVENT: EventContext = { correlationId: 'oracle', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
export const GROCER = { name: 'Green Grocer', iban: 'DE89370400440532013000' };
export const EVERY_SCOPE = 'accounts payments funds consents';

export interface Account { id: string; iban: string; transaction: string }

export interface World {
  name: string;
  services: Services;
  /** Everything behind the gateway that is not one of the services, access records included. */
  beside: Upstream;
  target: Target;
  client: Client;
  /** `fintech` makes the consents; `other` has the same licences, `unlicensed` none of them. */
  apps: Record<'fintech' | 'other' | 'unlicensed' | 'staff', App>;
  customers: { ada: string; bert: string };
  /** first, second: Ada's; joint: of both; strange: Bert's. */
  accounts: Record<'first' | 'second' | 'joint' | 'strange', Account>;
  /** What the model must know of the customer who approves. */
  ada: Customer;
  /** A token by client credentials, kept for some minutes. */
  tokenOf(app: App, scope: string): Promise<string>;
  stop(): Promise<void>;
}

/** Starts the services and a gateway before them, and opens the accounts. */
export async function startWorld(kind: TargetKind, { redisUrl, amqpUrl }: { redisUrl: string; amqpUrl: string }): Promise<World> {
  const undo: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const services = await startServices({ redisUrl, amqpUrl });
    undo.push(() => services.stop());
    const beside = await startUpstream();
    undo.push(() => beside.stop());
    const { hostname, port, password } = new URL(redisUrl);
    const target = await kind.start(houseState(), deckVariables(beside.url, {
      DECK_CONSENT_URL: services.consent.url, DECK_ACCOUNT_URL: services.account.url, DECK_PAYMENT_URL: services.payment.url,
      DECK_REDIS_HOST: hostname, DECK_REDIS_PORT: port, DECK_REDIS_PASSWORD: decodeURIComponent(password),
    }));
    undo.push(() => target.stop());
    services.connect(target);
    const client = new Client(target, redisUrl);
    undo.push(() => client.close());
    return { ...await populate({ services, client }), name: kind.name, services, beside, target, client, stop };
  } catch (fault) {
    await stop();
    throw fault;
  }
}

/** Tokens live for a quarter of an hour (deck/policies.yaml). */
const TOKEN_KEPT_MS = 5 * 60_000;

/** Tokens by client credentials, each kept for some minutes; one that was not issued is asked for again. */
export function tokensOf(client: Client): World['tokenOf'] {
  const tokens = new Map<string, { text: Promise<string>; until: number }>();
  return (app, scope) => {
    const key = `${app.clientId} ${scope}`;
    const known = tokens.get(key);
    if (known && Date.now() < known.until) return known.text;
    const text = client.clientToken(app, scope);
    tokens.set(key, { text, until: Date.now() + TOKEN_KEPT_MS });
    text.catch(() => tokens.delete(key));
    return text;
  };
}

const LICENCES = ['aisp', 'pisp', 'cbpii', 'onboarding'];

async function populate({ services, client }: Pick<World, 'services' | 'client'>): Promise<Pick<World, 'apps' | 'customers' | 'accounts' | 'ada' | 'tokenOf'>> {
  const apps = { fintech: await client.app(LICENCES), other: await client.app(LICENCES), unlicensed: await client.app(['onboarding']), staff: await client.app(['bank-staff']) };
  const tokenOf = tokensOf(client);
  const [ada, bert] = [newId(), newId()];
  const tell = async <T extends EventType>(type: T, data: EventData<T>, to: ('account' | 'consent')[]): Promise<void> => {
    for (const name of to) await services[name].deliver(newEvent(type, { subject: newId(), data, context: EVENT, source: '/oracle' }));
  };
  for (const [customerId, given] of [[ada, 'Ada'], [bert, 'Bert']] as const) {
    await tell('customer.activated', { customerId, clientId: apps.fintech.clientId, name: { given, family: 'Beispiel' } }, ['account', 'consent']);
  }
  const open = async (holders: string[], number: number): Promise<Account> => {
    const [customerId, ...jointHolders] = holders as [string, ...string[]];
    const answer = await client.ask('POST', '/v1/accounts', {
      headers: { authorization: `Bearer ${await tokenOf(apps.fintech, 'accounts')}`, 'idempotency-key': newId() }, body: { customerId, product: 'current', currency: 'EUR' },
    });
    if (answer.status !== 201) throw new Error(`no account was opened: ${answer.text}`);
    const id = answer.body.accountId as string;
    const iban = `DE00ORACLE${String(number).padStart(4, '0')}TEST`;
    // First, so that the consent service knows all holders before it hears the account service.
    await tell('account.opened', { accountId: id, customerId, clientId: apps.fintech.clientId, iban, currency: 'EUR', product: 'current', holderName: 'Ada Beispiel', ...(jointHolders.length > 0 ? { jointHolders } : {}) }, ['consent']);
    await tell('core.account-booked', { accountId: id, iban, coreReference: `C-${iban}` }, ['account']);
    await tell('rail.credit-transfer-received', { railReference: newId(), messageId: newId(), creditorIban: iban, debtor: GROCER, amount: { amount: '1000000.00', currency: 'EUR' }, endToEndId: 'SALARY' }, ['account']);
    const [row] = await services.account.database.query<{ transaction_id: string }>(
      'SELECT e.transaction_id FROM ledger_entries e JOIN ledger_accounts l USING (ledger_account_id) WHERE l.code = $1', [`customer:${id}`]);
    if (!row) throw new Error('the account has no transaction');
    return { id, iban, transaction: row.transaction_id };
  };
  const accounts = { first: await open([ada], 1), second: await open([ada], 2), joint: await open([ada, bert], 3), strange: await open([bert], 4) };
  return {
    apps, accounts, tokenOf, customers: { ada, bert },
    ada: { name: 'ada', accounts: ['first', 'second', 'joint'], holders: { first: ['ada'], second: ['ada'], joint: ['ada', 'bert'] } },
  };
}

const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
export const euro = (cents: number): { amount: string; currency: string } => ({ amount: `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`, currency: 'EUR' });

/** The body that asks for a consent of this kind. */
export function consentBody(kind: Kind, more: Record<string, unknown> = {}): Record<string, unknown> {
  const redirectUri = 'https://fintech.test/callback';
  switch (kind) {
    case 'access': return { type: 'account-access', permissions: ['accounts:read', 'balances:read', 'transactions:read', 'beneficiaries:read'], validUntil: inDays(90), redirectUri, ...more };
    case 'one-off access': return { type: 'account-access', permissions: ['accounts:read'], validUntil: inDays(1), recurring: false, redirectUri, ...more };
    case 'funds confirmation': return { type: 'funds-confirmation', validUntil: inDays(90), redirectUri, ...more };
    case 'payment': return { type: 'payment', redirectUri, payment: { amount: euro(1250), creditor: GROCER, ...more } };
    case 'bulk payment': return { type: 'bulk-payment', redirectUri, bulk: { transactions: 2, total: euro(2500), ...more } };
    case 'variable recurring': return {
      type: 'variable-recurring', redirectUri,
      recurring: { maximumPerPayment: euro(5000), periodicLimits: [{ maximum: euro(50_000), period: 'month', alignment: 'consent' }], creditor: GROCER, validUntil: inDays(365), ...more },
    };
  }
}

/** The scope the tokens of a kind carry. */
export const SCOPE: Record<Kind, string> = { access: 'accounts', 'one-off access': 'accounts', payment: 'payments', 'variable recurring': 'payments', 'bulk payment': 'payments', 'funds confirmation': 'funds' };

/** Asks for a consent at the gateway. @throws Error when it is refused */
export async function createConsent(world: World, body: Record<string, unknown>, app = world.apps.fintech): Promise<string> {
  const answer = await world.client.ask('POST', '/v1/consents', { headers: { authorization: `Bearer ${await world.tokenOf(app, 'consents')}`, 'idempotency-key': newId() }, body });
  if (answer.status !== 201) throw new Error(`no consent was created: ${answer.text}`);
  return answer.body.consentId as string;
}

/** Approves as the first customer does, for accounts by their ids. @throws Problem when it is not to be approved so */
export async function approveAs(world: World, consentId: string, chosen: string[], customerId = world.customers.ada): Promise<void> {
  const { consents } = world.services;
  const owned = await consents.accountsOf(customerId);
  await consents.change(consentId, (consent, now) => approve(consent, { customerId, chosen, owned, now }), EVENT);
}

/** A consent in force, and a token on it. */
export async function consented(world: World, kind: Kind, more: Record<string, unknown> = {}, account = world.accounts.first.id): Promise<{ consentId: string; token: string }> {
  const consentId = await createConsent(world, consentBody(kind, more));
  await approveAs(world, consentId, [account]);
  return { consentId, token: await world.client.consentToken(world.apps.fintech, consentId, SCOPE[kind]) };
}

/** Orders the payment a customer authorised, with whatever differs. */
export async function pay(world: World, token: string, change: Record<string, unknown> = {}, headers: Record<string, string> = {}): Promise<Answer> {
  return world.client.ask('POST', '/v1/payments', {
    headers: { authorization: `Bearer ${token}`, 'idempotency-key': newId(), ...headers },
    body: { debtorAccountId: world.accounts.first.id, amount: euro(1250), creditor: GROCER, ...change },
  });
}

/** Waits until the consent service has heard that the payment was made. */
export async function consumed(world: World, consentId: string): Promise<void> {
  await eventually('the consent service has heard of the payment', async () => (await world.services.consents.find(consentId))?.status === 'consumed', 30_000);
}
