import { expect } from 'chai';
import { gather, hearTogether, type Settled } from '../src/batches.js';
import { newEvent, type Event } from '../src/events.js';
import type { Effects } from '../src/handlers.js';
import { newId } from '../src/ids.js';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';

describe('work that waits for the same row', () => {
  const gate = () => {
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => { open = resolve; });
    return { open, opened };
  };

  it('begins at once, and what comes meanwhile is the next batch; other keys are not held up', async () => {
    const first = gate();
    const batches: string[][] = [];
    const add = gather<string>(3, async (items) => {
      batches.push(items);
      if (batches.length === 1) await first.opened;
      return items.map((): Settled => ({}));
    });
    const running = ['a', 'b', 'c', 'd', 'e'].map((item) => add('hot', item));
    await add('other', 'z');
    expect(batches).to.deep.equal([['a'], ['z']]);
    first.open();
    await Promise.all(running);
    expect(batches).to.deep.equal([['a'], ['z'], ['b', 'c', 'd'], ['e']]);
  });
  it('ends for each as it did for him, or for all when the batch failed', async () => {
    const add = gather<number>(10, async (items) => {
      if (items.includes(9)) throw new Error('all');
      return items.map((item): Settled => (item === 2 ? { fault: new Error('two') } : {}));
    });
    const outcomes = await Promise.allSettled([1, 2, 3].map((item) => add('k', item)));
    expect(outcomes.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'fulfilled']);
    const failed = await Promise.allSettled([8, 9, 9].map((item) => add('k', item)));
    expect(failed.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected', 'rejected']);
  });

  describe('in one transaction', () => {
    let stored: TestDatabase;
    before(async () => {
      stored = await testDatabase();
      await stored.database.query('create table things (n int unique, at timestamptz default now())');
    });
    after(() => stored.drop());
    const numbered = (n: number): Event => newEvent('customer.closed', {
      subject: String(n), data: { customerId: newId(), clientId: 'app-1' }, source: 'test', context: { correlationId: String(n), traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } });
    const hear = (events: Event[], after: (n: number, effects: Effects) => Promise<void> = async () => undefined) => hearTogether(stored.database, 'test', events, {
      prepare: async () => undefined,
      async handle(event, effects) {
        await stored.database.query('insert into things (n) values ($1)', [event.subject], effects.tx);
        await effects.emit(numbered(1000 + Number(event.subject)));
        await after(Number(event.subject), effects);
      },
    });
    const states = (settled: Settled[]) => settled.map(({ fault }) => fault === undefined);
    const outbox = async () => (await stored.database.query<{ n: string }>(`select event ->> 'subject' as n from outbox order by position`)).map(({ n }) => Number(n));
    const things = async () => (await stored.database.query<{ n: number }>('select n from things order by n')).map(({ n }) => n);
    beforeEach(() => stored.database.query('truncate things, outbox, inbox'));

    it('commits what is sound and tells it in order; one that fails is undone alone and may come again', async () => {
      const events = [1, 2, 1, 3].map(numbered);
      expect(states(await hear(events))).to.deep.equal([true, true, false, true]);
      expect([await things(), await outbox()]).to.deep.equal([[1, 2, 3], [1001, 1002, 1003]]);
      const [row] = await stored.database.query<{ n: string }>('select count(distinct at) as n from things');
      expect(row?.n).to.equal('1');
      await stored.database.query('delete from things where n = 1');
      expect(states(await hear(events))).to.deep.equal([true, true, true, true]);
      expect(await outbox()).to.deep.equal([1001, 1002, 1003, 1001]);
    });
    it('hears an event once, in one batch or in two; a repeat of one that failed fails as well', async () => {
      const [one, two, clash] = [numbered(1), numbered(2), numbered(1)];
      expect(states(await hear([one, two, one, clash, clash]))).to.deep.equal([true, true, true, false, false]);
      expect(states(await hear([two, one]))).to.deep.equal([true, true]);
      expect(await outbox()).to.deep.equal([1001, 1002]);
    });
    it('works on each alone when the batch cannot commit', async () => {
      await stored.database.query('create table strict (n int, constraint strict_n unique (n) deferrable initially deferred)');
      const insert = async (n: number, { tx }: Effects): Promise<void> => void await stored.database.query('insert into strict values ($1)', [n % 10], tx);
      expect(states(await hear([1, 11, 2].map(numbered), insert))).to.deep.equal([true, false, true]);
      expect(await things()).to.deep.equal([1, 2]);
    });
    it('undoes all when the connection is lost: each is tried again by who handed it in', async () => {
      const fault: unknown = await hear([10, 11, 12].map(numbered), async (n, { tx }) => {
        if (n === 11) await stored.database.query('select pg_terminate_backend(pg_backend_pid())', [], tx);
      }).catch((error: unknown) => error);
      expect(fault).to.be.instanceOf(Error);
      expect([await things(), await outbox()]).to.deep.equal([[], []]);
    });
  });
});
