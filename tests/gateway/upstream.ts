import http, { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';

/** One request as the service behind the gateway got it. */
export interface Arrived {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  rawHeaders: string[];
  body: Buffer;
}

/** A tiny service that records what arrives and answers 200 with what it got, unless a test says otherwise. */
export interface Upstream {
  url: string;
  port: number;
  arrived: Arrived[];
  /** Access records the gateway delivered here as to the audit service: the bodies, and the keys they came with. */
  records: { key: string | undefined; record: Record<string, any> }[]; // eslint-disable-line @typescript-eslint/no-explicit-any -- tests read what the gateway writes
  /** Answers deliveries of access records with this status. */
  recordStatus: number;
  /** Takes over the next requests; undefined: the ordinary answer. */
  answer: ((request: IncomingMessage, response: ServerResponse, body: Buffer) => void) | undefined;
  /** Takes the request before its body is read. */
  stream: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  last(): Arrived;
  reset(): void;
  stop(): Promise<void>;
}

/** Starts one on a free port of 127.0.0.1, or on `port`. */
export async function startUpstream(port = 0): Promise<Upstream> {
  const server = http.createServer((request, response) => {
    if (request.url === '/internal/access-records') return takeRecords(request, response);
    if (upstream.stream) return upstream.stream(request, response);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      upstream.arrived.push({ method: request.method!, url: request.url!, headers: request.headers, rawHeaders: request.rawHeaders, body });
      if (upstream.answer) return upstream.answer(request, response, body);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ method: request.method, url: request.url }));
    });
  });
  const takeRecords = (request: IncomingMessage, response: ServerResponse) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      if (upstream.recordStatus < 300) {
        const key = request.headers['x-audit-key'] as string | undefined;
        for (const record of [JSON.parse(text) as object | object[]].flat()) upstream.records.push({ key, record });
      }
      response.writeHead(upstream.recordStatus).end();
    });
  };
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const bound = (server.address() as { port: number }).port;
  const upstream: Upstream = {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    arrived: [],
    records: [],
    recordStatus: 202,
    answer: undefined,
    stream: undefined,
    last: () => {
      const found = upstream.arrived.at(-1);
      if (!found) throw new Error('nothing reached the service');
      return found;
    },
    reset: () => {
      upstream.arrived = [];
      upstream.records = [];
      upstream.recordStatus = 202;
      upstream.answer = undefined;
      upstream.stream = undefined;
    },
    stop: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
  return upstream;
}
