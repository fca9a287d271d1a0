import { expect } from 'chai';
import fc from 'fast-check';
import type { Database } from '@kontor/kernel/database';
import { newId } from '@kontor/kernel/ids';
import { Problem } from '@kontor/kernel/problem';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';
import { eventually } from '@kontor/testing/wait';
import { feedRepository, type FeedRepository, type Heard } from '../src/feed-repository.js';
import { webhookRepository } from '../src/repository.js';

const NOW = new Date('2026-01-05T09:30:00.000Z');
const plus = (ms: number): Date => new Date(NOW.getTime() + ms);
/** A gate that one test opens by hand. */
const gate = (): { open: () => void; opened: Promise<void> } => {
  let open: () => void = () => undefined;
  return { opened: new Promise<void>((resolve) => { open = resolve; }), open: () => open() };
};

describe('the event feed in the database', () => {
  let stored: TestDatabase;
  let database: Database;
  let feed: FeedRepository;
  before(async () => {
    stored = await testDatabase(new URL('..', import.meta.url));
    ({ database } = stored);
    feed = feedRepository(database);
  });
  after(() => stored.drop());

  const heard = (clientId: string, body: string, more: Partial<Heard> = {}): Heard =>
    ({ clientId, eventId: newId(), type: 'account.blocked', subject: newId(), body, turn: undefined, now: NOW, ...more });
  const hear = (event: Heard): Promise<void> => database.transaction((tx) => feed.hear(event, tx));
  /** A status change of a payment, by its number. */
  const change = (clientId: string, subject: string, sequence: number, now = NOW): Heard =>
    heard(clientId, String(sequence), { type: 'payment.status-changed', subject, turn: { sequence, follows: sequence - 1 }, now });
  const bodies = async (clientId: string, from?: string): Promise<string[]> =>
    (await feed.read(clientId, { limit: 500, ...(from === undefined ? {} : { after: from }) })).entries.map(({ body }) => body);
  const refusal = async (work: Promise<unknown>): Promise<string> => work.then(() => 'taken', (fault: unknown) => (fault instanceof Problem ? fault.code : String(fault)));

  it('gives events in the order of their commits: one that commits late is not skipped by a reader who has gone past', async () => {
    // Guard: the row of event_feeds, locked by drawing the position from it. Drawn from a sequence, 'second' is read before 'first'
    // has committed, and a reader who goes on from there never sees 'first'.
    const clientId = newId();
    await hear(heard(clientId, 'before'));
    const { nextCursor } = await feed.read(clientId, { limit: 10 });
    const held = gate();
    const drawn = gate();
    const first = database.transaction(async (tx) => {
      await feed.hear(heard(clientId, 'first'), tx);
      drawn.open();
      await held.opened;
    });
    await drawn.opened;
    const second = hear(heard(clientId, 'second'));
    await eventually('the second event waits for the first', async () =>
      (await database.query(`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)).length > 0);
    expect(await bodies(clientId, nextCursor!), 'nothing is seen past a gap').to.deep.equal([]);
    // Another application does not wait.
    const other = newId();
    await hear(heard(other, 'elsewhere'));
    expect(await bodies(other)).to.deep.equal(['elsewhere']);
    held.open();
    await Promise.all([first, second]);
    expect(await bodies(clientId, nextCursor!)).to.deep.equal(['first', 'second']);
  });

  it('gives many readers every event once, in one order, while many are heard at once', async () => {
    const clientId = newId();
    let done = false;
    const writers = Promise.all(Array.from({ length: 8 }, async (_, writer) => {
      for (let n = 0; n < 25; n++) await hear(heard(clientId, `${writer}-${n}`));
    })).then(() => { done = true; });
    const follow = async (): Promise<string[]> => {
      const seen: string[] = [];
      for (let cursor: string | null = null, last = false; ;) {
        last = done;
        const page = await feed.read(clientId, { limit: 7, ...(cursor === null ? {} : { after: cursor }) });
        seen.push(...page.entries.map(({ body }) => body));
        cursor = page.nextCursor;
        if (last && !page.hasMore) return seen;
      }
    };
    const [one, two] = await Promise.all([follow(), follow(), writers]);
    expect(one).to.have.length(200);
    expect(new Set(one).size).to.equal(200);
    expect(two).to.deep.equal(one);
  });

  it('holds a status change back until the one before it is there', async () => {
    const [clientId, subject] = [newId(), newId()];
    const settled = heard(clientId, 'settled', { type: 'payment.settled', subject, turn: { sequence: 3, follows: 3 } });
    for (const event of [change(clientId, subject, 2), settled, change(clientId, subject, 3)]) await hear(event);
    await hear(heard(clientId, 'of another subject'));
    expect(await bodies(clientId)).to.deep.equal(['of another subject']);
    await hear(change(clientId, subject, 1));
    expect(await bodies(clientId)).to.deep.equal(['of another subject', '1', '2', '3', 'settled']);
  });

  it('ends in order whatever the order in which the status changes of a payment come', async () => {
    await fc.assert(fc.asyncProperty(fc.shuffledSubarray([1, 2, 3, 4, 5, 6], { minLength: 6 }), async (order) => {
      const [clientId, subject] = [newId(), newId()];
      for (const sequence of order) await hear(change(clientId, subject, sequence));
      expect(await bodies(clientId)).to.deep.equal(['1', '2', '3', '4', '5', '6']);
    }), { numRuns: 25 });
  });

  it('waits ten seconds for a status change that does not come, then goes on in order; when it comes after all it is told', async () => {
    const [clientId, subject] = [newId(), newId()];
    await hear(change(clientId, subject, 1));
    // The later one was heard first: its time is over first, and it must not overtake.
    await hear(change(clientId, subject, 4));
    await hear(change(clientId, subject, 3, plus(2_000)));
    expect(await feed.releaseOverdue(plus(9_999))).to.equal(0);
    expect(await bodies(clientId)).to.deep.equal(['1']);
    expect(await feed.releaseOverdue(plus(10_000))).to.equal(2);
    await hear(change(clientId, subject, 2));
    await hear(change(clientId, subject, 5));
    expect(await bodies(clientId)).to.deep.equal(['1', '3', '4', '2', '5']);
  });

  it('refuses cursors that would skip or are worn out', async () => {
    const [clientId, other] = [newId(), newId()];
    for (const body of ['1', '2']) await hear(heard(clientId, body));
    await hear(heard(other, 'x'));
    const early = (await feed.read(clientId, { limit: 1 })).nextCursor!;
    const late = (await feed.read(clientId, { limit: 2 })).nextCursor!;
    const made = (fields: object): string => Buffer.from(JSON.stringify(fields)).toString('base64url');
    const own = JSON.parse(Buffer.from(late, 'base64url').toString()) as { feed: string; position: number };
    for (const cursor of [(await feed.read(other, { limit: 1 })).nextCursor!, made({ ...own, position: 3 }), made({ ...own, position: -1 }), made({ ...own, position: 1.5 }), made({ feed: 'x', position: 1 }), 'nonsense'])
      expect(await refusal(feed.read(clientId, { limit: 1, after: cursor })), cursor).to.equal('invalid_cursor');
    expect(await refusal(feed.read(newId(), { limit: 1, after: late })), 'of a feed there is not').to.equal('invalid_cursor');
    await database.query(`update feed_entries set heard_at = $2 where client_id = $1 and position <= 2`, [clientId, plus(-1)]);
    await hear(heard(clientId, '3'));
    expect(await feed.prune(NOW)).to.equal(2);
    expect(await refusal(feed.read(clientId, { limit: 1, after: early }))).to.equal('cursor_expired');
    expect(await bodies(clientId, late), 'nothing after this one has gone').to.deep.equal(['3']);
    expect(await bodies(clientId), 'without a cursor: what is left').to.deep.equal(['3']);
  });

  describe('deliveries', () => {
    const webhooks = (): ReturnType<typeof webhookRepository> => webhookRepository(database);
    const endpoint = async (clientId: string): Promise<string> => {
      const endpointId = newId();
      await webhooks().create({ key: newId(), clientId, body: {} }, {
        endpointId, clientId, url: 'https://fintech.example/', eventTypes: ['account.blocked', 'payment.status-changed'], status: 'enabled', disabledReason: null, createdAt: NOW,
      }, Buffer.from('x'), { status: 201, body: {} });
      return endpointId;
    };
    const claim = async (endpointId: string, now = NOW) => (await webhooks().claim(100, now, 1_000)).filter((one) => one.endpointId === endpointId);

    it('of one subject go to an endpoint one after the other, those of others meanwhile', async () => {
      const [clientId, same] = [newId(), newId()];
      const endpointId = await endpoint(clientId);
      for (const body of ['same 1', 'same 2', 'same 3']) await hear(heard(clientId, body, { subject: same }));
      await hear(heard(clientId, 'other'));
      const [first, other, ...none] = await claim(endpointId);
      expect([first?.body, other?.body, none]).to.deep.equal(['same 1', 'other', []]);
      expect(await claim(endpointId), 'the first is under way').to.deep.equal([]);
      await webhooks().attemptFailed(first!, { status: 500, error: 'status', again: plus(60_000) });
      expect(await claim(endpointId, plus(59_999)), 'the first is tried again').to.have.lengthOf.at.most(1).and.not.deep.include({ body: 'same 2' });
      const [again] = await claim(endpointId, plus(60_000));
      expect(again?.body).to.equal('same 1');
      await webhooks().attemptFailed(again!, { status: 500, error: 'status', again: undefined });
      expect((await claim(endpointId, plus(60_001))).map(({ body }) => body).filter((body) => body !== 'other'), 'the first is given up').to.deep.equal(['same 2']);
    });

    it('given up are sent again when the fintech asks, others are not', async () => {
      const clientId = newId();
      const endpointId = await endpoint(clientId);
      await hear(heard(clientId, 'x'));
      const [claimed] = await claim(endpointId);
      expect(await refusal(webhooks().retry(endpointId, claimed!.deliveryId, NOW)), 'waiting').to.equal('invalid_state');
      await webhooks().attemptFailed(claimed!, { status: 500, error: 'status', again: undefined });
      expect(await webhooks().retry(endpointId, claimed!.deliveryId, plus(5))).to.deep.include({ status: 'waiting', attempts: 0, nextAttemptAt: plus(5) });
      const [again] = await claim(endpointId, plus(5));
      await webhooks().delivered(again!, 204);
      expect(await refusal(webhooks().retry(endpointId, claimed!.deliveryId, NOW)), 'delivered').to.equal('invalid_state');
      expect(await refusal(webhooks().retry(endpointId, newId(), NOW))).to.equal('webhook_delivery_not_found');
      expect(await refusal(webhooks().retry(newId(), claimed!.deliveryId, NOW)), 'of another endpoint').to.equal('webhook_delivery_not_found');
    });

    it('are queued again from a cursor or a time on, in pages, under the ids they had', async () => {
      const clientId = newId();
      for (const body of ['1', '2']) await hear(heard(clientId, body));
      const { nextCursor } = await feed.read(clientId, { limit: 10 });
      const endpointId = await endpoint(clientId);
      const later = plus(1_000);
      const events = [heard(clientId, '3', { now: later }), heard(clientId, '4', { now: later, type: 'account.closed' }), heard(clientId, '5', { now: later })];
      for (const event of events) await hear(event);
      const [claimed] = await claim(endpointId, later);
      await webhooks().delivered(claimed!, 204);
      const at = { endpointId, clientId };
      expect(await feed.replay(at, { after: nextCursor! }, 10, later), 'the one delivered; the other still waits; nobody wants the third').to.deep.equal({ queued: 1, nextCursor: null });
      expect(await feed.replay(at, { since: later }, 10, later)).to.deep.equal({ queued: 0, nextCursor: null });
      const first = await feed.replay(at, { since: NOW }, 1, later);
      expect(first.queued).to.equal(1);
      expect(await feed.replay(at, { after: first.nextCursor! }, 10, later)).to.deep.equal({ queued: 1, nextCursor: null });
      const rows = await database.query<{ event_id: string; body: string }>('select event_id, body from webhook_deliveries where endpoint_id = $1 order by position', [endpointId]);
      expect(rows.map(({ body }) => body)).to.deep.equal(['1', '2', '3', '5']);
      expect(rows[2]?.event_id).to.equal(events[0]?.eventId);
      expect(await refusal(feed.replay(at, { after: 'nonsense' }, 10, later))).to.equal('invalid_cursor');
    });
  });
});
