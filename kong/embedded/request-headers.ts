/** Reads a request's headers once, and refuses what two parties could read in two ways. */
import { plugins } from '../../plugins/index.js';

const ONCE = new Set(plugins['gateway-identity'].core.ONCE);

/** Kong hands plugins 100 headers by default; nginx's buffers hold 8 kB for one. */
const MOST_HEADERS = 100;
const LONGEST_HEADER = 8 * 1024;

/** Lower-case names and their values, and what is wrong with them. */
export interface ReadHeaders {
  headers: Record<string, string>;
  repeated: Set<string> | undefined;
  fault: { code: string; title: string; detail: string } | undefined;
}

/** @param raw names and values one after the other, as node gives them */
export function readHeaders(raw: string[]): ReadHeaders {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  let repeated: Set<string> | undefined;
  let fault: ReadHeaders['fault'];
  if (raw.length > 2 * MOST_HEADERS) fault = invalid(`The request has more than ${MOST_HEADERS} headers.`);
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase();
    const value = raw[i + 1]!;
    if (name.length + value.length > LONGEST_HEADER) fault ??= invalid(`A header is longer than ${LONGEST_HEADER} bytes.`);
    const known = headers[name];
    if (known === undefined) {
      headers[name] = value;
      continue;
    }
    if (ONCE.has(name)) fault ??= { code: 'duplicate_header', title: 'A header that may appear once was sent several times', detail: `Send ${name} once.` };
    repeated ??= new Set();
    repeated.add(name);
    headers[name] = name === 'cookie' ? `${known}; ${value}` : `${known}, ${value}`;
  }
  const { host, 'transfer-encoding': encoding } = headers;
  if (host === undefined || !/^[A-Za-z0-9._~:[\]-]+$/.test(host)) fault ??= invalid('The Host header is missing or malformed.');
  if (encoding !== undefined && encoding.toLowerCase() !== 'chunked') fault ??= invalid('The only transfer encoding is chunked.');
  if (encoding !== undefined && headers['content-length'] !== undefined) fault ??= invalid('A request has a length or a transfer encoding, not both.');
  return { headers, repeated, fault };
}

function invalid(detail: string): NonNullable<ReadHeaders['fault']> {
  return { code: 'invalid_request', title: 'Invalid request', detail };
}
