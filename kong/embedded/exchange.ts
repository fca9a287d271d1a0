/** One request on its way through the gateway, and the answers the gateway itself gives. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ConsentRecord, RequestFacts } from '../../plugins/plugin.js';
import type { Chain } from './chain.js';
import type { Identity } from './identities.js';
import type { Route } from './state.js';

/** An answer the gateway makes itself. `fields` is its JSON body before problem-json; `body` is final and wins. */
export interface GatewayAnswer {
  status: number;
  /** Lower-case names. */
  headers: Record<string, string>;
  fields: Record<string, unknown>;
  /** Kong's `get_source`: a plugin ended the request (`exit`) or the gateway itself failed (`error`). */
  source: 'exit' | 'error';
}

/** Kong's `kong.response.error(status, message)`. */
export function errorAnswer(status: number, message: string, headers: Record<string, string> = {}): GatewayAnswer {
  return { status, headers, fields: { message }, source: 'exit' };
}

/** The gateway's own failure, such as an upstream that cannot be reached. */
export function failureAnswer(status: number, message: string, headers: Record<string, string> = {}): GatewayAnswer {
  return { status, headers, fields: { message }, source: 'error' };
}

/** How the request ended, for the log phase. Times in milliseconds. */
export interface Outcome {
  status: number;
  source: 'service' | 'exit' | 'error';
  bytesReceived: number;
  bytesSent: number;
  /** Whole time, first byte in to last byte out. */
  totalMs: number;
  /** Waiting for the service's head; undefined where it was never asked. */
  upstreamMs: number | undefined;
  upstreamStatus: number | undefined;
}

/** The state of one request. Plugins read it and write what they decide into it; proxy.ts carries it out. */
export class Exchange {
  /** Names in lower case; values of a repeated header joined by `, ` (`; ` for cookies), as in RFC 9110 §5.3. */
  readonly headers: Record<string, string>;
  readonly startedAt = performance.now();
  /** Unix milliseconds. */
  readonly startedAtUnix = Date.now();
  route: Route | undefined;
  pathParameters: Record<string, string> = NO_PARAMETERS;
  prefix = '';
  chain: Chain | undefined;

  correlationId = '';
  identity: Identity | undefined;
  scopes: string[] = NO_SCOPES;
  /** `authenticated_userid` of the access token. */
  userId: string | undefined;
  /** What consent-check decided on; gateway-identity puts it into the token. */
  consent: ConsentRecord | undefined;

  /** Changes to the upstream request's headers: lower-case name → value, or null to leave it out. */
  readonly upstreamHeaders = new Map<string, string | null>();
  upstreamMethod: string;
  /** Path without the query; undefined: as routed. */
  upstreamPath: string | undefined;
  /** Query with its `?`, or empty. */
  query: string;

  /** Set on the answer, whoever makes it. Lower-case names. */
  readonly answerHeaders: Record<string, string> = {};
  /** The `kontor` part of the access record. */
  readonly log: Record<string, string> = {};
  /** Names of headers that were sent more than once. */
  repeatedHeaders: Set<string> | undefined;
  /** The client waits for `100 Continue` before it sends its body. */
  expectsContinue = false;
  /** The cors plugin has answered it. */
  isPreflight = false;
  /** Most bytes of a body without a declared length. */
  bodyLimit = Infinity;

  bytesSent = 0;
  upstreamStartedAt: number | undefined;
  upstreamStatus: number | undefined;
  upstreamMs: number | undefined;
  private knownFacts: RequestFacts | undefined;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly scheme: 'http' | 'https',
    readonly port: number,
    readonly method: string,
    /** As it came, without the query. */
    readonly rawPath: string,
    readonly path: string,
    query: string,
    headers: Record<string, string>,
  ) {
    this.headers = headers;
    this.query = query;
    this.upstreamMethod = method;
  }

  get clientIp(): string {
    return this.request.socket.remoteAddress ?? '';
  }

  /** What our plugins' cores are given; made once, after authentication. */
  facts(): RequestFacts {
    this.knownFacts ??= {
      method: this.method,
      path: this.path,
      route: this.route?.name ?? '',
      pathParameters: this.pathParameters,
      headers: this.headers,
      ...(this.identity?.consumer.customId === undefined ? {} : { clientId: this.identity.consumer.customId }),
      scopes: this.scopes,
      roles: this.identity?.groups ?? NO_SCOPES,
      ...(this.userId === undefined ? {} : { consentId: this.userId }),
      correlationId: this.correlationId,
      now: Math.floor(Date.now() / 1000),
    };
    return this.knownFacts;
  }
}

const NO_SCOPES: string[] = [];
const NO_PARAMETERS: Record<string, string> = {};
