/** SQL of the watch over payments. A payment is taken by one node: whoever holds its row. */
import type { Database, Tx } from '@kontor/kernel/database';
import type { EventContext } from '@kontor/kernel/events';
import { appendEvent } from '@kontor/kernel/outbox';
import type { Happening, Payment, PaymentEffects } from './payment.js';
import type { WatchedPayments } from './watch.js';

export function watchRepository(database: Database, payments: PaymentEffects<Tx> & { findAll(ids: readonly string[]): Promise<Payment[]> }): WatchedPayments {
  /** Lets a happening happen to each payment the statement gives (and locks), in one transaction. */
  const each = (sql: string, params: readonly unknown[], happening: Happening, context: EventContext): Promise<number> =>
    database.transaction(async (tx) => {
      const rows = await database.query<{ payment_id: string }>(sql, params, tx);
      for (const row of rows)
        await payments.happenIn(tx, row.payment_id, happening, { context, emit: (event) => appendEvent(database, tx, event) });
      return rows.length;
    });

  return {
    releaseDue: (limit, context) => each(
      `select payment_id from payments where pending_for = 'execution-date' and due_at <= clock_timestamp()
       order by due_at limit $1 for update skip locked`, [limit], { kind: 'due' }, context),

    lookAfterOverdue: (limit, { patience, most }, context) => each(
      `select payment_id from payments q
       where (status in ('RCVD', 'PDNG', 'ACTC', 'ACCP', 'ACSP') or (on_us and status = 'ACSC'))
         and pending_for is distinct from 'execution-date' and escalated_at is null
         and stands_until(q, $2) < clock_timestamp()
       order by status_at limit $1 for update skip locked`, [limit, JSON.stringify(patience)], { kind: 'overdue', most }, context),

    async escalated(limit) {
      const rows = await database.query<{ payment_id: string }>('select payment_id from payments where escalated_at is not null order by escalated_at, payment_id limit $1', [limit]);
      return payments.findAll(rows.map((row) => row.payment_id));
    },

    async escalatedCount() {
      const [row] = await database.query<{ n: string }>('select count(*) as n from payments where escalated_at is not null');
      return Number(row?.n ?? 0);
    },
  };
}
