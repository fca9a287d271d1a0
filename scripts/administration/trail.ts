/** What the administrator did, told to the audit service: kept on disk until the broker has it. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { childTraceparent, newEvent, type Event, type EventData } from '@kontor/kernel/events';
import { createLogger } from '@kontor/kernel/logger';
import { connectBroker, Unroutable, type Broker } from '@kontor/kernel/messaging';
import { Fault } from '../platform/fault.js';

type Told = 'gateway.configuration-changed';

/** A change before it is made: its event is on disk with the outcome `unknown` until the change has come to an end. */
export interface PendingChange { tell(outcome: 'applied' | 'failed'): Promise<void> }

export interface Trail {
  begin(data: Omit<EventData<Told>, 'outcome'>): PendingChange;
  /** Tells what an earlier command, which died or lost the broker, could not tell. @returns how many */
  catchUp(): Promise<number>;
  close(): Promise<void>;
}

/** @throws Fault when the broker is out of reach: a change that cannot be recorded is not made */
export async function openTrail(amqpUrl: string, folder: string, realm?: string): Promise<Trail> {
  const broker = await connectBroker(amqpUrl, { name: 'gateway-administration', logger: createLogger('gateway-administration', 'error', new PassThrough().resume()), ...(realm ? { realm } : {}) });
  if (!broker.ready()) {
    await broker.close();
    throw new Fault('The broker of AMQP_URL is out of reach, and a change must be recorded in the audit trail: nothing was changed.');
  }
  const waiting = join(folder, 'unrecorded');
  mkdirSync(waiting, { recursive: true });
  return {
    begin(data) {
      const event = newEvent<Told>('gateway.configuration-changed', {
        subject: data.release, source: 'gateway-administration', data: { ...data, outcome: 'unknown' },
        context: { correlationId: randomUUID(), traceparent: childTraceparent() },
      });
      const path = join(waiting, `${event.id}.json`);
      write(path, event);
      return {
        async tell(outcome) {
          event.data.outcome = outcome;
          write(path, event);
          await publish(broker, event);
          rmSync(path);
        },
      };
    },
    async catchUp() {
      const left = readdirSync(waiting).filter((name) => name.endsWith('.json')).sort();
      for (const name of left) {
        await publish(broker, JSON.parse(readFileSync(join(waiting, name), 'utf8')) as Event<Told>);
        rmSync(join(waiting, name));
      }
      return left.length;
    },
    close: () => broker.close(),
  };
}

function write(path: string, event: Event<Told>): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(event)}\n`);
  renameSync(`${path}.new`, path);
}

async function publish(broker: Broker, event: Event<Told>): Promise<void> {
  try {
    await broker.publish(event);
  } catch (error) {
    const why = error instanceof Unroutable ? 'no audit service has ever listened there' : 'the broker does not confirm it';
    throw new Fault(`The record of release ${event.data.release} could not reach the audit trail (${why}): it is kept, and told with the next sync.`);
  }
}

/** How many changes wait to be recorded. */
export function unrecorded(folder: string): number {
  const waiting = join(folder, 'unrecorded');
  return existsSync(waiting) ? readdirSync(waiting).filter((name) => name.endsWith('.json')).length : 0;
}
