/** Two kinds of load for the same length of time: requests over HTTP, statements over PostgreSQL connections. */
import autocannon from 'autocannon';
import type { Pool } from 'pg';

export const CONNECTIONS = 8;

export interface RequestPlan {
  url: string;
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  /** What differs from request to request. */
  next?: () => { headers: Record<string, string>; body: string };
}

/** @returns requests answered with 2xx a second. @throws Error when any was answered otherwise */
export async function overHttp({ url, method = 'GET', headers = {}, next }: RequestPlan, seconds: number): Promise<number> {
  const result = await autocannon({
    url, method, headers, connections: CONNECTIONS, duration: seconds,
    ...(next ? { requests: [{ setupRequest: (request) => { const { headers: own, body } = next(); return { ...request, headers: { ...headers, ...own }, body }; } }] } : {}),
  });
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${method} ${url}: ${result.non2xx} answers other than 2xx, ${result.errors} errors: nothing was measured`);
  return result['2xx'] / result.duration;
}

/** @param statement runs one; @returns statements a second */
export async function overConnections(pool: Pool, statement: (pool: Pool) => Promise<unknown>, seconds: number): Promise<number> {
  const start = process.hrtime.bigint();
  const end = start + BigInt(Math.round(seconds * 1e9));
  let done = 0;
  await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
    while (process.hrtime.bigint() < end) {
      await statement(pool);
      done++;
    }
  }));
  return done / (Number(process.hrtime.bigint() - start) / 1e9);
}

export const median = (values: number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};
