import { expect } from 'chai';
import pg from 'pg';
import { setTimeout as pause } from 'node:timers/promises';
import { newEvent, type Event, type EventData, type EventType } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { testService, type TestService } from '@kontor/testing/service';
import { options } from '../src/main.js';
import { ledgerFixture } from './ledger-fixture.js';

const CONTEXT = { correlationId: 'test', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', clientId: 'app-1' };
const event = <T extends EventType>(type: T, data: EventData<T>): Event<T> => newEvent(type, { subject: newId(), data, context: CONTEXT, source: 'test' });
const eur = (amount: string) => ({ amount, currency: 'EUR' });
const party = { name: 'Example', iban: 'NL02ABNA0123456789' };

describe('a hot account', () => {
  let service: TestService;
  let ledger: ReturnType<typeof ledgerFixture>;
  before(async () => {
    service = await testService(options, { ACCOUNT_BALANCES_KEY: 'shared-with-the-consent-service' });
    ledger = ledgerFixture(service.database);
  });
  after(() => service.stop());
  afterEach('the books are sound', async () => expect(await ledger.accounts.invariantBreaks()).to.deep.equal([]));

  const credit = (creditorIban: string, amount = '1.00') => {
    const railReference = newId();
    return event('rail.credit-transfer-received', { railReference, messageId: railReference, creditorIban, debtor: party, amount: eur(amount), endToEndId: 'E2E' });
  };
  const order = (debtorAccountId: string, amount: string, creditor = party) => {
    const paymentId = newId();
    return event('payment.initiated', { paymentId, clientId: 'app-1', customerId: newId(), consentId: newId(), debtorAccountId, amount: eur(amount), creditor, endToEndId: 'E2E', uetr: newId() });
  };
  const settled = ({ data }: Event<'payment.initiated'>) =>
    event('payment.settled', { paymentId: data.paymentId, clientId: 'app-1', customerId: newId(), debtorAccountId: data.debtorAccountId, amount: data.amount });
  /** now() is the same throughout a transaction: as many as there were. */
  const transactions = async (events: readonly Event[]): Promise<number> => {
    const [row] = await service.database.query<{ n: string }>('select count(distinct received_at) as n from inbox where event_id = any ($1::uuid[])', [events.map(({ id }) => id)]);
    return Number(row?.n);
  };
  /** Holds the balance by hand until the first delivery waits for it and the others have gathered behind. */
  const behind = async (accountId: string, events: readonly Event[]): Promise<PromiseSettledResult<void>[]> => {
    const holder = new pg.Client({ connectionString: service.database.url });
    await holder.connect();
    try {
      await holder.query('begin');
      await holder.query('select 1 from ledger_balances where ledger_account_id = $1 for update', [accountId]);
      const [first, ...others] = events;
      const running = [service.deliver(first!)];
      for (let tries = 0; ; tries++) {
        const { rows } = await holder.query<{ n: number }>(`select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
        if (rows[0]!.n > 0) break;
        if (tries > 200) throw new Error('nobody waits for the lock: the test proves nothing');
        await pause(10);
      }
      running.push(...others.map((other) => service.deliver(other)));
      const ended = Promise.allSettled(running);
      await pause(100);
      await holder.query('commit');
      return await ended;
    } finally {
      await holder.end();
    }
  };
  const connected = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: service.database.url });
    await client.connect();
    return client;
  };
  const told = async (type: EventType): Promise<Record<string, unknown>[]> => (await service.events()).filter((e) => e.type === type).map(({ data }) => data as Record<string, unknown>);

  it('is credited by thirty transfers in two transactions: the first, and those that came meanwhile', async () => {
    const { accountId, iban } = await ledger.open();
    const credits = Array.from({ length: 30 }, () => credit(iban));
    await behind(accountId, credits);
    expect(await transactions(credits)).to.equal(2);
    expect(await ledger.balanceOf(accountId)).to.deep.equal([3000n, 0n]);
    const references = credits.map(({ data }) => data.railReference);
    expect((await told('account.credited')).filter(({ railReference }) => references.includes(railReference as string))).to.have.length(30);
  });
  it('pays as many as it has money for; one refused is refused alone, one that is faulty fails alone', async () => {
    const { accountId, iban } = await ledger.open();
    await service.deliver(credit(iban, '10.00'));
    const orders = Array.from({ length: 12 }, () => order(accountId, '1.00'));
    const strange = order(accountId, '0.00');
    const outcomes = await behind(accountId, [...orders.slice(0, 6), strange, ...orders.slice(6)]);
    expect(outcomes.map(({ status }) => status).filter((status) => status === 'rejected')).to.have.length(1);
    expect(outcomes[6]?.status).to.equal('rejected');
    const ids = orders.map(({ data }) => data.paymentId);
    const count = async (type: EventType) => (await told(type)).filter(({ paymentId }) => ids.includes(paymentId as string)).length;
    expect([await count('funds.reserved'), await count('funds.refused')]).to.deep.equal([10, 2]);
    expect(await transactions([strange])).to.equal(0);
    const ends = await behind(accountId, orders.slice(0, 10).map(settled));
    expect(ends.every(({ status }) => status === 'fulfilled')).to.equal(true);
    expect(await ledger.balanceOf(accountId)).to.deep.equal([0n, 0n]);
  });
  it('that many others pay on-us is credited in batches, too', async () => {
    const merchant = await ledger.open();
    const orders: Event<'payment.initiated'>[] = [];
    for (let payer = 0; payer < 10; payer++) {
      const { accountId, iban } = await ledger.open();
      await service.deliver(credit(iban, '5.00'));
      const paid = order(accountId, '2.00', { name: 'Merchant', iban: merchant.iban });
      await service.deliver(paid);
      orders.push(paid);
    }
    const ends = orders.map(settled);
    await behind(merchant.accountId, ends);
    expect(await transactions(ends)).to.equal(2);
    expect(await ledger.balanceOf(merchant.accountId)).to.deep.equal([2000n, 0n]);
  });
  it('takes each event once, however often a batch brings it', async () => {
    const { accountId, iban } = await ledger.open();
    const credits = Array.from({ length: 5 }, () => credit(iban));
    await behind(accountId, [...credits, ...credits, ...credits]);
    expect(await ledger.balanceOf(accountId)).to.deep.equal([500n, 0n]);
  });
  it('loses nothing when the connection breaks in the middle of a batch', async () => {
    const { accountId, iban } = await ledger.open();
    const credits = Array.from({ length: 8 }, () => credit(iban));
    await service.database.query(`create function break_connection() returns trigger language plpgsql as $$ begin
      if new.amount_minor = 13 then perform pg_terminate_backend(pg_backend_pid()); end if; return new; end $$`);
    await service.database.query('create trigger break_once before insert on ledger_entries for each row execute function break_connection()');
    const broken = credit(iban, '0.13');
    const outcomes = await behind(accountId, [...credits, broken]);
    expect(outcomes.filter(({ status }) => status === 'rejected')).to.have.length(8);
    await service.database.query('drop trigger break_once on ledger_entries');
    await Promise.all([...credits, broken].map((again) => service.deliver(again)));
    expect(await ledger.balanceOf(accountId)).to.deep.equal([813n, 0n]);
  });
  // Guard: prepare_batch takes the locks beforehand, in order. Without it each batch has one of the two balances and wants the other's.
  it('and another that pay each other in batches end without a deadlock', async () => {
    const [a, b, c, d] = [await ledger.open(), await ledger.open(), await ledger.open(), await ledger.open()] as const;
    for (const { iban } of [a, b, c, d]) await service.deliver(credit(iban, '100.00'));
    const pay = async (from: { accountId: string }, to: { iban: string }): Promise<Event<'payment.initiated'>> => {
      const paid = order(from.accountId, '1.00', { name: 'Other', iban: to.iban });
      await service.deliver(paid);
      return paid;
    };
    const [first, second] = [[await pay(c, a), await pay(d, b)], [await pay(b, a), await pay(a, b)]];
    const between = [await pay(c, a), await pay(d, b)];
    const watcher = await connected();
    const releases: (() => Promise<unknown>)[] = [];
    for (const orders of [first, second]) {
      const holder = await connected();
      await holder.query('begin');
      await holder.query('select 1 from holds where payment_id = any ($1::uuid[]) for update', [orders.map(({ data }) => data.paymentId)]);
      releases.push(() => holder.query('commit').finally(() => holder.end()));
    }
    const waiters = async (wanted: number): Promise<void> => {
      for (let tries = 0; ; tries++) {
        const { rows } = await watcher.query<{ n: number }>(`select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
        if (rows[0]!.n >= wanted) return;
        if (tries > 200) throw new Error('nobody waits for the lock: the test proves nothing');
        await pause(10);
      }
    };
    const deadlocks = async () => Number((await watcher.query<{ n: string }>('select deadlocks as n from pg_stat_database where datname = current_database()')).rows[0]?.n);
    const before = await deadlocks();
    // The first of each creditor waits alone; behind it gather one that is free and one that is held by hand.
    const running = first.map((each) => service.deliver(settled(each)));
    await waiters(2);
    running.push(...[...between, ...second].map((each) => service.deliver(settled(each))));
    await pause(100);
    await releases[0]!();
    await Promise.all(running.slice(0, 2));
    await waiters(2);
    await releases[1]!();
    await Promise.all(running);
    await pause(1_100);
    expect(await deadlocks()).to.equal(before);
    await watcher.end();
    expect(await Promise.all([a, b, c, d].map(({ accountId }) => ledger.balanceOf(accountId)))).to.deep.equal([[10_200n, 0n], [10_200n, 0n], [9_800n, 0n], [9_800n, 0n]]);
  });
});
