import { sign, SIGNATURE_HEADER } from '../src/signature.js';
import type { Delivery } from './rail.js';

/** Brings deliveries to the bank when they are due, and again until it has taken them. */
export interface Deliverer {
  schedule(delivery: Delivery): void;
  stop(): void;
}

const RETRY_FIRST_MS = 100;
const RETRY_MOST_MS = 5_000;
const TIMEOUT_MS = 10_000;

/**
 * @param options.delivered is told once a delivery is over: taken (2xx) or refused for good (400, 413, 415)
 * @param options.wanted whether a delivery is still to be made when its time has come
 * @param options.inboundUrl where the bank takes messages
 */
export function deliverer(options: { inboundUrl: string; secret: string; wanted: (id: string) => boolean; delivered: (id: string, refused: boolean) => Promise<void> }): Deliverer {
  const timers = new Set<NodeJS.Timeout>();
  let stopped = false;

  function later(ms: number, run: () => Promise<void>): void {
    if (stopped) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      void run();
    }, ms);
    timers.add(timer);
  }

  async function deliver(delivery: Delivery, attempt: number): Promise<void> {
    if (!options.wanted(delivery.id)) return;
    const outcome = await post(delivery).catch(() => 'again' as const);
    if (outcome === 'again') later(Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** Math.min(attempt, 10)), () => deliver(delivery, attempt + 1));
    else if (!stopped) await options.delivered(delivery.id, outcome === 'refused');
  }

  async function post({ xml, trace }: Delivery): Promise<'taken' | 'refused' | 'again'> {
    const response = await fetch(options.inboundUrl, {
      method: 'POST', body: xml, signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        'content-type': 'application/xml', [SIGNATURE_HEADER]: sign(xml, options.secret, Math.floor(Date.now() / 1000)),
        'x-correlation-id': trace.correlationId, traceparent: trace.traceparent,
      },
    });
    await response.body?.cancel();
    if (response.ok) return 'taken';
    return [400, 413, 415].includes(response.status) ? 'refused' : 'again';
  }

  return {
    schedule: (delivery) => later(Math.max(0, delivery.dueAt - Date.now()), () => deliver(delivery, 0)),
    stop() {
      stopped = true;
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
