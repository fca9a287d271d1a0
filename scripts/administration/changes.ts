/** Changes as an administrator reads them: names, changed fields, and never a secret. */
import { isDeepStrictEqual } from 'node:util';
import type { StateChange } from '../gateway/deck-sync.js';
import { Fault } from '../platform/fault.js';

const SIGNS = { create: '+', update: '~', delete: '-' } as const;
const DONE = { create: 'created', update: 'updated', delete: 'deleted' } as const;
const SECRET = /(^|[_-])(key|password|secret)$/i;
/** Kong's own book-keeping. */
const IGNORED = ['id', 'created_at', 'updated_at', 'tags'];

/** `route bank`, `plugin acl for route getPayment`. */
export function nameOf({ kind, name }: StateChange): string {
  return `${kind} ${name}`;
}

/** One line a change, then one a changed field; entities that changed alike stand together above their fields. */
export function describe(changes: StateChange[]): string[] {
  const alike = new Map<string, { names: string[]; fields: string[] }>();
  for (const change of changes) {
    const fields = change.action === 'update' ? fieldLines(change) : [];
    const group = alike.get(fields.join('\n')) ?? { names: [], fields };
    alike.set(fields.join('\n'), group);
    group.names.push(`${SIGNS[change.action]} ${nameOf(change)}`);
  }
  const lines = [...alike.values()].flatMap(({ names, fields }) => [...shortened(names), ...fields]);
  const count = (action: StateChange['action']): string => `${changes.filter((change) => change.action === action).length} ${DONE[action]}`;
  return changes.length === 0 ? [] : [...lines, `${count('create')}, ${count('update')}, ${count('delete')}`];
}

/** From how many on the routes of one plugin share a line: a shared configuration is on dozens. */
const MANY = 4;

/** `~ plugin oauth2 for 73 routes: blockAccount, …`; every name is there, in order, since a change is reviewed by them. */
function shortened(names: string[]): string[] {
  const byPlugin = new Map<string, string[]>();
  for (const name of names) {
    const [, plugin, route] = /^(. plugin \S+ for) route (.*)$/.exec(name) ?? [];
    const key = plugin ?? name;
    byPlugin.set(key, [...byPlugin.get(key) ?? [], ...route === undefined ? [] : [route]]);
  }
  return [...byPlugin].flatMap(([key, routes]) => {
    if (routes.length === 0) return [key];
    const sorted = routes.sort();
    return routes.length < MANY ? sorted.map((route) => `${key} route ${route}`) : [`${key} ${routes.length} routes: ${sorted.join(', ')}`];
  });
}

function fieldLines({ before, after }: StateChange): string[] {
  return differences(before, after, '').map(({ path, from, to }) => {
    const secret = SECRET.test(path.split('.').at(-1) ?? '');
    return secret ? `    ${path}: changed (hidden)` : `    ${path}: ${shown(from)} → ${shown(to)}`;
  });
}

function differences(before: unknown, after: unknown, path: string): { path: string; from: unknown; to: unknown }[] {
  if (isDeepStrictEqual(before ?? null, after ?? null)) return [];
  if (!isRecord(before) || !isRecord(after)) return [{ path, from: before, to: after }];
  // The project's own client writes what the files say and leaves the rest to Kong.
  return Object.keys(after).filter((name) => path !== '' || !IGNORED.includes(name)).flatMap((name) => differences(before[name], after[name], path ? `${path}.${name}` : name));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return JSON.stringify(value, (name, inner: unknown) => (SECRET.test(name) ? '(hidden)' : inner)) ?? 'nothing';
}

/** What a sync would delete, by name; the plugins of a route or service that goes are not told apart from it. */
export function deletionsOf(changes: StateChange[]): string[] {
  const deleted = changes.filter(({ action }) => action === 'delete');
  const gone = new Set(deleted.filter(({ kind }) => kind !== 'plugin').map(nameOf));
  return deleted.filter(({ name }) => !gone.has(/ for ((?:route|service) .*)$/.exec(name)?.[1] ?? '')).map(nameOf).sort();
}

/** @throws Fault unless exactly the deletions that would happen were accepted */
export function checkDeletions(changes: StateChange[], accepted: string[]): void {
  const deletions = deletionsOf(changes);
  const unreviewed = deletions.filter((name) => !accepted.includes(name));
  if (unreviewed.length > 0) {
    throw new Fault(`This would delete ${unreviewed.join(', ')}: nothing was changed. If that is meant, add --accept-deletions "${deletions.join(', ')}".`);
  }
  const stale = accepted.filter((name) => !deletions.includes(name));
  if (stale.length > 0) throw new Fault(`--accept-deletions names ${stale.join(', ')}, which would not be deleted: nothing was changed. Look at the diff again.`);
}
