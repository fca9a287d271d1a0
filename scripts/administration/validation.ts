/** What is wrong with a state before any Kong sees it, each fault with its file and line. */
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type Pair, type YAMLMap } from 'yaml';
import { definitions } from '../../kong/embedded/definitions.js';
import { loadState, StateError, type State } from '../../kong/embedded/state.js';
import { houseFaults, LIMITERS } from './house-rules.js';
import { TAG } from './kong.js';
import type { GatewayState } from './state.js';

export interface StateFault {
  /** Path and line, `deck/policies.yaml:41`. */
  place: string;
  what: string;
}

const VARIABLE = /\$\{\{\s*env\s+"([^"]*)"\s*\}\}/g;
/** A Redis without a password is none of ours, but there are such. */
const MAY_BE_EMPTY = ['DECK_REDIS_PASSWORD'];
const SCHEMAS = new Map([...definitions].map(([name, { schema }]) => [name, schema]));

/** Every fault found; variables first, since nothing else can be read without them. */
export async function stateFaults(state: GatewayState): Promise<StateFault[]> {
  const files = state.files.map((path) => openFile(path));
  const told = new Set<string>();
  const missing = files.flatMap((file) => variableFaults(file, state.values, told));
  if (missing.length > 0) return missing;
  for (const file of files) file.document = read(file, state.values);
  let loaded: State;
  try {
    loaded = await loadState(state.files, SCHEMAS, state.values);
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    return error.faults.map(({ where, what }) => located(files, where, worded(what)));
  }
  for (const entry of loaded.plugins) {
    const fault = creationFault(entry);
    if (fault) return [located(files, entry.where, fault)];
  }
  const untagged = files.filter(({ document }) => !isTagged(document));
  if (untagged.length > 0) return untagged.map(({ path }) => ({ place: `${shown(path)}:1`, what: `_info.select_tags is not [${TAG}]: a sync would delete what the portal made` }));
  const fileOf = new Map(files.flatMap((file) => namesIn(file).map((name) => [name, basename(file.path)] as const)));
  return houseFaults(loaded, { production: state.environment === 'production', fileOf }).map(({ where, what }) => located(files, where, what));
}

interface StateFile { path: string; text: string; lines: LineCounter; document?: ReturnType<typeof parseDocument> }

function openFile(path: string): StateFile {
  return { path, text: readFileSync(path, 'utf8'), lines: new LineCounter() };
}

/** Values hold no line break, so a line of the filled text is the line of the file. */
function read(file: StateFile, values: Record<string, string>): NonNullable<StateFile['document']> {
  return parseDocument(file.text.replace(VARIABLE, (_, name: string) => values[name] ?? ''), { lineCounter: file.lines, uniqueKeys: false });
}

function isTagged(document: StateFile['document']): boolean {
  const { _info: info } = (document?.toJS() ?? {}) as { _info?: { select_tags?: string[] } };
  return info?.select_tags?.join() === TAG;
}

/** The names of the routes a file holds. */
function namesIn({ document }: StateFile): string[] {
  const { services = [] } = (document?.toJS() ?? {}) as { services?: { routes?: { name: string }[] }[] };
  return services.flatMap(({ routes = [] }) => routes.map(({ name }) => name));
}

/** @param told names that need no further line */
function variableFaults({ path, text }: StateFile, values: Record<string, string>, told: Set<string>): StateFault[] {
  return text.split('\n').flatMap((line, index) => [...line.matchAll(VARIABLE)].flatMap(([, name = '']) => {
    const what = valueFault(name, values[name]);
    if (!what || told.has(name)) return [];
    told.add(name);
    return [{ place: `${shown(path)}:${index + 1}`, what }];
  }));
}

/** What is wrong with a value; the value itself is never told. */
function valueFault(name: string, value: string | undefined): string | undefined {
  if (!name.startsWith('DECK_')) return `the variable ${name} must begin with DECK_`;
  if (value === undefined) return `${name} is not set: give it in the environment (deck/README.md says what it is)`;
  if (value === '' && !MAY_BE_EMPTY.includes(name)) return `${name} is empty`;
  if (/['"\n\r\\]/.test(value)) return `${name} has a quote, a backslash or a line break in it`;
  if (name.endsWith('_URL') && !URL.canParse(value)) return `${name} is not an absolute URL`;
  if (name === 'DECK_GATEWAY_TOKEN_PRIVATE_KEY' && !isPrivateKey(value)) return `${name} is not the base64 of a PKCS8 PEM with a P-256 key`;
  return undefined;
}

function isPrivateKey(value: string): boolean {
  try {
    return createPrivateKey(Buffer.from(value, 'base64').toString()).asymmetricKeyDetails?.namedCurve === 'prime256v1';
  } catch {
    return false;
  }
}

/** Rules between the fields of one plugin, which a schema does not say: its own making refuses them. */
function creationFault(entry: State['plugins'][number]): string | undefined {
  const limits = ['second', 'minute', 'hour', 'day'].map((period) => entry.config[period]).filter((limit): limit is number => typeof limit === 'number');
  if (!LIMITERS.includes(entry.name)) return undefined;
  if (limits.length === 0) return 'config names no limit';
  return limits.some((limit, i) => i > 0 && limit < limits[i - 1]!) ? 'config has a lower limit for a longer period than for a shorter one' : undefined;
}

/** The embedded gateway serves the same state, so what it does not know is refused here too, in an administrator's words. */
function worded(what: string): string {
  if (what === 'is not known to the embedded gateway') return `is no plugin the state may use (those are ${[...definitions.keys()].sort().join(', ')})`;
  return what.replace(/ is not known to the embedded gateway$/, ' is no field there that Kong and the embedded gateway both know');
}

/** Finds the line a fault is about: the entity `where` names, then the field `what` begins with. */
function located(files: StateFile[], where: string, what: string): StateFault {
  const name = where.split(': ')[0];
  const file = files.find(({ path }) => basename(path) === name);
  const entity = [...where.matchAll(/(route|service|plugin) "([^"]*)"/g)].map(([text]) => text).join(': ');
  const told = entity ? `${entity}: ${what}` : what;
  if (!file?.document) return { place: shown(file?.path ?? name ?? ''), what: told };
  const line = /\bline (\d+)/.exec(what)?.[1];
  if (line) return { place: `${shown(file.path)}:${line}`, what: told };
  const field = /^(_?[a-z][\w-]*(?:\.[\w-]+|\[\d+\])*)/i.exec(what)?.[1] ?? '';
  const found = place(file, where, field) ?? undefined;
  const other = found?.exact === false ? sharedPlace(files, found.node, field) : undefined;
  const at = other ?? { file, offset: found?.offset ?? 0 };
  return { place: `${shown(at.file.path)}:${at.file.lines.linePos(at.offset).line}`, what: told };
}

interface Found { node: YAMLMap; offset: number; exact: boolean }

function place(file: StateFile, where: string, field: string): Found | null {
  const root = file.document?.contents;
  if (!isMap(root)) return null;
  let node = root;
  for (const [, kind, name] of where.matchAll(/(route|service|plugin) "([^"]*)"/g)) {
    const next = entitiesOf(node, `${kind}s`).filter((one) => one.get('name') === name).at(-1);
    if (!next) break;
    node = next;
  }
  const inside = descend(node, field);
  return { node, offset: inside.offset ?? node.range?.[0] ?? 0, exact: inside.complete };
}

/** The entities of a kind under a node; routes also those of every service. */
function entitiesOf(node: YAMLMap, kind: string): YAMLMap[] {
  const list = (holder: YAMLMap, name: string): YAMLMap[] => {
    const found = holder.get(name, true) as Node | undefined;
    return isSeq(found) ? found.items.filter(isMap) : [];
  };
  return [...list(node, kind), ...(kind === 'routes' ? list(node, 'services').flatMap((service) => list(service, kind)) : [])];
}

/** Follows `config.redis.port` or `paths[0]` as far as the file goes. */
function descend(node: YAMLMap, field: string): { offset?: number; complete: boolean } {
  const steps = field.split(/[.[\]]+/).filter(Boolean);
  let here: unknown = node;
  let offset: number | undefined;
  for (const [index, step] of steps.entries()) {
    const pair: Pair | undefined = isMap(here) ? here.items.find(({ key }) => isScalar(key) && key.value === step) : undefined;
    const item = isSeq(here) ? here.items[Number(step)] as Node | undefined : undefined;
    if (!pair && !item) return { offset, complete: index === 0 && !field.includes('.') };
    offset = (pair ? (pair.key as Node).range : item!.range)?.[0];
    here = pair ? pair.value : item;
  }
  return { offset, complete: true };
}

/** A field that is not on the plugin stands in the shared configuration it takes. */
function sharedPlace(files: StateFile[], plugin: YAMLMap, field: string): { file: StateFile; offset: number } | undefined {
  const shared = plugin.get('_config');
  for (const file of files) {
    const config = file.document?.getIn(['_plugin_configs', String(shared)], true);
    const inside = isMap(config) && field.startsWith('config.') ? descend(config, field.slice('config.'.length)) : undefined;
    if (inside?.offset !== undefined) return { file, offset: inside.offset };
  }
  return undefined;
}

function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') ? path : near;
}
