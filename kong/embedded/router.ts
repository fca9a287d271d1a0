/**
 * Kong's router (flavour `traditional_compatible`, 3.9) for routes with methods and paths.
 *
 * Order of precedence, as in Kong's router/transform.lua get_priority: more kinds of condition (methods, paths) first;
 * then regex before plain paths; then regex_priority; then the longer plain path; then the greater id. Regexes are
 * anchored at the start only: the state writes `$` where it means it. Plain paths are prefixes.
 */
import type { Route } from './state.js';

/** A route that matched. */
export interface Match {
  route: Route;
  /** Named captures of a regex path. */
  pathParameters: Record<string, string>;
  /** What matched of the path; `strip_path` takes it off. */
  prefix: string;
}

interface Entry {
  route: Route;
  regex?: RegExp;
  plain?: string;
  /** The text every matching path begins with. */
  literal: string;
  /** Whether `literal` is the whole path. */
  exact: boolean;
  weight: number;
}

const NONE: Record<string, string> = Object.freeze({}) as Record<string, string>;

/**
 * Finds the route of a request. A table of the first two segments leaves a handful of candidates, sorted by precedence,
 * so the cost does not grow with the number of routes.
 */
export class Router {
  private readonly byTwo = new Map<string, Map<string, Entry[]>>();
  private readonly byOne = new Map<string, Map<string, Entry[]>>();
  private readonly anywhere: Map<string, Entry[]>;

  constructor(routes: readonly Route[]) {
    const entries = routes.flatMap((route) => route.paths.map((path) => entryOf(route, path))).sort(precedence);
    const methods = new Set(['*', ...routes.flatMap((route) => route.methods ?? [])]);
    for (const entry of entries) {
      const [one, two] = keysOf(entry.literal, entry.exact);
      if (two !== undefined) this.byTwo.set(two, byMethod(entries, methods, (other) => reaches(other, two)));
      if (one !== undefined) this.byOne.set(one, byMethod(entries, methods, (other) => reaches(other, one)));
    }
    this.anywhere = byMethod(entries, methods, () => true);
  }

  /** @param path the normalised path */
  match(method: string, path: string): Match | undefined {
    const [one, two] = keysOf(path, true);
    const table = (two !== undefined ? this.byTwo.get(two) : undefined) ?? (one !== undefined ? this.byOne.get(one) : undefined) ?? this.anywhere;
    const candidates = table.get(method) ?? table.get('*')!;
    for (const { route, regex, plain } of candidates) {
      if (regex) {
        const found = regex.exec(path);
        if (found) return { route, pathParameters: found.groups ?? NONE, prefix: found[0] };
      } else if (path.startsWith(plain!)) {
        return { route, pathParameters: NONE, prefix: plain! };
      }
    }
    return undefined;
  }
}

function entryOf(route: Route, path: string): Entry {
  const weight = route.methods ? 2 : 1;
  if (!path.startsWith('~')) return { route, plain: path, literal: path, exact: false, weight };
  const source = path.slice(1);
  // Everything before the first character that means something in a regex; `-` and `/` mean nothing there.
  const literal = /^(?:[A-Za-z0-9_/-]|\\[.-])*/.exec(source)![0];
  const rest = source.slice(literal.length);
  // A quantifier applies to the last literal character, which may then be missing.
  const certain = /^[*?{|+]/.test(rest) ? '' : literal;
  return { route, regex: new RegExp(`^(?:${source})`), literal: certain.replace(/\\/g, ''), exact: rest === '$', weight };
}

function precedence(a: Entry, b: Entry): number {
  return b.weight - a.weight
    || Number(b.regex !== undefined) - Number(a.regex !== undefined)
    || (a.regex ? b.route.regexPriority - a.route.regexPriority : b.plain!.length - a.plain!.length)
    || (a.route.id < b.route.id ? 1 : a.route.id > b.route.id ? -1 : 0);
}

/** `/v1/payments/7` → [`/v1/`, `/v1/payments/`]: only segments that are surely whole. */
function keysOf(text: string, whole: boolean): [string | undefined, string | undefined] {
  const second = text.indexOf('/', 1);
  if (second < 0) return [whole ? `${text}/` : undefined, undefined];
  const third = text.indexOf('/', second + 1);
  const one = text.slice(0, second + 1);
  if (third < 0) return [one, whole ? `${text}/` : undefined];
  return [one, text.slice(0, third + 1)];
}

/** Whether a path below `key` may match the entry. */
function reaches(entry: Entry, key: string): boolean {
  const literal = entry.exact ? `${entry.literal}/` : entry.literal;
  return literal.startsWith(key) || key.startsWith(literal);
}

function byMethod(entries: Entry[], methods: Set<string>, wanted: (entry: Entry) => boolean): Map<string, Entry[]> {
  const near = entries.filter(wanted);
  return new Map([...methods].map((method) => [method, near.filter(({ route }) => !route.methods || route.methods.includes(method))]));
}
