import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP proxy on 127.0.0.1 between a part and its server, to cut and to hold what they say. */
export interface Proxy {
  port: number;
  /** `address` with this proxy in place of its host and port. */
  address: string;
  /** Resets all connections; with `refuse`, new ones are reset too until `mend`. */
  cut(options?: { refuse?: boolean }): void;
  mend(): void;
  /** Holds back what the server says from now on; `release` lets it through. */
  holdAnswers(): void;
  release(): void;
  /** Connections made so far. */
  readonly connections: number;
  close(): Promise<void>;
}

/** Puts a proxy before the server of `address` (a URL with host and port). */
export async function proxyFor(address: string): Promise<Proxy> {
  const target = new URL(address);
  const open = new Set<Socket>();
  const servers = new Set<Socket>();
  let refusing = false;
  let holding = false;
  let made = 0;
  const proxy = createServer((client) => {
    if (refusing) {
      client.resetAndDestroy();
      return;
    }
    made++;
    const server = connect(Number(target.port), target.hostname);
    servers.add(server);
    for (const socket of [client, server]) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
    }
    client.on('data', (bytes) => server.write(bytes));
    server.on('data', (bytes) => client.write(bytes));
    client.on('close', () => server.destroy());
    server.on('close', () => {
      client.destroy();
      open.delete(client);
      open.delete(server);
      servers.delete(server);
    });
    if (holding) server.pause();
  });
  await new Promise<void>((resolve) => { proxy.listen(0, '127.0.0.1', resolve); });
  const { port } = proxy.address() as AddressInfo;
  const through = new URL(address);
  through.hostname = '127.0.0.1';
  through.port = String(port);
  return {
    port,
    address: through.href,
    cut({ refuse = false } = {}) {
      refusing = refuse;
      for (const socket of open) socket.destroy();
    },
    mend() {
      refusing = false;
    },
    holdAnswers() {
      holding = true;
      for (const server of servers) server.pause();
    },
    release() {
      holding = false;
      for (const server of servers) server.resume();
    },
    get connections() {
      return made;
    },
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => { proxy.close(() => resolve()); });
    },
  };
}
