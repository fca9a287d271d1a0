/** The services a proof runs against: the real ones, each with a database of its own, joined by the broker. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Setting } from '@kontor/kernel/config';
import type { Database } from '@kontor/kernel/database';
import { startService, type RunningService, type ServiceOptions } from '@kontor/kernel/service';
import { testDatabase } from '@kontor/testing/database';
import { testKeys } from '@kontor/testing/gateway-token';
import { Redis } from 'ioredis';
import { Agent, request } from 'undici';
import { options as accountService } from '../../services/account/src/main.js';
import { decisionsIn } from '../../services/consent/src/decisions.js';
import { knownRepository } from '../../services/consent/src/known-repository.js';
import { options as consentService } from '../../services/consent/src/main.js';
import { consentRepository, type ConsentRepository } from '../../services/consent/src/repository.js';
import { options as paymentService } from '../../services/payment/src/main.js';
import { certificate, secrets } from '../gateway/target.js';

export interface Live extends RunningService { database: Database }

export interface Services {
  account: Live;
  payment: Live;
  consent: Live;
  /** What the bank's pages do, without the pages: the same transactions and decision records, as a second replica would. */
  consents: ConsentRepository;
  redis: Redis;
  /** Where the consent service finds the gateway once it is up. */
  connect(gateway: { httpsUrl: string }): void;
  stop(): Promise<void>;
}

/** The OAuth2 address of a gateway that starts later; the development certificate is trusted here, not by the whole process. */
async function doorOf(): Promise<{ url: string; open(gateway: { httpsUrl: string }): void; close(): Promise<void> }> {
  let to: string | undefined;
  const agent = new Agent({ connect: { ca: certificate().cert } });
  const server = createServer((incoming, answer) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
      const { host: _own, connection: _hop, 'content-length': _length, 'transfer-encoding': _encoding, ...headers } = incoming.headers;
      request(`${to ?? 'http://127.0.0.1:1'}${incoming.url}`, { method: incoming.method as 'POST', headers, dispatcher: agent, ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}) })
        .then(async ({ statusCode, headers: told, body }) => {
          answer.writeHead(statusCode, { 'content-type': String(told['content-type'] ?? 'text/plain') }).end(Buffer.from(await body.arrayBuffer()));
        })
        .catch(() => answer.writeHead(502).end());
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: ({ httpsUrl }) => { to = httpsUrl; },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
      await agent.destroy();
    },
  };
}

/** Starts them. The gateway of `connect` is asked for codes and told of ended consents. */
export async function startServices({ redisUrl, amqpUrl }: { redisUrl: string; amqpUrl: string }): Promise<Services> {
  const door = await doorOf();
  const undo: (() => Promise<void>)[] = [() => door.close()];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  const live = async <S extends Record<string, Setting<unknown>>>(options: ServiceOptions<S>, env: Record<string, string>): Promise<Live> => {
    const { url, database, drop } = await testDatabase(options.root);
    undo.push(drop);
    await database.close();
    const running = await startService(options, { PORT: '0', LOG_LEVEL: 'error', GATEWAY_TOKEN_PUBLIC_KEY: testKeys.publicKey, SANDBOX: 'true', DATABASE_URL: url, AMQP_URL: amqpUrl, ...env });
    undo.push(() => running.stop());
    if (!running.database) throw new Error(`${running.name} has no database`);
    return running as Live;
  };
  try {
    const account = await live(accountService, { ACCOUNT_BALANCES_KEY: randomBytes(24).toString('hex') });
    const payment = await live(paymentService, {});
    const consent = await live(consentService, {
      REDIS_URL: redisUrl, OAUTH2_PROVISION_KEY: secrets.provisionKey, GATEWAY_OAUTH2_URL: `${door.url}/oauth2`,
      BANK_PAGES_URL: 'http://bank.test/bank', CONSENT_DECISION_KEY: secrets.decisionKey, CREDENTIALS_KEY: randomBytes(32).toString('base64'),
    });
    const redis = new Redis(redisUrl, { maxRetriesPerRequest: 1, commandTimeout: 1000, enableOfflineQueue: true, retryStrategy: () => 100 });
    redis.on('error', () => undefined);
    undo.push(() => Promise.resolve(redis.disconnect()));
    const consents = consentRepository(consent.database, decisionsIn(redis), knownRepository(consent.database));
    return { account, payment, consent, consents, redis, connect: door.open, stop };
  } catch (fault) {
    await stop();
    throw fault;
  }
}
