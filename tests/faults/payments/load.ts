/** Fintechs at work: they order, repeat what got no answer with the same key, cancel some, and write down what they were told. */
import { setTimeout as pause } from 'node:timers/promises';
import { newEvent, type EventData } from '@kontor/kernel/events';
import { derivedId } from '@kontor/kernel/ids';
import type { Broker } from '@kontor/kernel/messaging';
import { dice, type Dice } from '@kontor/testing/dice';
import { gatewayToken } from '@kontor/testing/gateway-token';
import { ownIban } from '@kontor/testing/iban';
import { sign, SIGNATURE_HEADER } from '../../../adapters/payment-rail/src/signature.js';
import type { SmallPlatform } from './platform.js';

/** An account of the bank. `poor` ones never have money. */
export interface OwnAccount {
  accountId: string;
  iban: string;
  customerId: string;
  poor: boolean;
}

/** A payment as its client knows it. Amounts in cents. */
export interface Ordered {
  key: string;
  clientId: string;
  consentId: string;
  recurring: boolean;
  /** To be settled within ten seconds, or refused. */
  instant: boolean;
  debtor: OwnAccount;
  minor: number;
  creditorIban: string;
  /** The id of each 2xx answer; all must be one. */
  answers: Set<string>;
  /** A definite refusal: the problem's code. */
  refusal?: string;
  /** What DELETE was answered with: 200, or 409. */
  cancelled?: number;
}

/** Money that came over the rail. */
export interface PaidIn {
  messageId: string;
  account: OwnAccount;
  minor: number;
  /** The rail took the order. */
  accepted: boolean;
}

/** The limit of a recurring consent for its calendar year, in cents. */
export const RECURRING_LIMIT = 40_000;

/** Everything the clients did and were told. */
export interface Book {
  accounts: OwnAccount[];
  orders: Ordered[];
  paidIn: PaidIn[];
}

const CLIENTS = 6;
/** Payments under way beyond which clients wait, so that every round can come to rest. */
const MOST_OPEN = 150;
const OUTSIDE = ['DE89370400440532013000', 'NL91ABNA0417164300', 'FR1420041010050500013M02606'];

const euros = (minor: number): { amount: string; currency: string } => ({ amount: `${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, '0')}`, currency: 'EUR' });
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

interface Answer { status: number; body: { code?: string; paymentId?: string; accountId?: string; status?: string } }

export interface Load {
  readonly book: Book;
  /** Clients begin, until the returned function is called; it resolves when each has its last answer. */
  run(open: () => number): () => Promise<void>;
}

/** Opens accounts, funds them, and is ready to order. */
export async function startLoad(platform: SmallPlatform, broker: Broker, seed: number): Promise<Load> {
  const book: Book = { accounts: [], orders: [], paidIn: [] };
  let made = 0;
  /** Ids follow from the seed. */
  const id = (): string => derivedId(`faults/${seed}/${++made}`);

  async function request(method: string, url: string, op: string, aud: string, given: { key?: string; body?: unknown; clientId: string; consent?: EventData<'consent.authorised'> }): Promise<Answer> {
    const { key, body, clientId, consent } = given;
    const token = gatewayToken({
      aud, op, sub: clientId, ...(consent ? { consent: { id: consent.consentId, version: 2, permissions: consent.permissions, accounts: consent.accounts, customerId: consent.customerId! } } : {}),
    });
    const answer = await fetch(url, {
      method, signal: AbortSignal.timeout(4_000), ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { 'x-gateway-token': token, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(key === undefined ? {} : { 'idempotency-key': key }) },
    });
    const text = await answer.text();
    return { status: answer.status, body: (text === '' ? {} : JSON.parse(text)) as Answer['body'] };
  }

  /** Repeats, unchanged, while there is no answer or one that says "not now". */
  async function insist(ask: () => Promise<Answer>, seen: (answer: Answer) => void = () => undefined): Promise<Answer> {
    let last = 'no answer';
    for (const giveUpAt = Date.now() + 120_000; Date.now() < giveUpAt; await pause(50 + Math.random() * 100)) {
      try {
        const answer = await ask();
        seen(answer);
        if (answer.status < 500 && answer.status !== 429 && answer.body.code !== 'idempotency_in_flight') return answer;
        last = `${answer.status} ${JSON.stringify(answer.body)}`;
      } catch (fault) {
        last = String((fault as Error).cause ?? fault);
      }
    }
    throw new Error(`a client got no definite answer within 120 s; last: ${last}`);
  }

  async function tell<T extends 'consent.authorised' | 'customer.activated' | 'core.account-booked'>(type: T, subject: string, data: EventData<T>): Promise<void> {
    const event = newEvent(type, { subject, data, source: 'faults', context: { correlationId: subject, traceparent: TRACE }, id: derivedId(`${type}/${subject}`) });
    for (const giveUpAt = Date.now() + 120_000; ; await pause(100)) {
      try {
        return await broker.publish(event);
      } catch (fault) {
        if (Date.now() > giveUpAt) throw fault;
      }
    }
  }

  async function openAccount(number: number): Promise<OwnAccount> {
    const [customerId, key] = [id(), id()];
    await tell('customer.activated', customerId, { customerId, clientId: 'fintech-0', name: { given: 'Ada', family: 'Beispiel' } });
    const opened = await insist(async () => {
      const answer = await request('POST', `${platform.urls.account}/v1/accounts`, 'openAccount', 'account', { key, clientId: 'fintech-0', body: { customerId, product: 'current', currency: 'EUR' } });
      if (answer.body.code === 'customer_not_active') throw new Error('the news of the customer is still on its way');
      return answer;
    });
    const accountId = opened.body.accountId;
    if (accountId === undefined) throw new Error(`an account could not be opened: ${JSON.stringify(opened)}`);
    const iban = ownIban(number);
    await tell('core.account-booked', accountId, { accountId, iban, coreReference: `CORE-${number}` });
    return { accountId, iban, customerId, poor: number % 5 === 4 };
  }

  /** Somebody pays in over the rail; the MsgId makes it safe to repeat. */
  async function payIn(account: OwnAccount, minor: number): Promise<void> {
    const entry: PaidIn = { messageId: id().replaceAll('-', ''), account, minor, accepted: false };
    book.paidIn.push(entry);
    const body = JSON.stringify({
      messageId: entry.messageId, endToEndId: entry.messageId.slice(0, 16), amount: euros(minor), debtor: { name: 'Example Employer', iban: 'NL91ABNA0417164300' }, creditor: { iban: account.iban },
    });
    const answer = await insist(async () => {
      const taken = await fetch(`${platform.urls['payment-rail-simulator']}/simulate/credit-transfers`, {
        method: 'POST', body, signal: AbortSignal.timeout(4_000),
        headers: { 'content-type': 'application/json', [SIGNATURE_HEADER]: sign(body, platform.railSecret, Math.floor(Date.now() / 1000)) },
      });
      await taken.body?.cancel();
      return { status: taken.status, body: {} };
    });
    if (answer.status !== 202) throw new Error(`the rail answered ${answer.status} to a transfer`);
    entry.accepted = true;
  }

  /** A consent whose customer has authorised it; told, as the consent service tells it. */
  async function authorise(wish: Omit<Ordered, 'answers' | 'key'>): Promise<EventData<'consent.authorised'>> {
    const { consentId, clientId, debtor, minor, creditorIban, recurring } = wish;
    const common = { consentId, clientId, customerId: debtor.customerId, permissions: ['payments:initiate' as const], accounts: [debtor.accountId], version: 2 };
    const creditor = { name: 'Green Grocer', iban: creditorIban };
    const consent: EventData<'consent.authorised'> = recurring
      ? {
        ...common, consentType: 'variable-recurring', recurring: {
          maximumPerPayment: euros(RECURRING_LIMIT), creditor, validFrom: '2021-01-01T00:00:00.000Z', validUntil: '2121-01-01T00:00:00.000Z',
          periodicLimits: [{ maximum: euros(RECURRING_LIMIT), period: 'year', alignment: 'calendar' }],
        },
      }
      : { ...common, consentType: 'payment', payment: { amount: euros(minor), creditor, debtorAccountId: debtor.accountId } };
    await tell('consent.authorised', consentId, consent);
    return consent;
  }

  interface Intent { wish: Omit<Ordered, 'answers' | 'key'>; consent: EventData<'consent.authorised'> }

  async function client(number: number, stopping: () => boolean, open: () => number): Promise<void> {
    const drawn = dice(seed, number + rounds * CLIENTS);
    const clientId = `fintech-${number}`;
    let stock: Intent[] = [];
    let series: Intent | undefined;
    while (!stopping()) {
      if (open() > MOST_OPEN) {
        await pause(50);
        continue;
      }
      if (stock.length === 0) {
        stock = await Promise.all(Array.from({ length: 8 }, async () => {
          const wish = intent(drawn, clientId);
          return { wish, consent: await authorise(wish) };
        }));
      }
      const next = stock.pop()!;
      if (next.wish.recurring) series ??= next;
      const refused = await order(next.wish.recurring && series ? { ...series, wish: { ...series.wish, minor: next.wish.minor } } : next, drawn);
      if (refused === 'consent_limit_exceeded') series = undefined;
      if (drawn.next() < 0.15) await payIn(drawn.pick(book.accounts.filter(({ poor }) => !poor)), 1_000 + drawn.below(40_000));
      await pause(drawn.below(60));
    }
  }

  function intent(drawn: Dice, clientId: string): Intent['wish'] {
    const debtor = drawn.pick(book.accounts);
    const onUs = drawn.next() < 0.35;
    const payee = drawn.pick(book.accounts.filter((account) => account !== debtor));
    const kind = drawn.weighted({ usual: 70, troubled: 14, recurring: 16 });
    // 666.xx: what the simulated rail rejects, tells late, three times, out of order, garbled, or not before it is asked (adapters/payment-rail/README.md).
    const minor = kind === 'troubled' ? drawn.pick([66_601, 66_604, 66_606, 66_614, 66_650, 66_651, 66_652, 66_653, 66_654, 66_655]) : 100 + drawn.below(4_900);
    const instant = kind !== 'recurring' && drawn.next() < 0.2;
    return { clientId, consentId: id(), recurring: kind === 'recurring', instant, debtor, minor, creditorIban: onUs ? payee.iban : drawn.pick(OUTSIDE) };
  }

  /** @returns the code of the refusal, if it was refused */
  async function order({ wish, consent }: Intent, drawn: Dice): Promise<string | undefined> {
    const ordered: Ordered = { ...wish, key: id(), answers: new Set() };
    book.orders.push(ordered);
    const post = (): Promise<Answer> => request('POST', `${platform.urls.payment}/v1/payments`, 'initiatePayment', 'payment', {
      key: ordered.key, clientId: wish.clientId, consent,
      body: { debtorAccountId: wish.debtor.accountId, amount: euros(wish.minor), creditor: { name: 'Green Grocer', iban: wish.creditorIban }, ...(wish.instant ? { instant: true } : {}) },
    });
    const note = ({ status, body }: Answer): void => { if (status === 201) ordered.answers.add(body.paymentId ?? 'an answer without an id'); };
    const { status, body } = await insist(post, note);
    if (status !== 201) {
      ordered.refusal = body.code ?? String(status);
      return ordered.refusal;
    }
    const after = drawn.next();
    if (after < 0.1) {
      ordered.cancelled = (await insist(() => request('DELETE', `${platform.urls.payment}/v1/payments/${body.paymentId}`, 'cancelPayment', 'payment', { clientId: wish.clientId }))).status;
    } else if (after < 0.25) await insist(post, note);
    return undefined;
  }

  let rounds = 0;
  for (let number = 0; number < 20; number++) book.accounts.push(await openAccount(number));
  for (const account of book.accounts) if (!account.poor) await payIn(account, 2_000_000);
  return {
    book,
    run(open) {
      rounds++;
      let stopping = false;
      const clients = Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number, () => stopping, open)));
      clients.catch(() => undefined); // told by the function below
      return async () => {
        stopping = true;
        await clients;
      };
    },
  };
}
