/**
 * `npm run oracle -- [--trials=10000] [--seed=…] [--only=N] [--jobs=8] [--gateway=kong|embedded]`: compares the platform with an
 * independent model of what is allowed. `npm run oracle -- race [--trials=10000]`: reads against revocations.
 */
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Progress } from '../../scripts/platform/progress.js';
import { scratchDirectory, startInfrastructure } from '../../scripts/testing/infrastructure.js';
import { stopKongs } from '../gateway/kong-target.js';
import { targets, type TargetKind } from '../gateway/target.js';
import { runOracle } from './oracle.js';
import { printRace, raceOn } from './race.js';
import { report } from './report.js';
import { startWorld } from './world.js';

interface Wish { race: boolean; trials: number; seed: number; only?: number; jobs: number; gateway?: 'kong' | 'embedded' }

/** What the command line asks for. @throws Error with one sentence */
function wish(given: string[]): Wish {
  const race = given[0] === 'race';
  const asked: Wish = { race, trials: 10_000, seed: Math.floor(Math.random() * 2 ** 31), jobs: 8 };
  for (const option of race ? given.slice(1) : given) {
    const [, name, value] = /^--(trials|seed|only|jobs|gateway)=(.+)$/.exec(option) ?? [];
    if (name === 'gateway' && (value === 'kong' || value === 'embedded')) asked.gateway = value;
    else if ((name === 'trials' || name === 'seed' || name === 'only' || name === 'jobs') && /^[1-9]\d{0,9}$/.test(value!)) asked[name] = Number(value);
    else throw new Error(`${option} is not understood: race, --trials=<number>, --seed=<number>, --only=<number of a trial>, --jobs=<number>, --gateway=kong|embedded are`);
  }
  return asked;
}

/** Kong where it can run, else the embedded gateway. */
function gatewayFor({ gateway }: Wish): TargetKind {
  const [embedded, kong] = targets() as [TargetKind, TargetKind];
  const wanted = gateway === 'embedded' ? embedded : gateway === 'kong' || kong.missing.length === 0 ? kong : embedded;
  if (wanted.missing.length > 0) throw new Error(`${wanted.name} needs ${wanted.missing.join(', ')}`);
  return wanted;
}

async function main(): Promise<void> {
  const asked = wish(process.argv.slice(2));
  const progress = new Progress({ started: Date.now() });
  const scratch = scratchDirectory();
  const stores = await startInfrastructure({ directory: join(scratch, 'infra'), packages: resolve(process.env.KONTOR_PACKAGES ?? '.kontor/packages'), tell: progress.say });
  Object.assign(process.env, stores.env);
  let failed = false;
  // What was started is stopped below, also when somebody has had enough.
  const enough = new AbortController();
  process.once('SIGINT', () => enough.abort()).once('SIGTERM', () => enough.abort());
  const { signal } = enough;
  try {
    const kind = gatewayFor(asked);
    if (asked.race) {
      const raced = await raceOn(kind.embedded ? 'embedded' : 'kong', { trials: asked.trials, tell: progress.say, signal });
      failed = printRace(raced);
    } else {
      const world = await progress.step(`${kind.name} and the services start`, () => startWorld(kind, { redisUrl: stores.env.TEST_REDIS_URL!, amqpUrl: stores.env.TEST_AMQP_URL! }), () => `${kind.name} is up, with consent, account and payment`);
      const run = await runOracle(world, { ...asked, tell: progress.say, signal }).finally(() => world.stop());
      failed = report(run);
    }
  } finally {
    await stopKongs();
    progress.end();
    await stores.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
  process.exit(signal.aborted ? 130 : failed ? 1 : 0);
}

await main().catch((fault: Error) => {
  console.error(fault.stack ?? fault.message);
  process.exit(1);
});
