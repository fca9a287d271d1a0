#!/usr/bin/env node
/** `npm run staff -- <command>`: the bank's administrator makes and removes the staff of the back office (portal/README.md). */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureDependencies } from './dependencies.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
await ensureDependencies(root);
process.exit(spawnSync(process.execPath, ['--import', 'tsx', `${root}scripts/staff/main.ts`, ...process.argv.slice(2)], { stdio: 'inherit', cwd: root }).status ?? 1);
