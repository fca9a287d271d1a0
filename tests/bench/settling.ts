/** How long a payment takes from the order to settlement while orders come at a fixed rate, whether the bank keeps up or not. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Progress } from '../../scripts/platform/progress.js';
import { startBank, type Bank } from './bank.js';
import type { Target } from './targets.js';

const WARM_SECONDS = 5;
const MOST_MS = 2_000;
const REST_MS = 120_000;
const WHAT = (perSecond: number): string => `ordered to settled at ${perSecond}/s: 99 of 100 (p99)`;

/**
 * Orders come when they are due, not when the one before was answered; a payment's time begins when its order was due and ends with its
 * status ACSC. The first seconds count for nothing.
 */
export async function settle({ perSecond, seconds, progress }: { perSecond: number; seconds: number; progress: Progress }): Promise<Target> {
  const bank = await progress.step('bank', startBank, () => 'the services of a payment are up');
  try {
    await bank.authorise((seconds + WARM_SECONDS) * perSecond);
    await progress.step('warming', () => order(bank, perSecond, WARM_SECONDS), () => 'warm');
    const due = await progress.step('load', () => order(bank, perSecond, seconds), () => `${perSecond} payments a second for ${seconds} s`);
    const restless = await bank.rest(REST_MS).then(() => undefined, (fault: Error) => fault.message);
    const rows = await bank.platform.query<{ payment_id: string; at: Date }>('payment', `select payment_id, at from payment_statuses where status = 'ACSC'`);
    const settled = new Map(rows.map((row) => [row.payment_id, row.at.getTime()]));
    const took = [...due].map(([paymentId, at]) => (settled.get(paymentId) ?? Infinity) - at).sort((a, b) => a - b);
    const unsettled = took.filter((ms) => ms === Infinity).length;
    if (restless !== undefined || unsettled > 0)
      return { what: WHAT(perSecond), met: false, numbers: `${unsettled} of ${took.length} payments were not settled ${REST_MS / 1000} s after the last; ${restless ?? ''}` };
    const quantile = (part: number): number => took[Math.min(took.length - 1, Math.ceil(took.length * part) - 1)]!;
    return {
      what: WHAT(perSecond), met: quantile(0.99) < MOST_MS,
      numbers: `${String(quantile(0.99)).padStart(7)} ms   (median ${quantile(0.5)}, most ${took.at(-1)}; ${took.length} payments), under ${MOST_MS}`,
    };
  } finally {
    await bank.stop();
  }
}

/** @returns when each payment was due, by its id */
async function order(bank: Bank, perSecond: number, seconds: number): Promise<Map<string, number>> {
  const due = new Map<string, number>();
  const answers: Promise<void>[] = [];
  let fault: unknown;
  const start = Date.now();
  for (let n = 0; n < perSecond * seconds && fault === undefined; n++) {
    const at = start + n * 1000 / perSecond;
    if (at > Date.now()) await pause(at - Date.now());
    answers.push(bank.pay().then((paymentId) => void due.set(paymentId, at), (reason: unknown) => { fault = reason; }));
  }
  await Promise.all(answers);
  if (fault !== undefined) throw fault;
  return due;
}
