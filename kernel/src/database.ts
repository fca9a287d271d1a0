import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { BaseError, Sequelize, Transaction } from 'sequelize';
import { problem, type Problem } from './problem.js';

export { migrate } from './migrate.js';

/** A running transaction. Give it to `query`, `appendEvent`, `firstTime`, or to a model as `{ transaction: tx }`. */
export type Tx = Transaction;

/** A pool of connections to one PostgreSQL database. It reconnects by itself. */
export interface Database {
  /** For models and plain CRUD; hot paths use `query`. */
  readonly sequelize: Sequelize;
  readonly url: string;
  /**
   * Runs one statement with `$1` parameters on PostgreSQL itself (no ORM). bigint and numeric come as text, timestamptz as
   * Date, date as text, json parsed. Without parameters several statements may be given at once.
   * @throws the error of `pg` (see `constraintOf`); a lost connection satisfies `isConnectionError`.
   */
  query<T extends object = Record<string, unknown>>(sql: string, params?: readonly unknown[], tx?: Tx): Promise<T[]>;
  /**
   * Runs `effects` in a transaction, READ COMMITTED unless said otherwise. Serialization failures and deadlocks (40001,
   * 40P01) are tried again up to five times, so `effects` must do nothing but database work.
   * @throws CommitUnknown when the connection was lost during the commit: only an idempotent repeat can tell.
   */
  transaction<T>(effects: (tx: Tx) => Promise<T>, options?: { isolation?: 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE' }): Promise<T>;
  /** Calls `listener` after each commit of this process; gives back how to stop. The relay listens. */
  onCommit(listener: () => void): () => void;
  /** Whether the database answers within `timeoutMs`. */
  answers(timeoutMs: number): Promise<boolean>;
  close(): Promise<void>;
}

/** The connection was lost while committing: whether the transaction took effect is not known. */
export class CommitUnknown extends Error {
  constructor(cause: unknown) {
    super('the connection was lost during the commit', { cause });
    this.name = 'CommitUnknown';
  }
}

/** Sequelize's connection manager, as far as the kernel needs it (not in its public types, stable since version 4). */
interface ConnectionManager {
  getConnection(options?: { uuid?: string }): Promise<Connection>;
  releaseConnection(connection: Connection): void;
  destroyConnection(connection: Connection): Promise<void>;
}
type Connection = pg.Client & { uuid?: string; _invalid?: boolean };
interface OpenTransaction {
  id: string;
  connection: Connection;
  finished?: string;
}

const ATTEMPTS = 5;

/**
 * Sequelize listens for errors of a connection only a moment after it is made. A server that ends the connection in the
 * same breath would end the whole process: an error event nobody listens to. Found by a test that terminates connections.
 */
class SteadyClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    this.on('error', () => { (this as unknown as Connection)._invalid = true; });
  }
}

/**
 * Opens a pool; the first connection is made by the first statement.
 * @param url postgres://user:password@host:port/database
 * @param options.poolMax most connections of this process (default 10)
 */
export function connectDatabase(url: string, options: { poolMax?: number } = {}): Database {
  const sequelize = new Sequelize(url, {
    dialect: 'postgres',
    dialectModule: { ...pg, types: pg.types, Client: SteadyClient },
    logging: false,
    pool: { max: options.poolMax ?? 10, min: 0, idle: 30_000, acquire: 5_000, evict: 5_000 },
    dialectOptions: {
      application_name: 'kontor', keepAlive: true, connectionTimeoutMillis: 3_000,
      statement_timeout: 10_000, idle_in_transaction_session_timeout: 15_000, clientMinMessages: 'ignore',
    },
    define: { timestamps: false, freezeTableName: true, underscored: true },
  });
  const connections = (sequelize as unknown as { connectionManager: ConnectionManager }).connectionManager;
  const listeners = new Set<() => void>();

  async function once<T>(effects: (tx: Tx) => Promise<T>, isolation: string | undefined): Promise<T> {
    const tx = new (Transaction as unknown as new (on: Sequelize, options: object) => Tx)(sequelize, {});
    const open = tx as unknown as OpenTransaction;
    const connection = await connections.getConnection({ uuid: open.id });
    open.connection = connection;
    connection.uuid = open.id;
    let sound = false;
    try {
      await connection.query(isolation ? `begin isolation level ${isolation}` : 'begin');
      const result = await effects(tx);
      await connection.query('commit').catch((fault: unknown) => {
        throw isConnectionError(fault) ? new CommitUnknown(fault) : fault;
      });
      sound = true;
      return result;
    } catch (fault) {
      if (!(fault instanceof CommitUnknown)) sound = await connection.query('rollback').then(() => true, () => false);
      throw fault;
    } finally {
      open.finished = 'done';
      await giveBack(connections, connection, sound);
    }
  }

  return {
    sequelize,
    url,
    async query<T extends object>(sql: string, params?: readonly unknown[], tx?: Tx): Promise<T[]> {
      if (tx) return run<T>((tx as unknown as OpenTransaction).connection, sql, params);
      const connection = await connections.getConnection();
      let sound = true;
      try {
        return await run<T>(connection, sql, params);
      } catch (fault) {
        sound = !isConnectionError(fault);
        throw fault;
      } finally {
        await giveBack(connections, connection, sound);
      }
    },
    async transaction(effects, { isolation } = {}) {
      for (let attempt = 1; ; attempt++) {
        try {
          const result = await once(effects, isolation);
          for (const listener of listeners) listener();
          return result;
        } catch (fault) {
          if (attempt === ATTEMPTS || !isSerializationFailure(fault)) throw fault;
          await pause(Math.random() * 10 * 2 ** attempt);
        }
      }
    },
    onCommit(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async answers(timeoutMs) {
      const probe = this.query('select 1').then(() => true, () => false);
      return Promise.race([probe, pause(timeoutMs, false, { ref: false })]);
    },
    close: () => sequelize.close(),
  };
}

async function run<T extends object>(connection: Connection, sql: string, params?: readonly unknown[]): Promise<T[]> {
  const result = params ? await connection.query<T>(sql, params as unknown[]) : await connection.query<T>(sql);
  const last: pg.QueryResult<T> | undefined = Array.isArray(result) ? (result as pg.QueryResult<T>[]).at(-1) : result;
  return last?.rows ?? [];
}

/** A connection in an unknown state must not serve another. */
async function giveBack(connections: ConnectionManager, connection: Connection, sound: boolean): Promise<void> {
  delete connection.uuid;
  if (sound && !connection._invalid) {
    connections.releaseConnection(connection);
    return;
  }
  connection._invalid = true;
  await connections.destroyConnection(connection).catch(() => undefined);
}

/** The chain of an error: itself, then what it wraps (Sequelize: `original`; ours: `cause`). */
function* chain(fault: unknown): Generator<{ code?: unknown; name?: unknown; message?: unknown; constraint?: unknown }> {
  for (let at = fault, depth = 0; typeof at === 'object' && at !== null && depth < 5; depth++) {
    yield at;
    at = (at as { original?: unknown; cause?: unknown }).original ?? (at as { cause?: unknown }).cause;
  }
}

/** PostgreSQL appendix A: 08 connection exceptions, 57P shutdown and recovery, 53300 too many, 25P03 idle too long. */
const LOST_STATES = /^(08...|57P0[1-5]|53300|25P03)$/;
const LOST_SOCKETS = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ECONNABORTED', 'ENETUNREACH']);
const LOST_MESSAGES = /Connection terminated|connection error and is not queryable|Client was closed|timeout expired|Connection ended/i;
const LOST_NAMES = /^Sequelize(Connection\w*|HostNot\w+|InvalidConnection)Error$/;

/** Whether the database could not be reached, went away, or refused new connections: worth trying again. */
export function isConnectionError(fault: unknown): boolean {
  for (const { code, name, message } of chain(fault)) {
    if (typeof code === 'string' && (LOST_STATES.test(code) || LOST_SOCKETS.has(code))) return true;
    if (typeof name === 'string' && LOST_NAMES.test(name)) return true;
    if (typeof message === 'string' && LOST_MESSAGES.test(message)) return true;
  }
  return false;
}

function isSerializationFailure(fault: unknown): boolean {
  return stateOf(fault) === '40001' || stateOf(fault) === '40P01';
}

/** The SQLSTATE of an error of PostgreSQL, also when Sequelize has wrapped it. */
export function stateOf(fault: unknown): string | undefined {
  for (const { code } of chain(fault)) if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return code;
  return undefined;
}

/** The name of the violated constraint: translate it into a problem where the query is. */
export function constraintOf(fault: unknown): string | undefined {
  for (const { constraint } of chain(fault)) if (typeof constraint === 'string') return constraint;
  return undefined;
}

/**
 * A fault of the database as the caller may see it: out of reach, too slow (57014), locked (55P03) or with an unknown
 * commit → 503 `unavailable` with Retry-After; anything else is not a matter of the caller: undefined.
 */
export function databaseProblem(fault: unknown): Problem | undefined {
  const retry = { 'Retry-After': '1' };
  if (fault instanceof CommitUnknown)
    return problem('unavailable', 'Whether the request took effect is not known. Repeat it unchanged, with the same Idempotency-Key.').with(retry);
  const state = stateOf(fault);
  const passing = isConnectionError(fault) || state === '57014' || state === '55P03' || isSerializationFailure(fault);
  return passing ? problem('unavailable', 'The database is out of reach. Repeat the request.').with(retry) : undefined;
}

/** Whether a fault came from the database at all (used to keep its text out of answers and logs' codes short). */
export function isDatabaseError(fault: unknown): boolean {
  return fault instanceof BaseError || fault instanceof pg.DatabaseError;
}
