/**
 * kong-pdk's plugin server with its faults closed: an event ends with its phase, its exit or its deadline and then leaves
 * nothing behind; ids start at random, so that what Kong still sends to an earlier life of the process meets nobody.
 */
import { randomInt } from 'node:crypto';
import { Module } from 'kong-pdk/lib/mod.js';
import PipePair from 'kong-pdk/lib/pipe.js';
import Pdk from 'kong-pdk/pdk.js';
import Server from 'kong-pdk/server.js';
import { LIMITS } from '../dossier.js';

/** A plugin as this host runs it. */
export interface HostedPlugin {
  name: string;
  version: string;
  priority: number;
  /** Whole Kong schema, protocols included. */
  schema: { name: string; fields: Record<string, unknown>[] };
  /** Its only phase; rejecting means no decision, and the guard in Kong refuses. */
  plugin: new(config: never) => { access(kong: never): Promise<void> };
}

/** What Kong is told: a PDK call to make for us, or that the phase is over. */
interface Told { Data: unknown; EventId: number }

interface LiveEvent {
  pipe: { get(): Promise<unknown>; put(value: unknown): void };
  deadline: NodeJS.Timeout;
}

const OVER = 'ret';
/** PDK methods that end the request: no answer to them ever comes. */
const ENDING = ['kong.response.exit', 'kong.response.error'];
const MOST_ID = 2 ** 32 - 1;
const EXPIRY_LOOK_MS = 30_000;

/** Methods Kong calls; `StepX` is one for each kind of result, all treated alike. */
const CALLS = /^(HandleEvent|Step[A-Za-z]*|StartInstance|CloseInstance|InstanceStatus|GetPluginInfo|GetStatus)$/;

export class DecisionServer extends Server {
  readonly #hosted: HostedPlugin;
  readonly #live = new Map<number, LiveEvent>();
  readonly #deadlineMs: number;
  #eventId = randomInt(2 ** 31);

  constructor(hosted: HostedPlugin, logger: ConstructorParameters<typeof Server>[1], deadlineMs: number = LIMITS.event) {
    super(undefined, logger);
    this.#hosted = hosted;
    this.#deadlineMs = deadlineMs;
    this.instanceID = randomInt(2 ** 31);
    this.plugins.set(hosted.name, new Module(hosted.name, undefined, {
      Plugin: hosted.plugin, Schema: [], Version: hosted.version, Priority: hosted.priority,
    }));
  }

  /** kong-pdk looks every 60 ms instead of every 60 s. */
  override clearExpiredPlugins(): NodeJS.Timeout {
    return setInterval(() => {
      for (const [id, instance] of this.instances) if (instance.isExpired()) this.instances.delete(id);
    }, EXPIRY_LOOK_MS).unref();
  }

  /** One call of Kong's, by name. @throws Error for what Kong does not call. */
  async answer(method: string, given: unknown): Promise<unknown> {
    if (!CALLS.test(method)) throw new Error(`method ${method} not implemented`);
    if (method === 'StepError') return this.#step(given as Told, true);
    if (method.startsWith('Step')) return this.#step(given as Told, false);
    return (this as unknown as Record<string, (given: unknown) => Promise<unknown>>)[method]!(given);
  }

  /** What `--dump` prints: Kong's description of the one plugin in here. */
  async GetPluginInfo(): Promise<unknown> {
    const { name, version, priority, schema } = this.#hosted;
    return { Name: name, Version: version, Priority: priority, Phases: ['access'], Schema: schema };
  }

  /** Figures of the process; the heap is exact where node runs with --expose-gc. */
  override async GetStatus(): Promise<unknown> {
    globalThis.gc?.();
    return { Pid: process.pid, Events: this.#live.size, Instances: this.instances.size, HeapBytes: process.memoryUsage().heapUsed, RssBytes: process.memoryUsage.rss() };
  }

  /** Absent fields arrive as JSON null; to the cores they are absent. */
  override StartInstance(given: { Name: string; Config: string }): Promise<{ Id: number }> {
    const config = JSON.stringify(JSON.parse(given.Config, (_name, value: unknown) => (value === null ? undefined : value)));
    return super.StartInstance({ ...given, Config: config });
  }

  /** Runs a phase up to its first PDK call, or its end. */
  async HandleEvent(given: { InstanceId: number; EventName: string }): Promise<Told> {
    const instance = this.instances.get(given.InstanceId);
    // Kong starts the instance anew when the message begins so.
    if (!instance || given.EventName !== 'access') throw new Error(`no plugin instance #${given.InstanceId}`);
    instance.resetExpireTs();
    const id = this.#nextEventId();
    const [ours, theirs] = new PipePair().getPair();
    const deadline = setTimeout(() => {
      this.logger.warn(`event #${id} had no end in ${this.#deadlineMs} ms`);
      theirs.put(OVER);
      this.#end(id);
    }, this.#deadlineMs);
    this.#live.set(id, { pipe: ours, deadline });
    void this.#run(() => instance.executePhase(given.EventName, new Pdk(theirs).kong)).then(() => theirs.put(OVER));
    return this.#told(id, await ours.get());
  }

  async #step(given: Told, failed: boolean): Promise<Told> {
    const event = this.#live.get(given.EventId);
    if (!event) throw new Error(`event id ${given.EventId} not found`);
    event.pipe.put(failed ? [undefined, given.Data] : [given.Data, undefined]);
    return this.#told(given.EventId, await event.pipe.get());
  }

  /** A phase that throws has decided nothing; that is told in the log and refused in Kong. */
  async #run(phase: () => Promise<void>): Promise<void> {
    try {
      await phase();
    } catch (fault) {
      this.logger.error(`${this.#hosted.name} decided nothing: ${fault instanceof Error ? fault.message : String(fault)}`);
    }
  }

  #told(id: number, data: unknown): Told {
    if (data === OVER || ENDING.includes((data as { Method: string }).Method)) this.#end(id);
    return { Data: data, EventId: id };
  }

  #end(id: number): void {
    clearTimeout(this.#live.get(id)?.deadline);
    this.#live.delete(id);
  }

  #nextEventId(): number {
    do this.#eventId = this.#eventId >= MOST_ID ? 0 : this.#eventId + 1; while (this.#live.has(this.#eventId));
    return this.#eventId;
  }
}
