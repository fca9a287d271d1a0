import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** What the receiver has taken in. */
export interface Received {
  path: string;
  webhookId: string;
  /** Whether a known secret signed it, not more than five minutes ago. */
  verified: boolean;
  /** How often this webhook-id came to this path, this time included. */
  times: number;
  answered: number;
  body: string;
}

export interface ReceiverOptions {
  host: string;
  /** 0 lets the system choose. */
  port: number;
  secrets: readonly string[];
  /** How long /slow takes. */
  slowMs: number;
}

const KEPT = 1000;
const BODY_LIMIT = 64 * 1024;

/** Starts a fintech's receiver of webhooks. @returns its address, what it received, and how to teach it a secret */
export async function startReceiver(options: ReceiverOptions): Promise<{ url: string; received: Received[]; trust(secret: string): void; stop(): Promise<void> }> {
  const secrets = new Set(options.secrets);
  const received: Received[] = [];
  const times = new Map<string, number>();

  const take = async (path: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request);
    const webhookId = String(request.headers['webhook-id'] ?? '');
    const seen = (times.get(`${path} ${webhookId}`) ?? 0) + 1;
    times.set(`${path} ${webhookId}`, seen);
    const verified = [...secrets].some((secret) => isSigned(secret, body, request.headers));
    const answered = verified ? answerOf(path, seen) : 401;
    received.push({ path, webhookId, verified, times: seen, answered, body });
    if (received.length > KEPT) received.shift();
    if (path === '/slow') await new Promise((wake) => setTimeout(wake, options.slowMs).unref());
    response.writeHead(answered, answered === 302 ? { location: '/ok' } : {}).end();
  };

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://receiver');
    const answer = (status: number, body: unknown) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const done = request.method === 'GET'
      ? Promise.resolve(pathname === '/received' ? answer(200, received) : answer(['/livez', '/readyz'].includes(pathname) ? 200 : 404, {}))
      : pathname === '/secrets' ? bodyOf(request).then((body) => { secrets.add((JSON.parse(body) as { secret: string }).secret); answer(201, {}); })
        : take(pathname, request, response);
    done.catch(() => { if (!response.headersSent) answer(400, {}); });
  });
  await new Promise<void>((ready, failed) => {
    server.once('error', failed);
    server.listen(options.port, options.host, ready);
  });
  return {
    url: `http://${options.host}:${(server.address() as AddressInfo).port}`,
    received,
    trust: (secret) => void secrets.add(secret),
    async stop() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

function answerOf(path: string, seen: number): number {
  switch (path) {
    case '/fail-once': return seen === 1 ? 500 : 204;
    case '/fail': return 500;
    case '/gone': return 410;
    case '/redirect': return 302;
    case '/ok': case '/slow': return 204;
    default: return 404;
  }
}

function isSigned(secret: string, body: string, headers: IncomingMessage['headers']): boolean {
  try {
    new Webhook(secret).verify(body, headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw new Error('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
