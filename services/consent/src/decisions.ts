/**
 * Decision records in Redis: what the gateway reads on every request (kernel/consent-decision.ts holds the format).
 * A record is never replaced by an older one, whatever order the writes arrive in.
 */
import type { Redis } from 'ioredis';
import { decisionKey, type DecisionRecord } from '@kontor/kernel/consent-decision';
import { problem } from '@kontor/kernel/problem';

/** Longest life of a record in seconds; after that the gateway asks the consent service, which writes it anew. */
const LIFE_S = 3600;

/**
 * The version of the record that stands, or nil: what is no record (another program, an operator's hand) keeps nobody from revoking.
 * `redis.pcall`: what stands need not even be a text.
 */
const VERSION = `
  local function version()
    local standing = redis.pcall('GET', KEYS[1])
    if type(standing) ~= 'string' then return nil end
    local sound, record = pcall(cjson.decode, standing)
    return sound and type(record) == 'table' and type(record.version) == 'number' and record.version or nil
  end`;

/** KEYS[1] record; ARGV: record, version, life. 1 when written, 0 when a newer one stands. */
const WRITE_IF_NEWER = `${VERSION}
  local standing = version()
  if standing and standing > tonumber(ARGV[2]) then return 0 end
  redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
  return 1`;

/** Removes the record only if it is still the one written. KEYS[1] record; ARGV[1] version. */
const TAKE_BACK = `${VERSION}
  if version() == tonumber(ARGV[1]) then return redis.call('DEL', KEYS[1]) end
  return 0`;

export interface Decisions {
  /** Writes the record unless a newer one stands. @throws Problem `unavailable` when Redis does not answer */
  write(consentId: string, record: DecisionRecord, lifeS?: number): Promise<void>;
  /** Removes a denial whose transaction did not commit. Best effort: a denial that stays is on the safe side. */
  takeBack(consentId: string, version: number): Promise<void>;
  close(): Promise<void>;
}

export function decisionsIn(redis: Redis): Decisions {
  return {
    async write(consentId, record, lifeS = LIFE_S) {
      try {
        await redis.eval(WRITE_IF_NEWER, 1, decisionKey(consentId), JSON.stringify(record), String(record.version), String(lifeS));
      } catch (cause) {
        throw Object.assign(problem('unavailable', 'The decision could not be recorded; nothing was changed. Try again in a moment.', { retryAfter: 2 }), { cause });
      }
    },
    async takeBack(consentId, version) {
      await redis.eval(TAKE_BACK, 1, decisionKey(consentId), String(version)).catch(() => undefined);
    },
    async close() {
      await redis.quit().catch(() => redis.disconnect());
    },
  };
}
