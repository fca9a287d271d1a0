#!/usr/bin/env node
/** `npm run bench`: installs and builds what is missing, then measures. BENCH_ROUNDS and BENCH_SECONDS make it shorter. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = (args) => spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
const { ensureDependencies } = await import('./dependencies.mjs');
await ensureDependencies(root);
process.exit(run(['scripts/build.mjs']) || run(['--import', 'tsx', 'tests/bench/bench.ts']));
