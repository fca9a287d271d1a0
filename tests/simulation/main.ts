/**
 * `npm run test:simulation [-- --histories=100000] [--deliveries=500] [--seed=…] [--path=…]`: payments by the real rules in a world where everything
 * comes late, twice and in any order; then every event to the real services, shuffled and three times. 0 leaves one of them out.
 */
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { scratchDirectory, startInfrastructure } from '../../scripts/testing/infrastructure.js';
import { differenceOf, startStage } from './deliveries.js';
import { simulate } from './histories.js';

interface Wish { histories: number; deliveries: number; seed: number; path?: string }

/** What the command line asks for. @throws Error with one sentence */
function wish(given: string[]): Wish {
  const asked: Wish = { histories: 100_000, deliveries: 500, seed: Math.floor(Math.random() * 2 ** 31) };
  for (const option of given) {
    const [, name, value] = /^--(histories|deliveries|seed|path)=([-\d:]+)$/.exec(option) ?? [];
    if (name === 'path') Object.assign(asked, { path: value!, deliveries: 0 });
    else if ((name === 'histories' || name === 'deliveries' || name === 'seed') && /^-?\d{1,10}$/.test(value!)) asked[name] = Number(value);
    else throw new Error(`${option} is not understood: --histories=<number>, --deliveries=<number>, --seed=<number> and --path=<path of a failure> are`);
  }
  return asked;
}

const started = Date.now();
const say = (line: string): void => console.log(`[${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s] ${line}`);

/** @returns whether all held */
function histories({ histories: wanted, seed, path }: Wish): boolean {
  if (wanted === 0) return true;
  const broken = simulate({ histories: wanted, seed, ...(path === undefined ? {} : { path }), tell: (played) => { if (played % 20_000 === 0) say(`${played} of ${wanted} histories`); } });
  say(broken ?? `${wanted} histories of seed ${seed} keep every invariant`);
  return broken === undefined;
}

/** Seeds lived through at the same moment. */
const ABREAST = 4;

async function deliveries({ deliveries: wanted, seed }: Wish): Promise<boolean> {
  if (wanted === 0) return true;
  const scratch = scratchDirectory();
  const stores = await startInfrastructure({ directory: join(scratch, 'infra'), packages: resolve(process.env.KONTOR_PACKAGES ?? '.kontor/packages'), tell: say });
  Object.assign(process.env, stores.env);
  try {
    const stage = await startStage();
    const differences: string[] = [];
    let next = 0;
    await Promise.all(Array.from({ length: ABREAST }, async () => {
      while (next < wanted && differences.length === 0) {
        const number = next++;
        const difference = await differenceOf(stage, seed + number);
        if (difference !== undefined) differences.push(difference);
        if ((number + 1) % 50 === 0) say(`${number + 1} of ${wanted} seeds delivered shuffled and three times`);
      }
    }));
    await stage.stop();
    for (const difference of differences) say(difference);
    if (differences.length === 0) say(`${wanted} seeds from ${seed} on end in the same rows, delivered in order or shuffled and three times`);
    return differences.length === 0;
  } finally {
    await stores.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function main(): Promise<number> {
  const asked = wish(process.argv.slice(2));
  console.log(`seed ${asked.seed}`);
  const held = histories(asked);
  return (await deliveries(asked)) && held ? 0 : 1;
}

await main().then((code) => process.exit(code), (fault: Error) => {
  console.error(fault.stack ?? fault.message);
  process.exit(2);
});
