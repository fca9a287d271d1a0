/** Kills under load, round by round: after each the clients pause, everything comes to rest, and all that was answered is proven. */
import { PassThrough } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { createLogger } from '@kontor/kernel/logger';
import { connectBroker } from '@kontor/kernel/messaging';
import { startLoad, type Book, type Load } from './load.js';
import type { SmallPlatform } from './platform.js';
import { prove, UNSETTLED, type Breach, type Proof } from './proof.js';
import { startWitness, type Witness } from './witness.js';

/** What happened when, so that a breach can be laid beside it. */
export interface Trouble {
  number: number;
  what: string;
  at: Date;
}

export interface Outcome {
  troubles: Trouble[];
  proof: Proof;
  book: Book;
  /** Answered 2xx. */
  answered: number;
  events: number;
  seconds: number;
  /** The proof once more, on what is there now. */
  again(): Promise<Proof>;
}

/** What makes trouble: gives a number of steps, each doing one thing. */
export interface Troublemaker {
  /** Does the next thing and says what it was. */
  next(): Promise<string>;
}

/** How long everything may take to come to rest once the clients pause: killed parts start, the broker delivers again, the rail repeats. */
const REST_WITHIN_MS = 120_000;

/**
 * @param options.troubles how many; @param options.round how many between two proofs
 * @returns the last proof: of the first round with a breach, or of all
 */
export async function underLoad(platform: SmallPlatform, options: {
  seed: number; troubles: number; round: number; signal?: AbortSignal; tell: (line: string) => void; troublemaker: (answered: () => number) => Troublemaker;
}): Promise<Outcome> {
  const { seed, troubles: wanted, round, tell, signal } = options;
  const begun = Date.now();
  const broker = await connectBroker(platform.amqpUrl, { name: 'faults', logger: createLogger('faults', 'error', new PassThrough().resume()) });
  try {
    const witness = await startWitness(broker);
    const load = await startLoad(platform, broker, seed);
    const maker = options.troublemaker(() => answered(load));
    const troubles: Trouble[] = [];
    let proof: Proof = { breaches: [], payments: {} };
    while (troubles.length < wanted && proof.breaches.length === 0 && !signal?.aborted) {
      const open = watchOpen(platform);
      const end = load.run(open.count);
      try {
        for (let step = 0; step < round && troubles.length < wanted && !signal?.aborted; step++) {
          const number = troubles.length + 1;
          troubles.push({ number, what: await maker.next(), at: new Date() });
          if (number % 25 === 0) tell(`${number} of ${wanted}: ${answered(load)} payments answered, ${open.count()} under way`);
        }
      } finally {
        await end().finally(open.stop);
      }
      const restless = await rest(platform, witness);
      proof = await prove(platform, load.book, witness);
      if (restless) proof.breaches.unshift({ what: restless });
      proof.breaches.push(...Object.values(platform.parts).flatMap(({ ownEnds }) => ownEnds.map((what) => ({ what }))));
      tell(`after ${troubles.length}: ${Object.entries(proof.payments).map(([status, count]) => `${count} ${status}`).join(', ')}; ${proof.breaches.length === 0 ? 'all proven' : `${proof.breaches.length} BREACHES`}`);
    }
    return { troubles, proof, answered: answered(load), events: witness.events, seconds: (Date.now() - begun) / 1000, book: load.book, again: () => prove(platform, load.book, witness) };
  } finally {
    await broker.close();
  }
}

const answered = ({ book }: Load): number => book.orders.filter(({ answers }) => answers.size > 0).length;

/** Looks every 250 ms how many payments are under way. */
function watchOpen(platform: SmallPlatform): { count: () => number; stop: () => void } {
  let latest = 0;
  let stopped = false;
  void (async () => {
    for (; !stopped; await pause(250)) latest = await unsettled(platform).catch(() => latest);
  })();
  return { count: () => latest, stop: () => { stopped = true; } };
}

async function unsettled(platform: SmallPlatform): Promise<number> {
  const [row] = await platform.query<{ count: number }>('payment', 'select count(*)::int as count from payments where status = any ($1)', [UNSETTLED]);
  return row?.count ?? 0;
}

/** Waits until nothing moves any more. @returns what still did when time was up */
async function rest(platform: SmallPlatform, witness: Witness): Promise<string | undefined> {
  let still = 0;
  let heard = -1;
  let last = '';
  for (const giveUpAt = Date.now() + REST_WITHIN_MS; Date.now() < giveUpAt; await pause(200)) {
    const moving = await motion(platform).catch((fault: Error) => [fault.message]);
    if (witness.events !== heard) moving.push('events are still heard');
    heard = witness.events;
    last = moving.join(', ');
    still = moving.length === 0 ? still + 1 : 0;
    if (still === 4) return undefined;
  }
  return `not at rest within ${REST_WITHIN_MS / 1000} s: ${last}`;
}

async function motion(platform: SmallPlatform): Promise<string[]> {
  const counts: Record<string, number> = { 'payments under way': await unsettled(platform), 'messages of the rail': await platform.undelivered() };
  for (const name of ['payment', 'account'] as const) {
    const [row] = await platform.query<{ count: number }>(name, 'select count(*)::int as count from outbox where published_at is null');
    counts[`events in the outbox of ${name}`] = row?.count ?? 0;
  }
  const [holds] = await platform.query<{ count: number }>('account', `select count(*)::int as count from holds where state in ('reserved', 'settling')`);
  counts['holds'] = holds?.count ?? 0;
  for (const [queue, messages] of Object.entries(await platform.queues())) if (!queue.endsWith('.dead')) counts[`messages in ${queue}`] = messages;
  return Object.entries(counts).filter(([, count]) => count !== 0).map(([what, count]) => `${count} ${what}`);
}

/** A breach in words, with what was done to the platform while that payment was under way. */
export function describeBreach({ what, paymentId, since }: Breach, troubles: readonly Trouble[]): string {
  if (!paymentId || !since) return what;
  const near = troubles.filter(({ at }) => at >= since).slice(0, 6).map((one) => `${one.number} (${one.what})`);
  return `payment ${paymentId} ${what}; made at ${since.toISOString()}, then came ${near.join(', ') || 'nothing'}`;
}
