/**
 * Compiles the plugins to Lua for Kong: plugins/dist/lua/kong/plugins/<name>/{handler,schema}.lua, each one self-contained
 * file, so that `KONG_LUA_PACKAGE_PATH=<repository>/plugins/dist/lua/?.lua;;` and `KONG_PLUGINS=bundled,<names>` suffice.
 */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import * as tstl from 'typescript-to-lua';
import { PLUGIN_NAMES } from './names.js';

export { PLUGIN_NAMES };

const FOLDER = fileURLToPath(new URL('.', import.meta.url));

/** Modules that are there inside Kong. */
const PROVIDED = ['resty.**', 'resty/**', 'cjson.safe', 'cjson/safe', 'ngx.base64', 'ngx/base64', 'ngx.semaphore', 'ngx/semaphore', 'kong.**', 'kong/**'];

/** Our imports carry `.js`, as Node wants them; the Lua compiler looks for the source beside it. */
const WITHOUT_EXTENSION: tstl.Plugin = {
  moduleResolution: (module) => (module.startsWith('.') ? module.replace(/\.js$/, '') : undefined),
};

/**
 * Compiles one module and what it imports into one Lua chunk.
 * @param entry path from the plugins folder, `consent-check/handler.ts`.
 * @param exported what the chunk returns; absent: all exports.
 * @throws Error with the compiler's diagnostics.
 */
export function compileToLua(entry: string, exported?: string): string {
  const config = ts.readConfigFile(join(FOLDER, 'tsconfig.json'), ts.sys.readFile).config as { compilerOptions: Record<string, unknown> };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, FOLDER);
  const luaOptions: tstl.CompilerOptions = {
    ...options as tstl.CompilerOptions,
    luaTarget: tstl.LuaTarget.LuaJIT,
    luaLibImport: tstl.LuaLibImportKind.RequireMinimal,
    luaBundle: 'chunk.lua',
    luaBundleEntry: join(FOLDER, entry),
    noResolvePaths: PROVIDED,
    luaPlugins: [{ plugin: WITHOUT_EXTENSION }],
    rootDir: FOLDER,
    outDir: FOLDER,
    noHeader: true,
  };
  let chunk = '';
  const { diagnostics } = tstl.transpileFiles([join(FOLDER, entry), join(FOLDER, 'host-lua/kong.d.ts'), join(FOLDER, 'host-pdk/pdk-guard/kong.d.ts')], luaOptions, (name, text) => {
    if (name.endsWith('chunk.lua')) chunk = text;
  });
  const errors = diagnostics.filter((one) => one.category === ts.DiagnosticCategory.Error);
  if (errors.length > 0) throw new Error(`${entry}: ${errors.map((one) => ts.flattenDiagnosticMessageText(one.messageText, '\n')).join('\n')}`);
  if (exported === undefined) return chunk;
  const ending = /return ____entry\s*$/;
  if (!ending.test(chunk)) throw new Error(`${entry}: the compiler ended the chunk in an unknown way`);
  return chunk.replace(ending, `return ____entry.${exported}\n`);
}

/**
 * Writes all plugins; files of plugins that are gone go too.
 * @param target folder that becomes `lua_package_path`'s root.
 * @returns the paths written, below that folder.
 */
export async function buildPlugins(target: string = join(FOLDER, 'dist/lua')): Promise<string[]> {
  const fresh = `${target}.${process.pid}`;
  const written: string[] = [];
  for (const name of PLUGIN_NAMES) {
    for (const part of ['handler', 'schema']) {
      const path = join('kong/plugins', name, `${part}.lua`);
      const lua = compileToLua(`${name}/${part}.ts`, part);
      await mkdir(dirname(join(fresh, path)), { recursive: true });
      await writeFile(join(fresh, path), `-- Compiled from plugins/${name}/${part}.ts by plugins/build.ts. Do not edit.\n${lua}`);
      written.push(path);
    }
  }
  await rm(target, { recursive: true, force: true });
  await rename(fresh, target);
  return written;
}

if (import.meta.url === new URL(process.argv[1] ?? '', 'file:').href) {
  for (const path of await buildPlugins()) console.log(`wrote plugins/dist/lua/${path}`);
}
