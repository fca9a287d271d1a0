/** Payments whose time has come: the day they wait for, or the end of the patience with them. What is done then life.ts says. */
import type { Logger } from '@kontor/kernel/logger';
import type { EventContext } from '@kontor/kernel/events';
import type { Payment } from './life.js';

/** Seconds a payment may stand at each status before it is retried; the time doubles with each attempt. */
export interface Patience {
  RCVD: number;
  /** Let go after it was put off; its funds are being reserved. */
  PDNG: number;
  /** Before the staff have decided: nothing is retried, it is escalated. */
  review: number;
  ACTC: number;
  ACCP: number;
  ACSP: number;
  /** Of an on-us payment: settled and not captured. */
  ACSC: number;
  /** Of an instant payment, from when it was accepted. */
  instant: number;
}

/** Regulation (EU) 2024/886, art. 5a(4)(c): within ten seconds of receipt the outcome is known, or it is asked for. */
export const INSTANT_SECONDS = 10;

/** What the watch needs of the store. Several nodes may watch: each payment is taken by one (SKIP LOCKED), by the database's clock. */
export interface WatchedPayments {
  /** Lets payments go whose day has come. @returns how many; less than `limit`: no more are waiting */
  releaseDue(limit: number, context: EventContext): Promise<number>;
  /** Retries or escalates payments that stand too long. @returns how many */
  lookAfterOverdue(limit: number, rule: { patience: Patience; most: number }, context: EventContext): Promise<number>;
  /** Payments somebody must look at, longest waiting first. */
  escalated(limit: number): Promise<Payment[]>;
  escalatedCount(): Promise<number>;
}

/**
 * Does `work` every `everyMs`, one run after the other; a fault is logged and tried again with the next run.
 * @returns how to stop; it waits for the run that is under way
 */
export function startWatch({ everyMs, work, logger }: { everyMs: number; work: () => Promise<void>; logger: Logger }): () => Promise<void> {
  let stopped = false;
  let wake: () => void = () => undefined;
  const watch = async (): Promise<void> => {
    while (!stopped) {
      await work().catch((error: unknown) => logger.warn('the watch over payments will be tried again', { error }));
      if (stopped) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, everyMs);
        wake = () => { clearTimeout(timer); resolve(); };
      });
    }
  };
  const finished = watch();
  return async () => {
    stopped = true;
    wake();
    await finished;
  };
}

/** Repeats a batch until it takes less than it could. */
export async function exhaust(batch: (limit: number) => Promise<number>, limit = 50): Promise<void> {
  while (await batch(limit) === limit);
}
