#!/usr/bin/env node
/** `npm run faults -- gateway`: installs what is missing, then breaks the gateways' parts one after the other (tests/faults). */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { ensureDependencies } = await import('./dependencies.mjs');
await ensureDependencies(root);
process.exit(spawnSync(process.execPath, ['--import', 'tsx', 'tests/faults/main.ts', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' }).status ?? 1);
