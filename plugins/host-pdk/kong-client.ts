/** Speaks to a plugin server as Kong's `mp_rpc.lua` does; for tests and for the leak measurement. */
import { spawn, type ChildProcess } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { decodeMultiStream, encode } from '@msgpack/msgpack';
import { DOSSIER, type Dossier } from './dossier.js';

interface Told { Data: 'ret' | { Method: string; Args: unknown[] }; EventId: number }

/** What GetStatus tells of the process. */
export interface ServerStatus { Pid: number; Events: number; Instances: number; HeapBytes: number; RssBytes: number }

/** One connection. Calls may be made at once; answers are told apart by their id. */
export class KongClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (fault: Error) => void }>();
  #id = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    void this.#read();
  }

  static async to(path: string): Promise<KongClient> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => { socket.once('connect', resolve); socket.once('error', reject); });
    return new KongClient(socket);
  }

  /** @throws Error with the server's text, or when the connection ends first. */
  call<T>(method: string, args: unknown): Promise<T> {
    return new Promise<T>((resolve, reject) => this.send(this.request(method, args, { resolve: resolve as (value: unknown) => void, reject })));
  }

  /** A request's bytes, not yet sent. */
  request(method: string, args: unknown, waiting: { resolve: (value: unknown) => void; reject: (fault: Error) => void }): Uint8Array {
    this.#id += 1;
    this.#waiting.set(this.#id, waiting);
    return encode([0, this.#id, `plugin.${method}`, [args]]);
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  start(config: Record<string, unknown>, plugin: string): Promise<number> {
    return this.call<{ Id: number }>('StartInstance', { Name: plugin, Config: JSON.stringify(config) }).then(({ Id }) => Id);
  }

  /**
   * One request through the plugin's access phase, as Kong runs it.
   * @returns the dossier as the plugin left it, and the PDK methods it called.
   */
  async access(instance: number, dossier: Dossier): Promise<{ dossier: Dossier; methods: string[] }> {
    const shared: Record<string, unknown> = { [DOSSIER]: JSON.stringify(dossier) };
    const methods: string[] = [];
    let told = await this.call<Told>('HandleEvent', { InstanceId: instance, EventName: 'access' });
    while (told.Data !== 'ret') {
      const { Method, Args } = told.Data;
      methods.push(Method);
      if (Method.startsWith('kong.response.')) break;
      let result: unknown;
      if (Method === 'kong.ctx.shared.get') result = shared[Args[0] as string];
      else if (Method === 'kong.ctx.shared.set') shared[Args[0] as string] = Args[1];
      told = await this.call<Told>('Step', { EventId: told.EventId, Data: result ?? null });
    }
    return { dossier: JSON.parse(shared[DOSSIER] as string) as Dossier, methods };
  }

  close(): void {
    this.#socket.destroy();
  }

  async #read(): Promise<void> {
    try {
      for await (const message of decodeMultiStream(this.#socket)) {
        const [, id, fault, result] = message as [number, number, string | null, unknown];
        const waiting = this.#waiting.get(id);
        this.#waiting.delete(id);
        if (fault !== null) waiting?.reject(new Error(fault));
        else waiting?.resolve(result);
      }
    } catch {
      // Ends below.
    }
    for (const { reject } of this.#waiting.values()) reject(new Error('the plugin server ended the connection'));
  }
}

/** Starts a compiled plugin server and waits until it listens. */
export async function startServer(program: string, socket: string, nodeOptions: string[] = []): Promise<{ process: ChildProcess; client: KongClient }> {
  const child = spawn(process.execPath, [...nodeOptions, program, '--socket', socket], { stdio: ['ignore', 'inherit', 'pipe'] });
  let said = '';
  child.stderr?.on('data', (text: Buffer) => { said = (said + text.toString()).slice(-2000); });
  for (let tries = 0; tries < 200; tries++) {
    const client = await KongClient.to(socket).catch(() => undefined);
    if (client) return { process: child, client };
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill('SIGKILL');
  throw new Error(`the plugin server does not listen: ${said}`);
}
