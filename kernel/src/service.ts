import { existsSync, realpathSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Express } from 'express';
import { gather, hearAlone, hearTogether } from './batches.js';
import { flag, integer, oneOf, port, readSettings, SettingsError, text, url, type Setting, type Settings } from './config.js';
import { loadContract } from './contract.js';
import { connectDatabase, isConnectionError, migrate, type Database, type Tx } from './database.js';
import { traceIdOf, type AnyEvent, type Event, type EventType } from './events.js';
import type { AnyRoutes, Effects, OutsideSubscriptions, Subscriptions } from './handlers.js';
import { createApp } from './http.js';
import { createLogger, type Logger } from './logger.js';
import { connectBroker, Transient, type Broker } from './messaging.js';
import { createMetrics, type Metrics } from './metrics.js';
import { appendEvent, oldestUnpublishedSeconds, startRelay, type Relay } from './outbox.js';

export type { Answer, Call, Effects, Handler, OutsideSubscriptions, Routes, Subscriptions } from './handlers.js';

/** The settings every process reads; a service adds its own. */
export const COMMON_SETTINGS = {
  PORT: port({ explain: 'the TCP port to listen on; 0 lets the system choose' }),
  HOST: text({ default: '127.0.0.1', explain: 'the address to listen on' }),
  DATABASE_URL: url({ optional: true, explain: 'postgres://… of the service\'s own database' }),
  DATABASE_POOL: integer({ min: 1, max: 100, default: 10, explain: 'most database connections of one process' }),
  AMQP_URL: url({ optional: true, explain: 'amqp://… of RabbitMQ' }),
  LOG_LEVEL: oneOf(['error', 'warn', 'info', 'debug'], { default: 'info', explain: 'the least level that is logged' }),
  GATEWAY_TOKEN_PUBLIC_KEY: text({ optional: true, explain: 'base64 of the PEM (SPKI, P-256) that verifies gateway tokens; needed by every service with a contract' }),
  SANDBOX: flag({ default: false, explain: 'true serves the operations marked sandbox' }),
};

/** Handlers that only wait for another system take little but memory, and one that waits should not keep the others. */
const OUTSIDE_PREFETCH = 200;

type Spec = Record<string, Setting<unknown>>;
type AllSettings<S extends Spec> = Settings<typeof COMMON_SETTINGS> & Settings<S>;

/** What the kernel gives a service to wire itself with. */
export interface Parts<S extends Spec = Record<never, never>> {
  /** The service's database, migrated. Only where the service has migrations/; else reading it throws. */
  readonly database: Database;
  /** Publishing and dead letters; prefer `emit` and `emitNow`. Reading it throws in a test without a broker. */
  readonly broker: Broker;
  readonly settings: AllSettings<S>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Tells an event outside a subscription: into the outbox in a transaction of its own, or, without a database, at once. */
  emitNow(event: Event): Promise<void>;
}

/** What a service is made of. */
export interface Wiring {
  /** One handler for each operationId of openapi.yaml. Type it with `Routes<operations>`. */
  routes?: AnyRoutes;
  /** One handler for each event type heard. */
  subscriptions?: Subscriptions;
  /**
   * Handlers that ask another system and are safe to repeat. Their queue is their own (`<name>.outside`), without transaction and inbox:
   * while that system is out of reach, no other event waits and no database connection is held.
   */
  outside?: OutsideSubscriptions;
  /** Events that would wait for the same row are worked on in one transaction (batches.ts). */
  together?: Together;
  /** Pages and internal endpoints; mounted before the contract, without its guards: they guard themselves. */
  extend?: (app: Express) => void;
  /** Further checks of /readyz; each answers within a second. */
  ready?: Record<string, () => boolean | Promise<boolean>>;
  /** Called at the end, after requests and subscriptions have finished and before the database closes. */
  stop?: () => Promise<void>;
}

/** Which events belong together, and what a batch of them locks beforehand. */
export interface Together {
  /** Events of one key wait for the same row; undefined is worked on alone. */
  key: (event: AnyEvent) => string | undefined | Promise<string | undefined>;
  /** Takes every lock the events will need in the order in which all transactions take them. */
  prepare: (events: readonly AnyEvent[], tx: Tx) => Promise<void>;
}

/** A service as its main.ts declares it. */
export interface ServiceOptions<S extends Spec = Spec> {
  /** Folder, audience of gateway tokens, queue and consumer name. */
  name: string;
  /** The workspace: openapi.yaml and migrations/ are found here, where there are any. */
  root: URL;
  settings?: S;
  wire(parts: Parts<S>): Wiring | Promise<Wiring>;
}

/** A service that runs. */
export interface RunningService {
  readonly name: string;
  /** http://host:port */
  readonly url: string;
  readonly port: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly database: Database | undefined;
  /** Runs the subscriptions for an event as deliveries would: once, in a transaction with the inbox; those outside each time. */
  deliver(event: Event): Promise<void>;
  /** Stops accepting, finishes requests (10 s), subscriptions and relay, closes the pools. */
  stop(): Promise<void>;
}

/** For tests and special processes. */
export interface Overrides {
  /** No connection to RabbitMQ: no queue is consumed, the outbox fills. */
  broker?: false;
  /** The outbox is not published. */
  relay?: false;
  /** Takes what a service without a database tells while there is no broker. */
  told?: (event: Event) => void;
}

/** Gives `options` back with the type of its settings inferred: `export const options = defineService({ … })`. */
export function defineService<const S extends Spec = Record<never, never>>(options: ServiceOptions<S>): ServiceOptions<S> {
  return options;
}

/** Whether the module with this `import.meta.url` was started by `node` (src/main.ts under tsx, or dist/main.js). */
export function isMain(moduleUrl: string): boolean {
  const started = process.argv[1];
  if (started === undefined) return false;
  const bare = (path: string): string => (existsSync(path) ? realpathSync(path) : path).replace(/\.(ts|js|mjs)$/, '');
  return bare(started) === bare(fileURLToPath(moduleUrl));
}

/**
 * Starts a service: settings, database and its migrations, broker, wiring, HTTP; then subscriptions and relay.
 * @throws SettingsError; Error when contract and routes differ, or the database is out of reach for 30 s
 */
export async function startService<S extends Spec>(options: ServiceOptions<S>, env: NodeJS.ProcessEnv = process.env, overrides: Overrides = {}): Promise<RunningService> {
  const settings = readSettings({ ...COMMON_SETTINGS, ...options.settings }, env) as AllSettings<S>;
  assertComplete(options, settings, overrides);
  const logger = createLogger(options.name, settings.LOG_LEVEL);
  const metrics = createMetrics(options.name);
  const contract = await loadContract(new URL('openapi.yaml', options.root));
  const undo: (() => Promise<void>)[] = [];
  try {
    const database = hasMigrations(options) ? await openDatabase(settings.DATABASE_URL as string, settings.DATABASE_POOL, new URL('migrations/', options.root)) : undefined;
    if (database) undo.push(() => database.close());
    const broker = overrides.broker === false || !settings.AMQP_URL ? undefined : await connectBroker(settings.AMQP_URL, { name: options.name, logger });
    if (broker) undo.push(() => broker.close());
    const emitNow = emitter(database, broker, overrides);
    const wiring = await options.wire(partsOf<S>({ database, broker, settings, logger, metrics, emitNow }));
    if (wiring.stop) undo.push(wiring.stop);
    const state = { stopping: false };
    const app = createApp({
      name: options.name, contract, routes: wiring.routes ?? {}, extend: wiring.extend, logger, metrics,
      gatewayTokenPublicKey: settings.GATEWAY_TOKEN_PUBLIC_KEY, sandbox: settings.SANDBOX,
      readiness: () => readiness({ database, broker, wiring, stopping: () => state.stopping }),
    });
    const deliver = logged(logger, subscriber(options.name, wiring, database, emitNow));
    const outside = logged(logger, outsideSubscriber(wiring.outside ?? {}));
    const server = await listen(app, settings.HOST, settings.PORT);
    undo.push(() => closeServer(server));
    const queues = [
      { queue: options.name, types: Object.keys(wiring.subscriptions ?? {}) as EventType[], handler: deliver },
      { queue: `${options.name}.outside`, types: Object.keys(wiring.outside ?? {}) as EventType[], handler: outside, prefetch: OUTSIDE_PREFETCH },
    ].filter(({ types }) => types.length > 0);
    for (const each of queues) await broker?.subscribe(each);
    const relay = database && broker && overrides.relay !== false ? startRelay(database, broker, { name: options.name, logger }) : undefined;
    watchMessages({ metrics, database, broker, queues: queues.map(({ queue }) => queue) });
    const bound = (server.address() as AddressInfo).port;
    return {
      name: options.name, port: bound, url: `http://${settings.HOST}:${bound}`, logger, metrics, database,
      async deliver(event) {
        if (wiring.subscriptions?.[event.type]) await deliver(event);
        if (wiring.outside?.[event.type]) await outside(event);
      },
      stop: once(() => {
        state.stopping = true;
        return stopAll({ server, broker, wiring, relay, database });
      }),
    };
  } catch (fault) {
    for (const step of undo.reverse()) await step().catch(() => undefined);
    throw fault;
  }
}

function hasMigrations(options: { root: URL }): boolean {
  return existsSync(fileURLToPath(new URL('migrations/', options.root)));
}

/** What is optional in general but needed by this service. */
function assertComplete(options: { root: URL }, settings: Settings<typeof COMMON_SETTINGS>, overrides: Overrides): void {
  const faults: string[] = [];
  const need = (name: 'DATABASE_URL' | 'AMQP_URL' | 'GATEWAY_TOKEN_PUBLIC_KEY'): void => {
    if (settings[name] === undefined) faults.push(`${name} is missing: ${COMMON_SETTINGS[name].explain}`);
  };
  if (hasMigrations(options)) need('DATABASE_URL');
  if (overrides.broker !== false) need('AMQP_URL');
  if (existsSync(fileURLToPath(new URL('openapi.yaml', options.root)))) need('GATEWAY_TOKEN_PUBLIC_KEY');
  if (faults.length > 0) throw new SettingsError(faults);
}

async function openDatabase(address: string, poolMax: number, migrations: URL): Promise<Database> {
  const database = connectDatabase(address, { poolMax });
  for (const giveUpAt = Date.now() + 30_000; ;) {
    try {
      await migrate(database, migrations);
      return database;
    } catch (fault) {
      if (isConnectionError(fault) && Date.now() < giveUpAt) {
        await pause(250 + Math.random() * 250);
        continue;
      }
      await database.close().catch(() => undefined);
      throw fault;
    }
  }
}

function emitter(database: Database | undefined, broker: Broker | undefined, overrides: Overrides): (event: Event) => Promise<void> {
  if (database) return (event) => database.transaction((tx) => appendEvent(database, tx, event));
  return async (event) => {
    if (broker) await broker.publish(event);
    else if (overrides.told) overrides.told(event);
    else throw new Transient('there is no broker');
  };
}

function partsOf<S extends Spec>(parts: {
  database: Database | undefined; broker: Broker | undefined; settings: AllSettings<S>; logger: Logger; metrics: Metrics; emitNow: (event: Event) => Promise<void>;
}): Parts<S> {
  const { settings, logger, metrics, emitNow } = parts;
  return {
    settings, logger, metrics, emitNow,
    get database() {
      return present(parts.database, 'this service has no database: it has no folder migrations/');
    },
    get broker() {
      return present(parts.broker, 'this service runs without a broker');
    },
  };
}

function present<T>(value: T | undefined, fault: string): T {
  if (value === undefined) throw new Error(fault);
  return value;
}

/** The most events of one transaction; beyond 64 savepoints PostgreSQL keeps its list of them elsewhere, and slower. */
const BATCH = 32;

/** What happens with a delivered event: with a database in one transaction with the inbox, else at once. */
function subscriber(consumer: string, wiring: Wiring, database: Database | undefined, emitNow: (event: Event) => Promise<void>): (event: Event) => Promise<void> {
  const { subscriptions = {}, together } = wiring;
  const handlerOf = (event: Event) => subscriptions[event.type] as ((event: Event, effects: Effects) => Promise<void>) | undefined;
  if (!database) {
    return async (event) => {
      await handlerOf(event)?.(event, { emit: emitNow, get tx() { return present(undefined, 'this service has no database') as never; } });
    };
  }
  const handle = async (event: Event, effects: Effects): Promise<void> => handlerOf(event)?.(event, effects);
  const inBatches = together && gather<Event>(BATCH, (events) =>
    hearTogether(database, consumer, events, { handle, prepare: (batch, tx) => together.prepare(batch as AnyEvent[], tx) }));
  return async (event) => {
    // A binding of an older release may still bring a type nobody here hears.
    if (!handlerOf(event)) return;
    const key = await together?.key(event as AnyEvent);
    if (key === undefined || !inBatches) await hearAlone(database, consumer, event, handle);
    else await inBatches(key, event);
  };
}

function outsideSubscriber(subscriptions: OutsideSubscriptions): (event: Event) => Promise<void> {
  return async (event) => {
    await (subscriptions[event.type] as ((event: Event) => Promise<void>) | undefined)?.(event);
  };
}

/** One line an event, so that a request can be followed from service to service by its correlation or trace id. */
function logged(logger: Logger, deliver: (event: Event) => Promise<void>): (event: Event) => Promise<void> {
  return async (event) => {
    const startedAt = process.hrtime.bigint();
    await deliver(event);
    logger.info('heard', {
      event: event.type, eventId: event.id, resourceId: event.subject, correlationId: event.correlationid, traceId: traceIdOf(event.traceparent),
      durationMs: Math.round(Number(process.hrtime.bigint() - startedAt) / 1e5) / 10,
    });
  };
}

async function readiness(parts: { database: Database | undefined; broker: Broker | undefined; wiring: Wiring; stopping: () => boolean }): Promise<Record<string, boolean>> {
  const extra = await Promise.all(Object.entries(parts.wiring.ready ?? {}).map(async ([name, check]) => {
    const up = await Promise.race([Promise.resolve().then(check).catch(() => false), pause(1_000, false, { ref: false })]);
    return [name, up] as const;
  }));
  return {
    running: !parts.stopping(),
    ...(parts.database ? { database: await parts.database.answers(1_000) } : {}),
    ...(parts.broker ? { broker: parts.broker.ready() } : {}),
    ...Object.fromEntries(extra),
  };
}

function watchMessages(parts: { metrics: Metrics; database: Database | undefined; broker: Broker | undefined; queues: string[] }): void {
  const { metrics, database, broker, queues } = parts;
  if (database) {
    metrics.gauge({
      name: 'outbox_oldest_seconds', help: 'Age of the oldest event that is not published yet; 0 when there is none.',
      collect: async (gauge) => gauge.set(await oldestUnpublishedSeconds(database)),
    });
  }
  if (broker && queues.length > 0) {
    metrics.gauge({
      name: 'dlq_messages', help: 'Messages in the dead-letter queues of the service.', labels: ['queue'],
      collect: async (gauge) => {
        for (const queue of queues) {
          const count = await broker.deadLetters(queue);
          if (count !== undefined) gauge.set({ queue: `${queue}.dead` }, count);
        }
      },
    });
  }
}

function listen(app: Express, host: string, at: number): Promise<Server> {
  // Longer than a gateway keeps idle connections (60 s), so that it is never the server who closes under a request.
  const server = createServer({ keepAliveTimeout: 75_000, headersTimeout: 10_000, requestTimeout: 15_000 }, app);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at, host, () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const deadline = setTimeout(() => server.closeAllConnections(), 10_000);
  await closed;
  clearInterval(sweep);
  clearTimeout(deadline);
}

async function stopAll(parts: { server: Server; broker: Broker | undefined; wiring: Wiring; relay: Relay | undefined; database: Database | undefined }): Promise<void> {
  await closeServer(parts.server);
  await parts.broker?.stopConsuming();
  await parts.wiring.stop?.();
  await parts.relay?.stop();
  await parts.broker?.close();
  await parts.database?.close();
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= run());
}

/**
 * Runs a service as a process: SIGTERM and SIGINT stop it gracefully (exit 0); faults at the start or outside any request
 * end it (exit 1). Writes `{"message":"listening","service":…,"port":…}` when it can be called.
 */
export async function runService<S extends Spec>(options: ServiceOptions<S>): Promise<void> {
  let service: RunningService;
  try {
    service = await startService(options);
  } catch (fault) {
    if (fault instanceof SettingsError) process.stderr.write(`${options.name}: ${fault.message}\n`);
    else createLogger(options.name, 'error').error('the service could not start', { error: fault });
    process.exitCode = 1;
    setTimeout(() => process.exit(1), 500).unref();
    return;
  }
  process.stdout.write(`${JSON.stringify({ message: 'listening', service: options.name, port: service.port, level: 'info', time: new Date().toISOString() })}\n`);
  const end = (code: number) => (): void => {
    setTimeout(() => process.exit(1), 25_000).unref();
    void service.stop().then(() => process.exit(code), () => process.exit(1));
  };
  process.once('SIGTERM', end(0));
  process.once('SIGINT', end(0));
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.once(event, (fault: unknown) => {
      service.logger.error('a fault outside any request: the process ends', { error: fault });
      end(1)();
    });
  }
}
