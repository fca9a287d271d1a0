import { PassThrough } from 'node:stream';
import { connect } from 'amqplib';
import { newId } from '@kontor/kernel/ids';
import { createLogger } from '@kontor/kernel/logger';
import { connectBroker, type Broker } from '@kontor/kernel/messaging';
import { testServer } from './environment.js';

/** A corner of the test broker that no other test hears: exchanges of its own, queues named by `queue`. */
export interface TestBroker {
  url: string;
  realm: string;
  /** A queue name of this test's own. */
  queue(name: string): string;
  /** A further connection, without a log; `url` may lead through a proxy. */
  connect(name: string, url?: string): Promise<Broker>;
  /** Takes one message off a queue, or undefined when it is empty. */
  take(queue: string): Promise<{ text: string; headers: Record<string, unknown> } | undefined>;
  /** Takes away, or makes again, the way of a queue's dead letters. */
  unbindDead(queue: string): Promise<void>;
  bindDead(queue: string): Promise<void>;
  /** Puts raw text into the realm's exchange. */
  publishText(type: string, text: string): Promise<void>;
  /** Removes the exchanges of another realm. */
  dropRealm(realm: string): Promise<void>;
  /** Closes all connections, deletes queues and exchanges. */
  drop(): Promise<void>;
}

/** Opens a corner on the broker of TEST_AMQP_URL. (AMQP cannot make virtual hosts, so the corner is a set of names.) */
export async function testBroker(): Promise<TestBroker> {
  const url = testServer('TEST_AMQP_URL');
  const realm = `test-${newId()}`;
  const queues = new Set<string>();
  const brokers: Broker[] = [];
  const model = await connect(url, { noDelay: true });
  model.on('error', () => undefined);
  const channel = await model.createConfirmChannel();
  return {
    url,
    realm,
    queue(name) {
      const queue = `${realm}.${name}`;
      queues.add(queue).add(`${queue}.dead`);
      return queue;
    },
    async connect(name, through = url) {
      const broker = await connectBroker(through, { name, realm, logger: createLogger(name, 'error', new PassThrough().resume()) });
      brokers.push(broker);
      return broker;
    },
    async take(queue) {
      const message = await channel.get(queue, { noAck: true });
      return message ? { text: message.content.toString('utf8'), headers: message.properties.headers ?? {} } : undefined;
    },
    async unbindDead(queue) { await channel.unbindQueue(`${queue}.dead`, `${realm}.dead`, queue); },
    async bindDead(queue) { await channel.bindQueue(`${queue}.dead`, `${realm}.dead`, queue); },
    async publishText(type, text) {
      channel.publish(`${realm}.events`, type, Buffer.from(text), { persistent: true });
      await channel.waitForConfirms();
    },
    async dropRealm(other) { for (const exchange of ['events', 'dead']) await channel.deleteExchange(`${other}.${exchange}`); },
    async drop() {
      await Promise.all(brokers.map((broker) => broker.close()));
      for (const queue of queues) await channel.deleteQueue(queue);
      for (const exchange of ['events', 'dead']) await channel.deleteExchange(`${realm}.${exchange}`);
      await model.close();
    },
  };
}
