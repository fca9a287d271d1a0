import { createHash } from 'node:crypto';
import { access, chmod, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import type { ProcessPlan } from '../platform/supervisor.js';
import { findProgram, unpackedPackage } from './packages.js';
import { freePort } from './ports.js';

export interface RabbitRequest {
  /** Directory of its data, configuration and cookie. */
  directory: string;
  packages: string;
  port: number;
  user: string;
  password: string;
  tell?: (line: string) => void;
}

interface RabbitProgram { server: string; epmd: string; env: Record<string, string> }

/**
 * A private RabbitMQ on 127.0.0.1: how to run it, and its URL. The Erlang port mapper is a process of its own, on a private port
 * and in the foreground: left to RabbitMQ it would become a daemon that outlives us.
 */
export async function rabbitmq(request: RabbitRequest): Promise<{ plans: ProcessPlan[]; url: string }> {
  const { port, user, password } = request;
  const program = await rabbitProgram(request);
  const data = join(request.directory, 'rabbitmq');
  await mkdir(data, { recursive: true, mode: 0o700 });
  await writeFile(join(data, 'rabbitmq.conf'), [
    `listeners.tcp.local = 127.0.0.1:${port}`, `default_user = ${user}`, `default_pass = ${password}`,
    'log.console = true', 'log.console.level = warning', 'log.file = false',
    'vm_memory_high_watermark.absolute = 512MB', 'collect_statistics_interval = 60000', '',
  ].join('\n'), { mode: 0o600 });
  await writeFile(join(data, 'enabled_plugins'), '[].\n');
  await writeFile(join(data, 'rabbitmq-env.conf'), '');
  const epmdPort = await freePort();
  const env = {
    ...program.env, HOME: data, ERL_EPMD_PORT: String(epmdPort), ERL_EPMD_ADDRESS: '127.0.0.1',
  };
  const epmd: ProcessPlan = {
    name: 'rabbitmq-epmd', command: program.epmd, args: ['-port', String(epmdPort), '-address', '127.0.0.1'], env, cwd: data, port: epmdPort,
    stopSignal: 'SIGKILL', // it keeps no state, and refuses a plain stop while a node is registered
    ready: () => accepts(epmdPort),
  };
  const server: ProcessPlan = {
    name: 'rabbitmq', command: program.server, args: [], cwd: data, port, stopSignal: 'SIGTERM', readyWithinMs: 90_000, stopWithinMs: 20_000,
    env: {
      ...env,
      RABBITMQ_NODENAME: `kontor-${createHash('sha256').update(data).digest('hex').slice(0, 10)}@localhost`,
      RABBITMQ_DIST_PORT: String(await freePort()),
      RABBITMQ_CONF_ENV_FILE: join(data, 'rabbitmq-env.conf'),
      RABBITMQ_CONFIG_FILE: join(data, 'rabbitmq.conf'),
      RABBITMQ_ADVANCED_CONFIG_FILE: join(data, 'advanced.config'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(data, 'enabled_plugins'),
      RABBITMQ_MNESIA_BASE: join(data, 'mnesia'),
      RABBITMQ_GENERATED_CONFIG_DIR: join(data, 'generated'),
      RABBITMQ_PID_FILE: join(data, 'rabbitmq.pid'),
      RABBITMQ_LOG_BASE: data,
      RABBITMQ_LOGS: '-',
      // The script then becomes the server (exec) in place of waiting beside it: our signals reach the server itself.
      RABBITMQ_ALLOW_INPUT: 'true',
      // No busy waiting, two schedulers: an idle broker costs next to nothing.
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-noinput -kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none',
    },
    ready: () => speaksAmqp(port),
  };
  return { plans: [epmd, server], url: `amqp://${user}:${password}@127.0.0.1:${port}` };
}

async function rabbitProgram(request: RabbitRequest): Promise<RabbitProgram> {
  // Debian's /usr/sbin wrapper switches to the user rabbitmq; the script behind it does not.
  const own = await findProgram('rabbitmq-server', ['/usr/lib/rabbitmq/bin', '/usr/sbin', '/opt/homebrew/sbin', '/usr/local/sbin']);
  const epmd = await findProgram('epmd', ['/usr/lib/erlang/bin']);
  if (own && epmd) {
    const behindWrapper = await findProgramAt('/usr/lib/rabbitmq/bin/rabbitmq-server');
    return { server: behindWrapper ?? own, epmd, env: {} };
  }
  const unpacked = await unpackedPackage({
    name: 'rabbitmq-server', folder: request.packages, otherwise: 'or set AMQP_URL to a running RabbitMQ', tell: request.tell, adapt: relocateErlang,
  });
  const erlang = join(unpacked.root, 'usr/lib/erlang');
  const erts = (await readdir(erlang)).find((entry) => entry.startsWith('erts-')) ?? 'erts';
  const version = (await readdir(join(unpacked.root, 'usr/lib/rabbitmq/lib')))[0] ?? '';
  const scripts = join(unpacked.root, 'usr/lib/rabbitmq/lib', version, 'sbin');
  return {
    server: join(scripts, 'rabbitmq-server'),
    epmd: join(erlang, erts, 'bin/epmd'),
    env: { LD_LIBRARY_PATH: unpacked.libraryPath, PATH: [join(erlang, 'bin'), scripts, process.env.PATH ?? ''].join(delimiter), ERLANG_HOME: erlang },
  };
}

/** Erlang's start scripts carry the directory they were built for: point them at where they stand now. */
async function relocateErlang(root: string, finalRoot: string): Promise<void> {
  const erlang = join(root, 'usr/lib/erlang');
  const folders = [join(erlang, 'bin'), ...(await readdir(erlang)).filter((entry) => entry.startsWith('erts-')).map((entry) => join(erlang, entry, 'bin'))];
  for (const folder of folders) {
    for (const entry of ['erl', 'start', 'start_erl', 'start_erl.src', 'erl.src']) {
      const path = join(folder, entry);
      const text = await readFile(path, 'utf8').catch(() => null);
      if (text === null) continue;
      await chmod(path, 0o755);
      await writeFile(path, text.replaceAll('/usr/lib/erlang', `${finalRoot}/usr/lib/erlang`));
    }
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.setTimeout(1000, () => { socket.destroy(); resolve(false); });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => { socket.destroy(); resolve(true); });
  });
}

/** RabbitMQ opens its port only when everything behind it is up; the first frame (Connection.Start) proves it. */
function speaksAmqp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const finish = (ready: boolean): void => { socket.destroy(); resolve(ready); };
    socket.setTimeout(2000, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
    socket.once('connect', () => socket.write(Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1])));
    socket.once('data', (chunk) => finish(chunk[0] === 1));
  });
}

function findProgramAt(path: string): Promise<string | null> {
  return access(path).then(() => path, () => null);
}

