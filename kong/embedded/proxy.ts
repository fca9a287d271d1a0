/**
 * Takes an admitted request to its service and streams the answer back (undici pools, kept-alive connections). A request
 * is repeated only when no connection could be made: what may have reached the service is never sent twice.
 */
import { Pool, type Dispatcher } from 'undici';
import type { Exchange, GatewayAnswer } from './exchange.js';
import { errorAnswer, failureAnswer } from './exchange.js';
import { BodyAborted, BodyTooLarge, BoundedBody, hasBody, readBody } from './request-body.js';
import type { State } from './state.js';
import { downstreamHeaders, upstreamHeaders, upstreamTarget } from './upstream-request.js';

/** Bodies up to this size are read whole before the service is asked, so that a slow client never holds a connection to it. */
const WHOLE_BODY_BYTES = 64 * 1024;

/** The head of the service's answer is here; the body follows by itself. */
export type HeadReceiver = (status: number, headers: Record<string, string | string[]>) => void;

/** Proxies to all services of a state. */
export interface Proxy {
  /**
   * Sends the request on. `onHead` must write the head to the client; the body is streamed after it.
   * @returns undefined once the answer is through, or the gateway's own answer when nothing was sent to the client yet.
   */
  forward(exchange: Exchange, onHead: HeadReceiver): Promise<GatewayAnswer | undefined>;
  close(): Promise<void>;
}

export function makeProxy(state: State): Proxy {
  const pools = new Map(state.services.map((service) => [service, new Pool(`${service.protocol}://${service.host}:${service.port}`, {
    connections: 256,
    pipelining: 1,
    connect: { timeout: service.connectTimeoutMs },
    headersTimeout: service.readTimeoutMs,
    bodyTimeout: service.readTimeoutMs,
    keepAliveTimeout: 4_000,
    maxHeaderSize: 32 * 1024,
  })]));
  return {
    async forward(exchange, onHead) {
      const { service } = exchange.route!;
      if (!service) return failureAnswer(503, 'no Service found with those values');
      const body = await bodyOf(exchange);
      if (body !== null && typeof body === 'object' && 'status' in body) return body;
      const request: Dispatcher.DispatchOptions = {
        method: exchange.upstreamMethod as Dispatcher.HttpMethod,
        path: upstreamTarget(exchange, service),
        headers: withLength(upstreamHeaders(exchange, service), exchange, body),
        body,
      };
      exchange.upstreamStartedAt = performance.now();
      for (let attempt = 0; ; attempt++) {
        const fault = await dispatch(pools.get(service)!, request, exchange, onHead);
        if (fault === undefined) return undefined;
        const repeatable = !(body instanceof BoundedBody) && attempt < service.retries && NO_CONNECTION.has(codeOf(fault));
        if (!repeatable) return answerTo(fault, exchange);
      }
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

async function bodyOf(exchange: Exchange): Promise<Buffer | BoundedBody | null | GatewayAnswer> {
  const { request, response, headers } = exchange;
  if (!hasBody(headers)) return null;
  if (exchange.expectsContinue) response.writeContinue();
  const length = headers['content-length'];
  if (length !== undefined && Number(length) <= WHOLE_BODY_BYTES) {
    try {
      return await readBody(request, WHOLE_BODY_BYTES);
    } catch (fault) {
      if (fault instanceof BodyAborted) return failureAnswer(400, 'the request body was not complete');
      throw fault;
    }
  }
  const bounded = new BoundedBody(length === undefined ? exchange.bodyLimit : Number(length));
  request.on('close', () => {
    if (!request.complete) bounded.destroy(new BodyAborted());
  });
  return request.pipe(bounded);
}

function withLength(headers: string[], exchange: Exchange, body: Buffer | BoundedBody | null): string[] {
  if (body instanceof BoundedBody && exchange.headers['content-length'] !== undefined) headers.push('content-length', exchange.headers['content-length']);
  return headers;
}

/** One attempt. @returns undefined when the answer is through (or the client has gone), else the fault */
function dispatch(pool: Pool, request: Dispatcher.DispatchOptions, exchange: Exchange, onHead: HeadReceiver): Promise<Error | undefined> {
  const { response } = exchange;
  return new Promise((resolve) => {
    let started = false;
    let controller: Dispatcher.DispatchController | undefined;
    const resume = () => controller?.resume();
    const gone = () => {
      if (!response.writableFinished) controller?.abort(new BodyAborted());
    };
    const settle = (fault?: Error) => {
      response.off('drain', resume);
      response.off('close', gone);
      resolve(fault);
    };
    response.on('drain', resume);
    response.on('close', gone);
    pool.dispatch(request, {
      onRequestStart(by) {
        controller = by;
        if (response.destroyed) by.abort(new BodyAborted());
      },
      onResponseStart(_by, status, headers) {
        if (status < 200) return;
        exchange.upstreamMs = performance.now() - exchange.upstreamStartedAt!;
        exchange.upstreamStatus = status;
        // A plugin may throw here: undici then drops the answer and reports the fault below.
        onHead(status, downstreamHeaders(headers));
        started = true;
      },
      onResponseData(by, chunk) {
        exchange.bytesSent += chunk.length;
        if (!response.write(chunk)) by.pause();
      },
      onResponseEnd() {
        response.end();
        settle();
      },
      onResponseError(_by, fault) {
        if (!started) return settle(fault);
        // The head is out: a cut connection is the only way left to say that the body is not whole.
        response.destroy();
        settle();
      },
    });
  });
}

/** Nothing can have reached the service. */
const NO_CONNECTION = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);
const TOO_SLOW = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);
const NO_ADDRESS = new Set(['ENOTFOUND', 'EAI_AGAIN']);

function codeOf(fault: Error): string {
  const { code, cause } = fault as { code?: unknown; cause?: { code?: unknown } };
  return String(code ?? cause?.code ?? '');
}

/** Words and statuses are Kong's (error_handlers.lua). */
function answerTo(fault: Error, exchange: Exchange): GatewayAnswer | undefined {
  if (fault instanceof BodyTooLarge) return errorAnswer(413, 'Request size limit exceeded');
  if (fault instanceof BodyAborted) {
    exchange.response.destroy();
    return undefined;
  }
  if (exchange.upstreamStatus !== undefined) return failureAnswer(500, 'An unexpected error occurred');
  const code = codeOf(fault);
  if (TOO_SLOW.has(code)) return failureAnswer(504, 'The upstream server is timing out');
  if (NO_ADDRESS.has(code)) return failureAnswer(503, 'name resolution failed', { 'retry-after': '1' });
  return failureAnswer(502, 'An invalid response was received from the upstream server');
}
