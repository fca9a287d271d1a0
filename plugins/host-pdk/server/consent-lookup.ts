/** Reads a consent's decision record, fresh on every request: Redis first, then the consent service (DESIGN D3). And has uses counted. */
import { decisionKey, parseDecision } from '@kontor/kernel/consent-decision';
import { Redis } from 'ioredis';
import { Pool } from 'undici';
import type { ConsentCheckConfig } from '../../consent-check/core.js';
import { Absences, objectIn } from '../../host-node/consent-answers.js';
import type { ConsentLookup, ConsentUse } from '../../plugin.js';
import { LIMITS } from '../dossier.js';

/** `tried`: the outcome of the first attempt to connect is known. */
interface Stores { redis: Redis; tried: Promise<void>; service: Pool; base: string; absent: Absences }

/** Looks consents up and has their uses counted. Ids must be opaque ids: they become part of a key and of a path. `started`: performance.now() of the request's first question. */
interface ConsentSource {
  look(consentId: string, started: number): Promise<ConsentLookup>;
  /** @returns undefined when the service did not answer with 200 and an object in time */
  countUse(consentId: string, use: { operation: string; account: string }, started: number): Promise<ConsentUse | undefined>;
}

/** One for each pair of stores: every route has a configuration of its own, and all name the same pair. */
const known = new Map<string, Stores>();

export function consentSource({ redis, fallback }: ConsentCheckConfig): ConsentSource {
  const name = JSON.stringify([redis, fallback]);
  const stores = known.get(name) ?? connect({ redis, fallback });
  known.set(name, stores);

  const ask = async (path: string, body: object | undefined, started: number): Promise<{ status: number; text: string } | undefined> => {
    const limitMs = Math.min(fallback.timeoutMs, Math.floor(LIMITS.lookup - (performance.now() - started)));
    if (limitMs < 1) return undefined;
    return askService(stores, { path, body, key: fallback.key, limitMs }).catch(() => undefined);
  };

  return {
    async look(consentId, started) {
      const text = await within(redis.timeoutMs, stores.tried.then(() => stores.redis.get(decisionKey(consentId)))).catch(() => null);
      const record = text === null ? undefined : parseDecision(text);
      if (record) return { kind: 'found', record };
      if (stores.absent.has(consentId)) return { kind: 'missing' };
      const answer = await ask(`/internal/consents/${consentId}/decision`, undefined, started);
      if (answer?.status === 404) {
        stores.absent.add(consentId);
        return { kind: 'missing' };
      }
      const told = answer?.status === 200 ? parseDecision(answer.text) : undefined;
      return told ? { kind: 'found', record: told } : { kind: 'unavailable' };
    },
    async countUse(consentId, use, started) {
      const answer = await ask(`/internal/consents/${consentId}/uses`, use, started);
      return answer?.status === 200 ? objectIn(answer.text) : undefined;
    },
  };
}

function connect({ redis, fallback }: Pick<ConsentCheckConfig, 'redis' | 'fallback'>): Stores {
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
  return { redis: connection, tried, service: new Pool(base.origin, { connections: 32 }), base: base.pathname.replace(/\/$/, ''), absent: new Absences() };
}

async function askService({ service, base }: Stores, question: { path: string; body: object | undefined; key: string; limitMs: number }): Promise<{ status: number; text: string }> {
  const { path, body, key, limitMs } = question;
  const answer = await service.request({
    method: body ? 'POST' : 'GET', path: base + path,
    headers: { 'x-decision-key': key, accept: 'application/json', ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(limitMs),
  });
  return { status: answer.statusCode, text: await answer.body.text() };
}

/** ioredis bounds a command only while it is connected. */
async function within<T>(limitMs: number, answer: Promise<T>): Promise<T> {
  let clock: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => { clock = setTimeout(() => reject(new Error('Redis took too long')), limitMs); });
  return Promise.race([answer, late]).finally(() => clearTimeout(clock));
}
