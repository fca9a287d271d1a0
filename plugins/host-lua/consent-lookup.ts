/** Reads a consent's decision record: Redis first, the consent service when Redis has none or does not answer. */
import { isWhole } from '../consent-check/core.js';
import type { ConsentCheckConfig } from '../consent-check/core.js';
import type { ConsentLookup, ConsentRecord } from '../plugin.js';

const redisModule = require('resty.redis') as { 'new'(): RedisConnection };
const httpModule = require('resty.http') as { 'new'(): HttpClient };
const json = require('cjson.safe') as { decode(this: void, text: string): LuaMultiReturn<[value: unknown, fault: string | undefined]> };

/** A whole look-up takes no longer, so that a hanging store ends in a refusal within a second. */
const TOTAL_MS = 900;
const KEPT_ALIVE_MS = 60_000;
const POOL_SIZE = 64;

/** Looks a consent up. The id must be an opaque id (the core checks): it becomes part of a key and of a path. */
export function lookUpConsent(consentId: string, config: ConsentCheckConfig): ConsentLookup {
  ngx.update_time();
  const started = ngx.now();
  const [ok, stored] = pcall(() => readRedis(`consent:decision:${consentId}`, config));
  const record = ok ? decodeRecord(stored) : undefined;
  if (record !== undefined) return { kind: 'found', record };
  ngx.update_time();
  const leftMs = TOTAL_MS - (ngx.now() - started) * 1000;
  const limitMs = leftMs < config.fallback.timeoutMs ? leftMs : config.fallback.timeoutMs;
  return limitMs < 1 ? { kind: 'unavailable' } : askService(consentId, config, limitMs);
}

/** The text under the key; undefined when there is none or Redis does not answer. */
function readRedis(key: string, config: ConsentCheckConfig): string | undefined {
  const { host, port, password, timeoutMs } = config.redis;
  const connection = redisModule['new']();
  connection.set_timeouts(timeoutMs, timeoutMs, timeoutMs);
  // A pool of our own: connections in it are authenticated, and no other plugin has selected another database on them.
  const [connected] = connection.connect(host, port, { pool: `kontor:${host}:${port}`, pool_size: POOL_SIZE });
  if (!connected) return undefined;
  const [reused] = connection.get_reused_times();
  if (reused === 0 && password !== undefined && password.length > 0) {
    const [authenticated] = connection.auth(password);
    if (!authenticated) {
      connection.close();
      return undefined;
    }
  }
  const [value, fault] = connection.get(key);
  if (fault !== undefined) {
    connection.close();
    return undefined;
  }
  connection.set_keepalive(KEPT_ALIVE_MS, POOL_SIZE);
  return typeof value === 'string' ? value : undefined;
}

/** Asks the consent service; a second light thread bounds the whole call, since its time-outs are per read. */
function askService(consentId: string, config: ConsentCheckConfig, limitMs: number): ConsentLookup {
  const asking = ngx.thread.spawn(() => request(consentId, config, limitMs));
  const clock = ngx.thread.spawn(() => {
    ngx.sleep(limitMs / 1000);
    return undefined;
  });
  const [ok, answer] = ngx.thread.wait(asking, clock);
  ngx.thread.kill(asking);
  ngx.thread.kill(clock);
  return ok && answer !== undefined ? answer as ConsentLookup : { kind: 'unavailable' };
}

function request(consentId: string, config: ConsentCheckConfig, limitMs: number): ConsentLookup {
  const client = httpModule['new']();
  client.set_timeouts(limitMs, limitMs, limitMs);
  const [answer] = client.request_uri(`${config.fallback.url}/internal/consents/${consentId}/decision`, {
    method: 'GET',
    headers: { 'X-Decision-Key': config.fallback.key, Accept: 'application/json' },
    keepalive_timeout: KEPT_ALIVE_MS,
    keepalive_pool: POOL_SIZE,
  });
  if (answer === undefined) return { kind: 'unavailable' };
  if (answer.status === 404) return { kind: 'missing' };
  const record = answer.status === 200 ? decodeRecord(answer.body) : undefined;
  return record !== undefined ? { kind: 'found', record } : { kind: 'unavailable' };
}

/** The record where it is whole; a broken one is none, so that the consent service is asked. */
function decodeRecord(text: string | undefined): ConsentRecord | undefined {
  if (text === undefined) return undefined;
  const [value] = json.decode(text);
  return typeof value === 'object' && isWhole(value as ConsentRecord) ? value as ConsentRecord : undefined;
}
