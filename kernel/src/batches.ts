/**
 * Work that would wait for the same row of the database is done together. While a batch of a key is under way, what comes for that key
 * gathers; then all of it is the next batch. Nobody waits for company: the first of a key begins at once, and a key that is not busy
 * never sees a batch of more than one.
 */
import { databaseProblem, type Database, type Tx } from './database.js';
import type { Event } from './events.js';
import type { Effects } from './handlers.js';
import { firstTime, firstTimes, forget } from './inbox.js';
import { isTransient } from './messaging.js';
import { appendEvent, appendEvents } from './outbox.js';

/** What became of one item of a batch. */
export type Settled = { fault?: undefined } | { fault: unknown };

interface Waiting<T> {
  item: T;
  resolve: () => void;
  reject: (fault: unknown) => void;
}

/**
 * Gathers items by key.
 * @param most items of one batch
 * @param work on a batch: an outcome for each item, in order; what it throws is the outcome of all
 * @returns hands an item in; resolves or rejects as its outcome says
 */
export function gather<T>(most: number, work: (items: T[]) => Promise<Settled[]>): (key: string, item: T) => Promise<void> {
  /** A key is here while a batch of it is under way. */
  const queues = new Map<string, Waiting<T>[]>();
  const drain = async (key: string, queue: Waiting<T>[]): Promise<void> => {
    for (let batch = queue.splice(0, most); batch.length > 0; batch = queue.splice(0, most)) {
      const settled = await work(batch.map(({ item }) => item)).catch((fault: unknown) => batch.map((): Settled => ({ fault })));
      batch.forEach(({ resolve, reject }, at) => {
        const fault = settled[at]?.fault;
        if (fault === undefined) resolve();
        else reject(fault);
      });
    }
    queues.delete(key);
  };
  return (key, item) => new Promise((resolve, reject) => {
    const waiting: Waiting<T> = { item, resolve, reject };
    const queue = queues.get(key);
    if (queue) {
      queue.push(waiting);
      return;
    }
    const fresh = [waiting];
    queues.set(key, fresh);
    void drain(key, fresh);
  });
}

/** What is done with one event, and what all of a batch need locked beforehand. */
interface Hearing {
  handle: (event: Event, effects: Effects) => Promise<void>;
  prepare: (events: readonly Event[], tx: Tx) => Promise<void>;
}

/**
 * Works on events in one transaction with their inbox rows and what they tell, each behind a savepoint: one that fails is undone alone,
 * the others commit. What is no fault of an event (the database away, a deadlock) undoes all. A batch that cannot commit for a reason of
 * its own is worked on event by event. Inbox and outbox are written once a batch: of five statements an event, two are left.
 */
export async function hearTogether(database: Database, consumer: string, events: readonly Event[], { handle, prepare }: Hearing): Promise<Settled[]> {
  if (events.length > 1) {
    try {
      return await database.transaction((tx) => hearIn(tx, database, consumer, events, { handle, prepare }));
    } catch (fault) {
      if (isTransient(fault)) throw fault;
    }
  }
  const settled: Settled[] = [];
  for (const event of events) settled.push(await hearAlone(database, consumer, event, handle).then(() => ({}), (fault: unknown) => ({ fault })));
  return settled;
}

/** Works on one event in a transaction with its inbox row and what it tells. */
export async function hearAlone(database: Database, consumer: string, event: Event, handle: Hearing['handle']): Promise<void> {
  await database.transaction(async (tx) => {
    if (!(await firstTime(database, tx, consumer, event.id))) return;
    await handle(event, { tx, emit: (told) => appendEvent(database, tx, told) });
  });
}

async function hearIn(tx: Tx, database: Database, consumer: string, events: readonly Event[], { handle, prepare }: Hearing): Promise<Settled[]> {
  const fresh = await firstTimes(database, tx, consumer, events.map(({ id }) => id));
  await prepare(events, tx);
  const outcomes = new Map<string, Settled>();
  const told: Event[] = [];
  await database.query('savepoint event', undefined, tx);
  for (const event of events) {
    // The same event twice in a batch ends as it ended the first time.
    if (outcomes.has(event.id)) continue;
    if (!fresh.has(event.id)) {
      outcomes.set(event.id, {});
      continue;
    }
    const tells: Event[] = [];
    try {
      await handle(event, { tx, emit: async (one) => void tells.push(one) });
      await database.query('release savepoint event; savepoint event', undefined, tx);
      told.push(...tells);
      outcomes.set(event.id, {});
    } catch (fault) {
      if (databaseProblem(fault)) throw fault;
      await database.query('rollback to savepoint event', undefined, tx);
      outcomes.set(event.id, { fault });
    }
  }
  await forget(database, tx, consumer, [...outcomes].filter(([, { fault }]) => fault !== undefined).map(([id]) => id));
  await appendEvents(database, tx, told);
  return events.map(({ id }) => outcomes.get(id) as Settled);
}
