import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import type { AdminApi } from '../platform/admin-api.js';
import { Fault } from '../platform/fault.js';

interface PluginState { name: string; _config?: string; config?: object; enabled?: boolean; protocols?: string[]; consumer?: string }
interface RouteState { name: string; plugins?: PluginState[]; [field: string]: unknown }
interface ServiceState { name: string; routes?: RouteState[]; plugins?: PluginState[]; [field: string]: unknown }
interface State {
  _format_version: string; _info?: { select_tags?: string[] }; _plugin_configs?: Record<string, object>;
  plugins?: PluginState[]; services?: ServiceState[]; routes?: RouteState[];
}
interface Reference { id: string }
interface Parents { service?: Reference | null; route?: Reference | null; consumer?: Reference | null }
interface Entity extends Reference, Parents { name: string; [field: string]: unknown }
type Kind = 'services' | 'routes' | 'plugins';
type Schema = { fields: Record<string, Field>[] } | null;
interface Field { type: string; default?: unknown; required?: boolean; fields?: Record<string, Field>[] }

const TOP_LEVEL = ['_format_version', '_info', '_plugin_configs', 'plugins', 'services', 'routes'];

/** One entity that is not as the files say, named as decK names it: `acl for route getPayment`. */
export interface StateChange {
  action: 'create' | 'update' | 'delete';
  kind: 'service' | 'route' | 'plugin';
  name: string;
  before?: Record<string, unknown>;
  after?: Record<string, unknown>;
}

interface PlannedChange extends StateChange { apply(): Promise<unknown> }

interface SyncOptions { admin: AdminApi; files: string[]; values: Record<string, string> }

/**
 * Applies decK state files to Kong through its Admin API, for a machine without decK. It knows the part of the format our state
 * uses: services, their routes, routes without a service, plugins at each level and of consumers, `_plugin_configs`, `_info.select_tags`, environment values.
 * Anything else stops it. What carries our tag and is not in the state is deleted.
 * @returns how many entities were written or deleted
 */
export async function syncState(options: SyncOptions): Promise<number> {
  const changes = await planState(options);
  for (const change of changes) await change.apply();
  return changes.length;
}

/** What `syncState` would change, in the order it would. Writes nothing. */
export async function planState({ admin, files, values }: SyncOptions): Promise<PlannedChange[]> {
  const state = readState(files, values);
  const tags = state._info?.select_tags ?? ['kontor'];
  const existing = await existingEntities(admin, tags);
  const names = new Map([...existing.services.values(), ...existing.routes.values()].map(({ id, name }) => [id, name]));
  for (const { consumer } of existing.plugins.values()) if (consumer) names.set(consumer.id, await usernameOf(admin, consumer));
  const kept = new Set<string>();
  const changes: PlannedChange[] = [];
  const schemas = new Map<string, Promise<Schema>>();
  const schemaOf = (path: string): Promise<Schema> => schemas.get(path) ?? (schemas.set(path, admin.find<NonNullable<Schema>>(`/schemas/${path}`)), schemas.get(path)!);
  // An entity is found again by what makes it unique to Kong, whoever made it: decK gives ids of its own.
  const put = async (kind: Kind, body: { name: string } & Parents & Record<string, unknown>): Promise<string> => {
    const before = existing[kind].get(keyOf(kind, body));
    const id = before?.id ?? randomUUID();
    kept.add(id);
    names.set(id, body.name);
    const after = { ...body, tags: [...new Set([...body.tags as string[] | undefined ?? [], ...tags])] };
    const schema = await schemaOf(kind === 'plugins' ? `plugins/${body.name}` : kind);
    if (before && agrees(before, after, schema, kind)) return id;
    changes.push({
      action: before ? 'update' : 'create', kind: kind.slice(0, -1) as StateChange['kind'], name: nameOf(kind, body, names), before, after,
      apply: () => admin.put(`/${kind}/${id}`, after),
    });
    return id;
  };
  const putPlugins = async (plugins: PluginState[] | undefined, parent: Parents): Promise<void> => {
    for (const plugin of plugins ?? []) {
      const { _config: shared, config, consumer, ...rest } = plugin;
      const base = shared === undefined ? {} : state._plugin_configs?.[shared];
      if (!base) throw new Fault(`The gateway state names the plugin configuration ${shared}, which no file defines.`);
      const owner = consumer === undefined ? {} : { consumer: await consumerOf(admin, consumer, names) };
      await put('plugins', { ...rest, ...parent, ...owner, config: { ...base, ...config } });
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
    for (const before of existing[kind].values()) {
      if (kept.has(before.id)) continue;
      changes.push({
        action: 'delete', kind: kind.slice(0, -1) as StateChange['kind'], name: nameOf(kind, before, names), before,
        apply: () => admin.remove(`/${kind}/${before.id}`),
      });
    }
  }
  return changes;
}

/** Everything that carries the tags, as a decK state with its secrets in the clear. */
export async function dumpState({ admin, tags }: { admin: AdminApi; tags: string[] }): Promise<object> {
  const { services, routes, plugins } = await existingEntities(admin, tags);
  const bare = ({ id: _id, created_at: _created, updated_at: _updated, service: _service, route: _route, consumer: _consumer, ...fields }: Entity): object =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
  const pluginsOf = (matches: (plugin: Entity) => boolean): object[] => [...plugins.values()].filter(matches).map(bare);
  const consumers = new Map<string, string>();
  for (const { consumer } of plugins.values()) if (consumer) consumers.set(consumer.id, await usernameOf(admin, consumer));
  return {
    _format_version: '3.0', _info: { select_tags: tags, default_lookup_tags: { consumers: ['portal'] } },
    services: [...services.values()].map((service) => ({
      ...bare(service), plugins: pluginsOf((plugin) => plugin.service?.id === service.id),
      routes: [...routes.values()].filter((route) => route.service?.id === service.id)
        .map((route) => ({ ...bare(route), plugins: pluginsOf((plugin) => plugin.route?.id === route.id) })),
    })),
    routes: [...routes.values()].filter((route) => !route.service).map((route) => ({ ...bare(route), plugins: pluginsOf((plugin) => plugin.route?.id === route.id) })),
    plugins: [...plugins.values()].filter((plugin) => !plugin.service && !plugin.route)
      .map((plugin) => ({ ...bare(plugin), ...(plugin.consumer ? { consumer: consumers.get(plugin.consumer.id) } : {}) })),
  };
}

/** Services, routes and plugins without a tag: made by hand, and seen by no sync. */
export async function untaggedEntities(admin: AdminApi, tag: string): Promise<{ name: string; path: string }[]> {
  const all = (kind: Kind): Promise<Entity[]> => admin.list<Entity>(`/${kind}?size=1000`);
  const found: Record<Kind, Entity[]> = { services: await all('services'), routes: await all('routes'), plugins: await all('plugins') };
  const names = new Map([...found.services, ...found.routes].map(({ id, name }) => [id, name ?? id]));
  for (const { consumer } of found.plugins) if (consumer) names.set(consumer.id, await usernameOf(admin, consumer));
  return (['services', 'routes', 'plugins'] as const).flatMap((kind) => found[kind].filter(({ tags }) => !(tags as string[] | null | undefined)?.includes(tag))
    .map((entity) => ({ name: `${kind.slice(0, -1)} ${nameOf(kind, { ...entity, name: entity.name ?? entity.id }, names)}`, path: `/${kind}/${entity.id}` })));
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

async function existingEntities(admin: AdminApi, tags: string[]): Promise<Record<Kind, Map<string, Entity>>> {
  const byKey = async (kind: Kind): Promise<Map<string, Entity>> =>
    new Map((await admin.list<Entity>(`/${kind}?tags=${tags.join(',')}&size=1000`)).map((entity) => [keyOf(kind, entity), entity]));
  return { plugins: await byKey('plugins'), routes: await byKey('routes'), services: await byKey('services') };
}

async function consumerOf(admin: AdminApi, name: string, names: Map<string, string>): Promise<Reference> {
  const found = await admin.find<Reference>(`/consumers/${encodeURIComponent(name)}`);
  if (!found) throw new Fault(`The gateway state gives a plan to the consumer ${name}, whom the gateway does not know: take the line out, or register the application first.`);
  names.set(found.id, name);
  return { id: found.id };
}

async function usernameOf(admin: AdminApi, { id }: Reference): Promise<string> {
  return (await admin.find<{ username: string | null }>(`/consumers/${id}`))?.username ?? id;
}

function keyOf(kind: Kind, { name, service, route, consumer }: { name: string } & Parents): string {
  return kind === 'plugins' ? [name, service?.id, route?.id, consumer?.id].join(' ') : name;
}

function nameOf(kind: Kind, { name, service, route, consumer }: { name: string } & Parents, names: Map<string, string>): string {
  if (kind !== 'plugins') return name;
  const parent = Object.entries({ route, service, consumer }).find(([, reference]) => reference);
  return parent ? `${name} for ${parent[0]} ${names.get(parent[1]!.id) ?? parent[1]!.id}` : `${name} (global)`;
}

/** Whether Kong's entity is what the files say, with Kong's defaults for what they leave out. */
function agrees(before: Entity, after: Record<string, unknown>, schema: Schema, kind: Kind): boolean {
  if (!schema) return covers(before, after);
  // A plugin's schema describes its configuration; what an entity is beside it is compared as it is written.
  if (kind === 'plugins') {
    const config = schema.fields.map((field) => field.config).find((field) => field !== undefined);
    if (!config) return covers(before, after);
    return covers(before, { ...after, config: undefined }) && sameRecord(before.config, after.config, config.fields ?? []);
  }
  return sameRecord(before, after, schema.fields.filter((field) => !MADE_BY_KONG.includes(Object.keys(field)[0]!)));
}

const MADE_BY_KONG = ['id', 'created_at', 'updated_at'];

function sameRecord(actual: unknown, wanted: unknown, fields: Record<string, Field>[]): boolean {
  const has = (actual ?? {}) as Record<string, unknown>;
  const wants = (wanted ?? {}) as Record<string, unknown>;
  return fields.every((each) => {
    const [name, field] = Object.entries(each)[0]!;
    const want = wants[name] ?? field.default;
    const have = has[name];
    if (field.type === 'record' && field.fields && (have || want)) return sameRecord(have, want, field.fields);
    if (field.type === 'set' && Array.isArray(have) && Array.isArray(want)) return isDeepStrictEqual([...have as unknown[]].sort(), [...want as unknown[]].sort());
    return isDeepStrictEqual(have ?? null, want ?? null);
  });
}

/** Whether everything `wanted` says is so in `actual`, which also carries defaults. */
function covers(actual: unknown, wanted: unknown): boolean {
  if (wanted === undefined) return true;
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
