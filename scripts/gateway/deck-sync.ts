import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import type { AdminApi } from '../platform/admin-api.js';
import { Fault } from '../platform/fault.js';

interface PluginState { name: string; _config?: string; config?: object; enabled?: boolean; protocols?: string[] }
interface RouteState { name: string; plugins?: PluginState[]; [field: string]: unknown }
interface ServiceState { name: string; routes?: RouteState[]; plugins?: PluginState[]; [field: string]: unknown }
interface State {
  _format_version: string; _info?: { select_tags?: string[] }; _plugin_configs?: Record<string, object>;
  plugins?: PluginState[]; services?: ServiceState[]; routes?: RouteState[];
}
interface Reference { id: string }
interface Entity extends Reference { name: string; service?: Reference | null; route?: Reference | null; [field: string]: unknown }

const TOP_LEVEL = ['_format_version', '_info', '_plugin_configs', 'plugins', 'services', 'routes'];

/**
 * Applies decK state files to Kong through its Admin API, for a machine without decK. It knows the part of the format our state
 * uses: services, their routes, routes without a service, plugins at each level, `_plugin_configs`, `_info.select_tags`, environment values. Anything else
 * stops it. What carries our tag and is not in the state is deleted.
 * @returns how many entities were written or deleted
 */
export async function syncState(options: { admin: AdminApi; files: string[]; values: Record<string, string> }): Promise<number> {
  const { admin } = options;
  const state = readState(options.files, options.values);
  const tags = state._info?.select_tags ?? ['kontor'];
  const filter = `?tags=${tags.join(',')}&size=1000`;
  const kept = { plugins: new Set<string>(), routes: new Set<string>(), services: new Set<string>() };
  const existing = {
    plugins: await byKey(admin, 'plugins', filter), routes: await byKey(admin, 'routes', filter), services: await byKey(admin, 'services', filter),
  };
  let changes = 0;
  // An entity is found again by what makes it unique to Kong, whoever made it: decK gives ids of its own.
  const put = async (kind: keyof typeof kept, body: { name: string; service?: Reference; route?: Reference; config?: object }): Promise<string> => {
    const before = existing[kind].get(keyOf(kind, body));
    const id = before?.id ?? randomUUID();
    kept[kind].add(id);
    if (before && covers(before, body)) return id;
    await admin.put(`/${kind}/${id}`, { ...body, tags });
    changes += 1;
    return id;
  };
  const putPlugins = async (plugins: PluginState[] | undefined, parent: { service?: Reference; route?: Reference }): Promise<void> => {
    for (const plugin of plugins ?? []) {
      const { _config: shared, config, ...rest } = plugin;
      const base = shared === undefined ? {} : state._plugin_configs?.[shared];
      if (!base) throw new Fault(`The gateway state names the plugin configuration ${shared}, which no file defines.`);
      await put('plugins', { ...rest, ...parent, config: { ...base, ...config } });
    }
  };
  const putRoutes = async (routes: RouteState[] | undefined, parent: { service?: Reference }): Promise<void> => {
    for (const { plugins, ...route } of routes ?? []) {
      const id = await put('routes', { ...route, ...parent });
      await putPlugins(plugins, { route: { id } });
    }
  };
  for (const { routes, plugins, ...service } of state.services ?? []) {
    const serviceId = await put('services', urlParts(service));
    await putPlugins(plugins, { service: { id: serviceId } });
    await putRoutes(routes, { service: { id: serviceId } });
  }
  await putRoutes(state.routes, {});
  await putPlugins(state.plugins, {});
  for (const kind of ['plugins', 'routes', 'services'] as const) {
    for (const { id } of existing[kind].values()) {
      if (kept[kind].has(id)) continue;
      await admin.remove(`/${kind}/${id}`);
      changes += 1;
    }
  }
  return changes;
}

/** The files as one state, with the environment values in place. @throws Fault for what this client does not know. */
function readState(files: string[], values: Record<string, string>): State {
  const merged: State = { _format_version: '3.0', _plugin_configs: {}, plugins: [], services: [], routes: [] };
  for (const file of files) {
    const text = readFileSync(file, 'utf8').replace(/\$\{\{\s*env\s+"([A-Z0-9_]+)"\s*\}\}/g, (_, name: string) => values[name] ?? '');
    const state = parse(text) as State;
    const unknown = Object.keys(state).filter((key) => !TOP_LEVEL.includes(key));
    if (unknown.length > 0) throw new Fault(`${file} uses ${unknown.join(', ')}, which only decK applies: put deck on the PATH.`);
    merged._info ??= state._info;
    Object.assign(merged._plugin_configs!, state._plugin_configs);
    merged.plugins!.push(...state.plugins ?? []);
    merged.services!.push(...state.services ?? []);
    merged.routes!.push(...state.routes ?? []);
  }
  return merged;
}

async function byKey(admin: AdminApi, kind: 'plugins' | 'routes' | 'services', filter: string): Promise<Map<string, Entity>> {
  return new Map((await admin.list<Entity>(`/${kind}${filter}`)).map((entity) => [keyOf(kind, entity), entity]));
}

function keyOf(kind: string, { name, service, route }: { name: string; service?: Reference | null; route?: Reference | null }): string {
  return kind === 'plugins' ? [name, service?.id, route?.id].join(' ') : name;
}

/** Whether everything `wanted` says is so in `actual`, which also carries defaults. */
function covers(actual: unknown, wanted: unknown): boolean {
  if (wanted === null || typeof wanted !== 'object' || Array.isArray(wanted)) return isDeepStrictEqual(actual, wanted);
  const fields = actual as Record<string, unknown> | null | undefined;
  return Object.entries(wanted).every(([name, value]) => covers(fields?.[name], value));
}

/** Kong keeps the `url` of a service in parts. */
function urlParts({ url: text, ...service }: Omit<ServiceState, 'routes' | 'plugins'>): typeof service & { name: string } {
  if (typeof text !== 'string') return { ...service, name: service.name as string };
  const url = new URL(text);
  const standard = url.protocol === 'https:' ? 443 : 80;
  return {
    ...service, name: service.name as string, protocol: url.protocol.slice(0, -1), host: url.hostname, port: url.port ? Number(url.port) : standard,
    path: url.pathname === '/' ? null : url.pathname,
  };
}
