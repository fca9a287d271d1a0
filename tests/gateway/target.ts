/**
 * The gateways under test: the embedded one and a real Kong. The suite knows them by their addresses and runs the same tests on
 * each (`onEachTarget`): a difference is a bug. `embedded` marks what only the embedded gateway promises.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { createLogger } from '@kontor/kernel/logger';
import { testDatabase } from '@kontor/testing/database';
import { testServer } from '@kontor/testing/environment';
import { testKeys } from '@kontor/testing/gateway-token';
import { startGateway, type GatewayOptions } from '../../kong/embedded/gateway.js';
import { kongTarget, luaHost, missingForKong, pdkHost, stopKongs } from './kong-target.js';

/** Where a gateway can be reached. */
export interface Target {
  proxyUrl: string;
  httpsUrl: string;
  adminUrl: string;
  embedded: boolean;
  /** PEM of the authority of its certificate. */
  authority: string;
  /** What it has logged so far. */
  logged(): string;
  /** Ends the process; what runs is finished. */
  halt(): Promise<void>;
  /** Starts it again, with the same database and ports. */
  resume(): Promise<void>;
  /** Takes its database away under it (embedded only). */
  loseDatabase(): Promise<void>;
  stop(): Promise<void>;
}

/** A kind of gateway the suite runs on. */
export interface TargetKind {
  name: string;
  embedded: boolean;
  /** What this machine lacks to run it; empty when it can run. */
  missing: string[];
  /** @param more only for the embedded gateway, which takes its clock and further plugins from a test */
  start(state: readonly string[], env: Record<string, string>, more?: Partial<GatewayOptions>): Promise<Target>;
}

/** Every gateway the suite must find no difference between. */
export function targets(): TargetKind[] {
  return [
    { name: 'embedded gateway', embedded: true, missing: [], start: embeddedTarget },
    ...[luaHost, pdkHost].map((host) => ({ name: `Kong with the ${host.name}`, embedded: false, missing: missingForKong(), start: (state: readonly string[], env: Record<string, string>) => kongTarget(state, env, host) })),
  ];
}

/** Declares the same tests for every target. Where a target cannot run, the run says so and why. */
export function onEachTarget(title: string, declare: (kind: TargetKind) => void): void {
  // Once, at the end of all files: they share their Kongs.
  if (!ended) after(stopKongs);
  ended = true;
  for (const kind of targets()) {
    describe(`${title} (${kind.name})`, function () {
      this.timeout(kind.embedded ? 20_000 : 60_000);
      before(function () {
        if (kind.missing.length === 0) return;
        console.log(`      skipped: ${kind.name} needs ${kind.missing.join(', ')}`);
        this.skip();
      });
      declare(kind);
    });
  }
}

let ended = false;

/** Secrets of this run; the state takes them as `DECK_…`. */
export const secrets = {
  provisionKey: randomBytes(24).toString('hex'),
  decisionKey: randomBytes(24).toString('hex'),
  auditKey: randomBytes(24).toString('hex'),
};

export const PORTAL_ORIGIN = 'http://portal.test:8080';

/** The house's own state: derived routes and policies. */
export const DECK_STATE = ['kong.yaml', 'policies.yaml'].map((name) => fileURLToPath(new URL(`../../deck/${name}`, import.meta.url)));

/**
 * The house's state with a rate limit the suite does not reach; the limits have tests of their own.
 * @returns files in a new folder of the machine's temporary directory
 */
export function houseState(): string[] {
  if (house) return house;
  const folder = mkdtempSync(join(tmpdir(), 'kontor-deck-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  house = ['kong.yaml', 'policies.yaml'].map((name) => {
    const text = readFileSync(new URL(`../../deck/${name}`, import.meta.url), 'utf8').replace(/^(\s+)(second|minute): \d+$/gm, '$1$2: 1000000');
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  });
  return house;
}

let house: string[] | undefined;

/** A small state of the suite for what the house's state cannot show: time-outs, small limits, broken plugins. */
export const PROBE_STATE = [fileURLToPath(new URL('./probe-state.yaml', import.meta.url))];

/** Every variable a state names, with all services at one address. @param more wins */
export function deckVariables(serviceUrl: string, more: Record<string, string> = {}): Record<string, string> {
  const redis = new URL(testServer('TEST_REDIS_URL'));
  const services = ['ACCOUNT', 'AUDIT', 'CONSENT', 'CUSTOMER', 'KYC', 'PAYMENT', 'PAYMENT_RAIL', 'WEBHOOKS', 'CORE_BANKING', 'KYC_PROVIDER', 'PORTAL'];
  return {
    ...parseEnv(readFileSync(new URL('../../deck/environments/sandbox.env', import.meta.url), 'utf8')) as Record<string, string>,
    ...Object.fromEntries(services.map((name) => [`DECK_${name}_URL`, serviceUrl])),
    DECK_GATEWAY_TOKEN_PRIVATE_KEY: testKeys.privateKeyBase64,
    DECK_OAUTH2_PROVISION_KEY: secrets.provisionKey,
    DECK_CONSENT_DECISION_KEY: secrets.decisionKey,
    DECK_AUDIT_INGEST_KEY: secrets.auditKey,
    DECK_PORTAL_ORIGIN: PORTAL_ORIGIN,
    DECK_REDIS_HOST: redis.hostname,
    DECK_REDIS_PORT: redis.port || '6379',
    DECK_REDIS_PASSWORD: decodeURIComponent(redis.password),
    ...more,
  };
}

/** Starts the embedded gateway on free ports with a database of its own. */
export async function embeddedTarget(state: readonly string[], env: Record<string, string>, more: Partial<GatewayOptions> = {}): Promise<Target> {
  const { url, database, drop } = await testDatabase(new URL('../../kong/', import.meta.url));
  await database.close();
  const tls = certificate();
  let lines = '';
  const sink = new Writable({ write: (chunk: Buffer, _encoding, done) => ((lines += chunk.toString()), done()) });
  const start = (ports: Pick<GatewayOptions, 'httpPort' | 'httpsPort' | 'adminPort'>) => startGateway({
    state, env, databaseUrl: url, migrations: new URL('../../kong/migrations/', import.meta.url), host: '127.0.0.1',
    ...ports, statusPort: 0, tls, logger: createLogger('gateway', 'info', sink), ...more,
  });
  let gateway = await start({ httpPort: 0, httpsPort: 0, adminPort: 0 }).catch(async (fault: unknown) => {
    await drop();
    throw fault;
  });
  return {
    proxyUrl: gateway.proxyUrl, httpsUrl: gateway.httpsUrl, adminUrl: gateway.adminUrl,
    embedded: true,
    authority: tls.cert,
    logged: () => lines,
    halt: () => gateway.stop(),
    async resume() {
      const port = (address: string) => Number(new URL(address).port);
      gateway = await start({ httpPort: port(gateway.proxyUrl), httpsPort: port(gateway.httpsUrl), adminPort: port(gateway.adminUrl) });
    },
    loseDatabase: drop,
    async stop() {
      await gateway.stop();
      await drop();
    },
  };
}

let made: { cert: string; key: string } | undefined;

/** A self-signed certificate for localhost, made once a run. */
export function certificate(): { cert: string; key: string } {
  if (made) return made;
  const folder = mkdtempSync(join(tmpdir(), 'kontor-tls-'));
  try {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost',
      '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')], { stdio: 'ignore' });
    made = { cert: readFileSync(join(folder, 'cert.pem'), 'utf8'), key: readFileSync(join(folder, 'key.pem'), 'utf8') };
    return made;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A P-256 key no service trusts, as the state takes it. */
export function strangeKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })).toString('base64');
}
