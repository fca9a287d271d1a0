import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { checkNode, ensureDependencies } from './dependencies.mjs';

checkNode();
const root = fileURLToPath(new URL('..', import.meta.url));
await ensureDependencies(root);
await build(root, { only: 'scripts' }).catch((error) => { console.error(error.message); process.exit(1); });
const { demo } = await import(new URL('../build/demo.js', import.meta.url).href);
await demo({ root });
