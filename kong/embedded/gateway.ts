/** Puts the embedded gateway together: state, database, plugins, listeners. */
import { connectDatabase, migrate } from '@kontor/kernel/database';
import type { Logger } from '@kontor/kernel/logger';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { adminServer, statusServer, type Administered } from './admin.js';
import { buildChains, type Chains } from './chain.js';
import { definitions } from './definitions.js';
import { identitySource } from './identities.js';
import { close, listen, startListeners, type TlsFiles } from './listeners.js';
import { OAuthStore } from './oauth-store.js';
import type { Parts, PluginDefinition } from './plugin.js';
import { makeProxy } from './proxy.js';
import { redisConnections } from './redis-connections.js';
import { Router } from './router.js';
import { loadState } from './state.js';

/** How to start a gateway. Ports: 0 lets the system choose. */
export interface GatewayOptions {
  /** decK state: files and folders. */
  state: readonly string[];
  /** Where the state's `DECK_…` variables come from. */
  env: NodeJS.ProcessEnv;
  databaseUrl: string;
  /** Folder of the gateway's own SQL files. */
  migrations: URL;
  host: string;
  httpPort: number;
  httpsPort: number;
  adminPort: number;
  statusPort: number;
  tls: TlsFiles;
  logger: Logger;
  /** Unix milliseconds. */
  now?: () => number;
  /** Beside the plugins that are there; the suite adds broken ones. */
  extraPlugins?: readonly PluginDefinition[];
  /** Process metrics (memory, event loop); once a process. */
  processMetrics?: boolean;
}

/** A running gateway. */
export interface Gateway {
  proxyUrl: string;
  httpsUrl: string;
  adminUrl: string;
  statusUrl: string;
  /** Lets running requests finish, sends what is queued, closes everything. */
  stop(): Promise<void>;
}

/** The Admin API has no authentication: it never leaves the machine. */
const LOOPBACK = '127.0.0.1';
const GRACE_MS = 10_000;
const PURGE_MS = 10 * 60_000;

/**
 * Starts a gateway.
 * @throws StateError when the state is not one it can serve; any other error when a port, key or the database is not there
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const known = new Map([...definitions, ...(options.extraPlugins ?? []).map((plugin) => [plugin.name, plugin] as const)]);
  const schemas = new Map([...known].map(([name, { schema }]) => [name, schema]));
  const state = await loadState(options.state, schemas, options.env);

  const { logger } = options;
  const now = options.now ?? Date.now;
  const database = connectDatabase(options.databaseUrl, { poolMax: 10 });
  const metrics = new Registry();
  if (options.processMetrics) collectDefaultMetrics({ register: metrics });
  const redis = redisConnections(logger);
  const oauth = new OAuthStore(database);
  const parts: Parts = { logger, metrics, identities: identitySource(database, now), oauth, redis, now };
  const closing: (() => unknown)[] = [() => database.close(), () => redis.close()];
  try {
    const chains = buildChains(state, known, parts);
    closing.unshift(() => chains.stop());
    await migrate(database, options.migrations);
    return await open(options, { state, database, metrics, logger, changed: () => parts.identities.forget() }, chains, parts, closing);
  } catch (fault) {
    for (const close of closing) await close();
    throw fault;
  }
}

/** Opens the listeners of a gateway whose parts are there. */
async function open(options: GatewayOptions, administered: Administered, chains: Chains, parts: Parts, closing: (() => unknown)[]): Promise<Gateway> {
  const { state, logger } = administered;
  const proxy = makeProxy(state);
  const purge = setInterval(() => void parts.oauth.purge().catch((error: unknown) => logger.warn('ended tokens could not be deleted', { error })), PURGE_MS).unref();
  closing.unshift(() => proxy.close(), () => clearInterval(purge));
  const admin = adminServer(administered);
  const status = statusServer(administered);
  const listeners = await startListeners({ router: new Router(state.routes), chains, proxy, parts }, { ...options, tls: options.tls });
  closing.unshift(() => listeners.stop(GRACE_MS));
  const adminPort = await listen(admin, LOOPBACK, options.adminPort);
  closing.unshift(() => close(admin, 1_000));
  const statusPort = await listen(status, options.host, options.statusPort);
  closing.unshift(() => close(status, 1_000));
  return {
    proxyUrl: `http://127.0.0.1:${listeners.httpPort}`,
    httpsUrl: `https://localhost:${listeners.httpsPort}`,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    statusUrl: `http://127.0.0.1:${statusPort}`,
    async stop() {
      for (const end of closing) await end();
    },
  };
}
