/** What Kong is told when our plugins run out of process (plugins/host-pdk): its configuration, and the guards in its state. */
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { PDK_LUA_PLUGINS, PDK_PLUGINS } from '../../plugins/host-pdk/build.js';
import { LIMITS } from '../../plugins/host-pdk/dossier.js';

/** Longest path of a unix socket on Linux, without the process id the plugin server adds while it starts. */
const LONGEST_SOCKET = 107 - 8;

/**
 * Lines of kong.conf.
 * @param host folder written by `buildPdkHost`.
 * @param sockets folder for the plugin servers' sockets; Kong's user must be able to write in it, and nobody else.
 * @param startCommand another command for a plugin, for tests that break it.
 */
export function pdkSettings({ host, sockets, startCommand }: { host: string; sockets: string; startCommand?: (plugin: string) => string }): Record<string, string> {
  const servers = PDK_PLUGINS.flatMap((plugin) => {
    const name = `pluginserver_${plugin.replaceAll('-', '_')}`;
    const program = `${process.execPath} ${join(host, plugin, 'server.cjs')}`;
    const socket = socketOf(sockets, plugin);
    if (socket.length > LONGEST_SOCKET) throw new Error(`${socket} is too long for a unix socket: choose a shorter folder`);
    return [
      [`${name}_socket`, socket],
      [`${name}_start_cmd`, startCommand?.(plugin) ?? `${program} --socket ${socket}`],
      [`${name}_query_cmd`, `${program} --dump`],
    ];
  });
  return {
    plugins: ['bundled', ...PDK_LUA_PLUGINS, ...PDK_PLUGINS].join(','),
    lua_package_path: `${join(host, 'lua')}/?.lua;;`,
    pluginserver_names: PDK_PLUGINS.join(','),
    ...Object.fromEntries(servers),
    // Kong sets none on its plugin servers' sockets, and nginx's is 60 s. Our own Lua sets its time-outs itself.
    nginx_proxy_lua_socket_connect_timeout: `${LIMITS.socket}ms`,
    nginx_proxy_lua_socket_send_timeout: `${LIMITS.socket}ms`,
    nginx_proxy_lua_socket_read_timeout: `${LIMITS.socket}ms`,
  };
}

/** The socket of a plugin's server. */
export function socketOf(sockets: string, plugin: string): string {
  return join(sockets, `${plugin}.sock`);
}

interface Entry { name: string; [field: string]: unknown }
interface Holder { plugins?: Entry[] }
interface State extends Holder { _info?: { select_tags?: string[] }; services?: (Holder & { routes?: Holder[] })[] }

/**
 * The decK state with the two guards wherever a plugin runs out of process, each told which ones. A plugin on a route takes
 * the place of the service's and the global one, so a route's guards name all that run there.
 */
export function withPdkGuards(state: State, outer: string[] = pdkNames(state)): State {
  return {
    ...guarded(state, outer),
    services: state.services?.map((service) => {
      const ofService = union(outer, pdkNames(service));
      return {
        ...guarded(service, ofService),
        routes: service.routes?.map((route) => guarded(route, union(ofService, pdkNames(route)))),
      };
    }),
  };
}

/**
 * Writes guarded copies of state files, which are merged by decK and therefore seen as one.
 * @returns the copies' paths.
 */
export async function writePdkState(files: string[], folder: string): Promise<string[]> {
  const states = await Promise.all(files.map(async (file) => parse(await readFile(file, 'utf8')) as State));
  const global = union(...states.map(pdkNames));
  return Promise.all(files.map(async (file, index) => {
    const target = join(folder, basename(file));
    await writeFile(target, stringify(withPdkGuards(states[index]!, global)), { mode: 0o600 });
    return target;
  }));
}

function pdkNames({ plugins = [] }: Holder): string[] {
  return plugins.map(({ name }) => name).filter((name) => PDK_PLUGINS.includes(name));
}

/** In the order in which the plugins run. */
function union(...lists: string[][]): string[] {
  return PDK_PLUGINS.filter((name) => lists.some((list) => list.includes(name)));
}

function guarded<T extends Holder>(holder: T, required: string[]): T {
  if (pdkNames(holder).length === 0) return holder;
  return { ...holder, plugins: [
    ...holder.plugins!, { name: 'pdk-watch', config: { plugins: required } }, { name: 'pdk-guard', config: { requires: required } },
  ] };
}
