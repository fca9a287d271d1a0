/** What hosts in Node (kong-pdk, the embedded gateway) make of the consent service's answers. */
import type { ConsentUse } from '../plugin.js';

const ABSENT_MS = 5_000;
const MOST_ABSENT = 2_000;

/**
 * Consents the service did not know (404), the last 2,000 for a few seconds: a fintech that goes on asking with such a token costs no call
 * for each request. A consent that is missing never appears later (its id comes from a token, and no code is issued before the
 * consent exists), so nothing is refused that would be allowed. Ids that only fill this cache push out nothing but each other, the
 * least lately asked first.
 */
export class Absences {
  readonly #until = new Map<string, number>();

  /** @param now unix milliseconds */
  constructor(private readonly now: () => number = Date.now) {}

  has(consentId: string): boolean {
    const until = this.#until.get(consentId);
    if (until === undefined) return false;
    this.#until.delete(consentId);
    if (until <= this.now()) return false;
    this.#until.set(consentId, until);
    return true;
  }

  add(consentId: string): void {
    this.#until.delete(consentId);
    this.#until.set(consentId, this.now() + ABSENT_MS);
    if (this.#until.size > MOST_ABSENT) this.#until.delete(this.#until.keys().next().value!);
  }

  get size(): number {
    return this.#until.size;
  }
}

/** The object a JSON text is; undefined when it is none. Its fields are the core's to check. */
export function objectIn(text: string): ConsentUse | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null ? value as ConsentUse : undefined;
  } catch {
    return undefined;
  }
}
