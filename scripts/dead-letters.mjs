#!/usr/bin/env node
/** `npm run dead-letters -- <command>`: what operators do with events a service could not work on (docs/events.md). */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureDependencies } from './dependencies.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
await ensureDependencies(root);
process.exit(spawnSync(process.execPath, ['--import', 'tsx', `${root}scripts/dead-letters/main.ts`, ...process.argv.slice(2)], { stdio: 'inherit', cwd: root }).status ?? 1);
