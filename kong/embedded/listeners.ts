/**
 * The proxy listeners: a hardened HTTP server in front of router, plugin chain and proxy. Every answer that is not the
 * service's own is made here, once, whatever went wrong.
 */
import { randomUUID } from 'node:crypto';
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { Logger } from '@kontor/kernel/logger';
import { problemBody } from '../../plugins/plugin.js';
import { runAccess, runHeaderFilter, runLog, type Chains } from './chain.js';
import { errorAnswer, Exchange, failureAnswer, type GatewayAnswer } from './exchange.js';
import { normalisePath } from './path.js';
import type { AnswerHead, Parts } from './plugin.js';
import type { Proxy } from './proxy.js';
import { BodyTooLarge, hasBody } from './request-body.js';
import { readHeaders } from './request-headers.js';
import type { Router } from './router.js';

/** Connections on which something malformed came. */
const distrusted = new WeakSet<Socket>();

/** What the listeners hand requests to. */
export interface Core {
  router: Router;
  chains: Chains;
  proxy: Proxy;
  parts: Parts;
}

/** A running pair of listeners. */
export interface Listeners {
  httpPort: number;
  httpsPort: number;
  /** Takes no new connections, lets running requests finish for at most `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** PEM texts of the HTTPS listener. */
export interface TlsFiles { cert: string; key: string }

/** nginx's `large_client_header_buffers 4 8k`: all headers together. */
const HEADERS_BYTES = 32 * 1024;
/** One of those buffers: a request line does not fit into several. */
const LONGEST_TARGET = 8 * 1024;
/** A refused body longer than this is not read to its end: the connection is closed instead. */
const DRAIN_BYTES = 64 * 1024;

const OPTIONS: http.ServerOptions = {
  maxHeaderSize: HEADERS_BYTES,
  headersTimeout: 15_000,
  requestTimeout: 300_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 5_000,
  insecureHTTPParser: false,
  requireHostHeader: false,
  noDelay: true,
};

/** Starts both listeners on `host`; port 0 lets the system choose. */
export async function startListeners(core: Core, at: { host: string; httpPort: number; httpsPort: number; tls: TlsFiles }): Promise<Listeners> {
  let stopping = false;
  const serve = (server: Server, scheme: 'http' | 'https') => {
    let port = 0;
    const take = (expectsContinue: boolean) => (request: IncomingMessage, response: ServerResponse) => {
      // What follows a request that was malformed is not believed: the connection closes behind the refusal.
      if (distrusted.has(request.socket)) return;
      if (stopping) response.shouldKeepAlive = false;
      new Conversation(core, request, response, scheme, port).run(expectsContinue);
    };
    server.on('request', take(false));
    server.on('checkContinue', take(true));
    server.on('checkExpectation', take(false));
    server.on('clientError', (fault, socket) => refuseBroken(fault, socket as Socket, core.parts.logger));
    // The parser would drop what is above the count; headers it drops could not be stripped.
    server.maxHeadersCount = 0;
    return { listen: async (wanted: number) => (port = await listen(server, at.host, wanted)) };
  };
  const plain = http.createServer(OPTIONS);
  const secure = https.createServer({ ...OPTIONS, cert: at.tls.cert, key: at.tls.key, minVersion: 'TLSv1.2', honorCipherOrder: true, handshakeTimeout: 10_000 });
  const httpPort = await serve(plain, 'http').listen(at.httpPort);
  const httpsPort = await serve(secure, 'https').listen(at.httpsPort);
  return {
    httpPort,
    httpsPort,
    async stop(graceMs) {
      stopping = true;
      await Promise.all([plain, secure].map((server) => close(server, graceMs)));
    },
  };
}

/** Binds a server. @returns its port */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve((server.address() as { port: number }).port);
    });
  });
}

/** Lets running requests finish for at most `graceMs`. */
export function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), graceMs);
    // A connection becomes idle when its running request is answered.
    const sweep = setInterval(() => server.closeIdleConnections(), 50);
    server.close(() => {
      clearTimeout(force);
      clearInterval(sweep);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** One request and its answer. */
class Conversation {
  private exchange: Exchange | undefined;
  private source: 'service' | 'exit' | 'error' = 'error';
  private status = 0;

  constructor(
    private readonly core: Core,
    private readonly request: IncomingMessage,
    private readonly response: ServerResponse,
    private readonly scheme: 'http' | 'https',
    private readonly port: number,
  ) {}

  run(expectsContinue: boolean): void {
    this.response.on('close', () => this.log());
    this.answer(expectsContinue).catch((error: unknown) => {
      this.core.parts.logger.error('the gateway failed on a request', { correlationId: this.exchange?.correlationId, error });
      if (this.exchange) this.send(this.exchange, failureAnswer(error instanceof BodyTooLarge ? 413 : 503, 'the gateway could not finish the request'));
      else this.response.destroy();
    });
  }

  private async answer(expectsContinue: boolean): Promise<void> {
    const { core, request, response } = this;
    const url = request.url ?? '';
    const mark = url.indexOf('?');
    const rawPath = mark < 0 ? url : url.slice(0, mark);
    const path = normalisePath(rawPath);
    const read = readHeaders(request.rawHeaders);
    const exchange = new Exchange(request, response, this.scheme, this.port, request.method ?? '', rawPath, path ?? '/', mark < 0 ? '' : url.slice(mark), read.headers);
    this.exchange = exchange;
    exchange.repeatedHeaders = read.repeated;
    exchange.expectsContinue = expectsContinue;
    const fault = path === undefined ? { code: 'invalid_request', title: 'Invalid request', detail: 'The request target is not a valid path.' } : read.fault;
    if (url.length > LONGEST_TARGET) return this.distrust(exchange, { code: 'invalid_request', title: 'Invalid request', detail: 'The request line is longer than the gateway reads.' }, 414);
    if (path === undefined || fault) return this.distrust(exchange, fault!);

    const match = core.router.match(exchange.method, path);
    if (!match) return this.send(exchange, errorAnswer(404, 'no Route matched with those values'));
    exchange.route = match.route;
    exchange.pathParameters = match.pathParameters;
    exchange.prefix = match.prefix;
    exchange.chain = core.chains.of(match.route);
    if (!match.route.protocols.includes(this.scheme)) return this.send(exchange, wrongProtocol(this.scheme));

    const refused = await runAccess(exchange, exchange.chain, core.parts);
    if (refused) return this.send(exchange, refused);
    const failed = await core.proxy.forward(exchange, (status, headers) => this.passHead(exchange, status, headers));
    if (failed) this.send(exchange, failed);
  }

  private distrust(exchange: Exchange, { code, title, detail }: { code: string; title: string; detail: string }, status = 400): void {
    distrusted.add(this.request.socket);
    const answer = problemAnswer(exchange, status, code, title, detail);
    answer.headers.connection = 'close';
    this.send(exchange, answer);
  }

  private passHead(exchange: Exchange, status: number, headers: Record<string, string | string[]>): void {
    const head: AnswerHead = { status, headers, source: 'service' };
    runHeaderFilter(exchange, exchange.chain!, head);
    this.source = 'service';
    this.status = head.status;
    this.response.writeHead(head.status, head.headers);
  }

  /** Sends an answer of the gateway's own. Whatever happens here, the client gets a problem. */
  private send(exchange: Exchange, made: GatewayAnswer): void {
    const { response } = this;
    if (response.headersSent || response.destroyed) return void response.destroy();
    let answer = made;
    let head: AnswerHead = { status: 500, headers: {}, source: 'error' };
    try {
      const chain = exchange.chain ?? this.core.chains.unrouted;
      for (const { plugin } of chain.ownAnswer) answer = plugin.ownAnswer!(exchange, answer);
      head = { status: answer.status, headers: { 'content-type': 'application/json; charset=utf-8', ...answer.headers }, source: answer.source };
      runHeaderFilter(exchange, chain, head);
    } catch (error) {
      this.core.parts.logger.error('a gateway plugin failed on an answer', { correlationId: exchange.correlationId, error });
      answer = problemAnswer(exchange, 500, 'internal', 'Internal error', 'The gateway failed. Quote the correlation id when you report it.');
      head = { status: 500, headers: { ...answer.headers }, source: 'error' };
    }
    const body = Object.keys(answer.fields).length === 0 ? '' : JSON.stringify(answer.fields);
    head.headers['content-length'] = String(Buffer.byteLength(body));
    if (body === '') delete head.headers['content-type'];
    if (this.bodyIsPending(exchange)) head.headers.connection = 'close';
    this.source = answer.source;
    this.status = head.status;
    exchange.bytesSent = body.length;
    response.writeHead(head.status, head.headers);
    response.end(exchange.method === 'HEAD' ? '' : body);
  }

  private bodyIsPending(exchange: Exchange): boolean {
    if (this.request.complete || !hasBody(exchange.headers)) return false;
    const length = exchange.headers['content-length'];
    return length === undefined || Number(length) > DRAIN_BYTES || exchange.expectsContinue;
  }

  private log(): void {
    const { exchange, request, response } = this;
    if (!exchange) return;
    // An answer that is not through: the client went away (nginx's 499) or the service broke off.
    if (!request.complete) request.resume();
    const status = response.writableFinished ? this.status : this.status === 0 ? 499 : this.status;
    runLog(exchange, exchange.chain ?? this.core.chains.unrouted, {
      status,
      source: this.source,
      bytesReceived: Number(exchange.headers['content-length'] ?? 0),
      bytesSent: exchange.bytesSent,
      totalMs: performance.now() - exchange.startedAt,
      upstreamMs: exchange.upstreamMs,
      upstreamStatus: exchange.upstreamStatus,
    }, this.core.parts);
  }
}

/** Kong 3.9 runloop/handler.lua. */
function wrongProtocol(scheme: 'http' | 'https'): GatewayAnswer {
  if (scheme === 'http') return errorAnswer(426, 'Please use HTTPS protocol', { connection: 'Upgrade', upgrade: 'TLS/1.2, HTTP/1.1' });
  return errorAnswer(404, 'no Route matched with those values');
}

function problemAnswer(exchange: Exchange, status: number, code: string, title: string, detail: string): GatewayAnswer {
  if (exchange.correlationId === '') exchange.correlationId = randomUUID();
  return {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
    fields: { ...problemBody({ status, code, title, detail }, exchange.correlationId) },
    source: 'error',
  };
}

/** What the HTTP parser could not read has no request object: the problem is written to the socket itself. */
function refuseBroken(fault: Error & { code?: string }, socket: Socket, logger: Logger): void {
  if (fault.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const timedOut = fault.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const [status, words] = timedOut ? [408, 'Request Timeout'] : fault.code === 'HPE_HEADER_OVERFLOW' ? [431, 'Request Header Fields Too Large'] : [400, 'Bad Request'];
  const correlationId = randomUUID();
  const detail = timedOut ? 'The request took too long to arrive.' : status === 431 ? 'The headers of the request are too large.' : 'The request is not valid HTTP.';
  const body = JSON.stringify(problemBody({ status, code: 'invalid_request', title: 'Invalid request', detail }, correlationId));
  logger.debug('a request could not be read', { correlationId, code: fault.code, status });
  socket.end(`HTTP/1.1 ${status} ${words}\r\nContent-Type: application/problem+json\r\nCache-Control: no-store\r\nX-Correlation-Id: ${correlationId}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
}
