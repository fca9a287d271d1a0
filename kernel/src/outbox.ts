import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Database, Tx } from './database.js';
import type { Event } from './events.js';
import type { Logger } from './logger.js';
import { Unroutable, type Broker } from './messaging.js';

/** Writes an event into the outbox, in the transaction that caused it. Writing the same id again changes nothing. */
export async function appendEvent(database: Database, tx: Tx, event: Event): Promise<void> {
  await database.query(
    'insert into outbox (id, type, routing_key, event) values ($1, $2, $2, $3) on conflict (id) do nothing',
    [event.id, event.type, JSON.stringify(event)], tx);
}

/** As `appendEvent` for several events, in their order. */
export async function appendEvents(database: Database, tx: Tx, events: readonly Event[]): Promise<void> {
  if (events.length === 0) return;
  await database.query(
    `insert into outbox (id, type, routing_key, event)
     select (event ->> 'id')::uuid, event ->> 'type', event ->> 'type', event from jsonb_array_elements($1::jsonb) with ordinality as told (event, place) order by place
     on conflict (id) do nothing`, [JSON.stringify(events)], tx);
}

/** A running relay. */
export interface Relay {
  /** Finishes the batch under way and stops. */
  stop(): Promise<void>;
}

/** Any number: only the holder of this advisory lock relays, so that events keep their order. */
const RELAY_LOCK = 7_206_002;
const BATCH = 500;
/** More events of one subject in a batch than a payment ever has; they go in windows of this many. */
const CROWD = 32;
const WINDOW = 64;
const BUSY_POLL_MS = 50;
const IDLE_POLL_MS = 200;
const HOUSEKEEPING_MS = 60_000;
const DEFER_FIRST_MS = 250;
const DEFER_MOST_MS = 5_000;

/**
 * Publishes the outbox. Commits of this process wake it at once (`database.onCommit`); other processes' rows are found by
 * looking every 50 ms (200 ms after five quiet seconds). LISTEN/NOTIFY is not used: a NOTIFY makes all commits of the
 * database wait for each other.
 *
 * Nothing is skipped: whatever is unpublished is taken in order of `position`, so a row whose transaction committed late
 * is taken late, not left. Events of one subject are published in order of `position`, strictly (`publishBatch`); where whoever writes
 * them locks the subject's row first, that is the order in which they happened. An event no queue wants yet is put off (0.25 to 5 s) without holding up the others.
 * The relay also prunes: published rows after a day, idempotency keys after 24 hours, inbox rows after 90 days.
 */
export function startRelay(database: Database, broker: Broker, options: { name: string; logger?: Logger }): Relay {
  const stop = new AbortController();
  let wake: () => void = () => undefined;
  // A commit while a batch is under way must not be slept over.
  let committed = false;
  const sleep = async (ms: number): Promise<void> => {
    if (committed) return;
    const timer = new AbortController();
    const woken = new Promise<void>((resolve) => { wake = resolve; });
    await Promise.race([woken, pause(ms, undefined, { signal: AbortSignal.any([timer.signal, stop.signal]) }).catch(() => undefined)]);
    timer.abort();
  };
  const forget = database.onCommit(() => {
    committed = true;
    wake();
  });
  const put = new Deferred();

  async function relay(client: pg.Client): Promise<void> {
    let cleanAt = Date.now() + HOUSEKEEPING_MS;
    let busyAt = Date.now();
    while (!stop.signal.aborted) {
      committed = false;
      const outcome = await publishBatch(client, broker, put);
      if (outcome.published > 0) busyAt = Date.now();
      if (outcome.fault) {
        options.logger?.debug('events wait for the broker', { error: outcome.fault });
        await pause(100 + Math.random() * 200, undefined, { signal: stop.signal }).catch(() => undefined);
      } else if (outcome.published < BATCH) {
        await sleep(Date.now() - busyAt > 5_000 ? IDLE_POLL_MS : BUSY_POLL_MS);
      }
      if (Date.now() > cleanAt) {
        await prune(client);
        cleanAt = Date.now() + HOUSEKEEPING_MS;
      }
    }
  }

  async function keepRelaying(): Promise<void> {
    for (let failures = 0; !stop.signal.aborted;) {
      const client = new pg.Client({ connectionString: database.url, application_name: `kontor relay ${options.name}`, connectionTimeoutMillis: 3_000, keepAlive: true });
      client.on('error', () => undefined);
      try {
        await client.connect();
        failures = 0;
        while (!stop.signal.aborted && !(await holdsLock(client))) await pause(500, undefined, { signal: stop.signal }).catch(() => undefined);
        await relay(client);
      } catch (fault) {
        if (!stop.signal.aborted && failures++ % 50 === 0) options.logger?.warn('the relay lost the database', { error: fault });
        await pause(200 + Math.random() * 300, undefined, { signal: stop.signal }).catch(() => undefined);
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  }

  const finished = keepRelaying();
  return {
    async stop() {
      forget();
      stop.abort();
      await finished;
    },
  };
}

async function holdsLock(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [RELAY_LOCK]);
  return rows[0]?.held === true;
}

interface Outcome {
  published: number;
  fault?: unknown;
}

interface Row { id: string; event: Event }

/**
 * Publishes up to 500 events: those of one subject one after the other, each when the broker has confirmed the one before, so that
 * none overtakes one that was refused or lost; those of different subjects at the same time. A subject with a crowd waiting (a hot
 * account after an outage) goes in windows, which the channel keeps in order: in turn, 10,000 events of one subject took 112 s
 * on a busy machine. There one the broker refuses by itself can be overtaken by its window. Marks what was confirmed.
 */
async function publishBatch(client: pg.Client, broker: Broker, put: Deferred): Promise<Outcome> {
  const { rows } = await client.query<Row>(
    'select id, event from outbox where published_at is null and id <> all($1::uuid[]) order by position limit $2', [put.off(), BATCH]);
  if (rows.length === 0) return { published: 0 };
  const subjects = new Map<string, Row[]>();
  for (const row of rows) {
    const before = subjects.get(row.event.subject);
    if (before) before.push(row);
    else subjects.set(row.event.subject, [row]);
  }
  const confirmed: string[] = [];
  let fault: unknown;
  const publish = async ({ id, event }: Row): Promise<boolean> => {
    try {
      await broker.publish(event);
      confirmed.push(id);
    } catch (refused) {
      // What no queue wants is nobody's predecessor: the others of the subject go on.
      if (!(refused instanceof Unroutable)) {
        fault ??= refused;
        return false;
      }
      put.later(id);
    }
    return true;
  };
  await Promise.all([...subjects.values()].map(async (waiting) => {
    const window = waiting.length > CROWD ? WINDOW : 1;
    for (let at = 0; at < waiting.length; at += window)
      if ((await Promise.all(waiting.slice(at, at + window).map(publish))).includes(false)) return;
  }));
  if (confirmed.length > 0) await client.query('update outbox set published_at = now() where id = any($1::uuid[])', [confirmed]);
  put.done(confirmed);
  return { published: confirmed.length, fault };
}

/** Events nobody wants yet, and when to offer them again. */
class Deferred {
  private readonly until = new Map<string, { at: number; delayMs: number }>();

  off(now = Date.now()): string[] {
    return [...this.until].filter(([, { at }]) => at > now).map(([id]) => id);
  }

  later(id: string, now = Date.now()): void {
    const delayMs = Math.min(DEFER_MOST_MS, (this.until.get(id)?.delayMs ?? DEFER_FIRST_MS / 2) * 2);
    this.until.set(id, { at: now + delayMs, delayMs });
  }

  done(ids: readonly string[]): void {
    for (const id of ids) this.until.delete(id);
  }
}

async function prune(client: pg.Client): Promise<void> {
  const old = [
    "delete from outbox where id in (select id from outbox where published_at < now() - interval '1 day' limit 5000)",
    "delete from idempotency_keys where created_at < now() - interval '24 hours'",
    "delete from inbox where received_at < now() - interval '90 days'",
  ];
  for (const statement of old) await client.query(statement);
}

/** Age in seconds of the oldest event still to be published; 0 when there is none. For the metric outbox_oldest_seconds. */
export async function oldestUnpublishedSeconds(database: Database): Promise<number> {
  const [row] = await database.query<{ seconds: number | null }>(
    'select extract(epoch from now() - min(created_at))::float8 as seconds from outbox where published_at is null');
  return row?.seconds ?? 0;
}
