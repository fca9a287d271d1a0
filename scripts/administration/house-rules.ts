/** What this house asks of its gateway beyond what Kong would take. */
import type { PluginEntry, Route, State } from '../../kong/embedded/state.js';

interface HouseFault { where: string; what: string }

/** What guards an operation; a route without one of these would be open. */
const GUARDS = ['acl', 'consent-check', 'bian-mapping', 'gateway-identity'];
const LONGEST_TOKEN_SECONDS = 7200;
/** Kong's rate-limiting under its own name and under ours. */
export const LIMITERS = ['rate-limiting', 'token-limit'];
/** Where oauth2 answers itself, before rate-limiting runs. */
const TOKEN_ENDPOINT = '/oauth2/token';
/** The derived file: every route in it is an operation. */
const DERIVED = 'kong.yaml';

/**
 * @param options.fileOf name of a route → name of the file it stands in
 * @param options.production nothing over plain HTTP
 */
export function houseFaults(state: State, options: { fileOf: ReadonlyMap<string, string>; production: boolean }): HouseFault[] {
  const faults: HouseFault[] = [];
  for (const route of state.routes) {
    const own = state.plugins.filter((plugin) => plugin.route === route);
    const file = options.fileOf.get(route.name) ?? DERIVED;
    const where = `${file}: route "${route.name}"`;
    if (file === DERIVED) faults.push(...guardFaults(where, route, own));
    if (answersTokens(route, own) && !own.some(({ name }) => name === 'token-limit')) faults.push({ where, what: `answers ${TOKEN_ENDPOINT} and lacks token-limit: secrets could be tried without end` });
    if (own.some(({ name }) => name === 'consent-tokens')) faults.push(...keyFaults(where, route, own));
    if (options.production && route.protocols.includes('http')) faults.push({ where, what: 'protocols has http, and production serves nothing without TLS' });
    const other = state.routes.slice(0, state.routes.indexOf(route)).find((before) => sameRequests(before, route));
    if (other) faults.push({ where, what: `takes the same requests as route ${other.name}: only one of them would ever be asked` });
  }
  for (const plugin of state.plugins) {
    const life = plugin.config.token_expiration;
    if (typeof life === 'number' && life > LONGEST_TOKEN_SECONDS) faults.push({ where: plugin.where, what: `config.token_expiration is over ${LONGEST_TOKEN_SECONDS} seconds` });
    if (LIMITERS.includes(plugin.name) && plugin.config.fault_tolerant === true) {
      faults.push({ where: plugin.where, what: 'config.fault_tolerant lets every request pass when the counters are out of reach' });
    }
  }
  return [...faults, ...writeBackFaults(state.plugins)];
}

/** A route that asks for the provision key: whoever found it could mint codes for anyone. */
function keyFaults(where: string, { protocols }: Route, plugins: PluginEntry[]): HouseFault[] {
  const faults: HouseFault[] = [];
  if (!plugins.some(({ name }) => name === 'rate-limiting')) faults.push({ where, what: 'takes the provision key and lacks a rate-limiting of its own: keys could be tried without end' });
  if (protocols.includes('http')) faults.push({ where, what: 'takes the provision key without TLS' });
  return faults;
}

/** Whether the oauth2 plugin of this route issues tokens there. */
function answersTokens({ paths }: Route, plugins: PluginEntry[]): boolean {
  if (!plugins.some(({ name }) => name === 'oauth2')) return false;
  return paths.some((path) => (path.startsWith('~') ? new RegExp(`^${path.slice(1)}`).test(TOKEN_ENDPOINT) : TOKEN_ENDPOINT.startsWith(path)));
}

/**
 * Kong 3.9 keeps what limiters have yet to write back in one table for each Redis, and each of them writes the whole table: with two
 * of them a request counts twice. And where a write is under way when the next is due, that one sleeps `timeout / 2` seconds, which
 * it takes for milliseconds, and none is made meanwhile (docs/rate-limits.md).
 */
function writeBackFaults(plugins: PluginEntry[]): HouseFault[] {
  const seen = new Map<string, PluginEntry>();
  return plugins.flatMap((plugin) => {
    const { policy, sync_rate: rate, redis } = plugin.config as { policy?: string; sync_rate?: number; redis?: { host?: string; port?: number; database?: number; timeout?: number } };
    if (!LIMITERS.includes(plugin.name) || policy !== 'redis' || rate === undefined || rate === -1) return [];
    const store = `${redis?.host}:${redis?.port};${redis?.database}`;
    const first = seen.get(store);
    if (!first) seen.set(store, plugin);
    if (first) return [{ where: plugin.where, what: `config.sync_rate must be -1: ${first.where} is written back to the same Redis, and Kong would count every request once for each` }];
    const slow = (redis?.timeout ?? 0) >= rate * 1000;
    return slow ? [{ where: plugin.where, what: `config.redis.timeout must be below config.sync_rate: where writing back takes longer, Kong stops it for half as many seconds as the time-out has milliseconds` }] : [];
  });
}

/** Two routes Kong could not tell apart: one path in common, and a method and a protocol. */
function sameRequests(one: Route, other: Route): boolean {
  const meet = (a: string[] | undefined, b: string[] | undefined): boolean => !a || !b || a.some((each) => b.includes(each));
  return meet(one.paths, other.paths) && meet(one.methods, other.methods) && meet(one.protocols, other.protocols) && one.regexPriority === other.regexPriority;
}

function guardFaults(where: string, route: Route, plugins: PluginEntry[]): HouseFault[] {
  const names = plugins.map(({ name }) => name);
  const faults = GUARDS.filter((guard) => !names.includes(guard)).map((guard) => `lacks ${guard}`);
  if (names.filter((name) => name === 'oauth2' || name === 'key-auth').length !== 1) faults.push('needs oauth2 or key-auth, and not both');
  if (!(route.protocols.length === 1 && route.protocols[0] === 'https')) faults.push('takes bearer tokens without TLS (RFC 6750 §5.3)');
  if (route.methods?.join() !== 'GET' && !names.includes('rate-limiting')) faults.push('changes something and lacks a rate-limiting of its own');
  for (const path of route.paths) if (!/^~.*\$$/.test(path)) faults.push(`path ${path} also takes what comes after it`);
  const allowed = plugins.find(({ name }) => name === 'acl')?.config.allow as string[] | undefined;
  if (!allowed?.length) faults.push('lets every role in');
  return faults.map((what) => ({ where, what }));
}
