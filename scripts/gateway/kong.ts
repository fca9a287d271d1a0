import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { findProgram, runProgram } from '../infra/packages.js';
import { isRoot, placeFor, UNPRIVILEGED } from '../infra/unprivileged.js';
import { AdminApi } from '../platform/admin-api.js';
import { Fault } from '../platform/fault.js';
import { answersOk, publicUrls, type PlatformContext } from '../platform/processes.js';
import type { ProcessPlan } from '../platform/supervisor.js';
import { syncState } from './deck-sync.js';
import { deckEnvironment, deckFiles, environmentOf, type Gateway } from './gateway.js';
import { pluginHost, socketsIn, type PluginHost } from './plugin-hosts.js';

/**
 * Kong as the machine has it, in database mode on a database of its own, with our plugins in the host PLUGIN_HOST names.
 * @param files the state; the bench gives its own
 */
export async function kongGateway(context: PlatformContext, tell: (line: string) => void, files = deckFiles(context.settings.root, environmentOf(context.settings))): Promise<Gateway> {
  const { settings } = context;
  const kong = await findProgram('kong');
  const nginx = await findProgram('nginx', []) ?? null;
  const openresty = '/usr/local/openresty/nginx/sbin/nginx';
  const server = existsSync(openresty) ? openresty : nginx;
  if (!kong || !server) throw new Fault('GATEWAY=kong needs `kong` and its OpenResty nginx: install Kong Gateway 3.9, use docker compose, or set GATEWAY=embedded.');
  const version = (await runProgram(kong, ['version'])).trim();
  const host = pluginHost(settings.root, settings.PLUGIN_HOST);
  await host.compile(tell);
  const absent = host.luaPlugins.filter((name) => !existsSync(join(host.lua, 'kong/plugins', name, 'handler.lua')));
  if (absent.length > 0) throw new Fault(`The gateway plugins ${absent.join(', ')} are not compiled to Lua (${host.lua}).`);
  return {
    description: `Kong ${version}, ${host.description}`,
    async start(supervisor) {
      const prefix = await placeFor(join(settings.home, 'data'), 'kong');
      const configuration = await writeConfiguration(context, prefix, host);
      await migrate(kong, configuration, prefix, `${version} ${settings.DATABASE_URL ? new URL(settings.DATABASE_URL).host : 'here'}`, tell);
      await host.prepare(context.stores.databases.kong!);
      await runProgram(kong, ['prepare', '-c', configuration, '-p', prefix], { what: 'kong prepare' });
      await supervisor.start(kongProcess(context, server, prefix, host));
      await sync(context, tell, await host.state(files, join(settings.home, 'data/kong-state')));
    },
  };
}

function kongProcess({ settings }: PlatformContext, server: string, prefix: string, host: PluginHost): ProcessPlan {
  return {
    name: 'gateway', command: server, args: ['-p', prefix, '-c', 'nginx.conf'], cwd: prefix, env: {}, port: settings.ports.GATEWAY_HTTPS,
    stopSignal: 'SIGTERM',
    // nginx refuses to bind unix sockets an earlier life left behind.
    beforeStart: () => removeSockets(prefix),
    ready: async () => host.ready(prefix) && answersOk(`${publicUrls(settings).admin}/status`),
  };
}

/** kong.conf with everything in it, secrets too: 0600, in the prefix. */
async function writeConfiguration({ settings, stores, tls }: PlatformContext, prefix: string, host: PluginHost): Promise<string> {
  const { ports, home } = settings;
  const database = new URL(stores.databases.kong!);
  await mkdir(prefix, { recursive: true, mode: 0o755 });
  if (isRoot()) await chown(prefix, UNPRIVILEGED.uid, UNPRIVILEGED.gid);
  const lines: Record<string, string> = {
    ...await host.settings(prefix),
    prefix, pg_host: database.hostname, pg_port: database.port || '5432', pg_database: database.pathname.slice(1),
    pg_user: database.username, pg_password: database.password,
    proxy_listen: `127.0.0.1:${ports.GATEWAY_HTTP} reuseport backlog=16384, 127.0.0.1:${ports.GATEWAY_HTTPS} ssl http2 reuseport backlog=16384`,
    admin_listen: `127.0.0.1:${ports.GATEWAY_ADMIN}`, status_listen: `127.0.0.1:${ports.GATEWAY_STATUS}`,
    ssl_cert: tls.certificate, ssl_cert_key: tls.key, db_update_frequency: '1', worker_state_update_frequency: '1',
    proxy_error_log: 'stderr', admin_error_log: 'stderr', status_error_log: 'stderr',
    nginx_worker_processes: String(Math.min(2, availableParallelism())),
    ...(isRoot() ? { nginx_user: `${UNPRIVILEGED.name} ${UNPRIVILEGED.group}` } : {}),
  };
  const path = join(home, 'data', 'kong.conf');
  await writeFile(path, `${Object.entries(lines).map(([name, value]) => `${name} = ${value.replaceAll('#', '\\#')}`).join('\n')}\n`, { mode: 0o600 });
  return path;
}

/** Brings Kong's own tables to this version; nothing to do when this version did it before. @param version of Kong, and where its database is */
async function migrate(kong: string, configuration: string, prefix: string, version: string, tell: (line: string) => void): Promise<void> {
  const mark = join(prefix, '.migrated');
  const wanted = `${version} ${/pg_database = (.*)/.exec(readFileSync(configuration, 'utf8'))?.[1]}`;
  if (await readFile(mark, 'utf8').catch(() => '') === wanted) return;
  tell('preparing Kong\'s database');
  await runProgram(kong, ['migrations', 'bootstrap', '-c', configuration], { what: 'kong migrations bootstrap' });
  await runProgram(kong, ['migrations', 'up', '-c', configuration], { what: 'kong migrations up' });
  await runProgram(kong, ['migrations', 'finish', '-c', configuration], { what: 'kong migrations finish' });
  await writeFile(mark, wanted);
}

/** Applies the decK state: with `deck` when it is there, else through the Admin API. */
async function sync(context: PlatformContext, tell: (line: string) => void, files: string[]): Promise<void> {
  const { settings } = context;
  const values = deckEnvironment(context);
  const admin = publicUrls(settings).admin;
  const deck = await findProgram('deck');
  if (!deck) {
    const changes = await syncState({ admin: new AdminApi(admin), files, values });
    tell(`gateway state applied through the Admin API: ${changes} changes`);
    return;
  }
  const out = await runProgram(deck, ['gateway', 'sync', ...files, '--kong-addr', admin, '--silence-events'], {
    env: { PATH: process.env.PATH, HOME: settings.home, DECK_ANALYTICS: 'off', ...values }, what: 'deck gateway sync',
  });
  const counts = Object.fromEntries([...out.matchAll(/(Created|Updated|Deleted): (\d+)/g)].map((match) => [match[1], Number(match[2])]));
  tell(`gateway state applied with decK: ${counts.Created ?? 0} created, ${counts.Updated ?? 0} updated, ${counts.Deleted ?? 0} deleted`);
}

function removeSockets(prefix: string): void {
  for (const folder of [prefix, join(prefix, 'sockets'), socketsIn(prefix)]) {
    if (!existsSync(folder)) continue;
    for (const entry of readdirSync(folder)) {
      const path = join(folder, entry);
      if (statSync(path, { throwIfNoEntry: false })?.isSocket()) rmSync(path, { force: true });
    }
  }
  rmSync(join(prefix, 'pids/nginx.pid'), { force: true });
}
