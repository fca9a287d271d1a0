/** All SQL of the event feed: events are entered in one order an application, and queued for its endpoints in the same step. */
import { decodeCursor, encodeCursor } from '@kontor/kernel/cursor';
import type { Database, Tx } from '@kontor/kernel/database';
import { isId, newId } from '@kontor/kernel/ids';
import { problem } from '@kontor/kernel/problem';
import { counts, type ToldType, type Turn } from './told.js';
import { MOST_ENDPOINTS } from './webhooks.js';

/** An event as it is heard. */
export interface Heard {
  clientId: string;
  eventId: string;
  type: ToldType;
  subject: string;
  body: string;
  turn: Turn | undefined;
  now: Date;
}

export interface Entry { eventId: string; body: string }

/** How long an event waits for one that should have come before it. After that it is told with the gap in its numbers. */
const HOLD_MS = 10_000;
/** How long the place of a subject's numbers is remembered: longer than a payment may be put off. */
const SEQUENCES_DAYS = 400;
const PRUNED_AT_ONCE = 5_000;

export type FeedRepository = ReturnType<typeof feedRepository>;

export function feedRepository(database: Database) {
  /** From here to the end of the transaction nobody else enters anything for this application. */
  const lock = (clientId: string, tx: Tx): Promise<object[]> => database.query(
    'insert into event_feeds (client_id, feed_id) values ($1, $2) on conflict (client_id) do update set client_id = excluded.client_id', [clientId, newId()], tx);

  const enter = async (event: Omit<Heard, 'turn'>, tx: Tx): Promise<void> => {
    const [entry] = await database.query<{ position: string }>(
      `with feed as (
         insert into event_feeds (client_id, feed_id, position) values ($1, $2, 1)
         on conflict (client_id) do update set position = event_feeds.position + 1 returning position
       )
       insert into feed_entries (client_id, position, event_id, event_type, subject, body, heard_at)
       select $1, position, $3, $4, $5, $6, $7 from feed returning position`,
      [event.clientId, newId(), event.eventId, event.type, event.subject, event.body, event.now], tx);
    // The share lock lets no endpoint be disabled in between, which would leave a delivery waiting for it.
    await database.query(
      `insert into webhook_deliveries (delivery_id, endpoint_id, event_id, event_type, subject, position, body, status, next_attempt_at, created_at)
       select ($8::uuid[])[row_number() over ()], endpoint_id, $3, $2, $4, $5, $6, 'waiting', $7, $7 from (
         select endpoint_id from webhook_endpoints where client_id = $1 and status = 'enabled' and $2 = any (event_types) for share) wanting
       on conflict on constraint webhook_deliveries_once do nothing`,
      [event.clientId, event.type, event.eventId, event.subject, entry?.position, event.body, event.now, Array.from({ length: MOST_ENDPOINTS }, newId)], tx);
  };

  const lastOf = async (clientId: string, subject: string, tx: Tx): Promise<number> => {
    const [row] = await database.query<{ last: number }>('select last from feed_sequences where client_id = $1 and subject = $2', [clientId, subject], tx);
    return row?.last ?? 0;
  };

  const reached = (clientId: string, subject: string, sequence: number, now: Date, tx: Tx): Promise<object[]> => database.query(
    `insert into feed_sequences (client_id, subject, last, changed_at) values ($1, $2, $3, $4) on conflict (client_id, subject) do update
     set last = greatest(feed_sequences.last, excluded.last), changed_at = excluded.changed_at`, [clientId, subject, sequence, now], tx);

  /** Enters what was held and has its turn now; from the lowest number on when one of the subject has waited long enough. The feed is locked. */
  const release = async (clientId: string, subject: string, now: Date, tx: Tx): Promise<number> => {
    for (let entered = 0; ; entered++) {
      const [held] = await database.query<{ event_id: string; event_type: ToldType; sequence: number; body: string }>(
        `delete from held_events where event_id = (
           select event_id from held_events where client_id = $1 and subject = $2
             and (follows <= $3 or (select min(until) from held_events where client_id = $1 and subject = $2) <= $4) order by sequence, follows limit 1)
         returning event_id, event_type, sequence, body`, [clientId, subject, await lastOf(clientId, subject, tx), now], tx);
      if (!held) return entered;
      await enter({ clientId, subject, eventId: held.event_id, type: held.event_type, body: held.body, now }, tx);
      // Past a gap the numbers go on from here.
      await reached(clientId, subject, held.sequence, now, tx);
    }
  };

  return {
    /** Enters an event in the transaction in which it is heard, or holds it until its predecessor is there. */
    async hear({ turn, ...event }: Heard, tx: Tx): Promise<void> {
      if (!turn) return enter(event, tx);
      await lock(event.clientId, tx);
      if (turn.follows > await lastOf(event.clientId, event.subject, tx)) {
        await database.query(
          `insert into held_events (event_id, client_id, subject, sequence, follows, event_type, body, until) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
          [event.eventId, event.clientId, event.subject, turn.sequence, turn.follows, event.type, event.body, new Date(event.now.getTime() + HOLD_MS)], tx);
        return;
      }
      await enter(event, tx);
      if (!counts(event.type)) return;
      await reached(event.clientId, event.subject, turn.sequence, event.now, tx);
      await release(event.clientId, event.subject, event.now, tx);
    },

    /** Enters what has been held too long: its predecessor may come never. @returns how many */
    async releaseOverdue(now: Date): Promise<number> {
      const overdue = await database.query<{ client_id: string; subject: string }>('select distinct client_id, subject from held_events where until <= $1 limit 100', [now]);
      let entered = 0;
      for (const { client_id: clientId, subject } of overdue)
        entered += await database.transaction(async (tx) => {
          await lock(clientId, tx);
          return release(clientId, subject, now, tx);
        });
      return entered;
    },

    /**
     * The entries after a cursor, oldest first. One statement, so that entries, newest position and pruned position are of one moment.
     * @throws Problem invalid_cursor, cursor_expired
     */
    async read(clientId: string, wanted: { after?: string; limit: number; types?: readonly string[] }): Promise<{ entries: Entry[]; nextCursor: string | null; hasMore: boolean }> {
      const cursor = wanted.after === undefined ? undefined : cursorOf(wanted.after);
      const rows = await database.query<{ feed_id: string; newest: string; pruned_to: string; position: string | null; event_id: string; body: string }>(
        `select f.feed_id, f.position as newest, f.pruned_to, e.position, e.event_id, e.body from event_feeds f left join lateral (
           select position, event_id, body from feed_entries where client_id = f.client_id and position > $2 and ($4::text[] is null or event_type = any ($4))
           order by position limit $3) e on true
         where f.client_id = $1 order by e.position`, [clientId, cursor?.position ?? 0, wanted.limit + 1, wanted.types ?? null]);
      const [feed] = rows;
      check(cursor, feed && { feedId: feed.feed_id, newest: Number(feed.newest), prunedTo: Number(feed.pruned_to) });
      if (!feed) return { entries: [], nextCursor: null, hasMore: false };
      const found = rows.filter(({ position }) => position !== null);
      const page = found.slice(0, wanted.limit);
      const hasMore = found.length > page.length;
      return {
        entries: page.map(({ event_id: eventId, body }) => ({ eventId, body })), hasMore,
        nextCursor: encodeCursor({ feed: feed.feed_id, position: Number(hasMore ? page.at(-1)?.position : feed.newest) }),
      };
    },

    /**
     * Queues entries for an endpoint again, delivered or not, from the oldest on; what waits is left as it is.
     * @param from `after` a cursor, or `since` a time
     * @throws Problem invalid_cursor, cursor_expired
     */
    async replay(endpoint: { endpointId: string; clientId: string }, from: { after?: string; since?: Date }, limit: number, now: Date): Promise<{ queued: number; nextCursor: string | null }> {
      const { clientId, endpointId } = endpoint;
      const cursor = from.after === undefined ? undefined : cursorOf(from.after);
      return database.transaction(async (tx) => {
        const [feed] = await database.query<{ feed_id: string; position: string; pruned_to: string }>('select * from event_feeds where client_id = $1', [clientId], tx);
        check(cursor, feed && { feedId: feed.feed_id, newest: Number(feed.position), prunedTo: Number(feed.pruned_to) });
        const chosen = await database.query<{ position: string }>(
          `select e.position from webhook_endpoints w join feed_entries e on e.client_id = w.client_id and e.event_type = any (w.event_types)
           where w.endpoint_id = $1 and w.status = 'enabled' and e.position > $2 and e.heard_at >= $3 order by e.position limit $4 for share of w`,
          [endpointId, cursor?.position ?? 0, from.since ?? new Date(0), limit + 1], tx);
        const page = chosen.slice(0, limit).map(({ position }) => position);
        const queued = await database.query(
          `insert into webhook_deliveries as d (delivery_id, endpoint_id, event_id, event_type, subject, position, body, status, next_attempt_at, created_at)
           select n.id, $1, e.event_id, e.event_type, e.subject, e.position, e.body, 'waiting', $5, $5
           from unnest($3::bigint[], $4::uuid[]) as n (position, id) join feed_entries e on e.client_id = $2 and e.position = n.position
           on conflict on constraint webhook_deliveries_once do update set status = 'waiting', attempts = 0, next_attempt_at = excluded.next_attempt_at,
             leased_until = null, subject = excluded.subject, position = excluded.position where d.status <> 'waiting' returning 1 as queued`,
          [endpointId, clientId, page, page.map(() => newId()), now], tx);
        return { queued: queued.length, nextCursor: chosen.length > limit && feed ? encodeCursor({ feed: feed.feed_id, position: Number(page.at(-1)) }) : null };
      });
    },

    /** Removes entries, and deliveries that have ended, of before `cutoff`; at most 5,000 of each a call. @returns how many entries */
    async prune(cutoff: Date): Promise<number> {
      const [gone] = await database.query<{ n: number }>(
        `with gone as (
           delete from feed_entries where (client_id, position) in (select client_id, position from feed_entries where heard_at < $1 order by heard_at limit ${PRUNED_AT_ONCE})
           returning client_id, position
         ), noted as (
           update event_feeds f set pruned_to = greatest(f.pruned_to, g.newest) from (select client_id, max(position) as newest from gone group by 1) g where f.client_id = g.client_id
         ) select count(*)::int as n from gone`, [cutoff]);
      await database.query(
        `delete from webhook_deliveries where delivery_id in (select delivery_id from webhook_deliveries where status <> 'waiting' and created_at < $1 limit ${PRUNED_AT_ONCE})`, [cutoff]);
      await database.query(`delete from feed_sequences where changed_at < now() - interval '${SEQUENCES_DAYS} days'`);
      return gone?.n ?? 0;
    },
  };
}

interface FeedCursor { feed: string; position: number }

function cursorOf(text: string): FeedCursor {
  const cursor = decodeCursor<{ feed: string; position: number }>(text, ['feed', 'position']);
  if (!isId(cursor.feed) || !Number.isSafeInteger(cursor.position) || cursor.position < 0) throw noCursor();
  return cursor;
}

/** A cursor ahead of its feed would skip what comes: it is refused like one of another feed. */
function check(cursor: FeedCursor | undefined, feed: { feedId: string; newest: number; prunedTo: number } | undefined): void {
  if (!cursor) return;
  if (cursor.feed !== feed?.feedId || cursor.position > feed.newest) throw noCursor();
  if (cursor.position < feed.prunedTo)
    throw problem('cursor_expired', 'Events after this cursor have been removed. Read without `after` from the oldest that is left, and fetch your resources anew.');
}

const noCursor = (): Error => problem('invalid_cursor', 'Use the cursor exactly as nextCursor gave it, for the same application.');
