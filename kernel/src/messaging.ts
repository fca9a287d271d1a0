import { setTimeout as pause } from 'node:timers/promises';
import { connect, type ChannelModel, type Channel, type ConfirmChannel, type ConsumeMessage, type Options } from 'amqplib';
import { databaseProblem } from './database.js';
import { deadLetterHeaders } from './dead-letters.js';
import { parseEvent, traceIdOf, type AnyEvent, type Event, type EventType } from './events.js';
import { newId } from './ids.js';
import type { Logger } from './logger.js';
import { Problem } from './problem.js';

/**
 * The exchanges, both durable: `kontor.events` (topic; the routing key is the event type) and `kontor.dead` (direct; what
 * could not be worked on, the routing key is the queue it came from). Tests that share a broker use another realm.
 */
function exchangesOf(realm: string): { events: string; dead: string } {
  return { events: `${realm}.events`, dead: `${realm}.dead` };
}

/** Something outside is out of reach: the same attempt may succeed later. Never counts as a failed delivery. */
export class Transient extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'Transient';
  }
}

/** No queue wants the event (yet): the broker gave it back (`mandatory`). */
export class Unroutable extends Transient {
  constructor(type: string) {
    super(`no queue is bound for ${type}`);
    this.name = 'Unroutable';
  }
}

/** A queue and who works on it. */
export interface Subscription {
  /** Also the name of the consumer; what fails ends in `<queue>.dead`. */
  queue: string;
  types: readonly EventType[];
  /** Events worked on at the same time (default 16). Events of one subject are worked on one after the other. */
  prefetch?: number;
  handler: (event: AnyEvent) => Promise<void>;
  /** An event that fails for a reason of its own is tried again so many times (default 10), then put aside in `<queue>.dead`. */
  deliveryLimit?: number;
  /** First delay before a failed event is tried again, doubled each time up to 400 ms (default 100). */
  retryDelayMs?: number;
}

/** A connection to RabbitMQ that comes back by itself. */
export interface Broker {
  /** Resolves when the broker has stored the event. @throws Transient (Unroutable when no queue wants it). */
  publish(event: Event): Promise<void>;
  /** Declares the queue and works on it, now and after every reconnection. */
  subscribe(subscription: Subscription): Promise<void>;
  /** Connected, and every subscription consuming. */
  ready(): boolean;
  /** Messages in `<queue>.dead`, or undefined when the broker cannot be asked. */
  deadLetters(queue: string): Promise<number | undefined>;
  /** Takes no further events and waits up to 10 s for the handlers that run; publishing goes on. */
  stopConsuming(): Promise<void>;
  /** `stopConsuming`, then closes the connection. */
  close(): Promise<void>;
}

interface Consumer {
  subscription: Subscription;
  channel?: Channel;
  consumerTag?: string;
  /** What is being worked on; one chain a subject. */
  running: Map<string, Promise<void>>;
}

interface Link {
  model: ChannelModel;
  realm: string;
  publisher: ConfirmChannel;
  inspector: Channel | undefined;
  /** Messages waiting for their confirm, by id. */
  pending: Map<string, { returned: boolean; fail: (fault: Error) => void }>;
}

const CONFIRM_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 10_000;

/**
 * Opens a connection that recovers with a capped, jittered back-off (0.1 to 2 s).
 * Resolves when connected, or after 3 s without: the connection is then still sought, and `ready()` tells.
 */
export async function connectBroker(url: string, options: { name: string; logger: Logger; realm?: string }): Promise<Broker> {
  const { name, logger, realm = 'kontor' } = options;
  const consumers: Consumer[] = [];
  let link: Link | undefined;
  let closing = false;
  let idle = false;
  const stop = new AbortController();

  async function keepConnected(connected: () => void): Promise<void> {
    for (let attempt = 0; !closing; attempt++) {
      try {
        const opened = await openLink(url, name, realm);
        const closed = closedOf(opened.model, logger);
        link = opened;
        // close() may have been called while this connection was being made.
        if (closing) await opened.model.close();
        for (const consumer of idle || closing ? [] : consumers) await startConsumer(opened, consumer, logger, () => idle);
        if (attempt > 0) logger.info('the broker is connected');
        attempt = 0;
        connected();
        await closed;
        if (!closing) logger.warn('the connection to the broker was lost');
      } catch (fault) {
        if (attempt === 0 || attempt % 20 === 0) logger.warn('the broker is out of reach', { attempt, error: fault });
      }
      dropLink(link, consumers);
      link = undefined;
      if (!closing) await pause(backOff(attempt, 100, 2_000), undefined, { signal: stop.signal }).catch(() => undefined);
    }
  }

  let finished: Promise<void> = Promise.resolve();
  await Promise.race([new Promise<void>((connected) => { finished = keepConnected(connected); }), pause(3_000, undefined, { ref: false })]);

  const broker: Broker = {
    publish: async (event) => publishOn(link, event),
    async subscribe(subscription) {
      const consumer: Consumer = { subscription, running: new Map() };
      consumers.push(consumer);
      // When this fails the channel is closed and with it the connection: the next one tries again.
      if (link) await startConsumer(link, consumer, logger, () => idle).catch((fault: unknown) => {
        logger.error('the queue cannot be consumed yet', { queue: subscription.queue, error: fault });
      });
    },
    ready: () => link !== undefined && consumers.every((consumer) => consumer.consumerTag !== undefined),
    async deadLetters(queue) {
      try {
        return (await link?.inspector?.checkQueue(`${queue}.dead`))?.messageCount;
      } catch {
        return undefined;
      }
    },
    async stopConsuming() {
      idle = true;
      for (const { channel, consumerTag } of consumers) if (channel && consumerTag) await channel.cancel(consumerTag).catch(() => undefined);
      const handlers = Promise.allSettled(consumers.flatMap(({ running }) => [...running.values()]));
      await Promise.race([handlers, pause(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    },
    async close() {
      if (closing) return;
      await broker.stopConsuming();
      closing = true;
      stop.abort();
      await link?.model.close().catch(() => undefined);
      await finished;
    },
  };
  return broker;
}

/** Half of the exponential delay is certain, half is jitter. */
function backOff(attempt: number, firstMs: number, mostMs: number): number {
  const delay = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 20));
  return delay / 2 + Math.random() * (delay / 2);
}

/** A dead peer is noticed after two missed heartbeats of 5 s; without noDelay a confirm takes 46 ms instead of 0.7. */
async function openLink(url: string, name: string, realm: string): Promise<Link> {
  const address = new URL(url);
  if (!address.searchParams.has('heartbeat')) address.searchParams.set('heartbeat', '5');
  const model = await connect(address.href, { noDelay: true, timeout: 3_000, clientProperties: { connection_name: name } });
  model.on('error', () => undefined);
  try {
    const publisher = await model.createConfirmChannel();
    publisher.on('error', () => undefined);
    await publisher.assertExchange(exchangesOf(realm).events, 'topic', { durable: true });
    await publisher.assertExchange(exchangesOf(realm).dead, 'direct', { durable: true });
    const link: Link = { model, realm, publisher, inspector: undefined, pending: new Map() };
    publisher.on('return', (message: { properties: { messageId?: unknown } }) => {
      const waiting = link.pending.get(String(message.properties.messageId));
      if (waiting) waiting.returned = true;
    });
    publisher.on('close', () => void model.close().catch(() => undefined));
    await openInspector(link);
    return link;
  } catch (fault) {
    await model.close().catch(() => undefined);
    throw fault;
  }
}

/** A channel of its own for questions: asking for a queue that is not there closes the channel that asked. */
async function openInspector(link: Link): Promise<void> {
  const channel = await link.model.createChannel();
  channel.on('error', () => undefined);
  channel.on('close', () => {
    link.inspector = undefined;
    openInspector(link).catch(() => undefined);
  });
  link.inspector = channel;
}

function closedOf(model: ChannelModel, logger: Logger): Promise<void> {
  return new Promise((resolve) => {
    model.on('close', () => resolve());
    model.on('handler-error', (fault: unknown) => logger.error('a listener of the broker threw', { error: fault }));
  });
}

function dropLink(link: Link | undefined, consumers: readonly Consumer[]): void {
  for (const consumer of consumers) {
    delete consumer.channel;
    delete consumer.consumerTag;
  }
  for (const { fail } of link?.pending.values() ?? []) fail(new Transient('the connection to the broker was lost before it confirmed'));
  link?.pending.clear();
}

async function publishOn(link: Link | undefined, event: Event): Promise<void> {
  if (!link) throw new Transient('the broker is not connected');
  await send(link, { exchange: exchangesOf(link.realm).events, routingKey: event.type }, Buffer.from(JSON.stringify(event)), {
    messageId: event.id, type: event.type, contentType: 'application/cloudevents+json', correlationId: event.correlationid, headers: { traceparent: event.traceparent },
  });
}

/** Resolves when the broker has stored the message. @throws Transient (Unroutable when no queue took it) */
async function send({ pending, publisher }: Link, to: { exchange: string; routingKey: string }, content: Buffer, properties: Options.Publish & { messageId: string }): Promise<void> {
  const { messageId } = properties;
  if (pending.has(messageId)) throw new Transient('the message is being published already');
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => settle(new Transient('the broker did not confirm in time')), CONFIRM_TIMEOUT_MS);
    const settle = (fault?: Error): void => {
      clearTimeout(timer);
      pending.delete(messageId);
      if (fault) reject(fault);
      else resolve();
    };
    const waiting = { returned: false, fail: settle };
    pending.set(messageId, waiting);
    try {
      publisher.publish(to.exchange, to.routingKey, content, { ...properties, persistent: true, mandatory: true }, (fault: unknown) => {
        if (fault) settle(new Transient('the broker did not take the message', { cause: fault }));
        else settle(waiting.returned ? new Unroutable(to.routingKey) : undefined);
      });
    } catch (fault) {
      settle(new Transient('the channel to the broker is closed', { cause: fault }));
    }
  });
}

/**
 * The queue of a service: replicated, with a limit of deliveries and a dead-letter queue (at least once: without that
 * strategy a message over the limit may be lost on its way).
 */
async function declare(channel: Channel, { queue, types, deliveryLimit = 10 }: Subscription, realm: string): Promise<void> {
  const exchanges = exchangesOf(realm);
  const dead = `${queue}.dead`;
  await channel.assertQueue(dead, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await channel.bindQueue(dead, exchanges.dead, queue);
  await channel.assertQueue(queue, {
    durable: true,
    arguments: {
      'x-queue-type': 'quorum', 'x-delivery-limit': deliveryLimit, 'x-overflow': 'reject-publish',
      'x-dead-letter-exchange': exchanges.dead, 'x-dead-letter-routing-key': queue, 'x-dead-letter-strategy': 'at-least-once',
    },
  });
  for (const type of types) await channel.bindQueue(queue, exchanges.events, type);
}

async function startConsumer(link: Link, consumer: Consumer, logger: Logger, stopped: () => boolean): Promise<void> {
  const { subscription } = consumer;
  const { model, realm } = link;
  const channel = await model.createChannel();
  let open = true;
  channel.on('error', (fault: unknown) => logger.error('the broker closed a channel', { queue: subscription.queue, error: fault }));
  // Whatever closes the channel, a new connection declares and consumes again.
  channel.on('close', () => {
    open = false;
    void model.close().catch(() => undefined);
  });
  await declare(channel, subscription, realm);
  await channel.prefetch(subscription.prefetch ?? 16);
  const { consumerTag } = await channel.consume(subscription.queue, (message) => {
    if (message) inTurn(consumer, message, () => work(message, { link, channel, subscription, logger, alive: () => open && !stopped() }));
    else if (!stopped()) void channel.close().catch(() => undefined);
  });
  consumer.channel = channel;
  consumer.consumerTag = consumerTag;
}

/** Runs `task` after all earlier tasks of the same subject. */
function inTurn(consumer: Consumer, message: ConsumeMessage, task: () => Promise<void>): void {
  const subject = subjectOf(message);
  const before = consumer.running.get(subject) ?? Promise.resolve();
  const turn = before.then(task).finally(() => {
    if (consumer.running.get(subject) === turn) consumer.running.delete(subject);
  });
  consumer.running.set(subject, turn);
}

function subjectOf(message: ConsumeMessage): string {
  const text = message.content.toString('utf8');
  return /"subject":\s*"([^"]*)"/.exec(text)?.[1] ?? String(message.fields.deliveryTag);
}

/** Everything one delivery needs: where it came from, where it goes when it cannot be worked on. */
interface Desk { link: Link; channel: Channel; subscription: Subscription; logger: Logger; alive: () => boolean }

const RETRY_MOST_MS = 400;

/**
 * Works on one delivery: ack after success. Transient faults wait for as long as they last. Others are tried again in place, so that
 * no later event of the subject overtakes, and for 3.5 s at most, so that even a window full of such events does not hold up
 * others for long; then the event is put aside and those behind it go on. Never rejects.
 */
async function work(message: ConsumeMessage, desk: Desk): Promise<void> {
  const { channel, subscription, logger, alive } = desk;
  const earlier = Number(message.properties.headers?.['x-delivery-count'] ?? 0);
  let event: AnyEvent;
  try {
    event = parseEvent(message.content.toString('utf8'));
  } catch (fault) {
    logger.error('a message is no event: dead-lettered', { queue: subscription.queue, error: fault });
    await putAside(message, desk, fault, earlier + 1);
    return;
  }
  const fields = { queue: subscription.queue, event: event.type, eventId: event.id, correlationId: event.correlationid, traceId: traceIdOf(event.traceparent) };
  for (let waits = 0, failures = 0; alive();) {
    try {
      await subscription.handler(event);
      quietly(() => channel.ack(message));
      return;
    } catch (fault) {
      if (isTransient(fault)) {
        if (waits % 10 === 2) logger.warn('an event waits for something out of reach', { ...fields, error: fault });
        await pause(backOff(waits++, 100, 5_000));
        continue;
      }
      const attempt = earlier + ++failures;
      if (attempt > (subscription.deliveryLimit ?? 10)) {
        logger.error('an event could not be worked on: dead-lettered', { ...fields, attempt, error: fault });
        await putAside(message, desk, fault, attempt);
        return;
      }
      logger.warn('an event could not be worked on and will be tried again', { ...fields, attempt, error: fault });
      await pause(backOff(failures - 1, subscription.retryDelayMs ?? 100, RETRY_MOST_MS));
    }
  }
}

/**
 * Publishes a message to the dead letters with its cause, and takes it off the queue only when that is confirmed: one that dies in
 * between leaves it in both. Whatever keeps this from happening leaves it to the broker, which dead-letters over the limit by itself.
 */
async function putAside(message: ConsumeMessage, { link, channel, subscription: { queue } }: Desk, fault: unknown, attempts: number): Promise<void> {
  const { messageId, type, contentType, correlationId, headers } = message.properties as Options.Publish & { headers?: Record<string, unknown> };
  try {
    await send(link, { exchange: exchangesOf(link.realm).dead, routingKey: queue }, message.content, {
      // Another consumer of this process may put the same event aside at this moment: the id is the letter's own.
      messageId: newId(), type, contentType, correlationId,
      headers: { traceparent: headers?.traceparent as string | undefined, 'kontor-event-id': messageId as string | undefined, ...deadLetterHeaders(fault, { queue, attempts, now: new Date() }) },
    });
    quietly(() => channel.ack(message));
  } catch {
    quietly(() => channel.nack(message, false, true));
  }
}

/** Acknowledging on a channel that is gone does nothing: the broker delivers again. */
function quietly(acknowledge: () => void): void {
  try {
    acknowledge();
  } catch {
    // The channel closed while the handler ran; the inbox will know the event.
  }
}

const UNREACHABLE = /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_(CONNECT_TIMEOUT|SOCKET|HEADERS_TIMEOUT|BODY_TIMEOUT)|EOPENBREAKER)$/;

/** Whether the same attempt may succeed later: `Transient`, a 503 problem, the database or an outside system out of reach. */
export function isTransient(fault: unknown): boolean {
  if (fault instanceof Transient) return true;
  if (fault instanceof Problem) return fault.status === 503;
  if (databaseProblem(fault)) return true;
  for (let at = fault, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const code = (at as { code?: unknown }).code;
    if (typeof code === 'string' && UNREACHABLE.test(code)) return true;
  }
  return false;
}
