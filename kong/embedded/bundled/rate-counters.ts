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

interface Synced { base: number; delta: number; until: number; periodSeconds: number }

/**
 * Counted here, written to Redis every `syncSeconds`. The first request of a window asks Redis; later ones are judged by
 * that number plus what this process has counted since.
 */
export function syncedCounters(redis: Redis, syncSeconds: number, parts: Parts): Counters {
  const counts = new Map<string, Synced>();
  const flush = async () => {
    const pending = [...counts].filter(([, { delta }]) => delta > 0);
    for (const [key, count] of pending) {
      const sent = count.delta;
      const results = await redis.multi().incrby(key, sent).expire(key, count.periodSeconds * 2).exec();
      count.base = Number(results?.[0]?.[1] ?? count.base + sent);
      count.delta -= sent;
    }
    for (const [key, { until }] of counts) if (until < parts.now()) counts.delete(key);
  };
  const timer = setInterval(() => void flush().catch((error: unknown) => parts.logger.warn('rate counters could not be written to Redis', { error })), syncSeconds * 1000).unref();
  const load = async (keys: string[], windows: Window[]) => {
    const bases = await redis.mget(keys);
    keys.forEach((key, i) => {
      const periodSeconds = PERIOD_SECONDS[windows[i]!.period];
      if (!counts.has(key)) counts.set(key, { base: Number(bases[i] ?? 0), delta: 0, until: parts.now() + 2000 * periodSeconds, periodSeconds });
    });
  };
  const count = (keys: string[], windows: Window[]) => {
    const used = keys.map((key) => counts.get(key)!.base + counts.get(key)!.delta);
    if (windows.every(({ limit }, i) => used[i]! < limit)) for (const key of keys) counts.get(key)!.delta++;
    return used;
  };
  return {
    take(keys, windows) {
      return keys.every((key) => counts.has(key)) ? count(keys, windows) : load(keys, windows).then(() => count(keys, windows));
    },
    async stop() {
      clearInterval(timer);
      await flush().catch(() => undefined);
    },
  };
}
