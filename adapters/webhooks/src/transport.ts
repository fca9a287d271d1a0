/** The way out: one POST, signed after Standard Webhooks, to an address that is checked when the connection is made. */
import { lookup as resolve, type LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { Agent, request } from 'undici';
import { isPrivateAddress } from './addresses.js';
import type { Attempt } from './webhooks.js';

export interface Outgoing {
  url: string;
  /** The delivery's id: the same on every attempt. */
  webhookId: string;
  body: string;
  secret: string;
  now: Date;
}

export interface Transport {
  /** Never throws: what went wrong is the attempt's result. */
  post(outgoing: Outgoing): Promise<Attempt>;
  close(): Promise<void>;
}

export interface TransportOptions {
  allowPrivate: boolean;
  /** For one attempt, from the look-up of the name to the last byte of the answer. */
  timeoutMs: number;
  /** How names are resolved; default: the system's resolver. */
  lookup?: typeof resolve;
}

class AddressRefused extends Error {}

/** No proxy, no redirects, certificates verified, answers read to at most 16 kB and thrown away. */
export function transport({ allowPrivate, timeoutMs, lookup = resolve }: TransportOptions): Transport {
  const agent = new Agent({
    connections: 8, pipelining: 1, keepAliveTimeout: 10_000, maxHeaderSize: 16_384,
    connect: { timeout: timeoutMs, ...(allowPrivate ? {} : { lookup: publicOnly(lookup) as never }) },
  });
  return {
    async post({ url, webhookId, body, secret, now }) {
      // A literal address is never looked up, so it is checked here.
      const host = new URL(url).hostname.replace(/^\[|\]$/g, '');
      if (!allowPrivate && isPrivateAddress(host)) return { error: 'address-refused' };
      try {
        const { statusCode, body: answer } = await request(url, {
          method: 'POST', body, dispatcher: agent, signal: AbortSignal.timeout(timeoutMs), headersTimeout: timeoutMs, bodyTimeout: timeoutMs,
          headers: {
            'content-type': 'application/json', 'user-agent': 'kontor-webhooks/1', 'webhook-id': webhookId,
            'webhook-timestamp': Math.floor(now.getTime() / 1000).toString(), 'webhook-signature': new Webhook(secret).sign(webhookId, now, body),
          },
        });
        await answer.dump({ limit: 16_384 }).catch(() => undefined);
        return { status: statusCode };
      } catch (error) {
        return { error: reasonOf(error) };
      }
    },
    close: () => agent.destroy(),
  };
}

/** `dns.lookup` that refuses a name as soon as one of its addresses is private: no race between check and connection. */
function publicOnly(lookup: typeof resolve) {
  return (hostname: string, options: { all?: boolean }, callback: (error: Error | null, address?: string | LookupAddress[], family?: number) => void): void => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error);
      const first = addresses[0];
      if (!first || addresses.some(({ address }) => isIP(address) === 0 || isPrivateAddress(address))) return callback(new AddressRefused('the name leads to a private address'));
      return options.all ? callback(null, addresses) : callback(null, first.address, first.family);
    });
  };
}

function reasonOf(error: unknown): 'timeout' | 'connection' | 'address-refused' {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth++) {
    if (at instanceof AddressRefused) return 'address-refused';
    if (at.name === 'TimeoutError' || /TIMEOUT/.test((at as { code?: string }).code ?? '')) return 'timeout';
  }
  return 'connection';
}
