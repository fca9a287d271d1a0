/**
 * Kong's rate-limiting plugin, and the same before oauth2 as token-limit: fixed windows per second, minute, hour or day. `local` counts in this process; `redis`
 * counts in Redis on every request (`sync_rate` -1) or locally with a write-back every `sync_rate` seconds.
 */
import type { Exchange, GatewayAnswer } from '../exchange.js';
import { priorities } from '../../../plugins/priorities.js';
import { errorAnswer } from '../exchange.js';
import type { PluginDefinition } from '../plugin.js';
import type { PluginEntry } from '../state.js';
import { within } from '../time-limit.js';
import { localCounters, redisCounters, syncedCounters, type Counters } from './rate-counters.js';

/** A window's name. */
export type Period = 'second' | 'minute' | 'hour' | 'day';

/** Seconds in a window. */
export const PERIOD_SECONDS: Record<Period, number> = { second: 1, minute: 60, hour: 3600, day: 86_400 };
const PERIODS = Object.keys(PERIOD_SECONDS) as Period[];

interface RateConfig extends Partial<Record<Period, number>> {
  limit_by: 'consumer' | 'credential' | 'ip' | 'service';
  policy: 'local' | 'redis';
  fault_tolerant: boolean;
  redis?: { host?: string; port: number; password?: string; username?: string; database: number; timeout: number };
  hide_client_headers: boolean;
  error_code: number;
  error_message: string;
  sync_rate: number;
}

const LIMIT = { type: 'number', between: [Number.MIN_VALUE, 1_000_000_000] } as const;

export const rateLimiting: PluginDefinition = {
  name: 'rate-limiting',
  priority: 910,
  schema: [
    { second: LIMIT }, { minute: LIMIT }, { hour: LIMIT }, { day: LIMIT },
    { limit_by: { type: 'string', default: 'consumer', only: ['consumer', 'credential', 'ip', 'service'] } },
    { policy: { type: 'string', default: 'local', only: ['local', 'redis'] } },
    { fault_tolerant: { type: 'boolean', default: true } },
    { redis: { type: 'record', fields: [
      { host: { type: 'string' } },
      { port: { type: 'integer', default: 6379, between: [1, 65_535] } },
      { timeout: { type: 'integer', default: 2000, between: [1, 60_000] } },
      { username: { type: 'string' } },
      { password: { type: 'string', len_min: 0 } },
      { database: { type: 'integer', default: 0 } },
      { ssl: { type: 'boolean', default: false, only: [false] } },
      { ssl_verify: { type: 'boolean', default: false, only: [false] } },
    ] } },
    { hide_client_headers: { type: 'boolean', default: false } },
    { error_code: { type: 'integer', default: 429 } },
    { error_message: { type: 'string', default: 'API rate limit exceeded' } },
    { sync_rate: { type: 'number', default: -1 } },
  ],
  create(entry, parts) {
    const config = entry.config as unknown as RateConfig;
    const limits = PERIODS.filter((period) => config[period] !== undefined).map((period) => ({ period, limit: config[period]! }));
    checkLimits(entry, config, limits.map(({ limit }) => limit));
    const counters = countersFor(config, parts);
    // Kong's key: route and service of the plugin entry, so that a global entry has one budget over all routes.
    const scope = `ratelimit:${entry.route?.id ?? NOBODY}:${entry.service?.id ?? NOBODY}`;

    const judge = (exchange: Exchange, used: number[], now: number): GatewayAnswer | undefined => {
      const stopped = limits.findLastIndex(({ limit }, i) => limit - used[i]! <= 0);
      let tightest: { limit: number; remaining: number; reset: number } | undefined;
      limits.forEach(({ period, limit }, i) => {
        const left = limit - used[i]! - (stopped < 0 || stopped === i ? 1 : 0);
        const remaining = Math.max(0, left);
        const reset = Math.max(1, PERIOD_SECONDS[period] - Math.floor(now / 1000) % PERIOD_SECONDS[period]);
        if (!tightest || remaining <= tightest.remaining) tightest = { limit, remaining, reset };
        if (!config.hide_client_headers) {
          exchange.answerHeaders[`x-ratelimit-limit-${period}`] = String(limit);
          exchange.answerHeaders[`x-ratelimit-remaining-${period}`] = String(remaining);
        }
      });
      if (!config.hide_client_headers && tightest) {
        exchange.answerHeaders['ratelimit-limit'] = String(tightest.limit);
        exchange.answerHeaders['ratelimit-remaining'] = String(tightest.remaining);
        exchange.answerHeaders['ratelimit-reset'] = String(tightest.reset);
      }
      if (stopped < 0) return undefined;
      return errorAnswer(config.error_code, config.error_message, config.hide_client_headers ? {} : { 'retry-after': String(tightest!.reset) });
    };

    return {
      access(exchange) {
        const now = parts.now();
        const identifier = identify(exchange, config.limit_by);
        const keys = limits.map(({ period }) => `${scope}:${identifier}:${Math.floor(now / 1000 / PERIOD_SECONDS[period]) * PERIOD_SECONDS[period] * 1000}:${period}`);
        const used = counters.take(keys, limits);
        if (!(used instanceof Promise)) return judge(exchange, used, now);
        return used.then((counts) => judge(exchange, counts, now), (fault: unknown) => {
          if (!config.fault_tolerant) throw fault;
          return undefined;
        });
      },
      stop: () => counters.stop(),
    };
  },
};

/** Kong's rate-limiting under another name and before oauth2, as in Kong (plugins/token-limit). */
export const tokenLimit: PluginDefinition = { ...rateLimiting, name: 'token-limit', priority: priorities['token-limit'] };

const NOBODY = '00000000-0000-0000-0000-000000000000';

function checkLimits(entry: PluginEntry, config: RateConfig, limits: number[]): void {
  if (limits.length === 0) throw new Error(`${entry.where}: at least one of ${PERIODS.map((period) => `config.${period}`).join(', ')} must be set`);
  if (limits.some((limit, i) => i > 0 && limit < limits[i - 1]!)) throw new Error(`${entry.where}: the limit of a longer period cannot be lower than that of a shorter one`);
  if (config.policy === 'redis' && !config.redis?.host) throw new Error(`${entry.where}: config.redis.host is required with the redis policy`);
  if (config.policy !== 'redis' && config.sync_rate !== -1) throw new Error(`${entry.where}: config.sync_rate can only be used with the redis policy`);
  if (config.sync_rate !== -1 && config.sync_rate < 0.02) throw new Error(`${entry.where}: config.sync_rate must be at least 0.02, or -1`);
}

function countersFor(config: RateConfig, parts: Parameters<PluginDefinition['create']>[1]): Counters {
  if (config.policy === 'local') return localCounters(parts.now);
  const { host, port, password, username, database, timeout } = config.redis!;
  const redis = parts.redis.to({ host: host!, port, password, username, database, timeoutMs: timeout });
  return inTime(timeout, config.sync_rate === -1 ? redisCounters(redis) : syncedCounters(redis, config.sync_rate, parts));
}

/** Commands wait for those sent before them, each with a time-out of its own: a Redis that hangs must not hold a request for both. */
function inTime(limitMs: number, counters: Counters): Counters {
  return {
    take(keys, windows) {
      const used = counters.take(keys, windows);
      return used instanceof Promise ? within(limitMs, 'Redis', used) : used;
    },
    stop: () => counters.stop(),
  };
}

function identify(exchange: Exchange, by: RateConfig['limit_by']): string {
  switch (by) {
    case 'consumer':
      return exchange.identity?.consumer.id ?? exchange.clientIp;
    case 'credential':
      return exchange.identity?.credentialId ?? exchange.clientIp;
    case 'service':
      return exchange.route?.service?.id ?? exchange.clientIp;
    default:
      return exchange.clientIp;
  }
}
