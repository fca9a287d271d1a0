/** Parameters of the OAuth endpoints and the client behind them. */
import type { Exchange } from '../exchange.js';
import { readBody } from '../request-body.js';

/** Query and body together, as Kong takes them; a parameter sent twice is `repeated`. */
export interface Parameters {
  values: Record<string, string>;
  /** RFC 6749 §3.2: a parameter must not be sent more than once. */
  repeated: string | undefined;
}

const BODY_LIMIT = 64 * 1024;

/** Reads the parameters of a POST (form or JSON). @throws BodyTooLarge, BodyAborted */
export async function readParameters(exchange: Exchange): Promise<Parameters> {
  const values: Record<string, string> = Object.create(null) as Record<string, string>;
  let repeated: string | undefined;
  const take = (pairs: Iterable<[string, string]>) => {
    const seen = new Set<string>();
    for (const [name, value] of pairs) {
      if (seen.has(name)) repeated = name;
      seen.add(name);
      values[name] = value;
    }
  };
  take(new URLSearchParams(exchange.query));
  const body = (await readBody(exchange.request, BODY_LIMIT)).toString('utf8');
  const type = exchange.headers['content-type'] ?? '';
  if (type.startsWith('application/x-www-form-urlencoded')) take(new URLSearchParams(body));
  else if (type.startsWith('application/json')) take(textMembers(body));
  return { values, repeated };
}

function textMembers(body: string): [string, string][] {
  try {
    const members = JSON.parse(body) as unknown;
    if (typeof members !== 'object' || members === null) return [];
    return Object.entries(members).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
  } catch {
    return [];
  }
}

/** The client's own identification, from the body or by Basic authentication. */
export interface ClientClaim {
  clientId: string | undefined;
  secret: string | undefined;
  byHeader: boolean;
}

/** @param authorization the Authorization header, if any */
export function clientClaim(parameters: Record<string, string>, authorization: string | undefined): ClientClaim {
  const { client_id: clientId, client_secret: secret } = parameters;
  if (clientId !== undefined && secret !== undefined) return { clientId, secret, byHeader: false };
  if (authorization === undefined) return { clientId, secret: undefined, byHeader: false };
  const basic = /^\s*Basic\s*(\S+)\s*$/i.exec(authorization);
  if (!basic) return { clientId: undefined, secret: undefined, byHeader: true };
  const decoded = Buffer.from(basic[1]!, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  // Kong cuts a secret at its second colon; here it stays whole (RFC 7617 §2).
  return colon < 0 ? { clientId: decoded, secret: undefined, byHeader: true } : { clientId: decoded.slice(0, colon), secret: decoded.slice(colon + 1), byHeader: true };
}
