/**
 * Loads the decK state the gateway serves: several files are merged, `${{ env "DECK_…" }}` is filled in, `_config`
 * references are resolved, everything is checked. What is not known stops the start with a sentence that names file,
 * entity and field (DESIGN D10).
 */
import { readFile, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { derivedId } from '@kontor/kernel/ids';
import { parse } from 'yaml';
import { checkRecord, type Fault, type Fields } from './schema.js';
import { FILE_KEYS, PLUGIN, ROUTE, SERVICE } from './state-entities.js';

/** A service behind the gateway. Time-outs in milliseconds. */
export interface Service {
  id: string;
  name: string;
  protocol: 'http' | 'https';
  host: string;
  port: number;
  /** Prefix of every upstream path, without a trailing slash; empty for none. */
  path: string;
  retries: number;
  connectTimeoutMs: number;
  readTimeoutMs: number;
  tags: string[];
}

/** A route; `service` is absent where plugins alone answer. */
export interface Route {
  id: string;
  name: string;
  protocols: string[];
  /** Upper case; absent: any method. */
  methods?: string[];
  paths: string[];
  regexPriority: number;
  stripPath: boolean;
  preserveHost: boolean;
  service?: Service;
  tags: string[];
}

/** One plugin entry: global, on a service, on a route, or for one consumer on every route. */
export interface PluginEntry {
  id: string;
  name: string;
  config: Record<string, unknown>;
  protocols: string[];
  service?: Service;
  route?: Route;
  /** Username or id; consumers are not in the state, so nobody need have it. */
  consumer?: string;
  tags: string[];
  /** For messages: `policies.yaml: route "bank": plugin "acl"`. */
  where: string;
}

/** The whole state, checked. */
export interface State {
  services: Service[];
  routes: Route[];
  plugins: PluginEntry[];
}

/** Every fault of the state, one a line. */
export class StateError extends Error {
  constructor(readonly faults: readonly Fault[]) {
    super(`The gateway's state is not valid:\n${faults.map(({ where, what }) => `  - ${where}: ${what}`).join('\n')}`);
    this.name = 'StateError';
  }
}

type Raw = Record<string, unknown>;
interface Document { file: string; content: Raw }

/**
 * Reads and checks the state.
 * @param sources files, or folders whose `*.yaml` are read in the order of their names
 * @param schemas the fields of `config` for every plugin that may be named
 * @param env where `DECK_…` variables come from; only those may be named, as in decK
 * @throws StateError with every fault found
 */
export async function loadState(sources: readonly string[], schemas: ReadonlyMap<string, Fields>, env: NodeJS.ProcessEnv): Promise<State> {
  const faults: Fault[] = [];
  const documents: Document[] = [];
  for (const file of await filesOf(sources)) {
    const content = parseFile(await readFile(file, 'utf8'), path.basename(file), env, faults);
    if (content) documents.push({ file: path.basename(file), content });
  }
  if (documents.length === 0 && faults.length === 0) faults.push({ where: 'state', what: 'no file was found' });
  const state = new Assembly(schemas, sharedConfigs(documents, faults), faults).assemble(documents);
  if (faults.length > 0) throw new StateError(faults);
  return state;
}

async function filesOf(sources: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const source of sources) {
    if (!(await stat(source)).isDirectory()) files.push(source);
    else files.push(...(await readdir(source)).filter((name) => name.endsWith('.yaml')).sort().map((name) => path.join(source, name)));
  }
  return files;
}

const VARIABLE = /\$\{\{\s*env\s+"([^"]*)"\s*(?:\|\s*(toInt|toBool|toFloat)\s*)?\}\}/g;

/** Fills the variables in as text before the YAML is read, which is what decK does. Exported for its test. */
export function parseFile(text: string, file: string, env: NodeJS.ProcessEnv, faults: Fault[]): Raw | undefined {
  const before = faults.length;
  const filled = text.replace(VARIABLE, (_whole, name: string) => {
    const value = env[name];
    if (!name.startsWith('DECK_')) faults.push({ where: file, what: `the variable ${name} must begin with DECK_` });
    else if (value === undefined) faults.push({ where: file, what: `the variable ${name} is named in the state but not set` });
    else if (/['"\n\r\\]/.test(value)) faults.push({ where: file, what: `the variable ${name} has a quote, a backslash or a line break in it` });
    else return value;
    return '';
  });
  // Comments may speak of the syntax; only what the YAML reader would see counts.
  const open = filled.split('\n').findIndex((line) => line.replace(/#.*/, '').includes('${{'));
  if (open >= 0) faults.push({ where: file, what: `line ${open + 1} has an expression that is not \${{ env "DECK_…" }}` });
  if (faults.length > before) return undefined;
  let content: unknown;
  try {
    content = parse(filled, { merge: false, uniqueKeys: true });
  } catch (fault) {
    // The message of the reader quotes the file, and with it secrets: only its place is told.
    const at = (fault as { linePos?: { line: number }[] }).linePos?.[0]?.line;
    faults.push({ where: file, what: `is not valid YAML${at === undefined ? '' : ` at line ${at}`}` });
    return undefined;
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    faults.push({ where: file, what: 'must be a map' });
    return undefined;
  }
  checkTop(content as Raw, file, faults);
  return content as Raw;
}

function checkTop(content: Raw, file: string, faults: Fault[]): void {
  for (const key of Object.keys(content)) {
    if (!(FILE_KEYS as readonly string[]).includes(key)) faults.push({ where: file, what: `${key} is not known to the embedded gateway` });
  }
  if (content._format_version !== '3.0') faults.push({ where: file, what: '_format_version must be "3.0"' });
  const info = content._info;
  if (info === undefined) return;
  for (const key of Object.keys((info ?? {}) as Raw)) {
    if (key !== 'select_tags' && key !== 'default_lookup_tags') faults.push({ where: file, what: `_info.${key} is not known to the embedded gateway` });
  }
}

function sharedConfigs(documents: Document[], faults: Fault[]): Map<string, Raw> {
  const shared = new Map<string, Raw>();
  for (const { file, content } of documents) {
    for (const [name, config] of Object.entries((content._plugin_configs ?? {}) as Raw)) {
      if (shared.has(name)) faults.push({ where: file, what: `_plugin_configs.${name} is defined twice` });
      shared.set(name, (config ?? {}) as Raw);
    }
  }
  return shared;
}

/** Builds the entities out of the documents, collecting faults. */
class Assembly {
  private readonly services = new Map<string, Service>();
  private readonly routes = new Map<string, Route>();
  private readonly plugins = new Map<string, PluginEntry>();

  constructor(
    private readonly schemas: ReadonlyMap<string, Fields>,
    private readonly shared: ReadonlyMap<string, Raw>,
    private readonly faults: Fault[],
  ) {}

  assemble(documents: Document[]): State {
    for (const document of documents) {
      for (const raw of this.list(document.content.services, document.file, 'services')) this.service(raw, document.file);
    }
    for (const { file, content } of documents) {
      for (const raw of this.list(content.routes, file, 'routes')) {
        const { service: reference, ...rest } = raw;
        this.route(rest, file, reference === undefined ? undefined : this.referenced(reference, this.services, file, 'service'));
      }
      for (const raw of this.list(content.plugins, file, 'plugins')) this.freePlugin(raw, file);
    }
    return { services: [...this.services.values()], routes: [...this.routes.values()], plugins: [...this.plugins.values()] };
  }

  private service(raw: Raw, file: string): void {
    const where = `${file}: service "${String(raw.name ?? '?')}"`;
    const { routes, plugins, ...own } = raw;
    const checked = checkRecord(own, SERVICE, where, '', this.faults);
    if (typeof checked.name !== 'string') return;
    if (this.services.has(checked.name)) this.faults.push({ where, what: 'name is used twice' });
    const address = this.address(checked, where);
    const service: Service = {
      id: (checked.id as string | undefined) ?? derivedId(`gateway/service/${checked.name}`),
      name: checked.name,
      ...address,
      retries: checked.retries as number,
      connectTimeoutMs: checked.connect_timeout as number,
      readTimeoutMs: checked.read_timeout as number,
      tags: checked.tags as string[],
    };
    this.services.set(service.name, service);
    for (const route of this.list(routes, where, 'routes')) this.route(route, file, service);
    for (const plugin of this.list(plugins, where, 'plugins')) this.plugin(plugin, where, { service });
  }

  private address(checked: Raw, where: string): Pick<Service, 'protocol' | 'host' | 'port' | 'path'> {
    if (typeof checked.url === 'string') {
      if (checked.host !== undefined) this.faults.push({ where, what: 'give url or host, not both' });
      if (!URL.canParse(checked.url)) {
        this.faults.push({ where, what: 'url is not an absolute URL' });
        return { protocol: 'http', host: '', port: 80, path: '' };
      }
      const url = new URL(checked.url);
      const protocol = url.protocol.slice(0, -1);
      if (protocol !== 'http' && protocol !== 'https') this.faults.push({ where, what: 'url must be http or https' });
      const port = url.port === '' ? (protocol === 'https' ? 443 : 80) : Number(url.port);
      return { protocol: protocol as 'http', host: url.hostname, port, path: url.pathname.replace(/\/$/, '') };
    }
    if (checked.host === undefined) this.faults.push({ where, what: 'url or host is required' });
    const protocol = (checked.protocol ?? 'http') as 'http' | 'https';
    return {
      protocol,
      host: String(checked.host ?? ''),
      port: (checked.port as number | undefined) ?? (protocol === 'https' ? 443 : 80),
      path: String(checked.path ?? '').replace(/\/$/, ''),
    };
  }

  private route(raw: Raw, file: string, service: Service | undefined): void {
    const where = `${file}: route "${String(raw.name ?? '?')}"`;
    const { plugins, ...own } = raw;
    const checked = checkRecord(own, ROUTE, where, '', this.faults);
    if (typeof checked.name !== 'string') return;
    if (this.routes.has(checked.name)) this.faults.push({ where, what: 'name is used twice' });
    const paths = (checked.paths ?? []) as string[];
    if (paths.length === 0) this.faults.push({ where, what: 'paths must name at least one path' });
    for (const each of paths) this.checkPath(each, where);
    const route: Route = {
      id: (checked.id as string | undefined) ?? derivedId(`gateway/route/${checked.name}`),
      name: checked.name,
      protocols: checked.protocols as string[],
      ...(checked.methods === undefined ? {} : { methods: checked.methods as string[] }),
      paths,
      regexPriority: checked.regex_priority as number,
      stripPath: checked.strip_path as boolean,
      preserveHost: checked.preserve_host as boolean,
      ...(service === undefined ? {} : { service }),
      tags: checked.tags as string[],
    };
    this.routes.set(route.name, route);
    for (const plugin of this.list(plugins, where, 'plugins')) this.plugin(plugin, where, { route });
  }

  /** Kong's router compiles paths with Rust's regex crate: what that has not must not work here either. */
  private checkPath(each: string, where: string): void {
    if (typeof each !== 'string') return;
    if (!each.startsWith('~')) {
      if (!each.startsWith('/')) this.faults.push({ where, what: `path ${each} must begin with / or ~` });
      return;
    }
    if (/\(\?(?:[=!]|<[=!])|\\[1-9k]/.test(each)) this.faults.push({ where, what: `path ${each} uses look-around or a back-reference, which Kong's router has not` });
    if (hasTopAlternative(each)) this.faults.push({ where, what: `path ${each} has an alternative outside a group: only its first branch would be anchored` });
    try {
      new RegExp(`^(?:${each.slice(1)})`);
    } catch {
      this.faults.push({ where, what: `path ${each} is not a regular expression` });
    }
  }

  private freePlugin(raw: Raw, file: string): void {
    const { service, route, consumer, ...own } = raw;
    if (consumer !== undefined) return this.consumerPlugin(own, file, consumer, service ?? route);
    const where = `${file}: plugin "${String(raw.name ?? '?')}"`;
    this.plugin(own, file, {
      ...(service === undefined ? {} : { service: this.referenced(service, this.services, where, 'service') }),
      ...(route === undefined ? {} : { route: this.referenced(route, this.routes, where, 'route') }),
    });
  }

  /** A plan of one application: rate-limiting over all routes. Other plugins would have to run before it is known who calls. */
  private consumerPlugin(raw: Raw, file: string, consumer: unknown, place: unknown): void {
    const where = `${file}: plugin "${String(raw.name ?? '?')}"`;
    if (raw.name !== 'rate-limiting') return void this.faults.push({ where, what: 'consumer is supported by the embedded gateway for rate-limiting only' });
    if (place !== undefined) return void this.faults.push({ where, what: 'consumer together with a service or route is not supported by the embedded gateway' });
    if (typeof consumer !== 'string' || consumer === '') return void this.faults.push({ where, what: 'consumer must be a username or an id' });
    this.plugin(raw, file, { consumer });
  }

  private plugin(raw: Raw, owner: string, scope: { service?: Service | undefined; route?: Route | undefined; consumer?: string }): void {
    const where = `${owner}: plugin "${String(raw.name ?? '?')}"`;
    const { config, _config, ...own } = raw;
    const checked = checkRecord(own, PLUGIN, where, '', this.faults);
    const schema = this.schemas.get(String(checked.name));
    if (!schema) return void this.faults.push({ where, what: 'is not known to the embedded gateway' });
    if (checked.enabled !== true) return;
    const name = String(checked.name);
    const key = `${name}/${scope.service?.name ?? ''}/${scope.route?.name ?? ''}${scope.consumer === undefined ? '' : `/${scope.consumer}`}`;
    if (this.plugins.has(key)) this.faults.push({ where, what: 'is there twice' });
    this.plugins.set(key, {
      id: (checked.id as string | undefined) ?? derivedId(`gateway/plugin/${key}`),
      name,
      config: checkRecord({ ...this.sharedConfig(_config, where), ...((config ?? {}) as Raw) }, schema, where, 'config', this.faults),
      protocols: checked.protocols as string[],
      ...(scope.service === undefined ? {} : { service: scope.service }),
      ...(scope.route === undefined ? {} : { route: scope.route }),
      ...(scope.consumer === undefined ? {} : { consumer: scope.consumer }),
      tags: checked.tags as string[],
      where,
    });
  }

  private sharedConfig(reference: unknown, where: string): Raw {
    if (reference === undefined) return {};
    const found = this.shared.get(String(reference));
    if (!found) this.faults.push({ where, what: `_config ${String(reference)} is not among _plugin_configs` });
    return found ?? {};
  }

  /** `service: payment`, `service: { name: payment }`: decK takes both. */
  private referenced<T>(reference: unknown, among: ReadonlyMap<string, T>, where: string, kind: string): T | undefined {
    const name = typeof reference === 'string' ? reference : String((reference as { name?: unknown } | null)?.name ?? '');
    const found = among.get(name);
    if (!found) this.faults.push({ where, what: `${kind} "${name}" is not in the state` });
    return found;
  }

  private list(value: unknown, where: string, name: string): Raw[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value) && value.every((entry) => typeof entry === 'object' && entry !== null && !Array.isArray(entry))) return value as Raw[];
    this.faults.push({ where, what: `${name} must be a list of records` });
    return [];
  }
}

/** Whether `|` stands outside every group: Kong anchors a path by a leading `^`, which binds to the first branch only. */
function hasTopAlternative(regex: string): boolean {
  const bare = regex.replace(/\\./g, '').replace(/\[[^\]]*\]/g, '');
  let depth = 0;
  for (const character of bare) {
    if (character === '(') depth++;
    else if (character === ')') depth--;
    else if (character === '|' && depth === 0) return true;
  }
  return false;
}
