/**
 * Reads keys from Redis, many requests in one round trip: while one read is under way, the keys of requests that come in
 * meanwhile are gathered, and the first of those requests reads them all in the next. Nobody waits where nothing is under way,
 * and a value is never older than the request that asks for it: a read starts after all its requests have come.
 */
const redisModule = require('resty.redis') as { 'new'(): RedisConnection };
const semaphores = require('ngx.semaphore') as { new: (this: void, count: number) => LuaMultiReturn<[semaphore: Semaphore, fault: string | undefined]> };

/** Where and how long: `timeoutMs` bounds connecting, sending, reading, and waiting for others' reads. */
export interface RedisPlace { host: string; port: number; password?: string; timeoutMs: number }

/** Keys that are read together. */
interface Batch {
  keys: string[];
  /** Place of each key in `keys`. */
  places: Record<string, number>;
  /** Wakes the first of the batch, who reads. */
  turn: Semaphore;
  /** Wakes the others. */
  done: Semaphore;
  waiting: number;
  /** Only once read; a key without a value is absent. */
  values?: Record<string, string>;
}

/** The reads of one Redis in this worker. */
interface Reads {
  place: RedisPlace;
  /** A pool of our own: connections in it are authenticated, and no other plugin has selected another database on them. */
  pool: { pool: string; pool_size: number };
  /** Unix seconds until which a read may be under way; 0 when none is. Past it the reader is taken for dead. */
  busyUntil: number;
  next?: Batch;
}

const KEPT_ALIVE_MS = 60_000;
const POOL_SIZE = 64;
const MOST_KEYS = 200;

const reads: Record<string, Reads | undefined> = {};
const byPlace = setmetatable(new LuaTable<RedisPlace, Reads>(), { __mode: 'k' });



/** The text under a key; undefined when there is none or Redis does not answer. `now`: fresh unix seconds. */
export function readTogether(this: void, key: string, place: RedisPlace, now: number): string | undefined {
  const own = readsOf(place);
  if (own.busyUntil <= now) {
    const found = lead(own, [key], now);
    return found !== undefined ? found[key] : undefined;
  }
  if (own.next !== undefined && own.next.keys.length >= MOST_KEYS) {
    const found = ask(own, [key]);
    return found !== undefined ? found[key] : undefined;
  }
  return join(own, key);
}

/** By Kong's own table of a configuration, which goes when the configuration changes. */
function readsOf(place: RedisPlace): Reads {
  const known = byPlace.get(place);
  if (known !== undefined) return known;
  const name = `kontor:${place.host}:${place.port}:${place.timeoutMs}`;
  const own = reads[name] ?? { place, pool: { pool: `kontor:${place.host}:${place.port}`, pool_size: POOL_SIZE }, busyUntil: 0 };
  // A password that has changed counts from now on.
  own.place = place;
  reads[name] = own;
  byPlace.set(place, own);
  return own;
}

/** Waits for a place in the next read; its first member reads for all. */
function join(own: Reads, key: string): string | undefined {
  const { timeoutMs } = own.place;
  const batch = own.next ?? newBatch();
  own.next = batch;
  if (batch.places[key] === undefined) {
    batch.keys.push(key);
    batch.places[key] = batch.keys.length;
  }
  const first = batch.waiting === 0;
  batch.waiting += 1;
  const [woken] = first ? batch.turn.wait((2 * timeoutMs) / 1000) : batch.done.wait((3 * timeoutMs) / 1000);
  // Whoever comes later must not wait for a batch that has lost its reader.
  if (own.next === batch) own.next = undefined;
  if (first) {
    if (woken === true) {
      ngx.update_time();
      batch.values = lead(own, batch.keys, ngx.now());
    }
    if (batch.waiting > 1) batch.done.post(batch.waiting - 1);
  }
  return batch.values !== undefined ? batch.values[key] : undefined;
}

function newBatch(): Batch {
  const [turn] = semaphores['new'](0);
  const [done] = semaphores['new'](0);
  return { keys: [], places: {}, turn, done, waiting: 0 };
}

/** Reads, then hands the turn to those who have gathered meanwhile. */
function lead(own: Reads, keys: string[], now: number): Record<string, string> | undefined {
  const reservedFor = (4 * own.place.timeoutMs) / 1000;
  own.busyUntil = now + reservedFor;
  const [ok, found] = pcall(ask, own, keys);
  own.busyUntil = 0;
  const { next } = own;
  if (next !== undefined) {
    // It is theirs already: a request that comes before they wake must not start beside them.
    ngx.update_time();
    own.busyUntil = ngx.now() + reservedFor;
    own.next = undefined;
    next.turn.post(1);
  }
  return ok ? found : undefined;
}

/** One round trip. */
function ask(this: void, { place, pool }: Reads, keys: string[]): Record<string, string> | undefined {
  const { host, port, password, timeoutMs } = place;
  const connection = redisModule['new']();
  connection.set_timeouts(timeoutMs, timeoutMs, timeoutMs);
  const [connected] = connection.connect(host, port, pool);
  if (!connected) return undefined;
  const [reused] = connection.get_reused_times();
  if (reused === 0 && password !== undefined && password.length > 0) {
    const [authenticated] = connection.auth(password);
    if (!authenticated) {
      connection.close();
      return undefined;
    }
  }
  const [values] = connection.mget(...keys);
  if (typeof values !== 'object') {
    connection.close();
    return undefined;
  }
  connection.set_keepalive(KEPT_ALIVE_MS, POOL_SIZE);
  const found: Record<string, string> = {};
  for (let i = 0; i < keys.length; i++) {
    const value = values[i];
    if (typeof value === 'string') found[keys[i] as string] = value;
  }
  return found;
}
