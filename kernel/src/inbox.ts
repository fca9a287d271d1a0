import type { Database, Tx } from './database.js';

/**
 * Records that `consumer` has heard an event, in the transaction of its effect.
 * @returns false when it was heard before: then do nothing. A concurrent delivery of the same event waits for this
 * transaction to end.
 */
export async function firstTime(database: Database, tx: Tx, consumer: string, eventId: string): Promise<boolean> {
  const rows = await database.query(
    'insert into inbox (consumer, event_id) values ($1, $2) on conflict do nothing returning 1 as fresh', [consumer, eventId], tx);
  return rows.length === 1;
}

/** As `firstTime` for several events: the ids of those that were not heard before. */
export async function firstTimes(database: Database, tx: Tx, consumer: string, eventIds: readonly string[]): Promise<Set<string>> {
  const rows = await database.query<{ event_id: string }>(
    `insert into inbox (consumer, event_id) select $1, id from (select distinct id from unnest($2::uuid[]) id order by id) ids
     on conflict do nothing returning event_id`, [consumer, eventIds], tx);
  return new Set(rows.map(({ event_id: id }) => id));
}

/** Takes back what `firstTimes` recorded: these events had no effect. */
export async function forget(database: Database, tx: Tx, consumer: string, eventIds: readonly string[]): Promise<void> {
  if (eventIds.length > 0) await database.query('delete from inbox where consumer = $1 and event_id = any ($2::uuid[])', [consumer, eventIds], tx);
}
