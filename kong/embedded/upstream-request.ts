/** The request as the service gets it: the client's headers without hop-by-hop ones, plus what the gateway adds. */
import type { Exchange } from './exchange.js';
import type { Service } from './state.js';

/** RFC 9110 §7.6.1 and what the gateway sets itself. */
const NOT_FORWARDED = new Set([
  'connection', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'proxy', 'te', 'trailer', 'transfer-encoding', 'upgrade',
  'http2-settings', 'expect', 'host', 'content-length', 'via', 'x-real-ip', 'x-forwarded-for', 'x-forwarded-proto',
  'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-path', 'x-forwarded-prefix',
]);

/** The name the gateway gives itself in `Via` (RFC 9110 §7.6.3). */
export const VIA = '1.1 kontor-gateway';

/** Path and query on the service. */
export function upstreamTarget(exchange: Exchange, service: Service): string {
  if (exchange.upstreamPath !== undefined) return exchange.upstreamPath + exchange.query;
  const { route, path, prefix } = exchange;
  const rest = route!.stripPath ? path.slice(prefix.length) : path;
  const joined = service.path + (rest.startsWith('/') ? rest : `/${rest}`);
  return (rest === '' ? service.path || '/' : joined) + exchange.query;
}

/** Names and values one after the other, as undici takes them. */
export function upstreamHeaders(exchange: Exchange, service: Service): string[] {
  const { headers, upstreamHeaders: changes } = exchange;
  const nominated = nominatedBy(headers.connection);
  const forwarded: string[] = ['host', exchange.route!.preserveHost ? headers.host ?? service.host : hostOf(service)];
  const raw = exchange.request.rawHeaders;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    if (NOT_FORWARDED.has(name) || changes.has(name) || nominated?.has(name)) continue;
    forwarded.push(name, raw[i + 1]!);
  }
  const ip = exchange.clientIp;
  const [host = ''] = splitHost(headers.host);
  forwarded.push(
    'via', headers.via === undefined ? VIA : `${headers.via}, ${VIA}`,
    'x-real-ip', ip,
    'x-forwarded-for', headers['x-forwarded-for'] === undefined ? ip : `${headers['x-forwarded-for']}, ${ip}`,
    'x-forwarded-proto', exchange.scheme,
    'x-forwarded-host', host,
    'x-forwarded-port', String(exchange.port),
    'x-forwarded-path', exchange.rawPath,
  );
  if (exchange.route!.stripPath && exchange.prefix !== '/') forwarded.push('x-forwarded-prefix', exchange.prefix);
  for (const [name, value] of changes) if (value !== null) forwarded.push(name, value);
  return forwarded;
}

/** The answer's headers without hop-by-hop ones. */
export function downstreamHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string | string[]> {
  const { connection } = headers;
  const nominated = typeof connection === 'string' ? nominatedBy(connection) : undefined;
  const passed: Record<string, string | string[]> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || NOT_ANSWERED.has(name) || nominated?.has(name)) continue;
    passed[name] = value;
  }
  const { via } = passed;
  passed.via = via === undefined ? VIA : `${typeof via === 'string' ? via : via.join(', ')}, ${VIA}`;
  return passed;
}

const NOT_ANSWERED = new Set(['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'te', 'trailer', 'transfer-encoding', 'upgrade']);

/** Headers the sender declares hop-by-hop. Identity headers are added afterwards, so they cannot be talked away. */
function nominatedBy(connection: string | undefined): Set<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return undefined;
  return new Set(connection.toLowerCase().split(',').map((name) => name.trim()));
}

function hostOf({ host, port, protocol }: Service): string {
  return port === (protocol === 'https' ? 443 : 80) ? host : `${host}:${port}`;
}

function splitHost(host: string | undefined): [string?] {
  const found = /^(\[[^\]]*\]|[^:]*)/.exec(host ?? '');
  return found ? [found[1]!] : [];
}
