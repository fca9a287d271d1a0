import { expect } from 'chai';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { compileServer } from '../host-pdk/build.js';
import type { Dossier } from '../host-pdk/dossier.js';
import { type KongClient, startServer } from '../host-pdk/kong-client.js';

const RECORD = { version: 3, status: 'authorised', clientId: 'app-1', customerId: 'customer-1', permissions: ['accounts:read'], accounts: ['a'], expiresAt: 1_900_000_000 };

describe('consent-check out of process', function () {
  let folder: string;
  let child: ChildProcess;
  let client: KongClient;
  let redis: Redis;
  let service: Server;
  /** What the consent service answers; undefined: nothing, ever. */
  let answered: { status: number; body: string } | undefined;
  let instance: number;

  before(async function () {
    if (!process.env.TEST_REDIS_URL) {
      console.log('      skipped: needs TEST_REDIS_URL');
      this.skip();
    }
    folder = await mkdtemp(join(tmpdir(), 'kontor-pdk-'));
    await compileServer(fileURLToPath(new URL('../host-pdk/server/consent-check.ts', import.meta.url)), join(folder, 'server.cjs'));
    ({ process: child, client } = await startServer(join(folder, 'server.cjs'), join(folder, 'c.sock')));
    redis = new Redis(process.env.TEST_REDIS_URL as string);
    service = createServer((_request, response) => { if (answered) response.writeHead(answered.status).end(answered.body); });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    const { hostname, port, password } = new URL(process.env.TEST_REDIS_URL as string);
    instance = await client.start({
      operation: 'listAccounts', audience: 'account', scopes: ['accounts'], permission: 'accounts:read', accountParameter: null,
      redis: { host: hostname, port: Number(port), password: decodeURIComponent(password) || null, timeoutMs: 200 },
      fallback: { url: `http://127.0.0.1:${(service.address() as AddressInfo).port}`, key: 'k', timeoutMs: 300 },
    }, 'consent-check');
  });
  after(async () => {
    client?.close();
    child?.kill('SIGKILL');
    redis?.disconnect();
    service?.closeAllConnections();
    service?.close();
    if (folder) await rm(folder, { recursive: true });
  });

  let consent: Dossier['consent'];
  async function decide(consentId: string): Promise<Dossier['decisions'][string]> {
    const { dossier } = await client.access(instance, {
      request: 'r', decisions: {},
      facts: { method: 'GET', path: '/v1/accounts', route: 'listAccounts', pathParameters: {}, headers: {}, scopes: ['accounts'], roles: ['aisp'], clientId: 'app-1', consentId, correlationId: 'c', now: 1_800_000_000 },
    });
    consent = dossier.consent;
    return dossier.decisions['consent-check']!;
  }

  it('asks Redis from the first request of its life on', async () => {
    const id = randomUUID();
    await redis.set(`consent:decision:${id}`, JSON.stringify(RECORD), 'EX', 60);
    answered = { status: 404, body: '' };
    expect((await decide(id)).kind).to.equal('allow');
  });

  it('decides on the record in Redis as it is at that moment, and keeps it for gateway-identity', async () => {
    const id = randomUUID();
    await redis.set(`consent:decision:${id}`, JSON.stringify(RECORD), 'EX', 60);
    expect((await decide(id)).kind).to.equal('allow');
    expect(consent).to.deep.equal(RECORD);
    await redis.set(`consent:decision:${id}`, JSON.stringify({ ...RECORD, version: 4, status: 'denied', reason: 'revoked' }), 'EX', 60);
    expect(await decide(id)).to.include({ kind: 'refuse', code: 'consent_revoked' });
    expect(consent).to.equal(undefined);
  });

  it('asks the consent service when Redis has none, and refuses when that does not know, fails or hangs', async () => {
    answered = { status: 200, body: JSON.stringify(RECORD) };
    expect((await decide(randomUUID())).kind).to.equal('allow');
    answered = { status: 404, body: '' };
    expect(await decide(randomUUID())).to.include({ kind: 'refuse', code: 'consent_not_active' });
    answered = { status: 500, body: '' };
    expect(await decide(randomUUID())).to.include({ kind: 'refuse', code: 'consent_check_unavailable' });
    answered = undefined;
    expect(await decide(randomUUID())).to.include({ kind: 'refuse', code: 'consent_check_unavailable' });
  });
});
