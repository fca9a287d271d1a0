import { expect } from 'chai';
import { newEvent, type AnyEvent, type Event } from '@kontor/kernel/events';
import { isTransient, Transient, Unroutable, type Broker } from '@kontor/kernel/messaging';
import { problem } from '@kontor/kernel/problem';
import { testBroker, type TestBroker } from '@kontor/testing/broker';
import { proxyFor, type Proxy } from '@kontor/testing/proxy';
import { eventually } from '@kontor/testing/wait';

const context = { correlationId: 'c-1', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const closed = (accountId: string): Event =>
  newEvent('account.closed', { subject: accountId, source: 'desk', context, data: { accountId, customerId: 'p-1', clientId: 'app' } });

describe('messaging', () => {
  let corner: TestBroker;
  let broker: Broker;

  beforeEach(async () => {
    corner = await testBroker();
    broker = await corner.connect('desk');
  });
  afterEach(() => corner.drop());

  /** Subscribes a queue of its own to account.closed. */
  const listen = async (name: string, handler: (event: AnyEvent) => Promise<void>, more: { deliveryLimit?: number; prefetch?: number } = {}, on = broker): Promise<string> => {
    const queue = corner.queue(name);
    await on.subscribe({ queue, types: ['account.closed'], handler, retryDelayMs: 5, ...more });
    return queue;
  };

  it('brings an event to every queue that wants its type, whole', async () => {
    const heard: AnyEvent[] = [];
    await listen('a', async (event) => { heard.push(event); });
    await listen('b', async (event) => { heard.push(event); });
    const event = closed('1');
    await broker.publish(event);
    await eventually('both queues have heard', () => heard.length === 2);
    expect(heard).to.deep.equal([event, event]);
  });

  it('says so when no queue wants an event', async () => {
    const event = newEvent('app.registered', { subject: 'x', source: 'desk', context, data: { appId: 'x', name: 'n', roles: [] } });
    expect(await broker.publish(event).catch((fault: unknown) => fault)).to.be.instanceOf(Unroutable).and.be.instanceOf(Transient);
  });

  it('puts a poison event aside within limit + 1 deliveries, while its neighbours go on', async () => {
    const tries: string[] = [];
    const done: string[] = [];
    const queue = await listen('poison', async (event) => {
      tries.push(event.subject);
      if (event.subject === 'poison') throw new Error('cannot be worked on');
      done.push(event.subject);
    }, { deliveryLimit: 3, prefetch: 2 });
    for (const subject of ['poison', 'n1', 'n2', 'n3']) await broker.publish(closed(subject));
    const dead = await eventually('the poison is in the dead-letter queue', () => corner.take(`${queue}.dead`));
    expect(JSON.parse(dead.text)).to.include({ subject: 'poison' });
    expect(tries.filter((subject) => subject === 'poison')).to.have.length(4);
    await eventually('the neighbours are done', () => done.length === 3);
  });

  it('says with a dead letter why it died, where, after how many attempts and when, and nothing of what the error said', async () => {
    const queue = await listen('cause', async (event) => {
      if (event.subject === 'problem') throw problem('invalid_state', 'Ada Example, DE78997000010000000017');
      throw Object.assign(new TypeError('Ada Example, DE78997000010000000017'), { code: 'E_BAD' });
    }, { deliveryLimit: 1 });
    for (const [subject, cause] of [['type', 'TypeError E_BAD'], ['problem', 'invalid_state']] as const) {
      const event = closed(subject);
      await broker.publish(event);
      const { headers, text } = await eventually('it is put aside', () => corner.take(`${queue}.dead`));
      expect(headers).to.include({ 'kontor-cause': cause, 'kontor-consumer': queue, 'kontor-attempts': 2, 'kontor-event-id': event.id });
      expect(headers['kontor-thrown-at']).to.match(/^[\w.]+\.ts:\d+:\d+$/);
      expect(Date.parse(headers['kontor-failed-at'] as string)).to.be.closeTo(Date.now(), 10_000);
      expect(JSON.stringify(headers)).to.not.match(/Ada|DE78/);
      expect(JSON.parse(text)).to.deep.equal(event);
    }
  });

  it('does not let a window full of poison hold up the neighbours for five seconds, with the limits every service has', async () => {
    // Guard: retries in place end after 3.5 s. With two slots and two poison events ahead, a neighbour waits for all of that.
    const done: string[] = [];
    const queue = corner.queue('stream');
    await broker.subscribe({ queue, types: ['account.closed'], prefetch: 2, handler: async ({ subject }) => {
      if (subject.startsWith('poison')) throw new Error('cannot be worked on');
      done.push(subject);
    } });
    for (const subject of ['poison 1', 'poison 2', ...Array.from({ length: 20 }, (_, n) => `good ${n}`)]) await broker.publish(closed(subject));
    await eventually('all neighbours are done', () => done.length === 20, 5_000);
    await eventually('both are put aside', async () => (await broker.deadLetters(queue)) === 2);
  });

  it('tries a failing event again before a later one of its subject, and goes on with that once it is put aside', async () => {
    // Guard: retries in place. Given back to the queue instead, 'poison' would be tried again after 'behind'.
    const order: string[] = [];
    const queue = await listen('same', async ({ correlationid }) => {
      order.push(correlationid);
      if (correlationid === 'poison') throw new Error('cannot be worked on');
    }, { deliveryLimit: 2 });
    for (const name of ['poison', 'behind']) await broker.publish({ ...closed('same'), correlationid: name });
    await eventually('the later one is done', () => order.includes('behind'));
    expect(order).to.deep.equal(['poison', 'poison', 'poison', 'behind']);
    expect(await broker.deadLetters(queue)).to.equal(1);
  });

  it('keeps an event it could not put aside: it comes back, and is put aside then', async () => {
    let tries = 0;
    const queue = await listen('not-aside', async () => {
      // The way of the dead letters is gone for the first delivery (two tries), and there again for the second.
      if (++tries === 1) await corner.unbindDead(queue);
      if (tries === 3) await corner.bindDead(queue);
      throw new Error('cannot be worked on');
    }, { deliveryLimit: 1 });
    await broker.publish(closed('1'));
    const dead = await eventually('it is put aside', () => corner.take(`${queue}.dead`));
    expect(JSON.parse(dead.text)).to.include({ subject: '1' });
    expect(dead.headers).to.include({ 'kontor-attempts': 2 });
    expect(tries).to.equal(3);
  });

  it('counts dead letters', async () => {
    const queue = await listen('counted', async () => { throw new Error('no'); }, { deliveryLimit: 1 });
    expect(await broker.deadLetters(queue)).to.equal(0);
    await broker.publish(closed('1'));
    await eventually('one dead letter is counted', async () => (await broker.deadLetters(queue)) === 1);
    expect(await broker.deadLetters('there-is-no-such-queue')).to.equal(undefined);
    await eventually('asking for a missing queue breaks nothing', async () => (await broker.deadLetters(queue)) === 1);
  });

  it('puts what is no event aside at once', async () => {
    let called = 0;
    const queue = await listen('garbage', async () => { called++; });
    await corner.publishText('account.closed', '{"type":"account.closed"');
    const dead = await eventually('the garbage is in the dead-letter queue', () => corner.take(`${queue}.dead`));
    expect(dead.text).to.equal('{"type":"account.closed"');
    expect(dead.headers).to.include({ 'kontor-cause': 'SyntaxError', 'kontor-attempts': 1 });
    expect(called).to.equal(0);
  });

  it('waits in place for something out of reach, longer than the delivery limit', async () => {
    let tries = 0;
    const queue = await listen('patient', async () => {
      tries++;
      if (tries <= 4) throw new Transient('the core bank is out of reach');
    }, { deliveryLimit: 1 });
    await broker.publish(closed('1'));
    await eventually('the event was worked on at last', () => tries === 5);
    expect(await broker.deadLetters(queue)).to.equal(0);
  });

  it('works on events of one subject one after the other, on others meanwhile', async () => {
    const order: string[] = [];
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => { release = resolve; });
    await listen('ordered', async (event) => {
      const word = `${event.subject}:${event.correlationid}`;
      if (word === 'same:1') await gate;
      order.push(word);
    });
    for (const n of ['1', '2']) await broker.publish({ ...closed('same'), correlationid: n });
    await broker.publish({ ...closed('other'), correlationid: '3' });
    await eventually('another subject passes', () => order.includes('other:3'));
    expect(order).to.deep.equal(['other:3']);
    release();
    await eventually('all are done', () => order.length === 3);
    expect(order).to.deep.equal(['other:3', 'same:1', 'same:2']);
  });

  it('delivers again what was not acknowledged when the consumer went away', async () => {
    const through = await proxyFor(corner.url);
    const fragile = await corner.connect('fragile', through.address);
    const tries: number[] = [];
    let cut = false;
    const queue = await listen('redelivered', async () => {
      tries.push(Date.now());
      if (!cut) {
        cut = true;
        through.cut();
      }
    }, {}, fragile);
    await broker.publish(closed('1'));
    await eventually('it was delivered twice', () => tries.length === 2);
    await eventually('the queue is empty', async () => (await corner.take(queue)) === undefined);
    await through.close();
  });

  it('waits for running handlers when it stops', async () => {
    let begun = false;
    let ended = false;
    let release: () => void = () => undefined;
    await listen('left', async () => {
      begun = true;
      await new Promise<void>((resolve) => { release = resolve; });
      ended = true;
    });
    await broker.publish(closed('1'));
    await eventually('the handler runs', () => begun);
    const stopped = broker.stopConsuming();
    release();
    await stopped;
    expect(ended).to.equal(true);
  });

  it('knows what may succeed later', () => {
    const wrapped = new Error('fetch failed', { cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) });
    for (const fault of [new Transient('x'), problem('unavailable'), wrapped, Object.assign(new Error('e'), { code: '57P01' })]) expect(isTransient(fault)).to.equal(true);
    for (const fault of [new Error('x'), problem('invalid_state'), undefined, 'text']) expect(isTransient(fault)).to.equal(false);
  });
});

describe('a lost broker', () => {
  let corner: TestBroker;
  let proxy: Proxy;
  let broker: Broker;

  before(async () => {
    corner = await testBroker();
    proxy = await proxyFor(corner.url);
    broker = await corner.connect('desk', proxy.address);
  });
  after(async () => {
    proxy.mend();
    await corner.drop();
    await proxy.close();
  });

  it('is noticed, refused with a transient fault, and found again with its consumers', async () => {
    const heard: string[] = [];
    const queue = corner.queue('lost');
    await broker.subscribe({ queue, types: ['account.closed'], handler: async (event) => { heard.push(event.subject); } });
    expect(broker.ready()).to.equal(true);
    proxy.cut({ refuse: true });
    await eventually('readiness flips within 2 s', () => !broker.ready(), 2_000);
    expect(await broker.publish(closed('1')).catch((fault: unknown) => fault)).to.be.instanceOf(Transient);
    proxy.mend();
    await eventually('it is ready again', () => broker.ready(), 5_000);
    await broker.publish(closed('2'));
    await eventually('the consumer works again', () => heard.includes('2'));
  });

  it('does not leave a publisher waiting for a confirm that will not come', async () => {
    await eventually('it is ready', () => broker.ready(), 5_000);
    proxy.holdAnswers();
    const published = broker.publish(closed('3')).catch((fault: unknown) => fault);
    proxy.cut();
    proxy.release();
    expect(await published).to.be.instanceOf(Transient);
  });

  it('does not keep a service from starting', async () => {
    proxy.cut({ refuse: true });
    const began = Date.now();
    const early = await corner.connect('early', proxy.address);
    expect(early.ready()).to.equal(false);
    expect(Date.now() - began).to.be.below(5_000);
    proxy.mend();
    await eventually('it connects later', () => early.ready(), 5_000);
  });
});
