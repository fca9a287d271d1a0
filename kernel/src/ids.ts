import { v5, v7, validate } from 'uuid';

/** Namespace of all derived ids (a random UUID, fixed for ever: changing it would change every derived id). */
const NAMESPACE = '6f1f4c5e-3f0b-4d0a-9d0c-5b7c1a2e8d41';

/** A new identifier: UUIDv7 (RFC 9562 §5.7), so that rows written one after the other lie side by side in an index. */
export function newId(): string {
  return v7();
}

/**
 * An identifier that depends on nothing but `name` (UUIDv5, RFC 9562 §5.5). Used where a redelivered event must make
 * the same follow-up event: `derivedId('kyc.check-completed/' + caseId)`.
 */
export function derivedId(name: string): string {
  return v5(name, NAMESPACE);
}

/** Whether `value` is a UUID of any version in its canonical text form. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && validate(value);
}
