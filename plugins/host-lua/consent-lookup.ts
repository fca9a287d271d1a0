/** Reads a consent's decision record: Redis first, the consent service when Redis has none or does not answer. */
import { isWhole } from '../consent-check/core.js';
import type { ConsentCheckConfig } from '../consent-check/core.js';
import type { ConsentLookup, ConsentRecord } from '../plugin.js';
import { readTogether } from './redis-reader.js';

const httpModule = require('resty.http') as { 'new'(): HttpClient };
const lru = require('resty.lrucache') as { new: (this: void, size: number) => LuaMultiReturn<[cache: LruCache<ConsentRecord> | undefined, fault: string | undefined]> };
const json = require('cjson.safe') as { decode(this: void, text: string): LuaMultiReturn<[value: unknown, fault: string | undefined]> };

/** A whole look-up takes no longer, so that a hanging store ends in a refusal within a second. */
const TOTAL_MS = 900;
const KEPT_ALIVE_MS = 60_000;
const POOL_SIZE = 64;

/** Looks a consent up. The id must be an opaque id (the core checks): it becomes part of a key and of a path. */
export function lookUpConsent(consentId: string, config: ConsentCheckConfig): ConsentLookup {
  ngx.update_time();
  const started = ngx.now();
  const [ok, stored] = pcall(readTogether, `consent:decision:${consentId}`, config.redis, started);
  const record = ok ? knownRecord(stored) : undefined;
  if (record !== undefined) return { kind: 'found', record };
  ngx.update_time();
  const leftMs = TOTAL_MS - (ngx.now() - started) * 1000;
  const limitMs = leftMs < config.fallback.timeoutMs ? leftMs : config.fallback.timeoutMs;
  return limitMs < 1 ? { kind: 'unavailable' } : askService(consentId, config, limitMs);
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

/** Decoded records by their text: Redis is asked for each request, but its answer is decoded only when it is another one. */
const [decoded] = lru['new'](5000);

function knownRecord(text: string | undefined): ConsentRecord | undefined {
  if (text === undefined) return undefined;
  const known = decoded?.get(text);
  if (known !== undefined) return known;
  const record = decodeRecord(text);
  if (record !== undefined) decoded?.set(text, record, 600);
  return record;
}

/** The record where it is whole; a broken one is none, so that the consent service is asked. */
function decodeRecord(text: string | undefined): ConsentRecord | undefined {
  if (text === undefined) return undefined;
  const [value] = json.decode(text);
  return typeof value === 'object' && isWhole(value as ConsentRecord) ? value as ConsentRecord : undefined;
}
