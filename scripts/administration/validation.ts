/** What is wrong with a state before any Kong sees it, each fault with its file and line. */
import { createPrivateKey } from 'node:crypto';
import { basename } from 'node:path';
import { definitions } from '../../kong/embedded/definitions.js';
import { loadState, StateError, type State } from '../../kong/embedded/state.js';
import { houseFaults, LIMITERS } from './house-rules.js';
import type { Kong, Refusal } from './kong.js';
import { TAG } from './kong.js';
import { at, consumersIn, located, openFile, readDocument, together, VARIABLE, type StateFault, type StateFile } from './places.js';
import type { GatewayState } from './state.js';

/** A Redis without a password is none of ours, but there are such. */
const MAY_BE_EMPTY = ['DECK_REDIS_PASSWORD'];
const SCHEMAS = new Map([...definitions].map(([name, { schema }]) => [name, schema]));

/** Every fault found; variables and the form of the files first, since nothing else can be read without them. */
export async function stateFaults(state: GatewayState): Promise<StateFault[]> {
  const files = state.files.map((path) => openFile(path));
  const told = new Set<string>();
  const missing = files.flatMap((file) => variableFaults(file, state.values, told));
  if (missing.length > 0) return missing;
  const unreadable = files.flatMap((file) => readDocument(file, state.values));
  if (unreadable.length > 0) return unreadable;
  let loaded: State;
  try {
    loaded = await loadState(state.files, SCHEMAS, state.values);
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    return together(error.faults.map(({ where, what }) => located(files, where, worded(what))));
  }
  for (const entry of loaded.plugins) {
    const fault = creationFault(entry);
    if (fault) return together([located(files, entry.where, fault)]);
  }
  const untagged = files.filter(({ document }) => !isTagged(document));
  if (untagged.length > 0) return together(untagged.map((file) => located([file], basename(file.path), `_info.select_tags is not [${TAG}]: a sync would delete what the portal made`)));
  const fileOf = new Map(files.flatMap((file) => namesIn(file).map((name) => [name, basename(file.path)] as const)));
  return together(houseFaults(loaded, { production: state.environment === 'production', fileOf }).map(({ where, what }) => located(files, where, what)));
}

/** What a valid state asks for that this Kong has not: plugins it did not load, consumers nobody registered. */
export async function kongFaults(state: GatewayState, kong: Pick<Kong, 'plugins' | 'knows'>): Promise<StateFault[]> {
  const files = opened(state);
  const { plugins } = await loadState(state.files, SCHEMAS, state.values);
  const absent = plugins.filter(({ name }) => !kong.plugins.has(name))
    .map(({ name, where }) => ({ ...located(files, where, 'is not loaded in this Kong: name it in its plugins and lua_package_path'), entity: `plugin "${name}"` }));
  const firstOfEach = absent.filter(({ entity }, index) => absent.findIndex((one) => one.entity === entity) === index);
  const unknown = await strangers(state, kong);
  const nobody = consumersIn(files).filter(({ consumer }) => unknown.includes(consumer))
    .map(({ consumer, place }) => ({ place, what: `the gateway knows no consumer ${consumer}: take the line out, or register the application first` }));
  return [...together(firstOfEach), ...nobody];
}

/** The consumers a state gives something to and the gateway does not know. */
export async function strangers(state: GatewayState, kong: Pick<Kong, 'knows'>): Promise<string[]> {
  const unknown: string[] = [];
  for (const { consumer } of consumersIn(opened(state))) if (!await kong.knows(consumer)) unknown.push(consumer);
  return unknown;
}

/** Finds the lines of what Kong itself refused. */
export function refusalFaults(state: GatewayState, refusals: Refusal[]): StateFault[] {
  const files = opened(state);
  return together(refusals.map(({ kind, name, what }) => {
    const [, plugin, owner, ownerName] = /^(\S+) (?:for (route|service) (.*)|\(global\)|for consumer .*)$/.exec(kind === 'plugin' ? name : '') ?? [];
    const where = plugin === undefined ? `${kind} "${name}"` : `${owner === undefined ? '' : `${owner} "${ownerName}": `}plugin "${plugin}"`;
    return located(files, `: ${where}`, what);
  }));
}

function opened({ files, values }: GatewayState): StateFile[] {
  return files.map((path) => {
    const file = openFile(path);
    readDocument(file, values);
    return file;
  });
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
function variableFaults(file: StateFile, values: Record<string, string>, told: Set<string>): StateFault[] {
  return file.text.split('\n').flatMap((line, index) => [...line.matchAll(VARIABLE)].flatMap(([, name = '']) => {
    const what = valueFault(name, values[name]);
    if (!what || told.has(name)) return [];
    told.add(name);
    return [{ place: at(file, 0).replace(/\d+$/, String(index + 1)), what }];
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

/** Rules between the fields of one plugin, or about a text, which a schema does not say: its own making refuses them. */
function creationFault({ name, config }: State['plugins'][number]): string | undefined {
  if (name === 'http-log' && !URL.canParse(String(config.http_endpoint))) return 'config.http_endpoint is not an absolute URL';
  if (!LIMITERS.includes(name)) return undefined;
  const limits = ['second', 'minute', 'hour', 'day'].map((period) => config[period]).filter((limit): limit is number => typeof limit === 'number');
  if (limits.length === 0) return 'config names no limit';
  return limits.some((limit, i) => i > 0 && limit < limits[i - 1]!) ? 'config has a lower limit for a longer period than for a shorter one' : undefined;
}

/** The embedded gateway serves the same state, so what it does not know is refused here too, in an administrator's words. */
function worded(what: string): string {
  if (what === 'is not known to the embedded gateway') return `is no plugin the state may use (those are ${[...definitions.keys()].sort().join(', ')})`;
  return what.replace(/ is not known to the embedded gateway$/, ' is no field there that Kong and the embedded gateway both know');
}
