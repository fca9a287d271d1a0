/**
 * `npm run bench -- memory [--payments=100000]`: resident memory of the payment and the account service after a tenth, a half and all of
 * the payments, each time when everything has come to rest. Flat is: after all of them at most a tenth more than after half.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Progress } from '../../scripts/platform/progress.js';
import { startBank, type Bank } from './bank.js';
import { printTargets, type Target } from './targets.js';

const SERVICES = ['payment', 'account'] as const;
const PARTS = [0.1, 0.5, 1];
const MOST_GROWTH = 1.1;
const WORKERS = 16;
/** Payments under way beyond which none is ordered, so that it is the services that are measured and not a queue. */
const MOST_OPEN = 300;
const QUIET_MS = 10_000;
const REST_MS = 300_000;
const CONSENTS = 5_000;

const MB = 1024;

function wanted(given: string[]): number {
  let payments = 100_000;
  for (const option of given) {
    const [, value] = /^--payments=(\d{1,7})$/.exec(option) ?? [];
    if (value === undefined || Number(value) < 10) throw new Error(`${option} is not understood: --payments=<number, at least 10> is`);
    payments = Number(value);
  }
  return payments;
}

async function order(bank: Bank, count: number): Promise<void> {
  for (let left = count; left > 0; left -= CONSENTS) {
    let todo = Math.min(left, CONSENTS);
    await bank.authorise(todo);
    let open = 0;
    let done = false;
    const watching = (async () => {
      for (; !done; await pause(100)) open = await bank.open();
    })();
    await Promise.all(Array.from({ length: WORKERS }, async () => {
      while (todo > 0) {
        if (open > MOST_OPEN) {
          await pause(20);
          continue;
        }
        todo--;
        await bank.pay();
      }
    })).finally(() => { done = true; });
    await watching;
  }
}

/** Resident memory in kB as the kernel counts it. */
const residentOf = (pid: number): number => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

async function main(): Promise<boolean> {
  const payments = wanted(process.argv.slice(2));
  const progress = new Progress({ started: Date.now(), quietMs: 30_000 });
  const bank = await progress.step('bank', startBank, () => 'the services of a payment are up');
  const seen: Record<(typeof SERVICES)[number], number[]> = { payment: [], account: [] };
  const began = Date.now();
  try {
    let done = 0;
    for (const part of PARTS) {
      const upTo = Math.round(payments * part);
      await progress.step('payments', () => order(bank, upTo - done), () => `${upTo} payments ordered`);
      done = upTo;
      await bank.rest(REST_MS);
      await pause(QUIET_MS);
      for (const name of SERVICES) seen[name].push(residentOf(bank.platform.parts[name].pid!));
      progress.say(`after ${upTo}: ${SERVICES.map((name) => `${name} ${(seen[name].at(-1)! / MB).toFixed(0)} MB`).join(', ')}`);
    }
    const [{ n } = { n: 0 }] = await bank.platform.query<{ n: number }>('payment', `select count(*)::int as n from payments where status in ('ACSC', 'ACCC')`);
    const restarted = SERVICES.flatMap((name) => bank.platform.parts[name].ownEnds);
    if (n !== payments || restarted.length > 0) throw new Error(`${n} of ${payments} payments were settled; ${restarted.join(', ') || 'no service ended'}`);
  } finally {
    await bank.stop();
    progress.end();
  }
  console.log(`\n${payments} payments, all settled, in ${((Date.now() - began) / 60_000).toFixed(1)} min; resident memory after ${PARTS.map((part) => `${part * 100} %`).join(', ')} of them, at rest`);
  return printTargets(SERVICES.map((name): Target => {
    const [, half, all] = seen[name] as [number, number, number];
    return {
      what: `memory of the ${name} service is flat`, met: all <= half * MOST_GROWTH,
      numbers: `${seen[name].map((kb) => `${(kb / MB).toFixed(0)} MB`).join(', ')}: ${(all / half).toFixed(3)} of the half, at most ${MOST_GROWTH}`,
    };
  }));
}

await main().then((flat) => process.exit(flat ? 0 : 1), (fault: Error) => {
  console.error(`The bench could not run: ${fault.stack ?? fault.message}`);
  process.exit(1);
});
