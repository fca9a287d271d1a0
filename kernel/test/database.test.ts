import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { CommitUnknown, connectDatabase, constraintOf, databaseProblem, isConnectionError, migrate, type Database } from '@kontor/kernel/database';
import { firstTime } from '@kontor/kernel/inbox';
import { newId } from '@kontor/kernel/ids';
import { testDatabase, type TestDatabase } from '@kontor/testing/database';
import { proxyFor, type Proxy } from '@kontor/testing/proxy';
import { eventually } from '@kontor/testing/wait';

const faultOf = async (run: Promise<unknown>): Promise<unknown> => run.then(() => undefined, (fault: unknown) => fault);

describe('the database', () => {
  let stored: TestDatabase;
  let database: Database;

  before(async () => {
    stored = await testDatabase();
    ({ database } = stored);
    await database.query('create table note (id int primary key, word text not null, constraint word_is_short check (length(word) < 10))');
  });
  after(() => stored.drop());

  it('gives bigint and numeric as text, timestamps as Date, dates as text, JSON parsed', async () => {
    const [row] = await database.query(`select $1::bigint as big, 1.50::numeric as exact, now() as at, date '2026-02-03' as day, '{"a":[1]}'::jsonb as doc, array['x']::text[] as words`, ['9007199254740993']);
    expect(row).to.deep.include({ big: '9007199254740993', exact: '1.50', day: '2026-02-03', doc: { a: [1] }, words: ['x'] });
    expect(row?.at).to.be.instanceOf(Date);
  });

  it('keeps all of a transaction or nothing', async () => {
    await database.transaction(async (tx) => database.query('insert into note values (1, $1)', ['kept'], tx));
    await faultOf(database.transaction(async (tx) => {
      await database.query('insert into note values (2, $1)', ['lost'], tx);
      throw new Error('changed my mind');
    }));
    expect(await database.query('select id from note order by id')).to.deep.equal([{ id: 1 }]);
  });

  it('names the violated constraint', async () => {
    expect(constraintOf(await faultOf(database.query("insert into note values (3, 'much too long')")))).to.equal('word_is_short');
    expect(constraintOf(await faultOf(database.query("insert into note values (1, 'again')")))).to.equal('note_pkey');
  });

  it('repeats a transaction that could not be serialized', async () => {
    await database.query("insert into note values (10, 'a'), (11, 'a')");
    let runs = 0;
    let bothHaveRead: () => void = () => undefined;
    const meeting = new Promise<void>((resolve) => { bothHaveRead = resolve; });
    const writeSkew = (mine: number) => database.transaction(async (tx) => {
      runs++;
      await database.query('select count(*) from note where word = $1', ['a'], tx);
      if (runs >= 2) bothHaveRead();
      await meeting;
      await database.query('update note set word = $2 where id = $1', [mine, 'b'], tx);
    }, { isolation: 'SERIALIZABLE' });
    await Promise.all([writeSkew(10), writeSkew(11)]);
    expect(runs).to.equal(3);
  });

  it('tells after a commit, not after a rollback', async () => {
    let commits = 0;
    const forget = database.onCommit(() => commits++);
    await database.transaction(async () => undefined);
    await faultOf(database.transaction(async () => { throw new Error('no'); }));
    forget();
    await database.transaction(async () => undefined);
    expect(commits).to.equal(1);
  });

  it('lets a second delivery of an event wait for the first, and then know it', async () => {
    const eventId = newId();
    let finish: () => void = () => undefined;
    const held = new Promise<void>((resolve) => { finish = resolve; });
    const answers: boolean[] = [];
    const first = database.transaction(async (tx) => {
      answers.push(await firstTime(database, tx, 'desk', eventId));
      await held;
    });
    await eventually('the first delivery is under way', () => answers.length === 1);
    const second = database.transaction(async (tx) => { answers.push(await firstTime(database, tx, 'desk', eventId)); });
    await eventually('the second waits on a lock', async () => (await database.query("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).length > 0);
    finish();
    await Promise.all([first, second]);
    expect(answers).to.deep.equal([true, false]);
    expect(await database.transaction((tx) => firstTime(database, tx, 'other', eventId))).to.equal(true);
  });
});

describe('a lost database', () => {
  let stored: TestDatabase;
  let proxy: Proxy;
  let database: Database;

  before(async () => {
    stored = await testDatabase();
    await stored.database.query('create table note (id int primary key)');
    proxy = await proxyFor(stored.url);
    database = connectDatabase(proxy.address, { poolMax: 2 });
  });
  after(async () => {
    await database.close();
    await proxy.close();
    await stored.drop();
  });
  afterEach(() => proxy.mend());

  it('is told as unavailable, and found again without a restart', async () => {
    await database.query('select 1');
    proxy.cut({ refuse: true });
    expect(await database.answers(1_000)).to.equal(false);
    const fault = await faultOf(database.query('select 1'));
    expect(isConnectionError(fault)).to.equal(true);
    expect(databaseProblem(fault)).to.include({ code: 'unavailable', status: 503 });
    expect(databaseProblem(fault)?.headers).to.have.property('Retry-After');
    proxy.mend();
    await eventually('the database answers again', () => database.answers(1_000), 2_000);
  });

  it('is noticed when the server ends the connection', async () => {
    const fault = await faultOf(database.transaction((tx) => database.query('select pg_terminate_backend(pg_backend_pid())', [], tx)));
    expect(isConnectionError(fault), String(fault)).to.equal(true);
    expect(await database.query('select 1 as one')).to.deep.equal([{ one: 1 }]);
  });

  it('does not answer a probe while it hangs', async () => {
    await database.query('select 1');
    proxy.holdAnswers();
    const began = Date.now();
    expect(await database.answers(300)).to.equal(false);
    expect(Date.now() - began).to.be.below(1_000);
    proxy.release();
  });

  it('leaves a commit unknown when its answer is lost, though it took effect', async () => {
    const fault = await faultOf(database.transaction(async (tx) => {
      await database.query('insert into note values (7)', [], tx);
      proxy.holdAnswers();
      setTimeout(() => proxy.cut(), 200);
    }));
    proxy.release();
    expect(fault).to.be.instanceOf(CommitUnknown);
    expect(databaseProblem(fault)).to.include({ code: 'unavailable' });
    expect(await stored.database.query('select id from note')).to.deep.equal([{ id: 7 }]);
  });

  it('does not end the process when the server takes a connection back in the breath that gave it', async () => {
    const message = (type: string, body: Buffer): Buffer => {
      const length = Buffer.alloc(4);
      length.writeInt32BE(body.length + 4);
      return Buffer.concat([Buffer.from(type), length, body]);
    };
    const goodbye = Buffer.concat([
      message('R', Buffer.alloc(4)), message('Z', Buffer.from('I')), message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection\0\0'))]);
    const server = createServer((socket) => socket.on('error', () => undefined).once('data', () => socket.end(goodbye)));
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    const short = connectDatabase(`postgres://u:p@127.0.0.1:${(server.address() as AddressInfo).port}/d`);
    // Without a listener of its own the error event would be an uncaught exception, which fails the test by itself.
    expect(isConnectionError(await faultOf(short.query('select 1')))).to.equal(true);
    await short.close();
    await new Promise<void>((resolve) => { server.close(() => resolve()); });
  });

  it('is told apart from a fault of ours', async () => {
    const fault = await faultOf(database.query('select nonsense'));
    expect(databaseProblem(fault)).to.equal(undefined);
    expect(databaseProblem(new Error('other'))).to.equal(undefined);
  });
});

describe('migrations', () => {
  let stored: TestDatabase;
  let folder: string;

  before(async () => {
    stored = await testDatabase();
    folder = await mkdtemp(`${tmpdir()}/kontor-migrations-`);
    await writeFile(`${folder}/0001-first.sql`, 'create table first (id int); insert into first values (1);');
  });
  after(async () => {
    await stored.drop();
    await rm(folder, { recursive: true });
  });
  const up = (): Promise<void> => migrate(stored.database, pathToFileURL(`${folder}/`));

  it('run once, also when several replicas start together', async () => {
    await Promise.all([up(), up(), up()]);
    expect(await stored.database.query('select id from first')).to.deep.equal([{ id: 1 }]);
    expect(await stored.database.query('select to_regclass($1) is not null as there', ['outbox'])).to.deep.equal([{ there: true }]);
  });

  it('leave nothing of a file that fails half way', async () => {
    await writeFile(`${folder}/0002-bad.sql`, 'create table second (id int); select nonsense;');
    expect(await faultOf(up())).to.be.instanceOf(Error);
    expect(await stored.database.query("select to_regclass('second') is null as absent")).to.deep.equal([{ absent: true }]);
    await rm(`${folder}/0002-bad.sql`);
  });

  it('refuse a file that was edited after it ran', async () => {
    await writeFile(`${folder}/0001-first.sql`, 'create table first (id bigint);');
    expect(String(await faultOf(up()))).to.include('0001-first.sql was edited');
  });
});
