/** The two ways our plugins run in the Kong of `npm start` (PLUGIN_HOST): compiled to Lua, or out of process (plugins/host-pdk). */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { chmod, chown, cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { PDK_LUA_PLUGINS, PDK_PLUGINS } from '../../plugins/host-pdk/parts.js';
import { guardPriorities } from '../../plugins/host-pdk/priorities.js';
import { PLUGIN_NAMES } from '../../plugins/names.js';
import { runProgram } from '../infra/packages.js';
import { isRoot, reachable, UNPRIVILEGED } from '../infra/unprivileged.js';
import { Fault } from '../platform/fault.js';
import { pdkSettings, socketOf, writePdkState } from './kong-pdk.js';
import { commonKongSettings } from './kong-settings.js';

export interface PluginHost {
  /** For the progress line. */
  description: string;
  /** Folders our plugins' handlers are found in, `<folder>/kong/plugins/<name>`, with their names. */
  lua: string;
  luaPlugins: string[];
  /** Compiles what is older than its source. */
  compile(tell: (line: string) => void): Promise<void>;
  /** Lines of kong.conf. @param prefix Kong's folder, which its user can read and this host may put files into */
  settings(prefix: string): Promise<Record<string, string>>;
  /** Brings Kong's database, which another host may have been on, to where this one can start. */
  prepare(databaseUrl: string): Promise<void>;
  /** The decK files as this host needs them. @param folder to write copies into */
  state(files: string[], folder: string): Promise<string[]>;
  /** Whether what runs beside Kong does. */
  ready(prefix: string): boolean;
}

export function pluginHost(root: string, which: 'lua' | 'pdk'): PluginHost {
  return which === 'pdk' ? pdkHost(root) : luaHost(root);
}

function luaHost(root: string): PluginHost {
  const lua = join(root, 'plugins/dist/lua');
  return {
    description: 'plugins in Lua', lua, luaPlugins: PLUGIN_NAMES,
    compile: (tell) => compile({ root, target: lua, program: 'plugins/build.ts', what: 'the gateway plugins to Lua', tell }),
    settings: () => Promise.resolve(commonKongSettings(lua, PLUGIN_NAMES)),
    prepare: forgetGuards,
    state: (files) => Promise.resolve(files),
    ready: () => true,
  };
}

function pdkHost(root: string): PluginHost {
  const built = join(root, 'plugins/dist/pdk');
  return {
    description: 'plugins out of process, kong-pdk', lua: join(built, 'lua'), luaPlugins: PDK_LUA_PLUGINS,
    compile: (tell) => compile({ root, target: built, program: 'plugins/host-pdk/build.ts', what: 'the gateway plugins for kong-pdk', tell }),
    async settings(prefix) {
      if (isRoot() && !await reachable(process.execPath)) throw new Fault(`PLUGIN_HOST=pdk runs Node as the user ${UNPRIVILEGED.name}, who may not enter the folders above ${process.execPath}: install Node where all users can run it.`);
      // In the prefix Kong's user can read it, wherever the checkout is.
      const host = join(prefix, 'host');
      await rm(host, { recursive: true, force: true });
      await cp(built, host, { recursive: true });
      await mkdir(socketsIn(prefix), { recursive: true });
      await chmod(socketsIn(prefix), 0o700);
      if (isRoot()) await chown(socketsIn(prefix), UNPRIVILEGED.uid, UNPRIVILEGED.gid);
      return { ...commonKongSettings(join(host, 'lua'), []), ...pdkSettings({ host, sockets: socketsIn(prefix) }) };
    },
    prepare: () => Promise.resolve(),
    async state(files, folder) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return writePdkState(files, folder);
    },
    ready: (prefix) => PDK_PLUGINS.every((plugin) => existsSync(socketOf(socketsIn(prefix), plugin))),
  };
}

/** Where the plugin servers listen; for Kong's user alone. */
export const socketsIn = (prefix: string): string => join(prefix, 'pdk');

/** Kong does not start on a database with plugins it has not loaded: those of the kong-pdk host go before the state is applied without them. */
async function forgetGuards(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('delete from plugins where name = any($1)', [Object.keys(guardPriorities)]).finally(() => client.end());
}

/** Compiles when a source is newer than what was compiled. */
async function compile({ root, target, program, what, tell }: { root: string; target: string; program: string; what: string; tell: (line: string) => void }): Promise<void> {
  const folder = join(root, 'plugins');
  const sources = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.includes(`${folder}/dist`));
  const newest = Math.max(...sources.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs));
  const compiled = statSync(target, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (compiled > newest) return;
  tell(`compiling ${what}`);
  await runProgram(process.execPath, ['--import', 'tsx', program], { cwd: root, what: `compiling ${what}` });
}
