/**
 * Reads a consent's decision record, fresh on every request (DESIGN D3): Redis first; the consent service when Redis has
 * none, has something else, or does not answer in time; else `unavailable`, which refuses the request.
 */
import { decisionKey, parseDecision } from '@kontor/kernel/consent-decision';
import { Pool } from 'undici';
import type { ConsentCheckConfig } from '../../../plugins/consent-check/core.js';
import type { ConsentLookup } from '../../../plugins/plugin.js';
import type { RedisConnections } from '../redis-connections.js';
import { within } from '../time-limit.js';

/** A whole look-up takes no longer, so that a hanging store ends in a refusal within a second. */
const TOTAL_MS = 900;

/** Looks consents up; `close` ends its connections. */
export interface ConsentSource {
  look(consentId: string): Promise<ConsentLookup>;
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

  const asked = async (consentId: string, limitMs: number): Promise<ConsentLookup> => {
    const answer = await pool.request({
      method: 'GET',
      path: `${base.pathname.replace(/\/$/, '')}/internal/consents/${consentId}/decision`,
      headers: { 'x-decision-key': fallback.key, accept: 'application/json' },
      signal: AbortSignal.timeout(limitMs),
    });
    const text = await answer.body.text();
    if (answer.statusCode === 404) return { kind: 'missing' };
    const record = answer.statusCode === 200 ? parseDecision(text) : undefined;
    return record ? { kind: 'found', record } : { kind: 'unavailable' };
  };

  return {
    async look(consentId) {
      const started = performance.now();
      const text = await stored(consentId).catch(() => null);
      const record = text === null ? undefined : parseDecision(text);
      if (record) return { kind: 'found', record };
      const limitMs = Math.min(fallback.timeoutMs, Math.floor(TOTAL_MS - (performance.now() - started)));
      if (limitMs < 1) return { kind: 'unavailable' };
      return asked(consentId, limitMs).catch(() => ({ kind: 'unavailable' }));
    },
    close: () => pool.destroy(),
  };
}
