/** Reads a consent's decision record: Redis first, the consent service when Redis has none or does not answer. And has uses counted. */
import { isWhole } from '../consent-check/core.js';
import type { ConsentCheckConfig } from '../consent-check/core.js';
import type { ConsentLookup, ConsentRecord, ConsentUse } from '../plugin.js';
import { readTogether } from './redis-reader.js';

const httpModule = require('resty.http') as { 'new'(): HttpClient };
const lru = require('resty.lrucache') as { new: <T>(this: void, size: number) => LuaMultiReturn<[cache: LruCache<T> | undefined, fault: string | undefined]> };
const json = require('cjson.safe') as {
  decode(this: void, text: string): LuaMultiReturn<[value: unknown, fault: string | undefined]>;
  encode(this: void, value: unknown): string;
};

/** A whole look-up takes no longer, so that a hanging store ends in a refusal within a second. */
const TOTAL_MS = 900;
const KEPT_ALIVE_MS = 60_000;
const POOL_SIZE = 64;

/**
 * Consents the service did not know, a worker's last 2,000 for a few seconds: a fintech that goes on asking with such a token costs
 * no call for each request. A consent that is missing never appears later (its id comes from a token, and no code is issued before
 * the consent exists), so nothing is refused that would be allowed. Redis is asked all the same, and ids that only fill this cache push out
 * nothing but each other.
 */
const [absent] = lru['new']<boolean>(2000);
const ABSENT_SECONDS = 5;

/**
 * Looks a consent up. The id must be an opaque id (the core checks): it becomes part of a key and of a path.
 * @param started fresh unix seconds
 */
export function lookUpConsent(consentId: string, config: ConsentCheckConfig, started: number): ConsentLookup {
  const [ok, stored] = pcall(readTogether, `consent:decision:${consentId}`, config.redis, started);
  const record = ok ? knownRecord(stored) : undefined;
  if (record !== undefined) return { kind: 'found', record };
  const place = `${config.fallback.url}/internal/consents/${consentId}`;
  if (absent?.get(place) === true) return MISSING;
  const answer = ask({ place: `${place}/decision`, method: 'GET' }, config, started);
  if (answer === undefined) return UNAVAILABLE;
  if (answer.status === 404) {
    absent?.set(place, true, ABSENT_SECONDS);
    return MISSING;
  }
  const told = answer.status === 200 ? decodeRecord(answer.body) : undefined;
  return told !== undefined ? { kind: 'found', record: told } : UNAVAILABLE;
}

const MISSING: ConsentLookup = { kind: 'missing' };
const UNAVAILABLE: ConsentLookup = { kind: 'unavailable' };

/**
 * Has one use counted.
 * @param started unix seconds at which the look-up began: both together are bounded
 * @returns undefined when the service did not answer with 200 and an object
 */
export function countUse(use: { consentId: string; operation: string; account: string }, config: ConsentCheckConfig, started: number): ConsentUse | undefined {
  const body = json.encode({ operation: use.operation, account: use.account });
  const answer = ask({ place: `${config.fallback.url}/internal/consents/${use.consentId}/uses`, method: 'POST', body }, config, started);
  if (answer === undefined || answer.status !== 200 || answer.body === undefined) return undefined;
  const [value] = json.decode(answer.body);
  return typeof value === 'object' ? value as ConsentUse : undefined;
}

interface Question { place: string; method: string; body?: string }
interface ServiceAnswer { status: number; body: string | undefined }

/** Asks the consent service; a second light thread bounds the whole call, since its time-outs are per read. */
function ask(question: Question, config: ConsentCheckConfig, started: number): ServiceAnswer | undefined {
  ngx.update_time();
  const leftMs = TOTAL_MS - (ngx.now() - started) * 1000;
  const limitMs = leftMs < config.fallback.timeoutMs ? leftMs : config.fallback.timeoutMs;
  if (limitMs < 1) return undefined;
  const asking = ngx.thread.spawn(() => request(question, config, limitMs));
  const clock = ngx.thread.spawn(() => {
    ngx.sleep(limitMs / 1000);
    return undefined;
  });
  const [ok, answer] = ngx.thread.wait(asking, clock);
  ngx.thread.kill(asking);
  ngx.thread.kill(clock);
  return ok ? answer as ServiceAnswer | undefined : undefined;
}

function request({ place, method, body }: Question, config: ConsentCheckConfig, limitMs: number): ServiceAnswer | undefined {
  const client = httpModule['new']();
  client.set_timeouts(limitMs, limitMs, limitMs);
  const headers: Record<string, string> = { 'X-Decision-Key': config.fallback.key, Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const [answer] = client.request_uri(place, { method, body, headers, keepalive_timeout: KEPT_ALIVE_MS, keepalive_pool: POOL_SIZE });
  return answer;
}

/** Decoded records by their text: Redis is asked for each request, but its answer is decoded only when it is another one. */
const [decoded] = lru['new']<ConsentRecord>(5000);

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
