/** What Kong is told when our plugins run out of process (plugins/host-pdk): its configuration, and the guards in its state. */
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseDocument, type Document } from 'yaml';
import { LIMITS } from '../../plugins/host-pdk/dossier.js';
import { PDK_LUA_PLUGINS, PDK_PLUGINS } from '../../plugins/host-pdk/parts.js';

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

interface Holder { plugins?: { name: string }[] }
interface State extends Holder { services?: (Holder & { routes?: Holder[] })[]; routes?: Holder[] }

/**
 * The text of a decK state with the two guards wherever a plugin runs out of process, each told which ones. A plugin on a route
 * takes the place of the service's and the global one, so a route's guards name all that run there. All else stays as it is written.
 * @param outer plugins out of process that the whole state, of which this may be a part, has for every request
 */
export function withPdkGuards(text: string, outer: string[] = globalPdkPlugins(text)): string {
  const document = read(text);
  const state = document.toJS() as State;
  guard(document, [], state, outer);
  const routes = (at: (string | number)[], holders: Holder[] = [], around: string[]): void =>
    holders.forEach((route, index) => guard(document, [...at, 'routes', index], route, union(around, pdkNames(route))));
  routes([], state.routes, outer);
  state.services?.forEach((service, index) => {
    const ofService = union(outer, pdkNames(service));
    guard(document, ['services', index], service, ofService);
    routes(['services', index], service.routes, ofService);
  });
  return shown(document.toString({ lineWidth: 0 }));
}

/**
 * Writes guarded copies of state files, which are merged by decK and therefore seen as one.
 * @returns the copies' paths.
 */
export async function writePdkState(files: readonly string[], folder: string): Promise<string[]> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  const global = union(...texts.map(globalPdkPlugins));
  return Promise.all(files.map(async (file, index) => {
    const target = join(folder, basename(file));
    await writeFile(target, withPdkGuards(texts[index]!, global), { mode: 0o600 });
    return target;
  }));
}

const globalPdkPlugins = (text: string): string[] => pdkNames(read(text).toJS() as State);

/** Values of the environment are no YAML before decK puts them in: meanwhile they are words. */
function read(text: string): Document {
  return parseDocument(text.replace(/\$\{\{\s*env\s+"(DECK_[A-Z0-9_]+)"\s*\}\}/g, '__$1__'));
}

const shown = (text: string): string => text.replace(/__(DECK_[A-Z0-9_]+?)__/g, '${{ env "$1" }}');

function pdkNames({ plugins = [] }: Holder): string[] {
  return plugins.map(({ name }) => name).filter((name) => PDK_PLUGINS.includes(name));
}

/** In the order in which the plugins run. */
function union(...lists: string[][]): string[] {
  return PDK_PLUGINS.filter((name) => lists.some((list) => list.includes(name)));
}

function guard(document: Document, at: (string | number)[], holder: Holder, required: string[]): void {
  if (pdkNames(holder).length === 0) return;
  for (const plugin of [{ name: 'pdk-watch', config: { plugins: required } }, { name: 'pdk-guard', config: { requires: required } }]) {
    document.addIn([...at, 'plugins'], document.createNode(plugin));
  }
}
