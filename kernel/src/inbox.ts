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
