#!/usr/bin/env node
/** `npm run gateway -- <command>`: what an administrator of the gateway does with its configuration (deck/README.md). */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureDependencies } from './dependencies.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
await ensureDependencies(root);
process.exit(spawnSync(process.execPath, ['--import', 'tsx', `${root}scripts/administration/main.ts`, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1);
