/** MessagePack RPC on a unix socket, as Kong's `mp_rpc.lua` speaks it: `[0, id, method, args]`, `[1, id, error, result]`. */
import { chmod, rename, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { decodeMultiStream, encode } from '@msgpack/msgpack';
import type { DecisionServer } from './decision-server.js';

/** Far more than a dossier; bodies never come this way. */
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * Listens, for this user only. The socket gets its name when it already listens, and by a rename: a process that starts
 * takes the name over without a gap, and one that ends cannot remove the name of its successor.
 */
export async function listen(server: DecisionServer, path: string): Promise<Server> {
  const draft = `${path}.${process.pid}`;
  await rm(draft, { force: true });
  const listener = createServer((socket) => void converse(server, socket));
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(draft, resolve);
  });
  await chmod(draft, 0o600);
  await rename(draft, path);
  return listener;
}

/** Messages may come several in a chunk and cut anywhere: the stream decoder waits for the rest. */
async function converse(server: DecisionServer, socket: Socket): Promise<void> {
  socket.on('error', () => socket.destroy());
  try {
    for await (const message of decodeMultiStream<undefined>(socket, { maxStrLength: MOST_BYTES, maxBinLength: MOST_BYTES, maxArrayLength: 10_000, maxMapLength: 10_000 })) {
      void reply(server, socket, message);
    }
  } catch {
    // Not MessagePack, or cut off for good: nothing on this connection can be believed any more.
    socket.destroy();
  }
}

async function reply(server: DecisionServer, socket: Socket, message: unknown): Promise<void> {
  const [kind, id, method, args] = Array.isArray(message) ? message as unknown[] : [];
  if (kind !== 0 || typeof id !== 'number' || typeof method !== 'string' || !method.startsWith('plugin.') || !Array.isArray(args)) {
    socket.destroy();
    return;
  }
  const answer = await server.answer(method.slice('plugin.'.length), args[0]).then(
    (result) => [1, id, null, result], (fault: Error) => [1, id, fault.message, null],
  );
  if (socket.writable) socket.write(encode(answer, { ignoreUndefined: true }));
}
