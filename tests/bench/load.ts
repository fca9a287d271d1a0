/** Kinds of load for the same length of time: requests over HTTP, statements over PostgreSQL connections, calls; taken in turns. */
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
export const overConnections = (pool: Pool, statement: (pool: Pool) => Promise<unknown>, seconds: number): Promise<number> =>
  atOnce(CONNECTIONS, () => statement(pool), seconds);

/** @param work does one; so many are under way at any time. @returns how many were done a second */
export async function atOnce(many: number, work: () => Promise<unknown>, seconds: number): Promise<number> {
  const start = process.hrtime.bigint();
  const end = start + BigInt(Math.round(seconds * 1e9));
  let done = 0;
  await Promise.all(Array.from({ length: many }, async () => {
    while (process.hrtime.bigint() < end) {
      await work();
      done++;
    }
  }));
  return done / (Number(process.hrtime.bigint() - start) / 1e9);
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

/** Runs for so many seconds; gives a rate. */
export type Measurement = (seconds: number) => Promise<number>;
export type Rates = Record<string, readonly number[]>;

/** This, that, this, that …: what the machine does besides meets all of them alike. @returns for each a rate a round */
export async function interleaved(measurements: Record<string, Measurement>, { rounds, seconds, say }: { rounds: number; seconds: number; say: (line: string) => void }): Promise<Rates> {
  const rates: Record<string, number[]> = Object.fromEntries(Object.keys(measurements).map((name) => [name, []]));
  for (const run of Object.values(measurements)) await run(Math.min(1, seconds)); // warm
  for (let round = 1; round <= rounds; round++) {
    for (const [name, run] of Object.entries(measurements)) rates[name]!.push(await run(seconds));
    say(`round ${round} of ${rounds}`);
  }
  return rates;
}

export function printRates(rates: Rates, { rounds, seconds }: { rounds: number; seconds: number }): void {
  console.log(`\n${rounds} interleaved rounds of ${seconds} s, ${CONNECTIONS} connections; median (least to most)\n`);
  for (const [name, values] of Object.entries(rates)) console.log(`  ${name.padEnd(44)} ${median(values).toFixed(0).padStart(7)} /s   (${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)})`);
}

/** One rate over another, each round by itself. */
export function ratio(rates: Rates, over: string, under: string): { median: number; text: string } {
  const pairs = rates[over]!.map((value, round) => value / rates[under]![round]!);
  return { median: median(pairs), text: `${median(pairs).toFixed(3).padStart(7)}      (${Math.min(...pairs).toFixed(3)} to ${Math.max(...pairs).toFixed(3)})` };
}
