/**
 * Compiles the host: one directory a plugin with one CommonJS file in it (`<target>/<plugin>/server.cjs`, everything it
 * needs inside), and a Lua tree with what must be inside Kong (`<target>/lua`: the two guards, problem-json, token-limit and consent-tokens).
 */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { compileToLua } from '../build.js';
import { PDK_LUA_PLUGINS, PDK_PLUGINS } from './parts.js';
import { guardPriorities } from './priorities.js';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));

/** kong-pdk registers ts-node, with a TypeScript of its own, as soon as it is loaded; ours is compiled already. */
const WITHOUT_TS_NODE: Plugin = {
  name: 'without-ts-node',
  setup(bundler) {
    bundler.onResolve({ filter: /^ts-node$/ }, ({ path }) => ({ path, namespace: 'nothing' }));
    bundler.onLoad({ filter: /.*/, namespace: 'nothing' }, () => ({ contents: 'exports.register = () => undefined;' }));
  },
};

/** Compiles a plugin server into one CommonJS file. */
export async function compileServer(entry: string, outfile: string): Promise<void> {
  await build({
    entryPoints: [entry], outfile, bundle: true, platform: 'node', target: 'node20', format: 'cjs', legalComments: 'none', logLevel: 'error',
    plugins: [WITHOUT_TS_NODE], tsconfig: join(FOLDER, '../../tsconfig.json'),
  });
}

/** Writes the whole host; what an earlier build left is gone afterwards. */
export async function buildPdkHost(target: string): Promise<void> {
  const fresh = `${target}.${process.pid}`;
  for (const name of PDK_PLUGINS) await compileServer(join(FOLDER, 'server', `${name}.ts`), join(fresh, name, 'server.cjs'));
  for (const name of PDK_LUA_PLUGINS) {
    const source = name in guardPriorities ? `host-pdk/${name}` : name;
    for (const part of ['handler', 'schema']) {
      const path = join(fresh, 'lua/kong/plugins', name, `${part}.lua`);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, `-- Compiled from plugins/${source}/${part}.ts. Do not edit.\n${compileToLua(`${source}/${part}.ts`, part)}`);
    }
  }
  await rm(target, { recursive: true, force: true });
  await rename(fresh, target);
}

if (import.meta.url === new URL(process.argv[1] ?? '', 'file:').href) await buildPdkHost(join(FOLDER, '../dist/pdk'));
