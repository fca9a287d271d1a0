import { Fault } from './fault.js';

/** Kong's Admin API, or the embedded gateway's subset of it: just enough for the launcher. */
export class AdminApi {
  readonly #base: string;

  constructor(base: string) {
    this.#base = base.replace(/\/$/, '');
  }

  /** GET; null when there is no such thing. */
  async find<T>(path: string): Promise<T | null> {
    return this.#call<T>('GET', path);
  }

  /** Every element of a list, over all its pages. */
  async list<T>(path: string): Promise<T[]> {
    const all: T[] = [];
    for (let next: string | null | undefined = path; next;) {
      const page: { data: T[]; next?: string | null } | null = await this.#call('GET', next);
      all.push(...page?.data ?? []);
      next = page?.next;
    }
    return all;
  }

  async create<T>(path: string, body: object): Promise<T> {
    return (await this.#call<T>('POST', path, body))!;
  }

  async put<T>(path: string, body: object): Promise<T> {
    return (await this.#call<T>('PUT', path, body))!;
  }

  async remove(path: string): Promise<void> {
    await this.#call('DELETE', path);
  }

  async #call<T>(method: string, path: string, body?: object): Promise<T | null> {
    const response = await fetch(`${this.#base}${path}`, {
      method, signal: AbortSignal.timeout(15_000),
      ...(body ? { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    if (response.status === 404 && method !== 'POST' && method !== 'PUT') return null;
    if (!response.ok) throw new Fault(`The gateway's Admin API refused ${method} ${path} with ${response.status}: ${text.slice(0, 400)}`);
    return text ? JSON.parse(text) as T : null;
  }
}
