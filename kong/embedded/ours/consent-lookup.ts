/**
 * Reads a consent's decision record, fresh on every request (DESIGN D3): Redis first; the consent service when Redis has
 * none, has something else, or does not answer in time; else `unavailable`, which refuses the request.
 */
import { decisionKey, parseDecision } from '@kontor/kernel/consent-decision';
import { Pool } from 'undici';
import type { ConsentCheckConfig } from '../../../plugins/consent-check/core.js';
import { Absences, objectIn } from '../../../plugins/host-node/consent-answers.js';
import type { ConsentLookup, ConsentUse } from '../../../plugins/plugin.js';
import type { RedisConnections } from '../redis-connections.js';
import { within } from '../time-limit.js';

/** A whole look-up takes no longer, so that a hanging store ends in a refusal within a second. */
const TOTAL_MS = 900;

/** Looks consents up and has their uses counted; `close` ends its connections. `started`: performance.now() of the request's first question. */
export interface ConsentSource {
  look(consentId: string, started: number): Promise<ConsentLookup>;
  /** @returns undefined when the service did not answer with 200 and an object in time */
  countUse(consentId: string, use: { operation: string; account: string }, started: number): Promise<ConsentUse | undefined>;
  close(): Promise<void>;
}

/** @param config where Redis and the consent service are; the id must be an opaque id, because it becomes part of a path */
export function consentSource(config: Pick<ConsentCheckConfig, 'redis' | 'fallback'>, connections: RedisConnections): ConsentSource {
  const redis = connections.to(config.redis);
  const { fallback } = config;
  const base = new URL(fallback.url);
  const pool = new Pool(base.origin, { connections: 32, connect: { timeout: fallback.timeoutMs }, keepAliveTimeout: 4_000 });

  // ioredis bounds a command only while it is connected; a hanging socket must not outlast the limit either.
  const stored = (consentId: string) => within(config.redis.timeoutMs, 'Redis', redis.get(decisionKey(consentId)));

  const absent = new Absences();

  const ask = async (path: string, body: object | undefined, started: number): Promise<{ status: number; text: string } | undefined> => {
    const limitMs = Math.min(fallback.timeoutMs, Math.floor(TOTAL_MS - (performance.now() - started)));
    if (limitMs < 1) return undefined;
    const answer = await pool.request({
      method: body ? 'POST' : 'GET',
      path: base.pathname.replace(/\/$/, '') + path,
      headers: { 'x-decision-key': fallback.key, accept: 'application/json', ...(body ? { 'content-type': 'application/json' } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(limitMs),
    });
    return { status: answer.statusCode, text: await answer.body.text() };
  };

  return {
    async look(consentId, started) {
      const text = await stored(consentId).catch(() => null);
      const record = text === null ? undefined : parseDecision(text);
      if (record) return { kind: 'found', record };
      if (absent.has(consentId)) return { kind: 'missing' };
      const answer = await ask(`/internal/consents/${consentId}/decision`, undefined, started).catch(() => undefined);
      if (answer?.status === 404) {
        absent.add(consentId);
        return { kind: 'missing' };
      }
      const told = answer?.status === 200 ? parseDecision(answer.text) : undefined;
      return told ? { kind: 'found', record: told } : { kind: 'unavailable' };
    },
    async countUse(consentId, use, started) {
      const answer = await ask(`/internal/consents/${consentId}/uses`, use, started).catch(() => undefined);
      return answer?.status === 200 ? objectIn(answer.text) : undefined;
    },
    close: () => pool.destroy(),
  };
}
