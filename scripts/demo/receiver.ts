/** The fintech's own server: where customers come back to, and where signed webhooks arrive. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface ReceivedWebhook {
  type: string;
  data: Record<string, unknown>;
}

export interface Receiver {
  callbackUrl: string;
  webhookUrl: string;
  /** The signing secret; webhooks that arrive before it is set are refused, and so sent again. */
  trust(secret: string): void;
  /** Webhooks whose signature was verified, each id once. */
  received: ReceivedWebhook[];
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: ReceivedWebhook[] = [];
  const seen = new Set<string>();
  let verifier: Webhook | undefined;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      if (request.method !== 'POST') return response.end('ok');
      try {
        const event = verifier?.verify(Buffer.concat(parts).toString(), request.headers as Record<string, string>) as ReceivedWebhook | undefined;
        if (!event) return response.writeHead(503).end();
        const id = String(request.headers['webhook-id']);
        if (!seen.has(id)) received.push(event);
        seen.add(id);
        response.writeHead(204).end();
      } catch {
        response.writeHead(401).end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    callbackUrl: `${origin}/callback`,
    webhookUrl: `${origin}/webhooks`,
    trust: (secret) => { verifier = new Webhook(secret); },
    received,
    close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(() => resolve()); }),
  };
}
