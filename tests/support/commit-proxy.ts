/** A proxy between a service and PostgreSQL that cuts the connection around a commit: the service cannot know whether it took effect. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What happens to a commit: it goes through; its answer is lost; it is lost itself. */
export type Fate = 'through' | 'answer lost' | 'commit lost';

export interface CommitProxy {
  /** The database's URL through this proxy. */
  url: string;
  close(): Promise<void>;
}

/** What a client sends that ends a transaction (PostgreSQL's protocol 3, messages Query and Parse), by the statement. */
const COMMITS = /^\s*commit\b|\binitiate_payment\s*\(|^\s*update outbox set published_at\b/i;

/** @param fate is asked for each commit, with its statement */
export async function commitProxy(address: string, fate: (statement: string) => Fate): Promise<CommitProxy> {
  const target = new URL(address);
  const open = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(Number(target.port), target.hostname);
    for (const socket of [client, server]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    let started = false;
    let losing = false;
    const asked = new Frames(() => started);
    const answered = new Frames(() => true);
    client.on('data', (bytes) => {
      for (const { type, content } of asked.read(bytes)) {
        started = true;
        const statement = statementOf(type, content);
        if (statement === undefined || !COMMITS.test(statement)) continue;
        const decided = fate(statement);
        if (decided === 'commit lost') {
          client.resetAndDestroy();
          return;
        }
        losing ||= decided === 'answer lost';
      }
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (!losing) client.write(bytes);
      // ReadyForQuery: it has committed.
      else if (answered.read(bytes).some(({ type }) => type === 'Z')) client.resetAndDestroy();
    });
  });
  await new Promise<void>((resolve) => { proxy.listen(0, '127.0.0.1', resolve); });
  const through = new URL(address);
  through.host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  return {
    url: through.href,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => { proxy.close(() => resolve()); });
    },
  };
}

interface Frame { type: string; content: Buffer }

/** Messages out of a stream of bytes: a type, four bytes of length (itself included), content; the first of a client has no type. */
class Frames {
  #rest: Buffer = Buffer.alloc(0);
  readonly #typed: () => boolean;

  constructor(typed: () => boolean) {
    this.#typed = typed;
  }

  read(bytes: Buffer): Frame[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const frames: Frame[] = [];
    for (;;) {
      const head = this.#typed() || frames.length > 0 ? 1 : 0;
      if (this.#rest.length < head + 4) return frames;
      const end = head + this.#rest.readUInt32BE(head);
      if (this.#rest.length < end) return frames;
      frames.push({ type: head === 1 ? String.fromCharCode(this.#rest[0]!) : '', content: this.#rest.subarray(head + 4, end) });
      this.#rest = this.#rest.subarray(end);
    }
  }
}

function statementOf(type: string, content: Buffer): string | undefined {
  const text = (from: number): string => content.toString('utf8', from, content.indexOf(0, from));
  if (type === 'Q') return text(0);
  return type === 'P' ? text(content.indexOf(0) + 1) : undefined;
}
