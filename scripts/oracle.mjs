#!/usr/bin/env node
/** `npm run oracle`: installs what is missing, then compares the platform with an independent model of what is allowed (tests/oracle). */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { ensureDependencies } = await import('./dependencies.mjs');
await ensureDependencies(root);
process.exit(spawnSync(process.execPath, ['--import', 'tsx', 'tests/oracle/main.ts', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' }).status ?? 1);
