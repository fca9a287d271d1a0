import { expect } from 'chai';
import pg from 'pg';
import { connectDatabase, type Database } from '@kontor/kernel/database';
import { newEvent, type AnyEvent, type Event } from '@kontor/kernel/events';
import { Transient, Unroutable, type Broker } from '@kontor/kernel/messaging';
import { appendEvent, oldestUnpublishedSeconds, startRelay, type Relay } from '@kontor/kernel/outbox';
import { testBroker } from '@kontor/testing/broker';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';
import { proxyFor } from '@kontor/testing/proxy';
import { eventually } from '@kontor/testing/wait';

const context = { correlationId: 'c-1', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const closed = (accountId: string): Event =>
  newEvent('account.closed', { subject: accountId, source: 'desk', context, data: { accountId, customerId: 'p-1', clientId: 'app' } });

/** A broker under the test's control: `answer` decides what becomes of an event. */
function recordingBroker(answer: (event: Event) => void | Promise<void> = () => undefined): Broker & { told: string[] } {
  const told: string[] = [];
  return {
    told,
    async publish(event) {
      await answer(event);
      told.push(event.subject);
    },
    subscribe: async () => undefined,
    ready: () => true,
    deadLetters: async () => 0,
    stopConsuming: async () => undefined,
    close: async () => undefined,
  };
}

describe('the outbox', () => {
  let stored: TestDatabase;
  let database: Database;
  const relays: Relay[] = [];
  const relay = (broker: Broker, on = database): Relay => {
    const started = startRelay(on, broker, { name: 'desk' });
    relays.push(started);
    return started;
  };
  const append = (subject: string): Promise<void> => database.transaction((tx) => appendEvent(database, tx, closed(subject)));
  const unpublished = async (): Promise<number> =>
    (await database.query<{ n: number }>('select count(*)::int as n from outbox where published_at is null'))[0]?.n ?? -1;

  beforeEach(async () => {
    stored = await testDatabase();
    ({ database } = stored);
  });
  afterEach(async () => {
    await Promise.all(relays.splice(0).map((started) => started.stop()));
    await stored.drop();
  });

  it('keeps an event with the transaction that caused it, and loses it with it', async () => {
    await append('kept');
    await database.transaction(async (tx) => {
      await appendEvent(database, tx, closed('lost'));
      throw new Error('changed my mind');
    }).catch(() => undefined);
    expect(await database.query('select routing_key, event->>$1 as subject from outbox', ['subject'])).to.deep.equal([{ routing_key: 'account.closed', subject: 'kept' }]);
  });

  it('keeps an event once when it is written again with the same id', async () => {
    const event = closed('1');
    for (let i = 0; i < 2; i++) await database.transaction((tx) => appendEvent(database, tx, event));
    expect(await unpublished()).to.equal(1);
  });

  it('is published in order, once, and marked', async () => {
    for (let i = 0; i < 450; i++) await append(String(i));
    const broker = recordingBroker();
    relay(broker);
    await eventually('all are published', async () => (await unpublished()) === 0);
    expect(broker.told).to.deep.equal(Array.from({ length: 450 }, (_, i) => String(i)));
  });

  it('does not skip an event whose transaction commits after a later one', async () => {
    const broker = recordingBroker();
    let commit: () => void = () => undefined;
    const late = database.transaction(async (tx) => {
      await appendEvent(database, tx, closed('early position, late commit'));
      await new Promise<void>((resolve) => { commit = resolve; });
    });
    await eventually('the late transaction holds its position', async () => (await database.query("select 1 from pg_stat_activity where datname = current_database() and state = 'idle in transaction'")).length > 0);
    relay(broker);
    await append('second');
    await eventually('the later event is published', () => broker.told.length === 1);
    commit();
    await late;
    await eventually('the earlier one follows', () => broker.told.length === 2);
    expect(broker.told).to.deep.equal(['second', 'early position, late commit']);
  });

  it('is published within moments of a commit, also of another process', async () => {
    const broker = recordingBroker();
    relay(broker);
    const other = connectDatabase(stored.url);
    await other.transaction((tx) => appendEvent(other, tx, closed('other process')));
    await other.close();
    await eventually('it is published', () => broker.told.length === 1, 1_000);
  });

  it('keeps what the broker did not confirm and tries again', async () => {
    let down = true;
    const broker = recordingBroker((event) => {
      if (down && event.subject === '2') throw new Transient('down');
    });
    for (const subject of ['1', '2', '3']) await append(subject);
    relay(broker);
    await eventually('the confirmed ones are marked', async () => (await unpublished()) === 1);
    expect(broker.told).to.include.members(['1', '3']).and.not.include('2');
    down = false;
    await eventually('the rest follows', async () => (await unpublished()) === 0);
    expect(broker.told.filter((subject) => subject === '2')).to.have.length(1);
  });

  it('keeps the order of a subject when the broker refuses one of its events: no later one overtakes', async () => {
    // Guard: publishBatch ends a subject's turn at the first refusal. Without that, 'same 2' and 'same 3' are told before 'same 1'.
    let refusals = 0;
    const order: string[] = [];
    const broker = recordingBroker((event) => {
      const name = event.correlationid;
      if (name === 'same 1' && refusals++ < 3) throw new Transient('refused');
      order.push(name);
    });
    for (const name of ['same 1', 'same 2', 'other', 'same 3'])
      await database.transaction((tx) => appendEvent(database, tx, { ...closed(name.split(' ')[0]!), correlationid: name }));
    relay(broker);
    await eventually('all are told', async () => (await unpublished()) === 0);
    expect(order.filter((name) => name !== 'other')).to.deep.equal(['same 1', 'same 2', 'same 3']);
    expect(order[0], 'another subject does not wait').to.equal('other');
  });

  it('does not let events nobody wants hold up the others, and offers them again', async () => {
    let wanted = false;
    const broker = recordingBroker((event) => {
      if (!wanted && event.subject.startsWith('unwanted')) throw new Unroutable(event.type);
    });
    for (let i = 0; i < 210; i++) await append(`unwanted ${i}`);
    await append('wanted');
    relay(broker);
    await eventually('the wanted one passes', () => broker.told.includes('wanted'));
    wanted = true;
    await eventually('the others follow', async () => (await unpublished()) === 0);
    expect(broker.told).to.have.length(211);
  });

  it('is published by one relay at a time; another takes over when it ends', async () => {
    const [one, two] = [recordingBroker(), recordingBroker()];
    const first = relay(one);
    await append('1');
    await eventually('the first relay works', () => one.told.length === 1);
    relay(two);
    await append('2');
    await eventually('the first relay still works', () => one.told.length === 2);
    await first.stop();
    await append('3');
    await eventually('the second takes over', () => two.told.length === 1);
    expect([one.told, two.told]).to.deep.equal([['1', '2'], ['3']]);
  });

  it('is published again after the database was lost', async () => {
    const proxy = await proxyFor(stored.url);
    const through = connectDatabase(proxy.address);
    const broker = recordingBroker();
    const fragile = relay(broker, through);
    await append('1');
    await eventually('it works', () => broker.told.includes('1'));
    proxy.cut();
    await append('2');
    await eventually('it works again', () => broker.told.includes('2'));
    await fragile.stop();
    await through.close();
    await proxy.close();
  });

  it('reaches a consumer through the real broker, with nothing lost when the broker is cut off', async () => {
    const corner = await testBroker();
    const proxy = await proxyFor(corner.url);
    const publisher = await corner.connect('publisher', proxy.address);
    const consumer = await corner.connect('consumer');
    const heard = new Set<string>();
    await consumer.subscribe({ queue: corner.queue('q'), types: ['account.closed'], handler: async (event: AnyEvent) => { heard.add(event.subject); } });
    const running = relay(publisher);
    const written: string[] = [];
    for (let i = 0; i < 100; i++) {
      if (i % 25 === 10) proxy.cut();
      await append(String(i));
      written.push(String(i));
    }
    await eventually('all were heard', () => heard.size === 100, 15_000);
    expect([...heard].sort()).to.deep.equal(written.sort());
    await running.stop();
    await corner.drop();
    await proxy.close();
  });

  it('tells the age of its oldest event', async () => {
    expect(await oldestUnpublishedSeconds(database)).to.equal(0);
    await append('1');
    await database.query("update outbox set created_at = now() - interval '90 seconds'");
    expect(await oldestUnpublishedSeconds(database)).to.be.within(90, 95);
  });

  it('stops while another process holds the lock', async () => {
    const holder = new pg.Client({ connectionString: stored.url });
    await holder.connect();
    await holder.query('select pg_advisory_lock(7206002)');
    const broker = recordingBroker();
    const waiting = relay(broker);
    await append('1');
    await waiting.stop();
    await holder.end();
    expect(broker.told).to.deep.equal([]);
  });
});
