/** The identity provider over REST: one call, made safe by a time-out, bounded retries and a circuit breaker. */
import { setTimeout as pause } from 'node:timers/promises';
import CircuitBreaker from 'opossum';
import { Pool } from 'undici';
import { Transient } from '@kontor/kernel/messaging';

/** Whom to check. Dates `YYYY-MM-DD`, countries ISO 3166-1 alpha-2. */
export interface Person {
  name: { given: string; family: string };
  birthDate: string;
  nationality: string;
  residence: string;
}

/** The provider's word: verified, failed, or refer (a person must look). */
export interface IdentityResult {
  identity: 'verified' | 'failed' | 'refer';
  /** The provider's own number of the check. */
  providerReference: string;
}

export interface IdentityProvider {
  /**
   * Checks a person. `reference` names the check: asking again with it gives the same check, so a repeat is safe.
   * @throws Transient when the provider cannot be reached, is overloaded, refuses our key, or answers what nobody can read
   */
  check(reference: string, person: Person): Promise<IdentityResult>;
  close(): Promise<void>;
}

export interface ProviderOptions {
  url: string;
  apiKey: string;
  /** For one attempt. */
  timeoutMs: number;
  /** Attempts a call, the first included. */
  attempts: number;
  /** First pause between attempts; doubles, with jitter. */
  pauseMs: number;
  /** How long the breaker stays open after half of at least five attempts failed. */
  resetMs: number;
}

/** The provider answered, and trying again now will not change it. */
class Refused extends Error {
  constructor(readonly status: number) {
    super(`the identity provider refused the request with status ${status}`);
    this.name = 'Refused';
  }
}

const OUTCOMES: Readonly<Record<string, IdentityResult['identity']>> = { pass: 'verified', fail: 'failed', refer: 'refer' };

export function identityProvider(options: ProviderOptions): IdentityProvider {
  const pool = new Pool(new URL(options.url).origin, {
    connections: 8, connect: { timeout: options.timeoutMs }, headersTimeout: options.timeoutMs, bodyTimeout: options.timeoutMs,
  });
  const attempt = (reference: string, person: Person): Promise<IdentityResult> => ask(pool, options, reference, person);
  const breaker = new CircuitBreaker(attempt, {
    // undici bounds connecting, headers and body one by one; this bounds the attempt as a whole.
    timeout: options.timeoutMs, resetTimeout: options.resetMs, errorThresholdPercentage: 50, volumeThreshold: 5,
    errorFilter: (fault: unknown) => fault instanceof Refused,
  });
  return {
    async check(reference, person) {
      for (let tried = 1; ; tried++) {
        try {
          return await breaker.fire(reference, person);
        } catch (fault) {
          if (fault instanceof Refused) return refusal(fault, reference);
          if (tried === options.attempts || breaker.opened) throw new Transient('the identity provider is out of reach', { cause: fault });
          await pause(options.pauseMs * 2 ** (tried - 1) * (0.5 + Math.random()));
        }
      }
    },
    async close() {
      breaker.shutdown();
      await pool.destroy();
    },
  };
}

/** A person the provider cannot check (422) is for a person to look at; a refused key is ours to mend. */
function refusal(fault: Refused, reference: string): IdentityResult {
  if (fault.status === 422) return { identity: 'refer', providerReference: `refused-${reference}` };
  throw new Transient('the identity provider refuses our requests', { cause: fault });
}

async function ask(pool: Pool, options: ProviderOptions, reference: string, person: Person): Promise<IdentityResult> {
  const { statusCode, body } = await pool.request({
    method: 'PUT',
    path: `/v1/identity-checks/${encodeURIComponent(reference)}`,
    headers: { 'content-type': 'application/json', 'x-api-key': options.apiKey },
    body: JSON.stringify({
      givenName: person.name.given, familyName: person.name.family, birthDate: person.birthDate,
      nationality: person.nationality, residence: person.residence,
    }),
    signal: AbortSignal.timeout(options.timeoutMs),
  });
  if (statusCode !== 200) {
    await body.dump();
    if (statusCode >= 400 && statusCode < 500 && statusCode !== 408 && statusCode !== 429) throw new Refused(statusCode);
    throw new Error(`the identity provider answered with status ${statusCode}`);
  }
  const answer = await body.json() as { id?: unknown; outcome?: unknown } | null;
  const identity = OUTCOMES[String(answer?.outcome)];
  if (identity === undefined || typeof answer?.id !== 'string' || !/^[\w-]{1,64}$/.test(answer.id)) throw new Error('the identity provider answered something else than a check');
  return { identity, providerReference: answer.id };
}
