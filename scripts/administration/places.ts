/** Where in the files of a state a fault is: every fault an administrator sees has a file and a line. */
import { readFileSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Document, type Node, type Pair, type YAMLMap } from 'yaml';

export interface StateFault {
  /** Path and line, `deck/policies.yaml:41`. */
  place: string;
  what: string;
}

export interface StateFile { path: string; text: string; lines: LineCounter; document?: Document }

/** A fault before it is told: several entities may share one place. */
export interface Found { place: string; entity: string; what: string }

export const VARIABLE = /\$\{\{\s*env\s+"([^"]*)"\s*\}\}/g;

/** A file's text with its values in place, as decK would read it. */
export function filled(text: string, values: Record<string, string>): string {
  return text.replace(VARIABLE, (_, name: string) => values[name] ?? '');
}

export function openFile(path: string): StateFile {
  return { path, text: readFileSync(path, 'utf8'), lines: new LineCounter() };
}

/**
 * Reads a file with its values in place; they hold no line break, so a line of the filled text is the line of the file.
 * @returns what keeps it from being a state at all. The reader's own messages quote the file, and with it secrets: only their place is told
 */
export function readDocument(file: StateFile, values: Record<string, string>): StateFault[] {
  const document = parseDocument(filled(file.text, values), { lineCounter: file.lines });
  file.document = document;
  const wrong = document.errors[0];
  if (wrong) return [{ place: at(file, wrong.pos[0]), what: wrong.code === 'DUPLICATE_KEY' ? 'is not valid YAML: this key is there twice' : 'is not valid YAML' }];
  if (document.contents === null) return [{ place: at(file, 0), what: 'the file is empty' }];
  if (!isMap(document.contents)) return [{ place: at(file, 0), what: 'is no decK file: it must begin with _format_version' }];
  return aliasFaults(file, document);
}

function aliasFaults(file: StateFile, document: Document): StateFault[] {
  const faults: StateFault[] = [];
  const anchors = new Set<string>();
  visit(document, {
    Node: (_, node) => { if ('anchor' in node && node.anchor) anchors.add(node.anchor); },
    Alias: (_, alias) => { if (!anchors.has(alias.source)) faults.push({ place: at(file, alias.range?.[0] ?? 0), what: `*${alias.source} names an anchor that is nowhere above` }); },
  });
  return faults;
}

/** One line a place and fault, however many entities share a configuration. */
export function together(found: Found[]): StateFault[] {
  const alike = new Map<string, Found[]>();
  for (const one of found) alike.set(`${one.place} ${one.what}`, [...alike.get(`${one.place} ${one.what}`) ?? [], one]);
  return [...alike.values()].map((group) => {
    const [{ place, entity, what }] = group as [Found];
    return { place, what: `${entity ? `${entity}: ` : ''}${what}${group.length > 1 ? ` (and ${group.length - 1} more alike)` : ''}` };
  });
}

/** `deck/policies.yaml:41`, the line an offset is on. */
export function at({ path, lines }: StateFile, offset: number): string {
  const near = relative(process.cwd(), path);
  return `${near.startsWith('..') ? path : near}:${Math.max(1, lines.linePos(offset).line)}`;
}

/**
 * Finds the line a fault is about: the entity `where` names, then the field `what` begins with.
 * @param where `policies.yaml: route "bank": plugin "acl"`; a file that is not known stands for the one that has the entity
 */
export function located(files: StateFile[], where: string, what: string): Found {
  const name = where.split(': ')[0];
  const entity = [...where.matchAll(/(route|service|plugin) "([^"]*)"/g)].map(([text]) => text).join(': ');
  const file = files.find(({ path }) => basename(path) === name) ?? files.find((one) => placeIn(one, where, '').found);
  if (!file) return { place: name ?? '', entity, what };
  const line = /\bline (\d+)/.exec(what)?.[1];
  if (line) return { place: at(file, 0).replace(/\d+$/, line), entity, what };
  const field = /^(_?[a-z][\w-]*(?:\.[\w-]+|\[\d+\])*)/i.exec(what)?.[1] ?? '';
  const inside = placeIn(file, where, field);
  const other = inside.node && !inside.exact ? sharedPlace(files, inside.node, field) : undefined;
  return { place: at(other?.file ?? file, other?.offset ?? inside.offset), entity, what };
}

interface Place { node?: YAMLMap; offset: number; exact: boolean; found: boolean }

function placeIn({ document }: StateFile, where: string, field: string): Place {
  if (!isMap(document?.contents)) return { offset: 0, exact: true, found: false };
  let node: YAMLMap = document.contents;
  let found = false;
  for (const [, kind, name] of where.matchAll(/(route|service|plugin) "([^"]*)"/g)) {
    // An entity without a name goes by "?".
    const next = entitiesOf(node, `${kind}s`).filter((one) => (one.get('name') ?? '?') === name).at(-1);
    found = next !== undefined;
    if (!next) break;
    node = next;
  }
  const inside = descend(node, field);
  return { node, offset: inside.offset ?? node.range?.[0] ?? 0, exact: inside.complete, found };
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

/** The entries that give something to a consumer, with the place they stand at. */
export function consumersIn(files: StateFile[]): { consumer: string; place: string }[] {
  return files.flatMap((file) => (isMap(file.document?.contents) ? entitiesOf(file.document.contents, 'plugins') : []).flatMap((entry) => {
    const consumer = entry.get('consumer');
    return typeof consumer === 'string' ? [{ consumer, place: at(file, entry.range?.[0] ?? 0) }] : [];
  }));
}
