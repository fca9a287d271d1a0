import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { ProcessPlan } from '../platform/supervisor.js';
import { findProgram, unpackedPackage } from './packages.js';

export interface RedisRequest {
  /** Directory of its data and configuration. */
  directory: string;
  packages: string;
  port: number;
  password: string;
  /** False for tests: nothing is written to disk. */
  durable?: boolean;
  tell?: (line: string) => void;
}

/** A private Redis on 127.0.0.1 behind a password: how to run it, and its URL. */
export async function redis(request: RedisRequest): Promise<{ plan: ProcessPlan; url: string }> {
  const { port, password, durable = true } = request;
  const program = await redisProgram(request);
  const data = join(request.directory, 'redis');
  await mkdir(data, { recursive: true, mode: 0o700 });
  const configuration = join(data, 'redis.conf');
  // volatile-lru: Kong leaves rate counters behind that never expire (docs/rate-limits.md); a decision record that had to go is asked of the consent service.
  await writeFile(configuration, [
    'bind 127.0.0.1', `port ${port}`, 'protected-mode yes', `requirepass ${password}`, `dir "${data}"`, 'daemonize no',
    `appendonly ${durable ? 'yes' : 'no'}`, 'appendfsync everysec', 'save ""', 'maxmemory 256mb', 'maxmemory-policy volatile-lru', '',
  ].join('\n'), { mode: 0o600 });
  return {
    url: `redis://:${password}@127.0.0.1:${port}`,
    plan: {
      name: 'redis', command: program.path, args: [configuration], env: program.env, cwd: data, port, stopSignal: 'SIGTERM',
      ready: () => answersPing(port, password),
    },
  };
}

async function redisProgram(request: RedisRequest): Promise<{ path: string; env: Record<string, string> }> {
  const own = await findProgram('redis-server');
  if (own) return { path: own, env: {} };
  const unpacked = await unpackedPackage({
    name: 'redis-server', folder: request.packages, otherwise: 'or set REDIS_URL to a running Redis', tell: request.tell,
  });
  return { path: join(unpacked.root, 'usr/bin/redis-server'), env: { LD_LIBRARY_PATH: unpacked.libraryPath } };
}

function answersPing(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let answer = '';
    const finish = (ready: boolean): void => { socket.destroy(); resolve(ready); };
    socket.setTimeout(1000, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
    socket.once('connect', () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    socket.on('data', (chunk) => {
      answer += chunk.toString();
      if (answer.includes('+PONG')) finish(true);
      else if (answer.includes('-')) finish(false);
    });
  });
}
