/** Two who act at once, made to: both wait for a row somebody holds, then go on one after the other. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';

/** Holds a row lock by hand; starts the contenders one after the other, each once the one before waits; then lets go. */
export const heldRow = (url: () => string) => async (lock: string, params: unknown[], contenders: (() => Promise<unknown>)[]): Promise<PromiseSettledResult<unknown>[]> => {
  const [holder, watcher] = [new pg.Client({ connectionString: url() }), new pg.Client({ connectionString: url() })];
  await Promise.all([holder.connect(), watcher.connect()]);
  const waiting = async (): Promise<number> => {
    const { rows } = await watcher.query<{ n: number }>(`select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
    return rows[0]?.n ?? 0;
  };
  try {
    await holder.query('begin');
    await holder.query(lock, params);
    const running: Promise<unknown>[] = [];
    for (const contend of contenders) {
      running.push(contend());
      running.at(-1)?.catch(() => undefined);
      for (let tries = 0; await waiting() < running.length; tries++) {
        if (tries > 200) throw new Error('nobody waits for the lock: the test proves nothing');
        await pause(10);
      }
    }
    await holder.query('commit');
    return await Promise.allSettled(running);
  } finally {
    await Promise.all([holder.end(), watcher.end()]);
  }
};
