/** The dead-letter queues as an operator reaches them: looked at, emptied letter by letter, each step recorded before it is taken. */
import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { connect, type ChannelModel, type ConfirmChannel, type GetMessage, type Options } from 'amqplib';
import { childTraceparent, newEvent, parseEvent, type AnyEvent } from '@kontor/kernel/events';
import { createLogger } from '@kontor/kernel/logger';
import { connectBroker, Unroutable, type Broker } from '@kontor/kernel/messaging';
import { Fault } from '../platform/fault.js';

/** A dead letter. `event` is absent where the text is none. */
export interface Letter {
  /** Of the event, or of the message where it is no event. */
  id: string;
  queue: string;
  event?: AnyEvent;
  text: string;
  cause: string;
  thrownAt?: string;
  attempts?: number;
  failedAt?: Date;
  message: GetMessage;
}

export interface LetterBox {
  /** All letters there are, or those of one queue; they stay where they are. */
  letters(queue?: string): Promise<Letter[]>;
  /** Publishes it to the queue it came from and takes it off the dead ones when that is confirmed. Dying in between leaves it in both. */
  replay(letter: Letter): Promise<void>;
  discard(letter: Letter, reason: string): Promise<void>;
  close(): Promise<void>;
}

/** Returned to its queue so often, a letter is laid in anew: RabbitMQ 4 drops what was returned more than 20 times. */
const RETURNS_BEFORE_RENEWAL = 10;
const MOST_LETTERS = 10_000;
const CLOSE_TIMEOUT_MS = 2_000;

/**
 * @param options.queues where letters may come from
 * @param options.between called between publishing and removing (tests)
 * @throws Fault when the broker is out of reach
 */
export async function openLetterBox(options: { amqpUrl: string; queues: readonly string[]; actor: string; realm?: string; between?: () => Promise<void> }): Promise<LetterBox> {
  const { amqpUrl, queues, actor, realm, between } = options;
  const model = await connect(amqpUrl, { noDelay: true, timeout: 5_000, clientProperties: { connection_name: 'dead-letters' } }).catch(() => undefined);
  if (!model) throw new Fault('The broker does not answer: npm start must be running, or AMQP_URL lead to it.');
  model.on('error', () => undefined);
  const trail = await connectBroker(amqpUrl, { name: 'dead-letters', logger: createLogger('dead-letters', 'error', new PassThrough().resume()), ...(realm ? { realm } : {}) });
  const channel = await model.createConfirmChannel();
  channel.on('error', () => undefined);
  const held = new Set<Letter>();
  const take = (letter: Letter): void => {
    channel.ack(letter.message);
    held.delete(letter);
  };
  return {
    async letters(only) {
      const letters: Letter[] = [];
      for (const queue of only === undefined ? queues : [only]) {
        if (!await exists(model, `${queue}.dead`)) {
          if (only !== undefined) throw new Fault(`There is no queue ${queue}.dead.`);
          continue;
        }
        for (let message; letters.length < MOST_LETTERS && (message = await channel.get(`${queue}.dead`)); ) letters.push(letterOf(queue, message));
      }
      for (const letter of letters) held.add(letter);
      return letters.sort((one, other) => (one.failedAt?.getTime() ?? 0) - (other.failedAt?.getTime() ?? 0));
    },
    async replay(letter) {
      if (!await exists(model, letter.queue)) throw new Fault(`There is no queue ${letter.queue} any more: nothing was changed.`);
      await record(trail, letter, { outcome: 'replayed', actor });
      await lay(channel, letter.queue, letter);
      await between?.();
      take(letter);
    },
    async discard(letter, discardReason) {
      await record(trail, letter, { outcome: 'discarded', actor, discardReason });
      take(letter);
    },
    async close() {
      for (const letter of held) if (Number(headersOf(letter)['x-delivery-count'] ?? 0) >= RETURNS_BEFORE_RENEWAL) await renew(channel, letter).catch(() => undefined);
      // Acknowledgements travel before the close; what was only looked at returns to its queue.
      const closed = async (): Promise<void> => {
        await channel.close();
        await model.close();
      };
      // A connection that is lost answers neither.
      await Promise.race([closed().catch(() => undefined), pause(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
      await trail.close();
    },
  };
}

/** Asking for a queue that is not there closes the channel that asked. */
async function exists(model: ChannelModel, queue: string): Promise<boolean> {
  const channel = await model.createChannel();
  channel.on('error', () => undefined);
  const found = await channel.checkQueue(queue).then(() => true, () => false);
  if (found) await channel.close();
  return found;
}

const headersOf = ({ message }: Letter): Record<string, unknown> => message.properties.headers ?? {};

function letterOf(queue: string, message: GetMessage): Letter {
  const text = message.content.toString('utf8');
  const headers: Record<string, unknown> = message.properties.headers ?? {};
  const event = eventOf(text);
  const named = (name: string): string | undefined => (typeof headers[name] === 'string' ? headers[name] : undefined);
  // Without our headers the broker put it aside by itself: the consumer died on it too often.
  const broker = (headers['x-death'] as { reason?: string; time?: { value?: number } }[] | undefined)?.[0];
  const failedAt = named('kontor-failed-at') ?? (broker?.time?.value === undefined ? undefined : broker.time.value * 1_000);
  return {
    id: event?.id ?? String(message.properties.messageId ?? 'unnamed'), queue, text, message,
    cause: named('kontor-cause') ?? `by the broker: ${broker?.reason ?? 'unknown'}`,
    ...(event ? { event } : {}),
    ...(named('kontor-thrown-at') === undefined ? {} : { thrownAt: named('kontor-thrown-at')! }),
    ...(typeof headers['kontor-attempts'] === 'number' ? { attempts: headers['kontor-attempts'] } : {}),
    ...(failedAt === undefined ? {} : { failedAt: new Date(failedAt) }),
  };
}

function eventOf(text: string): AnyEvent | undefined {
  try {
    return parseEvent(text);
  } catch {
    return undefined;
  }
}

/** Lays a letter into a queue, durably. One at a time. @throws Fault when the broker does not confirm it */
async function lay(channel: ConfirmChannel, queue: string, letter: Letter, headers: Record<string, unknown> = {}): Promise<void> {
  const { messageId, type, contentType, correlationId } = letter.message.properties as Options.Publish;
  const traceparent = headersOf(letter).traceparent;
  let returned = false;
  const back = (): void => { returned = true; };
  channel.once('return', back);
  try {
    await new Promise<void>((resolve, reject) => {
      channel.once('close', reject);
      channel.publish('', queue, letter.message.content, {
        persistent: true, mandatory: true, messageId: letter.event?.id ?? messageId, type, contentType, correlationId,
        headers: { ...(traceparent === undefined ? {} : { traceparent }), ...headers },
      }, (fault: unknown) => {
        channel.off('close', reject);
        if (fault || returned) reject(new Error('refused'));
        else resolve();
      });
    });
  } catch {
    throw new Fault(`The broker did not confirm ${letter.id}: it is still among the dead letters.`);
  } finally {
    channel.off('return', back);
  }
}

/** Lays a letter into its own queue anew, with its cause; the worn one goes when that is confirmed. */
async function renew(channel: ConfirmChannel, letter: Letter): Promise<void> {
  const kept = Object.fromEntries(Object.entries(headersOf(letter)).filter(([name]) => name.startsWith('kontor-') || name === 'x-death'));
  await lay(channel, `${letter.queue}.dead`, letter, kept);
  channel.ack(letter.message);
}

/** Told before it is done: what cannot be recorded is not done. */
async function record(trail: Broker, { id, queue, event, cause }: Letter, how: { outcome: 'replayed' | 'discarded'; actor: string; discardReason?: string }): Promise<void> {
  try {
    await trail.publish(newEvent('dead-letter.resolved', {
      subject: id, source: 'dead-letters', context: { correlationId: randomUUID(), traceparent: childTraceparent() },
      data: { queue, eventId: id, eventType: event?.type ?? 'none', cause, ...how },
    }));
  } catch (error) {
    throw new Fault(`The audit trail could not be told of ${id} (${error instanceof Unroutable ? 'nobody has ever listened there' : 'the broker does not confirm it'}): it stays among the dead letters.`);
  }
}
