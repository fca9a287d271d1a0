import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { checkNode, ensureDependencies } from './dependencies.mjs';

const started = Date.now();
checkNode();
const root = fileURLToPath(new URL('..', import.meta.url));
await ensureDependencies(root);
await build(root, { only: 'scripts' }).catch((error) => { console.error(error.message); process.exit(1); });
const { test } = await import(new URL('../build/test.js', import.meta.url).href);
await test({ root, started, arguments_: process.argv.slice(2) });
