/** A client of the gateway: plain requests, raw bytes, and the fixtures a request needs (apps, tokens, consents). */
import { randomBytes, createHash, randomUUID } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import { decisionKey, type DecisionRecord } from '@kontor/kernel/consent-decision';
import { testServer } from '@kontor/testing/environment';
import { expect } from 'chai';
import { Redis } from 'ioredis';
import { Agent, request as send } from 'undici';
import { secrets, type Target } from './target.js';

/** An answer as a test reads it. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests read answers of every shape
  body: any;
  text: string;
}

export interface Ask {
  headers?: Record<string, string | string[]>;
  body?: string | Buffer | object;
  /** By HTTP instead of HTTPS. */
  plain?: boolean;
}

/** An application registered at the gateway. */
export interface App {
  consumerId: string;
  clientId: string;
  clientSecret: string;
  apiKey: string;
  redirectUri: string;
}

/** Everything a test does to one gateway. */
export class Client {
  private readonly agent: Agent;
  readonly redis: Redis;

  /**
   * @param redisUrl the Redis of the gateway's decision records
   * @param localAddress where its requests come from, `127.…`; the usual one when absent
   */
  constructor(readonly target: Target, redisUrl = testServer('TEST_REDIS_URL'), private readonly localAddress?: string) {
    this.redis = new Redis(redisUrl);
    this.agent = new Agent({ connect: { ca: target.authority }, ...(localAddress ? { localAddress } : {}), keepAliveTimeout: 1000 });
  }

  async close(): Promise<void> {
    await this.agent.destroy();
    this.redis.disconnect();
  }

  async ask(method: string, path: string, { headers = {}, body, plain = false }: Ask = {}): Promise<Answer> {
    const json = typeof body === 'object' && !Buffer.isBuffer(body);
    const origin = plain ? this.target.proxyUrl : this.target.httpsUrl;
    // `localhost` might be ::1, which cannot be reached from such an address.
    const answer = await send(`${this.localAddress ? origin.replace('localhost', '127.0.0.1') : origin}${path}`, {
      method: method as 'GET', dispatcher: this.agent,
      headers: { ...(json ? { 'content-type': 'application/json' } : {}), ...headers },
      ...(body === undefined ? {} : { body: json ? JSON.stringify(body) : body }),
    });
    const text = await answer.body.text();
    return {
      status: answer.statusCode,
      headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])),
      body: /json/.test(String(answer.headers['content-type'])) && text !== '' ? JSON.parse(text) : text,
      text,
    };
  }

  /** The Admin API. */
  async admin(method: string, path: string, body?: object): Promise<{ status: number; body: Record<string, unknown> }> {
    const answer = await send(this.target.adminUrl + path, {
      method: method as 'GET', ...(body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: text === '' ? {} : JSON.parse(text) as Record<string, unknown> };
  }

  /** Registers an application as the portal does. */
  async app(groups: string[] = ['onboarding', 'aisp', 'pisp', 'sandbox'], more: Record<string, unknown> = {}): Promise<App> {
    const clientId = randomUUID();
    const app = { clientId, clientSecret: randomBytes(24).toString('hex'), apiKey: randomBytes(16).toString('hex'), redirectUri: 'https://fintech.test/callback' };
    const consumer = await this.made('/consumers', { username: `app-${clientId}`, custom_id: clientId, tags: ['suite'] });
    const path = `/consumers/${String(consumer.id)}`;
    await this.made(`${path}/oauth2`, {
      name: 'an app', client_id: clientId, client_secret: app.clientSecret, hash_secret: true, redirect_uris: [app.redirectUri], ...more,
    });
    await this.made(`${path}/key-auth`, { key: app.apiKey });
    for (const group of groups) await this.made(`${path}/acls`, { group });
    return { consumerId: String(consumer.id), ...app };
  }

  private async made(path: string, body: object): Promise<Record<string, unknown>> {
    const { status, body: answer } = await this.admin('POST', path, body);
    expect(status, JSON.stringify(answer)).to.equal(201);
    return answer;
  }

  form(path: string, fields: Record<string, string>, headers: Record<string, string> = {}, plain = false): Promise<Answer> {
    return this.ask('POST', path, { plain, headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers }, body: new URLSearchParams(fields).toString() });
  }

  /** A token by client credentials. */
  async clientToken(app: App, scope: string): Promise<string> {
    const answer = await this.form('/oauth2/token', { grant_type: 'client_credentials', client_id: app.clientId, client_secret: app.clientSecret, scope });
    expect(answer.status, answer.text).to.equal(200);
    return answer.body.access_token as string;
  }

  /** What the bank's pages do when a customer approves: a code for the consent. */
  async authorise(app: App, consentId: string, scope: string, more: Record<string, string> = {}): Promise<Answer & { verifier: string }> {
    const verifier = randomBytes(32).toString('base64url');
    const answer = await this.form('/oauth2/authorize', {
      response_type: 'code', client_id: app.clientId, redirect_uri: app.redirectUri, scope, state: 'st-1',
      provision_key: secrets.provisionKey, authenticated_userid: consentId,
      code_challenge: challengeOf(verifier), code_challenge_method: 'S256', ...more,
    });
    return { ...answer, verifier };
  }

  /** A token on a customer's consent, through code and PKCE. */
  async consentToken(app: App, consentId: string, scope: string): Promise<string> {
    const { body, verifier, status, text } = await this.authorise(app, consentId, scope);
    expect(status, text).to.equal(200);
    const answer = await this.form('/oauth2/token', {
      grant_type: 'authorization_code', client_id: app.clientId, client_secret: app.clientSecret, redirect_uri: app.redirectUri,
      code: codeIn(body), code_verifier: verifier,
    });
    expect(answer.status, answer.text).to.equal(200);
    return answer.body.access_token as string;
  }

  /** Writes a decision record, as the consent service does. */
  async decide(consentId: string, record: Partial<DecisionRecord> & { clientId: string }): Promise<DecisionRecord> {
    const whole: DecisionRecord = {
      version: 1, status: 'authorised', customerId: randomUUID(), permissions: ['accounts:read', 'balances:read', 'transactions:read'],
      accounts: [], expiresAt: Math.floor(Date.now() / 1000) + 3600, ...record,
    };
    await this.redis.set(decisionKey(consentId), JSON.stringify(whole), 'EX', 600);
    return whole;
  }

  async forget(consentId: string): Promise<void> {
    await this.redis.del(decisionKey(consentId));
  }

  /** Sends bytes as they are over TLS and gives back what came before the connection was closed or fell silent. */
  secureRaw(bytes: string | Buffer, silenceMs = 300): Promise<string> {
    const { port } = new URL(this.target.httpsUrl);
    return exchangeOver(tls.connect({ port: Number(port), host: '127.0.0.1', ca: this.target.authority, servername: 'localhost' }), bytes, silenceMs);
  }

  /** Sends bytes as they are over HTTP and gives back what came before the connection was closed or fell silent. */
  raw(bytes: string | Buffer, silenceMs = 300): Promise<string> {
    const { port } = new URL(this.target.proxyUrl);
    return exchangeOver(net.connect(Number(port), '127.0.0.1'), bytes, silenceMs);
  }
}

function exchangeOver(socket: net.Socket, bytes: string | Buffer, silenceMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.write(bytes);
    let received = '';
    const done = () => {
      socket.destroy();
      resolve(received);
    };
    socket.setTimeout(silenceMs + 700, done);
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      socket.setTimeout(silenceMs, done);
    });
    socket.on('close', done);
    socket.on('error', (fault: NodeJS.ErrnoException) => (fault.code === 'ECONNRESET' || fault.code === 'EPIPE' ? done() : reject(fault)));
  });
}

export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}

/** The code in an answer of /oauth2/authorize. */
export function codeIn(body: { redirect_uri: string }): string {
  return new URL(body.redirect_uri).searchParams.get('code')!;
}

/** Checks an answer against RFC 9457 as Kontor writes it. */
export function expectProblem(answer: Answer, status: number, code?: string | string[]): void {
  expect(answer.status, answer.text).to.equal(status);
  expect(answer.headers['content-type']).to.match(/^application\/problem\+json/);
  expect(answer.body).to.include.keys('type', 'title', 'status', 'detail', 'code', 'correlationId');
  expect(answer.body.status).to.equal(status);
  expect(answer.body.type).to.equal(`urn:kontor:problem:${String(answer.body.code)}`);
  expect(answer.body.correlationId).to.be.a('string').and.not.equal('');
  if (answer.headers['x-correlation-id'] !== undefined) expect(answer.headers['x-correlation-id']).to.equal(answer.body.correlationId);
  if (code !== undefined) expect(answer.body.code).to.be.oneOf([code].flat());
}

/** Holds within two seconds, or the time given: Kong's workers are told of a change, the embedded gateway makes it itself. */
export async function soon(holds: () => Promise<void>, withinMs = 2_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      return await holds();
    } catch (fault) {
      if (Date.now() > deadline) throw fault;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** The claims of a gateway token, unverified. */
export function claimsOf(token: string | string[] | undefined): Record<string, unknown> {
  const [, payload] = String(token).split('.');
  return JSON.parse(Buffer.from(payload!, 'base64url').toString('utf8')) as Record<string, unknown>;
}
