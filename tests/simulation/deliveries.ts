/**
 * The same lives twice, by the real services on real databases: once with every event delivered in order, once with each delivered three times,
 * in an order the seed chooses, some at the same moment. Both must end in the same rows.
 */
import { isDeepStrictEqual } from 'node:util';
import { newEvent, type AnyEvent, type Event, type EventData, type EventType } from '@kontor/kernel/events';
import { derivedId } from '@kontor/kernel/ids';
import { dice, type Dice } from '@kontor/testing/dice';
import { ownIban } from '@kontor/testing/iban';
import { testService, type TestService } from '@kontor/testing/service';
import { options as accountService } from '../../services/account/src/main.js';
import { options as paymentService } from '../../services/payment/src/main.js';

const TIMES = 3;
const CONTEXT = { correlationId: 'simulation', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', clientId: 'fintech' };
const euros = (minor: number): { amount: string; currency: string } => ({ amount: `${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, '0')}`, currency: 'EUR' });
const ENDINGS = ['payment.submitted', 'payment.settled', 'payment.rejected', 'payment.cancelled', 'funds.captured', 'account.credited'] as const;
/** More than a life makes. */
const MOST_DELIVERIES = 3_000;

/** The services, and what they tell brought to those it is about. */
export interface Stage {
  payment: TestService;
  account: TestService;
  /** Takes what both have told since, and gives it to whoever listens for its subject. */
  collect(): Promise<void>;
  listen(subjects: readonly string[], hear: (event: AnyEvent) => void): void;
  stop(): Promise<void>;
}

export async function startStage(): Promise<Stage> {
  const payment = await testService(paymentService);
  const account = await testService(accountService, { ACCOUNT_BALANCES_KEY: 'of-the-simulation-and-nobody-else' });
  const listeners = new Map<string, (event: AnyEvent) => void>();
  /** What came before somebody listened. */
  const unheard = new Map<string, AnyEvent[]>();
  return {
    payment, account,
    async collect() {
      for (const { database } of [payment, account]) {
        // As the relay does; positions may become visible out of order.
        const rows = await database.query<{ event: AnyEvent }>('update outbox set published_at = now() where published_at is null returning event');
        for (const { event } of rows) {
          const hear = listeners.get(event.subject);
          if (hear) hear(event);
          else unheard.set(event.subject, [...unheard.get(event.subject) ?? [], event]);
        }
      }
    },
    listen(subjects, hear) {
      for (const subject of subjects) {
        listeners.set(subject, hear);
        unheard.get(subject)?.forEach(hear);
        unheard.delete(subject);
      }
    },
    async stop() {
      await payment.stop();
      await account.stop();
    },
  };
}

type Fate = 'settles' | 'is rejected by the rail' | 'has no funds' | 'is cancelled' | 'is on us';
interface OwnAccount { accountId: string; iban: string; customerId: string }

/** What stands in the databases in the end, with the ids of this life replaced by their names. */
export type Ending = Record<string, unknown>;

/** @returns how the two lives of a seed differ; nothing when they end the same */
export async function differenceOf(stage: Stage, seed: number): Promise<string | undefined> {
  const [ordered, disordered] = await Promise.all([live(stage, seed, 'in order'), live(stage, seed, 'in disorder')]);
  if (isDeepStrictEqual(ordered.ending, disordered.ending)) return undefined;
  const differing = Object.keys({ ...ordered.ending, ...disordered.ending }).filter((name) => !isDeepStrictEqual(ordered.ending[name], disordered.ending[name]))
    .map((name) => `${name}: in order ${JSON.stringify(ordered.ending[name])}, in disorder ${JSON.stringify(disordered.ending[name])}`);
  return [`seed ${seed} ends otherwise in disorder`, ...differing, `delivered: ${disordered.delivered.join(', ')}`,
    `again: npm run test:simulation -- --histories=0 --deliveries=1 --seed=${seed}`].join('\n  ');
}

async function live(stage: Stage, seed: number, order: 'in order' | 'in disorder'): Promise<{ ending: Ending; delivered: string[] }> {
  const drawn = dice(seed);
  const id = (name: string): string => derivedId(`simulation/${seed}/${order}/${name}`);
  const iban = (name: string): string => ownIban(BigInt(`0x${id(name).replaceAll('-', '')}`) % 10_000_000_000n);
  const event = <T extends EventType>(type: T, subject: string, data: EventData<T>, about: string, time?: Date): Event =>
    newEvent(type, { subject, data, context: CONTEXT, source: 'simulation', id: id(`${type} ${about}`), ...(time ? { now: time } : {}) }) as Event;
  const told: Record<string, number> = {};
  const waiting: { event: Event; left: number }[] = [];
  const hear = (heard: Event): void => { waiting.push({ event: heard, left: order === 'in order' ? 1 : TIMES }); };
  const deliver = async (one: Event): Promise<void> => {
    await Promise.all([stage.payment.deliver(one), stage.account.deliver(one)]);
    if (one.type !== 'payment.submitted' || submitted.has(one.subject)) return;
    submitted.add(one.subject);
    for (const report of reports(one.data as EventData<'payment.submitted'>)) hear(report);
  };
  /** What the rail has taken: a repeat it knows. */
  const submitted = new Set<string>();
  const fates = new Map<string, Fate>();
  const reports = ({ paymentId }: EventData<'payment.submitted'>): Event[] =>
    (fates.get(paymentId) === 'is rejected by the rail' ? ['ACTC', 'RJCT'] as const : ['ACTC', 'ACSP', 'ACSC', 'ACCC'] as const).map((status) => event('rail.payment-status-reported', paymentId, {
      paymentId, status, railReference: id(`report ${status} ${paymentId}`), ...(status === 'RJCT' ? { reason: 'AC04' } : {}),
    }, `${status} ${paymentId}`));

  const names = ['rich', 'poor', 'payee'] as const;
  const accounts = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await opened(name)] as const))) as Record<(typeof names)[number], OwnAccount>;
  stage.listen(Object.values(accounts).map(({ accountId }) => accountId), (heard) => note(heard));
  await deliver(credit('rich', 'opening', 500_000));

  const payments: { paymentId: string; fate: Fate }[] = [];
  for (let number = 0; number < 4; number++) payments.push(await ordered(number, drawn));
  const nameOf = new Map<string, string>([...Object.entries(accounts).map(([name, { accountId }]) => [accountId, name] as const), ...payments.flatMap(({ paymentId }, number) => [[paymentId, `payment ${number}`], [id(`consent ${number}`), `consent ${number}`]] as const)]);
  // News that was there before, and news from elsewhere, come in between.
  hear(credit('rich', 'salary', 12_345));
  hear(credit('payee', 'salary', 777));
  // A name that changes, and an end that gives none.
  for (const [n, type] of (['customer.placed-under-review', 'customer.activated', 'customer.closed'] as const).entries())
    hear(event(type, accounts.payee.customerId, { customerId: accounts.payee.customerId, clientId: 'fintech', ...(type === 'customer.activated' ? { name: { given: 'Ada', family: 'Muster' } } : {}) } as EventData<typeof type>, 'later', new Date(Date.UTC(2100, 0, 1 + n))));
  await stage.collect();

  const delivered: string[] = [];
  const disorder = dice(seed, 1);
  while (waiting.length > 0) {
    if (delivered.length > MOST_DELIVERIES) throw new Error(`seed ${seed}: the services do not come to rest`);
    const picked = order === 'in order' ? [waiting[0]!] : Array.from({ length: 1 + disorder.below(3) }, () => disorder.pick(waiting));
    for (const pick of picked) {
      delivered.push(`${pick.event.type} ${nameOf.get(pick.event.subject) ?? ''}`.trim());
      if (--pick.left <= 0 && waiting.includes(pick)) waiting.splice(waiting.indexOf(pick), 1);
    }
    await Promise.all(picked.map((pick) => deliver(pick.event)));
    await stage.collect();
  }
  return { ending: await endingOf(), delivered };

  function note(heard: AnyEvent): void {
    told[heard.type] = (told[heard.type] ?? 0) + 1;
    hear(heard);
  }

  async function opened(name: string): Promise<OwnAccount> {
    const customerId = id(`customer ${name}`);
    await stage.account.deliver(event('customer.activated', customerId, { customerId, clientId: 'fintech', name: { given: 'Ada', family: 'Beispiel' } }, name));
    const answer = await stage.account.request('POST', '/v1/accounts', {
      op: 'openAccount', caller: { clientId: 'fintech' }, headers: { 'idempotency-key': id(`key ${name}`) }, body: { customerId, product: 'current', currency: 'EUR' },
    });
    if (answer.status !== 201) throw new Error(`no account: ${JSON.stringify(answer.body)}`);
    const { accountId } = answer.body as { accountId: string };
    await stage.account.deliver(event('core.account-booked', accountId, { accountId, iban: iban(name), coreReference: `CORE-${accountId}` }, name));
    return { accountId, iban: iban(name), customerId };
  }

  function credit(name: (typeof names)[number], what: string, minor: number): Event {
    const railReference = `${id(`transfer ${name} ${what}`).replaceAll('-', '')}/tx/1`;
    return event('rail.credit-transfer-received', railReference, {
      railReference, messageId: railReference.slice(0, 32), creditorIban: accounts[name].iban, debtor: { name: 'Example Employer', iban: 'NL91ABNA0417164300' }, amount: euros(minor), endToEndId: what,
    }, `${name} ${what}`);
  }

  async function ordered(number: number, from: Dice): Promise<{ paymentId: string; fate: Fate }> {
    const fate = from.pick<Fate>(['settles', 'settles', 'is rejected by the rail', 'has no funds', 'is cancelled', 'is on us']);
    const debtor = accounts[fate === 'has no funds' ? 'poor' : 'rich'];
    const consentId = id(`consent ${number}`);
    const minor = 100 + from.below(20_000);
    const creditor = { name: 'Green Grocer', iban: fate === 'is on us' ? accounts.payee.iban : 'DE89370400440532013000' };
    const common = { consentId, clientId: 'fintech', customerId: debtor.customerId, permissions: ['payments:initiate' as const], accounts: [debtor.accountId] };
    const consent = (version: number): EventData<'consent.authorised'> => ({ ...common, consentType: 'payment', version, payment: { amount: euros(minor), creditor, debtorAccountId: debtor.accountId } });
    await stage.payment.deliver(event('consent.authorised', consentId, consent(2), `${number}`));
    // An older version of the terms comes late.
    hear(event('consent.amended', consentId, { ...consent(1), payment: { ...consent(1).payment!, amount: euros(1) } }, `${number}`));
    const payer = { clientId: 'fintech', consent: { id: consentId, version: 2, permissions: ['payments:initiate'], accounts: [debtor.accountId], customerId: debtor.customerId } };
    const answer = await stage.payment.request('POST', '/v1/payments', {
      op: 'initiatePayment', caller: payer, headers: { 'idempotency-key': id(`order ${number}`) }, body: { debtorAccountId: debtor.accountId, amount: euros(minor), creditor },
    });
    if (answer.status !== 201) throw new Error(`seed ${seed}: no payment: ${JSON.stringify(answer.body)}`);
    const { paymentId } = answer.body as { paymentId: string };
    fates.set(paymentId, fate);
    stage.listen([paymentId], note);
    if (fate === 'is cancelled') await stage.payment.request('DELETE', `/v1/payments/${paymentId}`, { op: 'cancelPayment', caller: payer });
    return { paymentId, fate };
  }

  async function endingOf(): Promise<Ending> {
    const ids = payments.map(({ paymentId }) => paymentId);
    const own = Object.values(accounts).map(({ accountId }) => accountId);
    const rows = async (service: TestService, sql: string, among: string[]): Promise<unknown[]> => {
      const found = await service.database.query<{ whose: string }>(sql, [among]);
      return found.map((row) => ({ ...row, whose: nameOf.get(row.whose) ?? row.whose })).sort((a, b) => a.whose.localeCompare(b.whose));
    };
    return {
      payments: await rows(stage.payment, 'select payment_id as whose, status, status_reason, on_us, debtor_iban is not null as funded from payments where payment_id = any ($1::uuid[])', ids),
      holds: await rows(stage.account, 'select payment_id as whose, state, reason, amount_minor from holds where payment_id = any ($1::uuid[])', ids),
      bookings: await rows(stage.account, 'select payment_id as whose, type, count(*)::int from ledger_transactions where payment_id = any ($1::uuid[]) group by 1, 2', ids),
      balances: await rows(stage.account, 'select ledger_account_id as whose, sum(booked_minor)::text as booked, sum(held_minor)::text as held from ledger_balances where ledger_account_id = any ($1::uuid[]) group by 1', own),
      entries: await rows(stage.account, 'select ledger_account_id as whose, count(*)::int from ledger_entries where ledger_account_id = any ($1::uuid[]) group by 1', own),
      consents: await rows(stage.payment, 'select consent_id as whose, version, amount_minor, ended from authorised_consents where consent_id = any ($1::uuid[])', payments.map((_, number) => id(`consent ${number}`))),
      payee: await stage.account.database.query('select status, holder_name from customers where customer_id = $1', [accounts.payee.customerId]),
      // How an ending was reached may differ: ACSC may overtake ACSP, a cancellation the hold it releases.
      told: Object.fromEntries(ENDINGS.map((type) => [type, told[type] ?? 0])),
    };
  }
}
