/** Reads a consent's decision record, fresh on every request: Redis first, then the consent service (DESIGN D3). */
import { decisionKey, parseDecision } from '@kontor/kernel/consent-decision';
import { Redis } from 'ioredis';
import { Pool } from 'undici';
import type { ConsentCheckConfig } from '../../consent-check/core.js';
import type { ConsentLookup } from '../../plugin.js';
import { LIMITS } from '../dossier.js';

/** `tried`: the outcome of the first attempt to connect is known. */
interface Source { redis: Redis; tried: Promise<void>; service: Pool; base: string }

/** One for each pair of stores: every route has a configuration of its own, and all name the same pair. */
const sources = new Map<string, Source>();

/** A look-up by consent id, which must be an opaque id: it becomes part of a key and of a path. */
export function consentSource({ redis, fallback }: ConsentCheckConfig): (consentId: string) => Promise<ConsentLookup> {
  const name = JSON.stringify([redis, fallback]);
  const source = sources.get(name) ?? connect({ redis, fallback });
  sources.set(name, source);
  return async (consentId) => {
    const started = performance.now();
    const text = await within(redis.timeoutMs, source.tried.then(() => source.redis.get(decisionKey(consentId)))).catch(() => null);
    const record = text === null ? undefined : parseDecision(text);
    if (record) return { kind: 'found', record };
    const limitMs = Math.min(fallback.timeoutMs, Math.floor(LIMITS.lookup - (performance.now() - started)));
    if (limitMs < 1) return { kind: 'unavailable' };
    return ask(source, fallback.key, consentId, limitMs).catch(() => ({ kind: 'unavailable' }));
  };
}

function connect({ redis, fallback }: Pick<ConsentCheckConfig, 'redis' | 'fallback'>): Source {
  const base = new URL(fallback.url);
  const connection = new Redis({
    host: redis.host, port: redis.port, ...redis.password ? { password: redis.password } : {}, connectTimeout: redis.timeoutMs, commandTimeout: redis.timeoutMs,
    // A command that cannot be sent at once is answered by the consent service instead.
    enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy: (attempt) => Math.min(attempt * 50, 500),
  });
  // Told by each command that fails; without a listener the process would end.
  connection.on('error', () => undefined);
  // The first request starts the connection: it waits for it, as inside Kong, where each request may open one.
  const tried = new Promise<void>((resolve) => { connection.once('ready', resolve).once('close', resolve); });
  return { redis: connection, tried, service: new Pool(base.origin, { connections: 32 }), base: base.pathname.replace(/\/$/, '') };
}

async function ask({ service, base }: Source, key: string, consentId: string, limitMs: number): Promise<ConsentLookup> {
  const answer = await service.request({
    method: 'GET', path: `${base}/internal/consents/${consentId}/decision`, headers: { 'x-decision-key': key, accept: 'application/json' },
    signal: AbortSignal.timeout(limitMs),
  });
  const text = await answer.body.text();
  if (answer.statusCode === 404) return { kind: 'missing' };
  const record = answer.statusCode === 200 ? parseDecision(text) : undefined;
  return record ? { kind: 'found', record } : { kind: 'unavailable' };
}

/** ioredis bounds a command only while it is connected. */
async function within<T>(limitMs: number, answer: Promise<T>): Promise<T> {
  let clock: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => { clock = setTimeout(() => reject(new Error('Redis took too long')), limitMs); });
  return Promise.race([answer, late]).finally(() => clearTimeout(clock));
}
