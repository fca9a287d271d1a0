import { createHash } from 'node:crypto';
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
  plugins?: PluginState[]; services?: ServiceState[];
}
interface Entity { id: string; name?: string; tags?: string[] | null; [field: string]: unknown }

const TOP_LEVEL = ['_format_version', '_info', '_plugin_configs', 'plugins', 'services'];

/**
 * Applies decK state files to Kong through its Admin API, for a machine without decK. It knows the part of the format our state
 * uses: services, their routes, plugins at each level, `_plugin_configs`, `_info.select_tags`, environment values. Anything else
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
    plugins: await byId(admin, `/plugins${filter}`), routes: await byId(admin, `/routes${filter}`), services: await byId(admin, `/services${filter}`),
  };
  let changes = 0;
  const put = async (kind: keyof typeof kept, id: string, body: object): Promise<void> => {
    kept[kind].add(id);
    const before = existing[kind].get(id);
    if (before && covers(before, body)) return;
    await admin.put(`/${kind}/${id}`, { ...body, tags });
    changes += 1;
  };
  const putPlugins = async (plugins: PluginState[] | undefined, owner: string, parent: object): Promise<void> => {
    for (const plugin of plugins ?? []) {
      const { _config: shared, config, ...rest } = plugin;
      const base = shared === undefined ? {} : state._plugin_configs?.[shared];
      if (!base) throw new Fault(`The gateway state names the plugin configuration ${shared}, which no file defines.`);
      await put('plugins', stableId(`plugin:${owner}:${plugin.name}`), { ...rest, ...parent, config: { ...base, ...config } });
    }
  };
  for (const { routes, plugins, ...service } of state.services ?? []) {
    const serviceId = stableId(`service:${service.name}`);
    await put('services', serviceId, service);
    await putPlugins(plugins, service.name, { service: { id: serviceId } });
    for (const { plugins: routePlugins, ...route } of routes ?? []) {
      const routeId = stableId(`route:${route.name}`);
      await put('routes', routeId, { ...route, service: { id: serviceId } });
      await putPlugins(routePlugins, `route:${route.name}`, { route: { id: routeId } });
    }
  }
  await putPlugins(state.plugins, '', {});
  for (const kind of ['plugins', 'routes', 'services'] as const) {
    for (const id of existing[kind].keys()) {
      if (kept[kind].has(id)) continue;
      await admin.remove(`/${kind}/${id}`);
      changes += 1;
    }
  }
  return changes;
}

/** The files as one state, with the environment values in place. @throws Fault for what this client does not know. */
function readState(files: string[], values: Record<string, string>): State {
  const merged: State = { _format_version: '3.0', _plugin_configs: {}, plugins: [], services: [] };
  for (const file of files) {
    const text = readFileSync(file, 'utf8').replace(/\$\{\{\s*env\s+"([A-Z0-9_]+)"\s*\}\}/g, (_, name: string) => values[name] ?? '');
    const state = parse(text) as State;
    const unknown = Object.keys(state).filter((key) => !TOP_LEVEL.includes(key));
    if (unknown.length > 0) throw new Fault(`${file} uses ${unknown.join(', ')}, which only decK applies: put deck on the PATH.`);
    merged._info ??= state._info;
    Object.assign(merged._plugin_configs!, state._plugin_configs);
    merged.plugins!.push(...state.plugins ?? []);
    merged.services!.push(...state.services ?? []);
  }
  return merged;
}

async function byId(admin: AdminApi, path: string): Promise<Map<string, Entity>> {
  return new Map((await admin.list<Entity>(path)).map((entity) => [entity.id, entity]));
}

/** Whether everything `wanted` says is so in `actual`, which also carries defaults. `url` of a service comes back in parts. */
function covers(actual: unknown, wanted: unknown): boolean {
  if (wanted === null || typeof wanted !== 'object' || Array.isArray(wanted)) return isDeepStrictEqual(actual, wanted);
  const fields = actual as Record<string, unknown> | null | undefined;
  return Object.entries(wanted).every(([name, value]) => (name === 'url' && typeof value === 'string' ? coversUrl(fields, value) : covers(fields?.[name], value)));
}

function coversUrl(service: Record<string, unknown> | null | undefined, text: string): boolean {
  const url = new URL(text);
  return service?.host === url.hostname && String(service?.port) === url.port && service?.protocol === url.protocol.slice(0, -1)
    && (service?.path ?? '/') === url.pathname;
}

/** A UUID of the name, the same at every run (RFC 9562 §5.8: version 8). */
function stableId(name: string): string {
  const hex = createHash('sha256').update(`kontor:${name}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
