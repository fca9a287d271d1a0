import { createHash } from 'node:crypto';
import type { Database, Tx } from './database.js';
import { problem } from './problem.js';

/** An answer that can be given again, word for word. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- without an argument it fits every operation; the contract's validator checks the body
export interface IdempotentAnswer<Body = any> {
  status: number;
  body: Body;
  headers?: Record<string, string>;
}

/** The request an answer belongs to. */
export interface IdempotentRequest {
  /** The header Idempotency-Key: 1 to 40 characters of A-Z a-z 0-9 . _ - */
  key: string | undefined;
  clientId: string;
  operation: string;
  body: unknown;
  /** Path parameters, where the operation has any: they are part of what must be equal. */
  params?: Record<string, string>;
}

interface Claim {
  outcome: 'fresh' | 'replay' | 'mismatch' | 'in_flight';
  status: number | null;
  response: { body?: unknown; headers?: Record<string, string> } | null;
}

/**
 * Carries out a write once. The key is stored in the transaction of the effect, so both are durable or neither is; kept 24 h.
 * The same key with the same request gives the stored answer with `Idempotency-Replayed: true`.
 * @param effect does database work only; what it throws rolls everything back, the key too
 * @throws Problem idempotency_key_required, idempotency_mismatch (422), idempotency_in_flight (409, after at most 250 ms)
 */
export async function idempotent<Body>(
  database: Database, request: IdempotentRequest, effect: (tx: Tx) => Promise<IdempotentAnswer<Body>>,
): Promise<IdempotentAnswer<Body>> {
  const key = checkedKey(request.key);
  const hash = requestHash(request.body, request.params);
  return database.transaction(async (tx) => {
    const [claim] = await database.query<Claim>(
      'select * from idempotency_begin($1, $2, $3, $4)', [request.clientId, request.operation, key, hash], tx);
    if (!claim) throw new Error('idempotency_begin answered nothing');
    if (claim.outcome === 'mismatch')
      throw problem('idempotency_mismatch', 'Use a new Idempotency-Key for a new request.');
    if (claim.outcome === 'in_flight')
      throw problem('idempotency_in_flight', 'Repeat the request unchanged in a moment.').with({ 'Retry-After': '1' });
    if (claim.outcome === 'replay') return replayed<Body>(claim);
    const answer = await effect(tx);
    await database.query(
      'update idempotency_keys set status = $4, response = $5 where client_id = $1 and operation = $2 and key = $3',
      [request.clientId, request.operation, key, answer.status, JSON.stringify({ body: answer.body, headers: answer.headers })], tx);
    return answer;
  });
}

function replayed<Body>(claim: Claim): IdempotentAnswer<Body> {
  return {
    status: claim.status ?? 200,
    body: claim.response?.body as Body,
    headers: { ...claim.response?.headers, 'Idempotency-Replayed': 'true' },
  };
}

function checkedKey(key: string | undefined): string {
  if (key === undefined || !/^[A-Za-z0-9._-]{1,40}$/.test(key))
    throw problem('idempotency_key_required', 'Send a header Idempotency-Key of 1 to 40 letters, digits, dots, dashes or underscores.');
  return key;
}

/** SHA-256 over the canonical JSON of body and path parameters (members sorted, so their order does not matter). */
export function requestHash(body: unknown, params: Record<string, string> = {}): Buffer {
  return createHash('sha256').update(canonicalJson([body ?? null, params])).digest();
}

/** JSON with the members of every object sorted by name (as RFC 8785 §3.2.3, for the values contracts allow). */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : member);
}
