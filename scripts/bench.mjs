#!/usr/bin/env node
/**
 * `npm run bench`: installs and builds what is missing, then measures reads, the gateway and payments; `npm run bench -- gateway`
 * (or `service`; `payments`: ordering, hot accounts, balances, time to settlement; `memory [--payments=100000]`: of the services over
 * many payments; `limits`: what each way of counting rate limits costs and lets through; `consent`: decisions against bare reads of
 * Redis; `backlog`: 10,000 events after an outage of the broker; `bulk`: memory and time of reading a file of 10,000 payments)
 * one of them. Options go to what is named. BENCH_ROUNDS, BENCH_SECONDS and BENCH_MEMORY_REQUESTS make it shorter.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PARTS = { service: 'tests/bench/bench.ts', gateway: 'tests/bench/gateway.ts', limits: 'tests/bench/limits.ts', consent: 'tests/bench/consent.ts',
  backlog: 'tests/bench/backlog.ts', bulk: 'tests/bench/bulk.ts', payments: 'tests/bench/payments.ts', memory: 'tests/bench/memory.ts' };
const isOption = (word) => word.startsWith('--');
const asked = process.argv.slice(2).filter((word) => !isOption(word));
const options = process.argv.slice(2).filter(isOption);
const unknown = asked.filter((name) => !Object.hasOwn(PARTS, name));
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(', ')}: name ${Object.keys(PARTS).join(', ')}, or nothing for service, gateway and payments.`);
  process.exit(2);
}
for (const name of ['BENCH_ROUNDS', 'BENCH_SECONDS', 'BENCH_MEMORY_REQUESTS', 'BENCH_BURSTS']) {
  const given = process.env[name];
  if (given === undefined || (Number.isFinite(Number(given)) && Number(given) > 0)) continue;
  console.error(`${name} is ${JSON.stringify(given)}: give a number above zero.`);
  process.exit(2);
}
const root = fileURLToPath(new URL('..', import.meta.url));
const run = (args) => spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
const { ensureDependencies } = await import('./dependencies.mjs');
await ensureDependencies(root);
let code = run(['scripts/build.mjs']);
if (code !== 0) process.exit(code);
for (const name of asked.length > 0 ? asked : ['service', 'gateway', 'payments']) code = run(['--import', 'tsx', PARTS[name], ...options]) || code;
process.exit(code);
