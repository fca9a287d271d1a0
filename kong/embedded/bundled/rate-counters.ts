/** The three ways rate-limiting counts. */
import type { Redis } from 'ioredis';
import type { Parts } from '../plugin.js';
import { PERIOD_SECONDS, type Period } from './rate-limiting.js';

interface Window { period: Period; limit: number }

/** Counts one request on each key and says how many there were before it. */
export interface Counters {
  take(keys: string[], windows: Window[]): number[] | Promise<number[]>;
  stop(): Promise<void>;
}

/** In this process. A refused request does not count, as in Kong's local policy. */
export function localCounters(now: () => number): Counters {
  const counts = new Map<string, { used: number; until: number }>();
  const sweep = setInterval(() => {
    for (const [key, { until }] of counts) if (until < now()) counts.delete(key);
  }, 10_000).unref();
  return {
    take(keys, windows) {
      const used = keys.map((key) => counts.get(key)?.used ?? 0);
      if (windows.some(({ limit }, i) => used[i]! >= limit)) return used;
      keys.forEach((key, i) => {
        const known = counts.get(key);
        if (known) known.used++;
        else counts.set(key, { used: 1, until: now() + 2000 * PERIOD_SECONDS[windows[i]!.period] });
      });
      return used;
    },
    async stop() {
      clearInterval(sweep);
    },
  };
}

/** One round trip for all windows; a refused request counts too, as in Kong (it counts with INCR while it reads). */
const TAKE = `
local used = {}
for i, key in ipairs(KEYS) do
  local count = redis.call('incr', key)
  if count == 1 then redis.call('expire', key, ARGV[i]) end
  used[i] = count - 1
end
return used`;

/** In Redis, on every request. */
export function redisCounters(redis: Redis): Counters {
  redis.defineCommand('kontorTake', { lua: TAKE });
  const take = redis as unknown as { kontorTake(count: number, ...rest: (string | number)[]): Promise<number[]> };
  return {
    take: (keys, windows) => take.kontorTake(keys.length, ...keys, ...windows.map(({ period }) => PERIOD_SECONDS[period])),
    stop: async () => undefined,
  };
}

interface Synced { base: number; delta: number; periodSeconds: number }

/**
 * Counted here, written to Redis every `syncSeconds`, and then forgotten, as Kong does: the next request asks Redis again and so
 * sees what other nodes have counted. In between requests are judged by that number plus what this process has counted since.
 * When Redis does not take the counts all are forgotten too, so that the next request finds out that it is away.
 */
export function syncedCounters(redis: Redis, syncSeconds: number, parts: Parts): Counters {
  let counts = new Map<string, Synced>();
  const write = async () => {
    const pending = [...counts].map(([key, count]) => ({ key, count, sent: count.delta }));
    const counted = pending.filter(({ sent }) => sent > 0);
    if (counted.length > 0) {
      const pipeline = redis.multi();
      for (const { key, count, sent } of counted) pipeline.incrby(key, sent).expire(key, count.periodSeconds * 2);
      const results = await pipeline.exec();
      counted.forEach(({ count, sent }, i) => {
        count.base = Number(results?.[2 * i]?.[1] ?? count.base + sent);
      });
    }
    for (const { key, count, sent } of pending) {
      count.delta -= sent;
      // What was counted while the write was under way waits for the next.
      if (count.delta === 0 && counts.get(key) === count) counts.delete(key);
    }
  };
  let writing: Promise<void> | undefined;
  // One at a time: a second would write again what the first has not yet taken off.
  const flush = () => (writing ??= write().catch((error: unknown) => {
    counts = new Map();
    throw error;
  }).finally(() => { writing = undefined; }));
  const timer = setInterval(() => void flush().catch((error: unknown) => parts.logger.warn('rate counters could not be written to Redis', { error })), syncSeconds * 1000).unref();
  const count = (keys: string[], windows: Window[]) => {
    const used = keys.map((key) => counts.get(key)!.base + counts.get(key)!.delta);
    if (windows.every(({ limit }, i) => used[i]! < limit)) for (const key of keys) counts.get(key)!.delta++;
    return used;
  };
  const load = async (keys: string[], windows: Window[]) => {
    const bases = await redis.mget(keys);
    keys.forEach((key, i) => {
      const periodSeconds = PERIOD_SECONDS[windows[i]!.period];
      if (!counts.has(key)) counts.set(key, { base: Number(bases[i] ?? 0), delta: 0, periodSeconds });
    });
    return count(keys, windows);
  };
  return {
    take(keys, windows) {
      return keys.every((key) => counts.has(key)) ? count(keys, windows) : load(keys, windows);
    },
    async stop() {
      clearInterval(timer);
      await flush().catch(() => undefined);
    },
  };
}
