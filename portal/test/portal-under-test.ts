import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { testServer } from '@kontor/testing/environment';
import { testService, type TestAnswer, type TestService } from '@kontor/testing/service';
import { options } from '../src/main.js';
import { gatewayStandIn, type GatewayStandIn } from './gateway-stand-in.js';

export interface PortalUnderTest {
  service: TestService;
  gateway: GatewayStandIn;
  /** A request of a program: JSON in and out, with the cookie of `visitor`. */
  ask(visitor: Visitor, method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<TestAnswer>;
  /** A form as a browser sends it. */
  submit(visitor: Visitor, path: string, fields: Record<string, string>, headers?: Record<string, string>): Promise<TestAnswer>;
  /** Forgets failed sign-ins: all tests come from one address. */
  forgetFailures(kind?: 'address' | 'email'): Promise<void>;
  /** Everything the portal keeps in Redis: keys. */
  redisKeys(): Promise<string[]>;
  stop(): Promise<void>;
}

/** Keeps the cookie, as a browser does. */
export interface Visitor {
  cookie?: string;
}

const JSON_ONLY = { accept: 'application/json' };
const BROWSER = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

/** The portal on a port known beforehand (its origin is a setting), before a stand-in of the gateway. */
export async function portalUnderTest(env: Record<string, string> = {}): Promise<PortalUnderTest> {
  const gateway = await gatewayStandIn();
  const port = await freePort();
  // A namespace of its own: the counters of failed sign-ins go by address, and here all come from the same.
  const namespace = `portal-test-${crypto.randomUUID()}:`;
  const shared = testServer('TEST_REDIS_URL');
  const redis = new Redis(shared);
  const redisKeys = (): Promise<string[]> => redis.keys(`${namespace}*`);
  const service = await testService(options, {
    PORT: String(port), PORTAL_ORIGIN: `http://127.0.0.1:${port}`, REDIS_URL: `${shared}${shared.includes('?') ? '&' : '?'}keyPrefix=${encodeURIComponent(namespace)}`, GATEWAY_ADMIN_URL: gateway.adminUrl, GATEWAY_URL: gateway.proxyUrl,
    GATEWAY_PUBLIC_URL: 'https://gateway.example:8443', SESSION_SECRET: `only-for-tests-${port}-${process.pid}`,
    OFFICE_CLIENT_ID: 'the-office', OFFICE_CLIENT_SECRET: 'only-for-tests-of-the-office', OFFICE_CREDENTIALS_KEY: Buffer.alloc(32, 7).toString('base64'), ...env,
  });
  const send = async (visitor: Visitor, method: string, path: string, body: unknown, headers: Record<string, string>): Promise<TestAnswer> => {
    const answer = await service.request(method, path, { body, headers: { ...(visitor.cookie ? { cookie: visitor.cookie } : {}), ...headers } });
    const set = answer.headers['set-cookie'];
    if (set) visitor.cookie = set.split(';')[0];
    return answer;
  };
  return {
    service, gateway,
    ask: (visitor, method, path, body, headers = {}) => send(visitor, method, path, body, { ...JSON_ONLY, ...headers }),
    submit: (visitor, path, fields, headers = {}) =>
      send(visitor, 'POST', path, new URLSearchParams(fields).toString(), { ...BROWSER, 'content-type': 'application/x-www-form-urlencoded', ...headers }),
    redisKeys,
    forgetFailures: async (kind) => {
      const counters = (await redisKeys()).filter((key) => key.includes(`:failures:${kind ?? ''}`));
      if (counters.length > 0) await redis.del(...counters);
    },
    stop: async () => {
      await service.stop();
      const keys = await redisKeys();
      if (keys.length > 0) await redis.del(...keys);
      redis.disconnect();
      await gateway.stop();
    },
  };
}

/** A new developer, signed in. */
export async function signedUp({ ask }: PortalUnderTest): Promise<Visitor & { email: string; password: string }> {
  const visitor = { email: `dev-${crypto.randomUUID()}@fintech.example`, password: 'a long enough password', cookie: '' };
  const { status } = await ask(visitor, 'POST', '/sign-up', { email: visitor.email, password: visitor.password, organisation: 'Fictional Fintech' });
  if (status !== 201) throw new Error(`sign-up answered ${status}`);
  return visitor;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
