/**
 * `npm run test:faults [-- --kills=1000] [--cuts=300] [--seed=…]`: kills every part a payment passes, under load, then cuts connections to the
 * database after COMMIT was sent; 0 leaves one of them out. Then everything that was answered must have happened, once, to the cent.
 */
import { Progress } from '../../../scripts/platform/progress.js';
import { scratchDirectory } from '../../../scripts/testing/infrastructure.js';
import { cutter } from './cuts.js';
import { killer } from './kills.js';
import { startSmallPlatform } from './platform.js';
import { describeBreach, underLoad, type Outcome } from './run.js';

interface Wish { kills: number; cuts: number; seed: number }

/** What the command line asks for. @throws Error with one sentence */
function wish(given: string[]): Wish {
  const asked: Wish = { kills: 1_000, cuts: 300, seed: Math.floor(Math.random() * 2 ** 31) };
  for (const option of given) {
    const [, name, value] = /^--(kills|cuts|seed)=(\d{1,10})$/.exec(option) ?? [];
    if (name === undefined) throw new Error(`${option} is not understood: --kills=<number>, --cuts=<number> and --seed=<number> are`);
    asked[name as keyof Wish] = Number(value);
  }
  return asked;
}

const ROUND = 100;

async function main(): Promise<boolean> {
  const asked = wish(process.argv.slice(2));
  const progress = new Progress({ started: Date.now(), quietMs: 15_000 });
  const enough = new AbortController();
  process.once('SIGINT', () => enough.abort()).once('SIGTERM', () => enough.abort());
  const { signal } = enough;
  let failed = false;
  const areas = [['kills', asked.kills], ['cuts', asked.cuts]] as const;
  console.log(`seed ${asked.seed}`);
  for (const [area, troubles] of areas) {
    if (troubles === 0 || signal.aborted) continue;
    const cuts = area === 'cuts' ? cutter(asked.seed) : undefined;
    const home = scratchDirectory();
    const platform = await progress.step('platform', () => startSmallPlatform(home, cuts ? { databaseUrl: cuts.through } : {}), () => `a platform for the ${area} is up`);
    let outcome: Outcome | undefined;
    try {
      const troublemaker = cuts?.troublemaker ?? ((answered: () => number) => killer(platform, asked.seed, answered));
      outcome = await progress.step(area, () => underLoad(platform, { seed: asked.seed, troubles, round: ROUND, signal, tell: progress.say, troublemaker }), () => `${area} are over`);
      failed = report(area, asked.seed, outcome) || failed;
    } finally {
      const broken = !outcome || outcome.proof.breaches.length > 0;
      if (broken) console.log(`the logs are kept in ${platform.logs}`);
      await platform.stop(broken);
      await cuts?.close();
    }
  }
  progress.end();
  return failed || signal.aborted;
}

/** @returns whether something was broken */
function report(area: string, seed: number, { troubles, proof, answered, book, events, seconds }: Outcome): boolean {
  const kinds = new Map<string, number>();
  for (const { what } of troubles) {
    const kind = what.replace(/ (at work|at rest|\(.*\))$/, '');
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  console.log(`\n${troubles.length} ${area} in ${(seconds / 60).toFixed(1)} min, seed ${seed}: ${[...kinds].map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
  const instant = book.orders.filter((order) => order.instant && order.answers.size > 0).length;
  console.log(`${answered} payments were answered 2xx (${instant} instant); they ended ${Object.entries(proof.payments).map(([status, count]) => `${status} ${count}`).join(', ')}; ${events} events were heard`);
  if (proof.breaches.length === 0) {
    console.log('0 lost, 0 double effects; the ledger is exact to the cent; outbox and dead letters are empty\n');
    return false;
  }
  for (const breach of proof.breaches.slice(0, 20)) console.log(`  BROKEN: ${describeBreach(breach, troubles)}`);
  if (proof.breaches.length > 20) console.log(`  … and ${proof.breaches.length - 20} more`);
  const other = area === 'kills' ? 'cuts' : 'kills';
  console.log(`broken by step ${troubles.length}; again: npm run test:faults -- --${area}=${troubles.length} --${other}=0 --seed=${seed}\n`);
  return true;
}

await main().then((failed) => process.exit(failed ? 1 : 0), (fault: Error) => {
  console.error(fault.stack ?? fault.message);
  process.exit(1);
});
