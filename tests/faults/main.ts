/** `npm run faults -- gateway [--requests=10000] [--only=Redis]`: breaks the gateways' parts one after the other and counts what passes. */
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { missingForKong } from '@kontor/testing/kong';
import { Progress } from '../../scripts/platform/progress.js';
import { scratchDirectory, startInfrastructure } from '../../scripts/testing/infrastructure.js';
import { FAULTS, faultsOf } from './faults.js';
import { KINDS, type Kind } from './gateways.js';
import { multiNode, type Shown } from './multi-node.js';
import { surroundings } from './surroundings.js';
import { counts, table } from './table.js';
import { petitioners, trial, type Seen } from './trial.js';

interface Wish { requests: number; only: string }

/** What the command line asks for. @throws Error with one sentence */
function wish([part, ...options]: string[]): Wish {
  if (part !== 'gateway') throw new Error('Say what to break: npm run faults -- gateway [--requests=10000] [--only=<part of a fault\'s name>]');
  const given: Wish = { requests: 10_000, only: '' };
  for (const option of options) {
    const [, name, value] = /^--(requests|only)=(.+)$/.exec(option) ?? [];
    if (name === 'only') given.only = value!;
    else if (name === 'requests' && /^[1-9]\d{0,5}$/.test(value!)) given.requests = Number(value);
    else throw new Error(`${option} is not understood: --requests=<1 to 999999> and --only=<part of a fault's name> are`);
  }
  if (!FAULTS.some(({ name }) => name.includes(given.only)) && !'two nodes'.includes(given.only)) throw new Error(`No fault is called like "${given.only}". There are: ${FAULTS.map(({ name }) => name).join(', ')}, two nodes`);
  return given;
}

interface Result { rows: Seen[]; pair: Shown[] }

async function trials(kind: Kind, { requests, only }: Wish, progress: Progress): Promise<Result> {
  const around = await surroundings();
  let gateway: Awaited<ReturnType<Kind['start']>> | undefined;
  const rows: Seen[] = [];
  try {
    gateway = await progress.step(`${kind.name} starts`, () => kind.start(around), ({ name }) => `${name} is up`);
    const broken = gateway;
    const asking = await petitioners(broken, around);
    for (const fault of faultsOf(kind).filter(({ name }) => name.includes(only))) {
      rows.push(await progress.step(`${broken.name}: ${fault.name}`, () => trial(broken, around, asking, fault, requests), (row) =>
        `${row.gateway}: ${row.fault}: ${row.reached} of ${row.requests} came to a service (${counts(row.statuses)})${row.faults.map((one) => `\n           FAILED ${one}`).join('')}`));
    }
    const pair = broken.node && 'two nodes'.includes(only) ? await multiNode({ kong: broken.node, asking, trials: Math.min(1000, requests), tell: progress.say }) : [];
    await asking.close();
    return { rows, pair };
  } finally {
    await gateway?.stop();
    await around.stop();
  }
}

async function main(): Promise<void> {
  const asked = wish(process.argv.slice(2));
  const progress = new Progress({ started: Date.now() });
  const scratch = scratchDirectory();
  const packages = resolve(process.env.KONTOR_PACKAGES ?? '.kontor/packages');
  const stores = await startInfrastructure({ directory: join(scratch, 'infra'), packages, tell: progress.say });
  Object.assign(process.env, stores.env);
  let failed = false;
  try {
    const missing = missingForKong();
    if (missing.length > 0) progress.say(`Kong is skipped: needs ${missing.join(', ')}`);
    const results: Result[] = [];
    for (const kind of KINDS) if (!kind.kong || missing.length === 0) results.push(await trials(kind, asked, progress));
    const [rows, pair] = [results.flatMap((one) => one.rows), results.flatMap((one) => one.pair)];
    if (rows.length > 0) console.log(`\n${table(rows)}`);
    for (const one of pair) console.log(`\ntwo nodes of Kong: ${one.title}: ${one.saw}${one.held ? '' : ' FAILED'}`);
    failed = rows.some((row) => row.faults.length > 0) || pair.some((one) => !one.held);
  } finally {
    progress.end();
    await stores.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
  process.exit(failed ? 1 : 0);
}

await main().catch((fault: Error) => {
  console.error(fault.message);
  process.exit(1);
});
