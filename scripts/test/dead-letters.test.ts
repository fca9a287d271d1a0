import { expect } from 'chai';
import { newEvent, type AnyEvent, type Event } from '@kontor/kernel/events';
import type { Broker } from '@kontor/kernel/messaging';
import { testBroker, type TestBroker } from '@kontor/testing/broker';
import { proxyFor } from '@kontor/testing/proxy';
import { eventually } from '@kontor/testing/wait';
import { carryOut, readCommand } from '../dead-letters/command-line.js';
import { openLetterBox } from '../dead-letters/letter-box.js';
import { Fault } from '../platform/fault.js';
import { consumers } from '../platform/processes.js';

const context = { correlationId: 'c-1', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
const registered = (customerId: string): Event => newEvent('customer.registered', {
  subject: customerId, source: 'customer', context, data: { customerId, clientId: 'app', name: { given: 'Ada', family: 'Example' }, birthDate: '1990-01-01', nationality: 'DE', residence: 'DE' } });

describe('npm run dead-letters', function () {
  this.timeout(30_000);
  let corner: TestBroker;
  let broker: Broker;
  let queue: string;
  let well = false;
  let heard: string[] = [];
  const told: AnyEvent[] = [];

  before(async () => {
    corner = await testBroker();
    broker = await corner.connect('audit');
    await broker.subscribe({ queue: corner.queue('audit'), types: ['dead-letter.resolved'], handler: async (event) => { told.push(event); } });
  });
  beforeEach(async () => {
    well = false;
    heard = [];
    told.length = 0;
    queue = corner.queue(`kyc-${Math.random().toString(36).slice(2)}`);
    await broker.subscribe({ queue, types: ['customer.registered'], deliveryLimit: 1, retryDelayMs: 5, handler: async ({ subject }) => {
      if (!well) throw new RangeError('Ada Example cannot be checked');
      heard.push(subject);
    } });
  });
  after(() => corner.drop());

  const open = (more: { amqpUrl?: string; between?: () => Promise<void> } = {}) => openLetterBox({ amqpUrl: corner.url, queues: [queue, `${queue}.outside`], actor: 'operator-1', realm: corner.realm, ...more });
  const run = async (...words: string[]): Promise<string> => {
    const box = await open();
    try {
      return (await carryOut(readCommand(words), box, new Date())).join('\n');
    } finally {
      await box.close();
    }
  };
  const faultOf = async (work: () => unknown): Promise<string> => {
    try {
      await work();
    } catch (fault) {
      if (fault instanceof Fault) return fault.message;
      throw fault;
    }
    throw new Error('it was carried out');
  };
  /** Events nobody could work on. */
  const die = async (...subjects: string[]): Promise<Event[]> => {
    const events = subjects.map(registered);
    const before = (await broker.deadLetters(queue))!;
    for (const event of events) await broker.publish(event);
    await dead(before + subjects.length);
    return events;
  };
  const dead = (n: number) => eventually(`there are ${n} dead letters`, async () => (await broker.deadLetters(queue)) === n);

  it('lists what could not be worked on, with its cause, and leaves it where it is', async () => {
    const [one, two] = await die('s-1', 's-2');
    for (let looks = 0; looks < 2; looks++) {
      const lines = (await run('list')).split('\n');
      expect(lines).to.have.length(3);
      expect(lines[1]).to.match(new RegExp(`^${one!.id} +${queue} +customer.registered +s-1 +RangeError +2 +0 min$`));
      expect(lines[2]).to.include(two!.id);
      expect(lines.join('\n')).to.not.include('Ada');
      await dead(2);
    }
    expect(await run('list', `--queue=${queue}`)).to.include('s-1');
    expect(await faultOf(() => run('list', '--queue=nobody'))).to.include('There is no queue nobody.dead');
  });

  it('shows a letter without personal data, and with it only when told to', async () => {
    const [one] = await die('s-1');
    const shown = await run('show', one!.id);
    expect(shown).to.match(/cause +RangeError/).and.match(/thrown at +dead-letters\.test\.ts:\d+/).and.match(/attempts +2/).and.match(/correlationid +c-1/).and.not.include('Ada');
    expect(await run('show', one!.id, '--data')).to.include('"given": "Ada"');
    expect(await faultOf(() => run('show', 'x'))).to.include('There is no dead letter x');
  });

  it('replays to the queue it came from, one letter or all, and records who did', async () => {
    const [one, two] = await die('s-1', 's-2', 's-3');
    well = true;
    expect(await run('replay', two!.id)).to.equal('1 dead letter went back to work.');
    await eventually('it was worked on', () => heard.includes('s-2'));
    await dead(2);
    expect(await run('replay', '--all')).to.equal('2 dead letters went back to work.');
    await eventually('all were worked on', () => heard.length === 3);
    expect(heard).to.deep.equal(['s-2', 's-1', 's-3']);
    await dead(0);
    await eventually('the trail knows', () => told.length === 3);
    expect(told.find(({ subject }) => subject === one!.id)?.data).to.deep.equal({ queue, eventId: one!.id, eventType: 'customer.registered', cause: 'RangeError', outcome: 'replayed', actor: 'operator-1' });
    expect(await run('list')).to.equal('There are no dead letters.');
  });

  it('puts aside again what still cannot be worked on, and does not go round in circles', async () => {
    await die('s-1');
    expect(await run('replay', `--queue=${queue}`)).to.equal('1 dead letter went back to work.');
    await dead(1);
  });

  it('loses nothing when it dies between publishing a letter and removing it', async () => {
    // What the broker sees of a kill -9: the connection is gone. Guard: the letter is removed after it was confirmed, not before.
    const [one] = await die('s-1');
    well = true;
    const proxy = await proxyFor(corner.url);
    const box = await open({ amqpUrl: proxy.address, between: async () => proxy.cut({ refuse: true }) });
    const [letter] = await box.letters();
    await box.replay(letter!).catch(() => undefined);
    await box.close();
    await proxy.close();
    await eventually('it was worked on', () => heard.includes('s-1'));
    await dead(1);
    expect(await run('list')).to.include(one!.id);
    await run('replay', one!.id);
    await eventually('twice: the inbox of a service knows it', () => heard.length === 2);
    await dead(0);
  });

  it('discards for good, with a reason that is recorded first', async () => {
    const [one] = await die('s-1', 's-2');
    expect(await faultOf(() => run('discard', one!.id))).to.include('Say why');
    expect(await run('discard', one!.id, '--reason=a test customer of last year')).to.equal('1 dead letter discarded.');
    await dead(1);
    await eventually('the trail knows', () => told.length === 1);
    expect(told[0]?.data).to.include({ outcome: 'discarded', eventId: one!.id, discardReason: 'a test customer of last year', actor: 'operator-1' });
  });

  it('does nothing that cannot be recorded', async () => {
    const [one] = await die('s-1');
    const silent = await openLetterBox({ amqpUrl: corner.url, queues: [queue], actor: 'operator-1', realm: `${corner.realm}.nobody` });
    const [letter] = await silent.letters();
    expect(await faultOf(() => silent.discard(letter!, 'a reason'))).to.include(`The audit trail could not be told of ${one!.id}`);
    expect(await faultOf(() => silent.replay(letter!))).to.include('nobody has ever listened there');
    await silent.close();
    await corner.dropRealm(`${corner.realm}.nobody`);
    await dead(1);
    expect(heard).to.deep.equal([]);
  });

  it('knows a message that is no event, and shows how long it is', async () => {
    await corner.publishText('customer.registered', '{"name":"Ada"');
    await dead(1);
    expect(await run('list')).to.match(/no event +- +SyntaxError +1/);
    const id = (await run('list')).split('\n')[1]!.split(' ')[0]!;
    expect(await run('show', id)).to.include('13 bytes that are no event').and.not.include('Ada');
  });

  it('may be looked at any number of times: what was returned often is laid in anew, with its cause', async () => {
    const [one] = await die('s-1');
    for (let looks = 0; looks < 25; looks++) expect(await run('list')).to.match(new RegExp(`${one!.id}.*RangeError +2`));
    await dead(1);
  });

  it('says what is wrong with a command, with the usage', async () => {
    for (const words of [[], ['burn'], ['list', 'x'], ['list', '--all'], ['show'], ['show', 'a', 'b'], ['show', 'a', '--data=yes'], ['replay'], ['replay', 'a', '--all'], ['replay', '--queue'], ['discard'], ['discard', 'a', '--reason=x'], ['discard', '--reason=because']])
      expect(await faultOf(() => readCommand(words)), words.join(' ')).to.include('npm run dead-letters -- list');
  });

  it('looks into the queues of every consumer of the platform', () => {
    expect(consumers()).to.include.members(['payment', 'account', 'webhooks', 'core-banking', 'consent.outside', 'audit']);
  });
});
