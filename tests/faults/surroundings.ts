/** What stands around a gateway and can be taken away: Redis, its database, the consent service, and a service that counts. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { spawn, type ChildProcess } from 'node:child_process';
import type { DecisionRecord } from '@kontor/kernel/consent-decision';
import { testServer } from '@kontor/testing/environment';
import { proxyFor, type Proxy } from '@kontor/testing/proxy';
import { eventually } from '@kontor/testing/wait';
import { freePort } from '../../scripts/infra/ports.js';
import { redis as redisPlan } from '../../scripts/infra/redis.js';
import { startUpstream, type Upstream } from '../gateway/upstream.js';

/** Every process here is private: nothing another test uses is stopped. */
export interface Surroundings {
  redis: OwnRedis;
  /** Between a gateway and the PostgreSQL server. */
  database: Proxy;
  consents: ConsentService;
  /** The services behind the gateway. */
  upstream: Upstream;
  stop(): Promise<void>;
}

export async function surroundings(): Promise<Surroundings> {
  const folder = mkdtempSync(join(tmpdir(), 'kontor-faults-'));
  const redis = await startRedis(folder);
  const database = await proxyFor(testServer('TEST_DATABASE_URL'));
  const consents = await startConsentService();
  const upstream = await startUpstream();
  return {
    redis, database, consents, upstream,
    async stop() {
      await Promise.all([redis.kill(), database.close(), consents.stop(), upstream.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A Redis process of our own; what it held is lost when it is killed. */
export interface OwnRedis {
  url: string;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** SIGSTOP: it accepts connections and never answers. */
  freeze(): void;
  thaw(): void;
}

export async function startRedis(directory: string): Promise<OwnRedis> {
  const packages = resolve(process.env.KONTOR_PACKAGES ?? '.kontor/packages');
  const { plan, url } = await redisPlan({ directory, packages, port: await freePort(), password: 'password-of-the-faults', durable: false });
  let child: ChildProcess;
  const own: OwnRedis = {
    url,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((done) => child.once('exit', done));
      child.kill('SIGKILL');
      await gone;
    },
    async start() {
      child = spawn(plan.command, plan.args, { env: { ...process.env, ...plan.env }, cwd: plan.cwd, stdio: 'ignore' });
      await eventually('Redis answers', () => plan.ready());
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
  await own.start();
  return own;
}

/** The consent service's internal endpoint, answering from what the trial knows of its consents. */
export interface ConsentService {
  url: string;
  records: Map<string, DecisionRecord>;
  /** Connections are refused until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Accepts and does not answer until `thaw`. */
  freeze(): void;
  thaw(): void;
}

async function startConsentService(): Promise<ConsentService> {
  const records = new Map<string, DecisionRecord>();
  const held = new Set<ServerResponse>();
  let frozen = false;
  let server: Server;
  const listen = (port: number): Promise<void> => {
    server = createServer((request, response) => {
      if (frozen) {
        held.add(response);
        response.once('close', () => held.delete(response));
        return;
      }
      const record = records.get(/^\/internal\/consents\/([^/]+)\/decision$/.exec(request.url ?? '')?.[1] ?? '');
      response.writeHead(record ? 200 : 404, { 'content-type': 'application/json' }).end(record ? JSON.stringify(record) : '{}');
    });
    return new Promise((done, failed) => server.once('error', failed).listen(port, '127.0.0.1', done));
  };
  await listen(0);
  const { port } = server!.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    records,
    stop: () => new Promise((done) => {
      server.close(() => done());
      server.closeAllConnections();
    }),
    start: () => listen(port),
    freeze: () => { frozen = true; },
    thaw() {
      frozen = false;
      for (const response of held) response.destroy();
    },
  };
}
