#!/usr/bin/env node
/**
 * `npm run faults -- gateway`: installs what is missing, then breaks the gateways' parts one after the other (tests/faults).
 * `npm run test:faults` (`npm run faults -- payments`): kills what a payment passes, under load (tests/faults/payments).
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { ensureDependencies } = await import('./dependencies.mjs');
await ensureDependencies(root);
const run = (...args) => spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
const [area, ...options] = process.argv.slice(2);
process.exit(area === 'payments' ? run('scripts/build.mjs') || run('--import', 'tsx', 'tests/faults/payments/main.ts', ...options)
  : run('--import', 'tsx', 'tests/faults/main.ts', ...process.argv.slice(2)));
