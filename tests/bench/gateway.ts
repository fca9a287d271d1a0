/**
 * `npm run bench -- gateway`: what our plugins and the rate limiter cost on a real Kong, whether its workers' memory stays flat,
 * and how much the embedded gateway carries. All in turn (this, that, this, that …): only ratios within a run say anything on a
 * machine that others use too.
 */
import { readFileSync } from 'node:fs';
import { findProgram } from '../../scripts/infra/packages.js';
import { houseChains, pathOf, type Chain } from './gateway-state.js';
import { onGround, ROOT, type Ground, type Node } from './ground.js';
import { chooseLoader, type Loader } from './http-load.js';
import { median } from './load.js';

const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 9);
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 2);
const MEMORY_REQUESTS = Number(process.env['BENCH_MEMORY_REQUESTS'] ?? 500_000);

/** Requests a second; and microseconds of processor time a request takes in Kong's workers, which others' load changes far less. */
interface Measured { rate: number; micros: number }
type Measurement = () => Promise<Measured>;
type Rates = Record<string, Measured[]>;

const BARE = 'Kong, no plugin';
const BUNDLED = 'Kong, bundled plugins only';
const FULL = 'Kong, full chain';
const LIMITED = 'Kong, full chain, rate-limited';
const HOUSE_BUNDLED = 'Kong, route as in production, bundled';
const HOUSE = 'Kong, route as in production, whole';
const EMBEDDED = 'embedded gateway, full chain';

const RATIOS: [string, string, string, string][] = [
  ['whole route / its bundled plugins', HOUSE, HOUSE_BUNDLED, 'at least 0.85'],
  ['full chain / oauth2, acl, correlation-id', FULL, BUNDLED, 'for comparison'],
  ['full chain / bare', FULL, BARE, 'at least 0.50'],
  ['rate-limited / without', LIMITED, FULL, 'at least 0.60'],
];

async function measurements(ground: Ground, load: Loader): Promise<{ runs: Record<string, Measurement>; kong: Node | undefined }> {
  const chains = houseChains(ROOT);
  const at = ({ url, token, workers }: Node, chain: Chain): Measurement => async () => {
    const before = processorMicros(workers());
    const { rate, requests } = await load({ url: `${url}${pathOf(chain.name, ground.account)}`, token, seconds: SECONDS });
    return { rate, micros: (processorMicros(workers()) - before) / requests };
  };
  const embedded = await ground.progress.step('embedded', () => ground.embedded([chains.full]), () => 'the embedded gateway is up');
  const runs: Record<string, Measurement> = { [EMBEDDED]: at(embedded, chains.full) };
  if (!await findProgram('kong')) {
    console.log('There is no `kong` on the PATH: only the embedded gateway is measured.');
    return { runs, kong: undefined };
  }
  const kong = await ground.progress.step('kong', () => ground.kong(Object.values(chains)), () => 'Kong is up');
  return {
    kong,
    runs: {
      [BARE]: at(kong, chains.bare), [BUNDLED]: at(kong, chains.bundled), [FULL]: at(kong, chains.full), [LIMITED]: at(kong, chains.limited),
      [HOUSE_BUNDLED]: at(kong, chains.houseBundled), [HOUSE]: at(kong, chains.house), ...runs,
    },
  };
}

async function interleaved(runs: Record<string, Measurement>, say: (line: string) => void): Promise<Rates> {
  const rates: Rates = Object.fromEntries(Object.keys(runs).map((name) => [name, []]));
  for (const run of Object.values(runs)) await run(); // warm
  for (let round = 1; round <= ROUNDS; round++) {
    for (const [name, run] of Object.entries(runs)) rates[name]!.push(await run());
    say(`round ${round} of ${ROUNDS}`);
  }
  return rates;
}

/** Processor time processes have used, in microseconds (Linux counts it in hundredths of a second). */
function processorMicros(pids: number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) * 10_000;
  }, 0);
}

const span = (values: number[], digits: number): string => `(${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)})`;

function report(rates: Rates): void {
  console.log(`\n${ROUNDS} interleaved rounds of ${SECONDS} s; median (least to most)\n`);
  for (const [name, measured] of Object.entries(rates)) {
    const values = measured.map(({ rate }) => rate);
    const micros = median(measured.map((one) => one.micros));
    console.log(`  ${name.padEnd(42)} ${median(values).toFixed(0).padStart(7)} /s   ${span(values, 0)}${micros > 0 ? `   ${micros.toFixed(0)} µs of Kong a request` : ''}`);
  }
  const known = RATIOS.filter(([, over, under]) => rates[over] && rates[under]);
  if (known.length > 0) console.log('\nratios, round by round\n');
  for (const [name, over, under, target] of known) {
    const pairs = rates[over]!.map(({ rate }, round) => rate / rates[under]![round]!.rate);
    console.log(`  ${name.padEnd(42)} ${median(pairs).toFixed(3).padStart(7)}      ${span(pairs, 3)}   ${target}`);
  }
}

const MIB = 1024;

/** Resident memory of a process in KiB. */
function residentKib(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Sends requests through the rate-limited full chain and looks at each worker ten times. */
async function memory(kong: Node, ground: Ground, load: Loader): Promise<void> {
  const url = `${kong.url}${pathOf(houseChains(ROOT).limited.name, ground.account)}`;
  const seconds = Math.max(2, SECONDS);
  const samples: { sent: number; kib: number[] }[] = [];
  const workers = kong.workers().filter((pid) => residentKib(pid) > 0);
  let sent = 0;
  await load({ url, token: kong.token, seconds }); // what grows once has grown
  const look = (): void => { samples.push({ sent, kib: workers.map(residentKib) }); };
  look();
  while (sent < MEMORY_REQUESTS) {
    sent += (await load({ url, token: kong.token, seconds })).requests;
    if (sent >= (samples.length * MEMORY_REQUESTS) / 10) look();
    ground.progress.say(`memory: ${sent} of ${MEMORY_REQUESTS} requests`);
  }
  console.log(`\nresident memory of Kong's processes over ${sent} requests, MiB\n`);
  for (const [i, pid] of workers.entries()) {
    console.log(`  process ${pid}: ${samples.map(({ kib }) => (kib[i]! / MIB).toFixed(1)).join('  ')}`);
  }
}

/** Measures and prints. */
export async function benchGateway(): Promise<void> {
  await onGround(async (ground) => {
    const { name, load } = await chooseLoader();
    ground.progress.say(`load by ${name}`);
    const { runs, kong } = await measurements(ground, load);
    report(await interleaved(runs, ground.progress.say));
    if (kong) await memory(kong, ground, load);
  });
}

await benchGateway().catch((error: Error) => {
  console.error(`The gateway bench could not run: ${error.message}`);
  process.exitCode = 1;
});
