import express, { type ErrorRequestHandler, type Express, type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { Transform, type Readable } from 'node:stream';
import helmet from 'helmet';
import passport from 'passport';
import { assertAccess } from './access.js';
import { isValidationFault, validationProblem, type Contract, type Operation } from './contract.js';
import { databaseProblem } from './database.js';
import { childTraceparent, traceIdOf, type EventContext } from './events.js';
import { gatewayTokenStrategy, GATEWAY_TOKEN_HEADER, type Caller, type VerifiedCaller } from './gateway-token.js';
import type { Answer, AnyRoutes, Call } from './handlers.js';
import { newId } from './ids.js';
import type { Logger } from './logger.js';
import { isTransient } from './messaging.js';
import type { Metrics } from './metrics.js';
import { Problem, problem, toProblemBody } from './problem.js';

/** What an app is made of. */
export interface AppParts {
  /** Name of the service: the audience of its gateway tokens. */
  name: string;
  contract: Contract | undefined;
  routes: AnyRoutes;
  extend?: ((app: Express) => void) | undefined;
  /** base64 of the SPKI PEM. */
  gatewayTokenPublicKey: string | undefined;
  sandbox: boolean;
  logger: Logger;
  metrics: Metrics;
  /** The checks of /readyz by name; true is up. */
  readiness: () => Promise<Record<string, boolean>>;
}

/** What the kernel keeps about a request, in `response.locals.request`. */
interface RequestFacts {
  correlationId: string;
  traceparent: string;
  startedAt: bigint;
  operation?: Operation;
  /** Of the operation's path. */
  params?: Request['params'];
  caller?: VerifiedCaller;
}

const TIMEOUT_MS = 15_000;
const MOST_HEADERS = 100;

/** Headers that may come several times (RFC 9110 §5.3: lists); any other that does is refused. */
const LIST_HEADERS = new Set([
  'accept', 'accept-charset', 'accept-encoding', 'accept-language', 'cache-control', 'connection', 'cookie', 'forwarded', 'if-match',
  'if-none-match', 'link', 'pragma', 'te', 'trailer', 'transfer-encoding', 'tracestate', 'upgrade', 'via', 'warning', 'x-forwarded-for']);

/**
 * Makes the Express app of a service.
 * @throws Error when an operation of the contract has no handler, or a handler no operation.
 */
export function createApp(parts: AppParts): Express {
  const { contract, routes } = parts;
  assertComplete(contract, routes);
  const app = express();
  app.disable('x-powered-by');
  app.set('case sensitive routing', true);
  app.set('strict routing', true);
  app.set('query parser', 'simple');
  app.set('etag', false);
  app.use(beginRequest(parts));
  // The gateway ends TLS, so transport security is its matter. `extend` may set another Content-Security-Policy.
  app.use(helmet({ strictTransportSecurity: false, contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }));
  app.use(refuseDuplicateHeaders);
  health(app, parts);
  parts.extend?.(app);
  app.use((_request, response, next) => {
    response.set('Cache-Control', 'no-store');
    next();
  });
  if (contract) serveContract(app, contract, parts);
  app.use(() => {
    throw problem('not_found');
  });
  app.use(answerProblem(parts.logger));
  return app;
}

function assertComplete(contract: Contract | undefined, routes: AnyRoutes): void {
  const ids = new Set(contract?.operations.map(({ id }) => id));
  const faults = [
    ...[...ids].filter((id) => !Object.hasOwn(routes, id)).map((id) => `no handler for the operation ${id}`),
    ...Object.keys(routes).filter((id) => !ids.has(id)).map((id) => `a handler for ${id}, which the contract does not have`),
  ];
  if (faults.length > 0) throw new Error(`routes and contract differ: ${faults.join('; ')}`);
}

function factsOf(response: Response): RequestFacts {
  return response.locals.request as RequestFacts;
}

/** The context of a request, for handlers outside the contract (pages, internal addresses). */
export function contextOfRequest(response: Response): EventContext {
  const { correlationId, traceparent } = factsOf(response);
  return { correlationId, traceparent };
}

function beginRequest({ logger, metrics }: AppParts): RequestHandler {
  return (request, response, next) => {
    const given = request.headers['x-correlation-id'];
    const correlationId = typeof given === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : newId();
    const facts: RequestFacts = { correlationId, traceparent: childTraceparent(headerText(request, 'traceparent')), startedAt: process.hrtime.bigint() };
    response.locals.request = facts;
    response.set('X-Correlation-Id', correlationId);
    response.on('finish', () => {
      const seconds = Number(process.hrtime.bigint() - facts.startedAt) / 1e9;
      const route = facts.operation?.path ?? (request.route as { path?: unknown } | undefined)?.path ?? 'unmatched';
      metrics.requests.observe({ method: request.method, route: String(route), status: String(response.statusCode) }, seconds);
      if (response.getHeader('Idempotency-Replayed') === 'true') metrics.replays.inc();
      if (facts.operation)
        logger.info('answered', { correlationId, traceId: traceIdOf(facts.traceparent), operation: facts.operation.id, status: response.statusCode, durationMs: Math.round(seconds * 1e4) / 10 });
    });
    next();
  };
}

/** RFC 9110 §5.3; two values of one header are read differently by different parts, so they are refused. */
const refuseDuplicateHeaders: RequestHandler = (request, _response, next) => {
  const seen = new Set<string>();
  if (request.rawHeaders.length / 2 > MOST_HEADERS) throw problem('invalid_request', `More than ${MOST_HEADERS} headers.`);
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = (request.rawHeaders[i] ?? '').toLowerCase();
    if (seen.has(name) && !LIST_HEADERS.has(name)) throw problem('duplicate_header', `Send the header ${name} once.`);
    seen.add(name);
  }
  next();
};

function health(app: Express, { metrics, readiness }: AppParts): void {
  app.get('/livez', (_request, response) => {
    response.json({ status: 'alive' });
  });
  app.get('/readyz', async (_request, response) => {
    const checks = await readiness();
    const ready = Object.values(checks).every(Boolean);
    response.status(ready ? 200 : 503).json({
      status: ready ? 'ready' : 'not_ready',
      checks: Object.fromEntries(Object.entries(checks).map(([name, up]) => [name, up ? 'up' : 'down'])),
    });
  });
  app.get('/metrics', async (_request, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
}

/** In order: is there such an operation, who calls, may they, is the body JSON, does it keep the contract; then the handler. */
function serveContract(app: Express, contract: Contract, parts: AppParts): void {
  if (!parts.gatewayTokenPublicKey) throw new Error('a service with a contract needs the setting GATEWAY_TOKEN_PUBLIC_KEY');
  const authenticator = new passport.Passport();
  authenticator.use(gatewayTokenStrategy(parts.gatewayTokenPublicKey, parts.name));
  const operations = contract.operations.filter(({ access }) => parts.sandbox || !access.sandbox);
  for (const operation of operations) {
    app.all(operation.expressPath, (request, response, next) => {
      const facts = factsOf(response);
      if (facts.operation) return next();
      (response.locals.allowed ??= [] as string[]).push(operation.method);
      if (request.method !== operation.method) return next();
      facts.operation = operation;
      facts.params = request.params;
      authenticate(authenticator, request, response, () => {
        assertAccess(operation, facts.caller as VerifiedCaller, request.params, Date.now());
        next();
      }, next);
    });
  }
  app.use((request, response, next) => {
    const allowed = response.locals.allowed as string[] | undefined;
    if (!factsOf(response).operation) throw allowed ? problem('method_not_allowed').with({ Allow: allowed.join(', ') }) : problem('not_found');
    const types = [...new Set(['application/json', ...factsOf(response).operation?.produces ?? [], 'application/problem+json'])];
    const accepted = request.accepts(types);
    if (accepted === false) throw problem('not_acceptable', `Accept ${types.slice(0, -1).join(' or ')}.`);
    response.locals.accepted = accepted;
    next();
  });
  app.use(readBody());
  app.use((request, response, next) => void contract.validator(factsOf(response).operation as Operation)(request, response, next));
  app.use(async (request, response) => {
    const operation = factsOf(response).operation as Operation;
    const handler = parts.routes[operation.id] as (call: Call) => Promise<Answer>;
    send(response, operation, await withinTime(handler(callOf(request, response))));
  });
}

/** JSON is read here, up to the operation's limit; what is no JSON is handed on unread, counted as it flows. */
function readBody(): RequestHandler {
  const readers = new Map<number, RequestHandler>();
  return (request, response, next) => {
    const { bodyBytes, streamed } = factsOf(response).operation as Operation;
    if (streamed.length > 0) {
      if (!request.is([...streamed])) throw problem('unsupported_media_type', `Send the body as ${streamed.join(' or ')}.`);
      if (Number(request.headers['content-length'] ?? 0) > bodyBytes) throw tooLarge(bodyBytes);
      response.locals.stream = streamOf(request, response, bodyBytes);
      // The validator wants to see a body; what is in it the handler says.
      request.body = '';
      return next();
    }
    let reader = readers.get(bodyBytes);
    if (!reader) readers.set(bodyBytes, reader = express.json({ limit: bodyBytes, type: ['application/json', 'application/*+json'] }));
    return void reader(request, response, next);
  };
}

/**
 * The bytes of a request as they arrive. Where nobody reads them any more (a refusal), the rest is taken in and thrown away, so that a
 * client which is still sending gets to reading the answer; one that sends more than was allowed is cut off. A client that goes away
 * ends the stream with a fault.
 */
function streamOf(request: Request, response: Response, bytes: number): Readable {
  const stream = atMost(bytes);
  request.pipe(stream);
  stream.once('close', () => {
    request.unpipe(stream);
    let rest = 0;
    request.on('data', (chunk: Buffer) => {
      rest += chunk.length;
      if (rest > bytes) request.destroy();
    });
    request.resume();
  });
  response.once('finish', () => stream.destroy());
  request.once('close', () => {
    if (!request.complete) stream.destroy(problem('invalid_request', 'The body ended before it was whole.'));
  });
  // Who reads it learns of the fault; where nobody does it must not end the process.
  stream.on('error', () => undefined);
  return stream;
}

function atMost(bytes: number): Transform {
  let seen = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      seen += chunk.length;
      if (seen > bytes) done(tooLarge(bytes));
      else done(null, chunk);
    },
  });
}

function tooLarge(bytes: number): Problem {
  return problem('payload_too_large', `A body may have ${bytes >= 1024 * 1024 ? `${bytes / 1024 / 1024} MB` : `${bytes / 1024} kB`}.`);
}

function authenticate(authenticator: passport.Authenticator, request: Request, response: Response, then: () => void, next: NextFunction): void {
  const verify = authenticator.authenticate('gateway', { session: false }, (fault: unknown, caller: VerifiedCaller | false | null) => {
    if (fault) return next(fault);
    if (!caller) {
      const sent = request.headers[GATEWAY_TOKEN_HEADER] !== undefined;
      const refusal = sent ? problem('invalid_token', 'The gateway token is not valid here.') : problem('unauthenticated', 'Call through the gateway.');
      return next(refusal.with({ 'WWW-Authenticate': 'GatewayToken' }));
    }
    factsOf(response).caller = caller;
    try {
      then();
    } catch (refusal) {
      next(refusal);
    }
  }) as RequestHandler;
  void verify(request, response, next);
}

function callOf(request: Request, response: Response): Call {
  const facts = factsOf(response);
  const { operation: _operation, ...caller } = facts.caller as VerifiedCaller;
  const context: EventContext = { correlationId: facts.correlationId, traceparent: facts.traceparent, clientId: caller.clientId };
  return {
    params: facts.params ?? {},
    query: request.query,
    headers: request.headers as Record<string, string | undefined>,
    body: request.body as undefined,
    stream: response.locals.stream as Readable | undefined,
    accepted: response.locals.accepted as string,
    caller: caller satisfies Caller,
    correlationId: facts.correlationId,
    context,
  };
}

async function withinTime(answer: Promise<Answer>): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(problem('timeout', 'Whether the request took effect is not known. Repeat it unchanged, with the same Idempotency-Key.')), TIMEOUT_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** `json` is watched by the contract's validator; a status the contract does not name is our fault as well. */
function send(response: Response, operation: Operation, answer: Answer): void {
  const named = operation.answers.get(answer.status);
  if (!named) throw new Error(`${operation.id} answered ${answer.status}, which its contract does not name`);
  if (named.body !== (answer.body !== undefined)) throw new Error(`${operation.id} answered ${answer.status} ${named.body ? 'without' : 'with'} a body, unlike its contract`);
  response.status(answer.status).set(answer.headers ?? {});
  if (answer.body === undefined) response.end();
  else if (typeof answer.body === 'string' && answer.headers?.['Content-Type']) response.send(answer.body);
  else response.json(answer.body);
}

/** Every refusal leaves as application/problem+json. Ours are logged once, here, and told as `internal`. */
function answerProblem(logger: Logger): ErrorRequestHandler {
  return (fault: unknown, _request, response, next) => {
    const { correlationId, traceparent, operation } = factsOf(response);
    const found = problemOf(fault);
    if (found.status >= 500) {
      const fields = { correlationId, traceId: traceIdOf(traceparent), ...(operation ? { operation: operation.id } : {}), code: found.code, status: found.status };
      if (found.code === 'internal') logger.error('a request failed', { ...fields, error: describe(fault) });
      else logger.warn('a request could not be served', { ...fields, ...(fault instanceof Problem ? {} : { error: fault }) });
    }
    if (response.headersSent) return next(fault);
    for (const name of ['Idempotency-Replayed', 'Location']) response.removeHeader(name);
    response.status(found.status).set(found.headers).set('Cache-Control', 'no-store')
      .type('application/problem+json').send(JSON.stringify(toProblemBody(found, { correlationId })));
  };
}

/** An answer outside the contract names its places in `errors`, which an error's message alone does not show. */
function describe(fault: unknown): unknown {
  if (!isValidationFault(fault)) return fault;
  const places = (fault.errors ?? []).map(({ path, message }) => `${path} ${message}`).join('; ');
  return new Error(`the answer is outside the contract: ${places || fault.message}`);
}

function problemOf(fault: unknown): Problem {
  if (fault instanceof Problem) return fault;
  if (isValidationFault(fault)) return validationProblem(fault) ?? problem('internal');
  return bodyProblem(fault) ?? databaseProblem(fault)
    ?? (isTransient(fault) ? problem('unavailable', 'Repeat the request.').with({ 'Retry-After': '1' }) : problem('internal'));
}

/** Errors of express.json (body-parser) and of decoding the path, by their `type`. */
function bodyProblem(fault: unknown): Problem | undefined {
  if (!(fault instanceof Error)) return undefined;
  const { type, status } = fault as { type?: unknown; status?: unknown };
  if (type === 'entity.parse.failed') return problem('malformed_json', 'The body cannot be read as JSON.');
  if (type === 'entity.too.large') return tooLarge((fault as Error & { limit?: number }).limit ?? 0);
  if (type === 'charset.unsupported' || type === 'encoding.unsupported') return problem('unsupported_media_type', 'Send the body as application/json in UTF-8.');
  if (typeof type === 'string' && typeof status === 'number' && status < 500) return problem('invalid_request', 'The body could not be read.');
  if (fault instanceof URIError || (status === 400 && fault.message.startsWith('Failed to decode param'))) return problem('invalid_request', 'The path is not validly encoded.');
  return undefined;
}

function headerText(request: Request, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}
