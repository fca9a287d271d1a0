import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { checkNode, ensureDependencies } from './dependencies.mjs';

const started = Date.now();
checkNode();
const root = fileURLToPath(new URL('..', import.meta.url));
await ensureDependencies(root);
await build(root).catch((error) => { console.error(error.message); process.exit(1); });
const { launch } = await import(new URL('../build/launch.js', import.meta.url).href);
await launch({ root, started });
