import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import pg from 'pg';
import { newEvent, type EventType } from '@kontor/kernel/events';
import { newId } from '@kontor/kernel/ids';
import { writeStatement, type StatementDocument, type StatementLine } from '@kontor/kernel/statement-writer';
import { openStatements, statementParts } from '@kontor/kernel/statements';
import { loadSchemas } from '@kontor/kernel/iso20022';
import { testService, type TestAnswer, type TestService } from '@kontor/testing/service';
import { options } from '../src/main.js';
import { context, eur, ledgerFixture } from './ledger-fixture.js';

const staff = { clientId: 'office', scopes: ['bank-operations'], roles: ['bank-staff'] };
const DAY_MS = 86_400_000;
const day = (ago: number): string => new Date(Date.now() - ago * DAY_MS).toISOString().slice(0, 10);
const at = (ago: number): Date => new Date(`${day(ago)}T12:00:00Z`);
const SETTLEMENT = 'DE89370400440532013000';
const SAMPLES = new URL('../../../../shared/reference/iso20022/samples/', import.meta.url);
let statements = 0;

describe('reconciliation', () => {
  let service: TestService;
  let ledger: ReturnType<typeof ledgerFixture>;
  before(async () => {
    service = await testService(options, { ACCOUNT_BALANCES_KEY: 'shared-with-the-consent-service', RECONCILE_EVERY_S: '86400' });
    ledger = ledgerFixture(service.database);
  });
  after(() => service.stop());
  afterEach('the books balance', async () => expect(await ledger.accounts.invariantBreaks()).to.deep.equal([]));
  // What a test leaves open must not be the next one's candidate.
  afterEach('nothing stays open', () => service.database.query(`update statement_items set state = 'ignored' where state = 'open'; update reconciliation_breaks
    set status = 'resolved', resolution = 'ignore', proposal = null, resolved_by = null, resolved_at = clock_timestamp() where status <> 'resolved'`));

  const line = (parts: Partial<StatementLine> & { minor: number }): StatementLine => (
    { reference: '1', amount: eur(parts.minor), creditDebit: 'CRDT', bookingDate: day(0), valueDate: day(0), ...parts });
  const document = (lines: StatementLine[], change: Partial<StatementDocument> = {}): string => {
    const id = `S-${++statements}`;
    const sum = lines.reduce((total, { creditDebit, amount }) => total + (creditDebit === 'CRDT' ? amount.minor : -amount.minor), 0n);
    return writeStatement({
      messageId: id, id, createdAt: at(0), period: { from: day(0), to: day(0) }, account: { iban: SETTLEMENT, currency: 'EUR' },
      opening: eur(0), closing: eur(sum), lines, ...change,
    });
  };
  const upload = (xml: string | Buffer, source = 'rail', caller: object = staff, headers: Record<string, string> = {}): Promise<TestAnswer> => service.request(
    'POST', `/v1/reconciliation/statements?source=${source}&staffMember=anna`, { op: 'uploadStatements', caller, body: xml.toString(), headers: { 'content-type': 'application/xml', ...headers } });
  const uploaded = async (lines: StatementLine[], change?: Partial<StatementDocument>) => {
    const answer = await upload(document(lines, change));
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200);
    return answer.body.statements[0] as { statementId: string; matched: Record<string, number>; open: number; openBreaks: number; entries: number; items: number; repeated: boolean };
  };
  const run = async () => (await service.request('POST', '/v1/reconciliation/runs', { op: 'runReconciliation', caller: staff })).body as { matched: number; breaksFound: number; breaksResolved: number };
  interface Found { breakId: string; reason: string; status: string; candidates: string[]; amount?: { amount: string }; proposal: { proposalId: string }; resolution?: string; resolvedBy?: string; paymentId?: string }
  const breaksOf = async (query: string): Promise<Found[]> =>
    (await service.request('GET', `/v1/reconciliation/breaks?limit=100&${query}`, { op: 'listReconciliationBreaks', caller: staff })).body.data as Found[];
  const act = (breakId: string, verb: 'propose' | 'approve' | 'refuse', body: object): Promise<TestAnswer> =>
    service.request('POST', `/v1/reconciliation/breaks/${breakId}/${verb}`, { op: `${verb}BreakResolution`, caller: staff, body });
  const resolve = async (breakId: string, wish: object): Promise<TestAnswer> => {
    const proposed = await act(breakId, 'propose', { reason: 'as agreed', staffMember: 'anna', ...wish });
    expect(proposed.status, JSON.stringify(proposed.body)).to.equal(200);
    return act(breakId, 'approve', { proposalId: proposed.body.proposal.proposalId, staffMember: 'ben' });
  };
  const told = async (type: EventType, about: string) => (await service.events()).filter((event) => event.type === type && JSON.stringify(event.data).includes(about)).map((event) => event.data as Record<string, unknown>);
  /** Money that came in by the rail, under the id `tx` of the rail. */
  const received = async (minor: number, tx: string, ago = 0): Promise<{ iban: string; accountId: string }> => {
    const account = await ledger.open();
    await ledger.credit(account.iban, eur(minor), `MSG/tx/${tx}`, at(ago));
    return account;
  };
  /** Days that are over have been looked at already; in a test they are made afterwards. */
  const daysPass = () => service.database.query(`update reconciliation_accounts set checked_through = '-infinity'`);
  /** Somebody else in the middle of a change: what `sql` locks stays locked until the returned function is called. */
  async function held(sql: string): Promise<() => Promise<void>> {
    const client = new pg.Client({ connectionString: service.database.url });
    await client.connect();
    await client.query(`begin; ${sql}`);
    return async () => {
      await client.query('commit');
      await client.end();
    };
  }
  const waiting = async (count: number): Promise<void> => {
    for (let i = 0; i < 500; i++) {
      const [row] = await service.database.query<{ n: number }>(`select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
      if ((row?.n ?? 0) >= count) return;
      await pause(10);
    }
    throw new Error(`${count} were never waiting`);
  };
  const suspense = () => ledger.internal('suspense:EUR');
  const settlement = () => ledger.internal('settlement:EUR');

  describe('statements', () => {
    it('an incoming and an outgoing payment are matched with the settlement account; the report and the event say so', async () => {
      const { accountId } = await received(5000, 'tx-in-1');
      const paymentId = newId();
      await ledger.reserve(paymentId, accountId, eur(1200));
      await service.database.query(`update holds set created_at = now() where payment_id = $1`, [paymentId]);
      await ledger.inTx((tx) => ledger.accounts.capture({ paymentId, accountId, amount: eur(1200), now: at(0) }, tx));
      const report = await uploaded([line({ minor: 5000, transactionId: 'tx-in-1' }), line({ minor: 1200, creditDebit: 'DBIT', transactionId: paymentId.replaceAll('-', '') })]);
      expect(report).to.deep.include({ matched: { reference: 2 }, open: 0, openBreaks: 0, entries: 2, items: 2, repeated: false });
      expect(await told('reconciliation.statement-received', report.statementId)).to.deep.equal([{ statementId: report.statementId, source: 'rail', entries: 2, matched: 2, breaks: 0 }]);
      const read = await service.request('GET', `/v1/reconciliation/statements/${report.statementId}`, { op: 'getReconciliationStatement', caller: staff });
      expect(read.body).to.deep.include({ matched: { reference: 2 }, complete: true });
    });

    it('the same statement again changes nothing; another one under its id is refused, and nothing of it is taken', async () => {
      const xml = document([line({ minor: 77, endToEndId: 'ONCE' })]);
      const first = (await upload(xml)).body.statements[0];
      const again = (await upload(xml)).body.statements[0];
      expect(again).to.deep.equal({ ...first, repeated: true });
      expect(await breaksOf(`statementId=${first.statementId}`)).to.have.length(1);
      expect(await told('reconciliation.break-found', first.statementId)).to.have.length(1);
      const refused = await upload(xml.replaceAll('>0.77<', '>0.78<'));
      expect([refused.status, refused.body.code]).to.deep.equal([409, 'conflict']);
      expect((await upload(xml)).body.statements[0].entries).to.equal(1);
    });

    it('three uploads of it at once store it once (the guard: statements_reference_unique; without it there are three)', async () => {
      const xml = document([line({ minor: 78, endToEndId: 'AT-ONCE' })]);
      const end = await held('lock table statements in share row exclusive mode');
      const uploads = [upload(xml), upload(xml), upload(xml)];
      await waiting(3);
      await end();
      const answers = await Promise.all(uploads);
      expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 200]);
      expect(new Set(answers.map(({ body }) => body.statements[0].statementId)).size).to.equal(1);
      expect(answers.filter(({ body }) => !body.statements[0].repeated)).to.have.length(1);
      expect(await breaksOf(`statementId=${answers[0]?.body.statements[0].statementId}`)).to.have.length(1);
    });

    it('come by event in parts as well; a part delivered twice, and the upload of what was heard, change nothing', async () => {
      const xml = document([...Array(501).keys()].map((i) => line({ minor: 10_000 + i, reference: String(i) })));
      const [statement] = openStatements(Buffer.from(xml), loadSchemas(undefined));
      const parts = statement ? statementParts(statement, 'rail') : [];
      const events = parts.map((part) => newEvent('rail.statement-received', { subject: part.statementReference, data: part, source: 'payment-rail', context }));
      expect(events).to.have.length(2);
      await service.deliver(events[1]!);
      await service.deliver(events[1]!);
      await service.deliver(newEvent('rail.statement-received', { subject: 'again', data: parts[1]!, source: 'payment-rail', context }));
      await run();
      const listed = (await service.request('GET', '/v1/reconciliation/statements?limit=1', { op: 'listReconciliationStatements', caller: staff })).body.data[0];
      expect(listed).to.include({ complete: false, reconciledAt: null, entries: 1 });
      await service.deliver(events[0]!);
      expect((await upload(xml)).body.statements[0]).to.include({ repeated: true, complete: true, entries: 501, statementId: listed.statementId });
      expect(await told('reconciliation.statement-received', listed.statementId)).to.have.length(1);
    });

    it('heard with another content under a known id is a break', async () => {
      const xml = document([line({ minor: 90, endToEndId: 'HEARD' })]);
      await upload(xml);
      const [other] = openStatements(Buffer.from(xml.replaceAll('>0.90<', '>0.91<')), loadSchemas(undefined));
      const data = statementParts(other!, 'rail')[0]!;
      for (let i = 0; i < 2; i++) await service.deliver(newEvent('rail.statement-received', { subject: 'x', data, source: 'payment-rail', context }));
      expect(await breaksOf('reason=statement-differs&status=open')).to.have.length(1);
    });

    it('of the core is matched with the customer\'s account; of an account nobody knows it is refused', async () => {
      const { iban } = await received(4321, 'tx-core-1');
      const answer = await upload(document([line({ minor: 4321, endToEndId: 'E2E' })], { account: { iban, currency: 'EUR' } }), 'core');
      expect(answer.body.code, 'made-up account numbers of the fixture are no IBANs').to.equal(undefined);
      expect(answer.body.statements[0].matched).to.deep.equal({ reference: 1 });
      const refused = await upload(document([]), 'core');
      expect([refused.status, refused.body.code, refused.body.detail]).to.deep.equal([400, 'invalid_message', 'Acct/Id is no account of this bank.']);
    });

    it('that does not add up is reported by the difference, not made to fit', async () => {
      const report = await uploaded([], { opening: eur(100), closing: eur(250) });
      const [found] = await breaksOf(`statementId=${report.statementId}`);
      expect(found).to.deep.include({ reason: 'statement-does-not-add-up', amount: { amount: '1.50', currency: 'EUR' } });
      expect((await act(found!.breakId, 'propose', { resolution: 'write-off', reason: 'small', staffMember: 'anna' })).body.code).to.equal('unprocessable');
    });
  });

  describe('breaks', () => {
    it('an entry the ledger does not have is one, told once, and resolved by itself when the booking comes', async () => {
      const report = await uploaded([line({ minor: 3333, transactionId: 'late-1' })]);
      const [found] = await breaksOf(`statementId=${report.statementId}&reason=missing-in-ledger&status=open&minAgeDays=0`);
      expect(found).to.include({ reason: 'missing-in-ledger', status: 'open' });
      expect(await breaksOf(`statementId=${report.statementId}&minAgeDays=1`)).to.deep.equal([]);
      expect(await run()).to.include({ matched: 0, breaksFound: 0, breaksResolved: 0 });
      expect(await told('reconciliation.break-found', found!.breakId)).to.deep.equal([{ breakId: found!.breakId, reason: 'missing-in-ledger', statementId: report.statementId, amount: { amount: '33.33', currency: 'EUR' } }]);
      await received(3333, 'late-1');
      expect(await run()).to.include({ matched: 1, breaksResolved: 1 });
      expect(await run()).to.include({ matched: 0, breaksFound: 0, breaksResolved: 0 });
      expect((await breaksOf(`statementId=${report.statementId}`))[0]).to.include({ status: 'resolved', resolution: 'matched' });
      expect(await told('reconciliation.break-resolved', found!.breakId)).to.deep.equal([{ breakId: found!.breakId, resolution: 'matched' }]);
    });

    it('a booking the rail does not tell of for days is one, and resolved by a later statement', async () => {
      await uploaded([line({ minor: 1, bookingDate: day(9), valueDate: day(9), endToEndId: 'opens-the-watch' })]);
      await received(6789, 'silent-1', 5);
      await received(6790, 'fresh-1', 1);
      await daysPass();
      await run();
      const open = await breaksOf('reason=missing-at-rail&status=open');
      expect(open.map(({ amount }) => amount?.amount)).to.include('67.89').and.not.include('67.90');
      const count = open.length;
      await run();
      expect(await breaksOf('reason=missing-at-rail&status=open')).to.have.length(count);
      await uploaded([line({ minor: 6789, transactionId: 'silent-1', bookingDate: day(4), valueDate: day(4) })]);
      expect((await breaksOf('reason=missing-at-rail&status=open')).map(({ amount }) => amount?.amount)).to.not.include('67.89');
    });

    it('another currency than the account\'s is one, and cannot be written off', async () => {
      await received(11, 'opens-settlement');
      const xml = document([line({ minor: 2222, endToEndId: 'USD' })]).replaceAll('Ccy="EUR">22.22', 'Ccy="USD">22.22');
      const [found] = await breaksOf(`statementId=${(await upload(xml)).body.statements[0].statementId}&reason=currency-differs`);
      expect((await act(found!.breakId, 'propose', { resolution: 'write-off', reason: 'small', staffMember: 'anna' })).body.code).to.equal('unprocessable');
    });

    it('a returned payment whose money lies in suspense is one of them, and ends by two people', async () => {
      const paymentId = newId();
      await service.deliver(newEvent('rail.payment-returned', { subject: paymentId, source: 'payment-rail', context, data: {
        paymentId, railReference: `R/tx/${paymentId}`, amount: { amount: '3.21', currency: 'EUR' }, reason: 'AC04', endToEndId: 'BACK',
      } }));
      const [found] = await breaksOf('reason=return-unknown-payment&status=open');
      expect(found).to.deep.include({ paymentId, amount: { amount: '3.21', currency: 'EUR' }, creditDebitIndicator: 'CRDT' });
      expect((await resolve(found!.breakId, { resolution: 'ignore' })).body.status).to.equal('resolved');
    });

    it('are paged, oldest first, and each once', async () => {
      const report = await uploaded([5, 6, 7].map((i) => line({ minor: 55_500 + i, endToEndId: `PAGE-${i}` })));
      const pages: string[] = [];
      for (let cursor: string | null | undefined = ''; cursor !== null;) {
        const page: TestAnswer = await service.request('GET', `/v1/reconciliation/breaks?limit=2&statementId=${report.statementId}${cursor ? `&cursor=${cursor}` : ''}`, { op: 'listReconciliationBreaks', caller: staff });
        pages.push(...(page.body.data as Found[]).map(({ breakId }) => breakId));
        cursor = page.body.nextCursor as string | null;
      }
      expect([pages.length, new Set(pages).size]).to.deep.equal([3, 3]);
      expect((await service.request('GET', '/v1/reconciliation/breaks?cursor=x', { op: 'listReconciliationBreaks', caller: staff })).body.code).to.equal('invalid_cursor');
    });

    it('are counted by reason in the metrics', async () => {
      await uploaded([line({ minor: 44_444, endToEndId: 'METRIC' })]);
      const text = await service.running.metrics.registry.metrics();
      expect(text).to.match(/reconciliation_breaks\{[^}]*reason="missing-in-ledger"[^}]*\} [1-9]/).and.match(/reconciliation_oldest_break_seconds\{[^}]*\} \d/);
    });
  });

  describe('resolution by two people', () => {
    const missing = async (minor: number, creditDebit: 'CRDT' | 'DBIT' = 'CRDT'): Promise<Found> => {
      const report = await uploaded([line({ minor, creditDebit, endToEndId: `M-${minor}` })]);
      return (await breaksOf(`statementId=${report.statementId}`))[0]!;
    };

    it('whoever proposed cannot approve or refuse; another can; every act is kept', async () => {
      const found = await missing(70_001);
      const proposed = await act(found.breakId, 'propose', { resolution: 'ignore', reason: 'known to the rail', staffMember: 'anna' });
      expect(proposed.body).to.deep.include({ status: 'proposed' });
      expect(proposed.body.proposal).to.include({ proposedBy: 'office/anna', resolution: 'ignore' });
      const { proposalId } = proposed.body.proposal as { proposalId: string };
      for (const verb of ['approve', 'refuse'] as const)
        expect((await act(found.breakId, verb, { proposalId, staffMember: 'anna', ...(verb === 'refuse' ? { reason: 'no no' } : {}) })).body).to.include({ status: 403, code: 'four_eyes_required' });
      expect((await act(found.breakId, 'propose', { resolution: 'ignore', reason: 'again', staffMember: 'ben' })).body.code).to.equal('invalid_state');
      expect((await act(found.breakId, 'refuse', { proposalId, reason: 'not yet', staffMember: 'ben' })).body.status).to.equal('open');
      expect((await act(found.breakId, 'approve', { proposalId, staffMember: 'ben' })).body.code).to.equal('invalid_state');
      expect((await resolve(found.breakId, { resolution: 'ignore' })).body).to.include({ status: 'resolved', resolution: 'ignore', resolvedBy: 'office/ben' });
      expect(await told('reconciliation.break-resolved', found.breakId)).to.deep.equal([{ breakId: found.breakId, resolution: 'ignore', proposedBy: 'office/anna', approvedBy: 'office/ben' }]);
      expect((await service.database.query('select act from reconciliation_decisions where break_id = $1 order by decision_id', [found.breakId])).map((row) => row.act)).to.deep.equal(['proposed', 'refused', 'proposed', 'approved']);
      expect(await run()).to.include({ breaksFound: 0, matched: 0 });
    });

    for (const [creditDebit, sign] of [['CRDT', -1n], ['DBIT', 1n]] as const)
      it(`writing off an entry the ledger does not have (${creditDebit}) books it against suspense, and only when approved`, async () => {
        const found = await missing(creditDebit === 'CRDT' ? 70_100 : 70_101, creditDebit);
        const minor = creditDebit === 'CRDT' ? 70_100n : 70_101n;
        const before = [await settlement(), await suspense()];
        await act(found.breakId, 'propose', { resolution: 'write-off', reason: 'the rail\'s own booking', staffMember: 'anna' });
        expect([await settlement(), await suspense()]).to.deep.equal(before);
        const [{ proposalId }] = (await breaksOf('status=proposed')).map(({ proposal }) => proposal) as [{ proposalId: string }];
        expect((await act(found.breakId, 'approve', { proposalId, staffMember: 'ben' })).body).to.include({ status: 'resolved', resolution: 'write-off' });
        expect([await settlement(), await suspense()]).to.deep.equal([before[0]! + sign * minor, before[1]! - sign * minor]);
        expect((await act(found.breakId, 'approve', { proposalId, staffMember: 'ben' })).body.code).to.equal('invalid_state');
        expect(await run()).to.include({ breaksFound: 0, matched: 0 });
      });

    it('writing off a difference in amount books the difference alone and matches the booking', async () => {
      const account = await ledger.open();
      await ledger.inTx((tx) => ledger.accounts.credit({ railReference: newId(), iban: account.iban, amount: eur(80_000), details: { endToEndId: 'CENT' }, now: at(0) }, tx));
      const report = await uploaded([line({ minor: 80_001, endToEndId: 'CENT' })]);
      const [found] = await breaksOf(`statementId=${report.statementId}`);
      expect(found?.reason).to.equal('amount-differs');
      const before = await suspense();
      expect((await resolve(found!.breakId, { resolution: 'write-off' })).status).to.equal(200);
      expect(await suspense() - before).to.equal(1n);
      const [{ sum }] = await service.database.query<{ sum: string }>(
        `select sum(case e.side when 'debit' then e.amount_minor else -e.amount_minor end)::text as sum from reconciliation_matches m join ledger_entries e using (entry_id)
         join statement_items i using (item_id) where i.statement_id = $1`, [report.statementId]) as [{ sum: string }];
      expect(sum).to.equal('80001');
    });

    it('writing off a booking the rail never made counters it, and both are done with', async () => {
      await uploaded([line({ minor: 2, bookingDate: day(9), valueDate: day(9), endToEndId: 'watch' })]);
      await received(90_009, 'never-1', 5);
      await daysPass();
      await run();
      const found = (await breaksOf('reason=missing-at-rail&status=open')).find(({ amount }) => amount?.amount === '900.09')!;
      const before = [await settlement(), await suspense()];
      expect((await resolve(found.breakId, { resolution: 'write-off' })).body.status).to.equal('resolved');
      expect([await settlement(), await suspense()]).to.deep.equal([before[0]! + 90_009n, before[1]! - 90_009n]);
      await daysPass();
      expect((await run()).breaksFound).to.equal(0);
    });

    it('matching by hand takes a booking of the same side and amount, and no other', async () => {
      const account = await ledger.open();
      const { transactionId } = await ledger.credit(account.iban, eur(91_000), newId(), at(8)) as { transactionId: string };
      const other = await ledger.credit(account.iban, eur(91_001), newId(), at(8)) as { transactionId: string };
      const found = await missing(91_000);
      expect((await resolve(found.breakId, { resolution: 'match-to', transactionId: other.transactionId })).body.code).to.equal('unprocessable');
      const [{ proposalId }] = (await breaksOf('status=proposed')).map(({ proposal }) => proposal) as [{ proposalId: string }];
      await act(found.breakId, 'refuse', { proposalId, reason: 'the wrong one', staffMember: 'ben' });
      expect((await resolve(found.breakId, { resolution: 'match-to', transactionId })).body).to.include({ status: 'resolved', resolution: 'match-to' });
      const second = await missing(91_000);
      expect((await resolve(second.breakId, { resolution: 'match-to', transactionId })).body.code).to.equal('unprocessable');
    });

    it('is refused to compliance, who may read, and to others, who may not', async () => {
      const found = await missing(92_000);
      const compliance = { ...staff, roles: ['compliance'] };
      expect((await service.request('GET', `/v1/reconciliation/breaks/${found.breakId}`, { op: 'getReconciliationBreak', caller: compliance })).status).to.equal(200);
      expect((await service.request('POST', `/v1/reconciliation/breaks/${found.breakId}/propose`, { op: 'proposeBreakResolution', caller: compliance, body: { resolution: 'ignore', reason: 'x y z', staffMember: 'c' } })).body.code).to.equal('role_required');
      expect((await service.request('GET', '/v1/reconciliation/breaks', { op: 'listReconciliationBreaks', caller: { ...staff, scopes: ['accounts'], roles: ['aisp'] } })).status).to.equal(403);
      for (const [verb, body] of [['propose', { resolution: 'ignore', reason: 'because', staffMember: 'a' }], ['approve', { proposalId: newId(), staffMember: 'b' }]] as const)
        expect((await act(newId(), verb, body)).body.code).to.equal('break_not_found');
      expect((await act(found.breakId, 'propose', { resolution: 'ignore', reason: 'because', staffMember: 'anna b' })).status).to.equal(400);
    });
  });

  describe('at the same time', () => {
    it('two runs go one after the other and match an entry once (the guard: lockReconciliation in each step; without it both read it as open, and the second fails on the first\'s match)', async () => {
      const xml = document([line({ minor: 93_000, transactionId: 'race-1' })]);
      const [statement] = openStatements(Buffer.from(xml), loadSchemas(undefined));
      await service.deliver(newEvent('rail.statement-received', { subject: 'x', data: statementParts(statement!, 'rail')[0]!, source: 'payment-rail', context }));
      await received(93_000, 'race-1');
      const end = await held('lock table reconciliation_matches in share row exclusive mode');
      const runs = [run(), run()];
      await waiting(2);
      await end();
      expect((await Promise.all(runs)).map(({ matched }) => matched).sort()).to.deep.equal([0, 1]);
    });

    it('two proposals: one holds; two approvals and a refusal: one decides, and it posts once (the guard: the break is read for update; without it all of them decide)', async () => {
      const report = await uploaded([line({ minor: 94_000, endToEndId: 'R-2' })]);
      const [found] = await breaksOf(`statementId=${report.statementId}`);
      const holdBreak = () => held(`select 1 from reconciliation_breaks where break_id = '${found!.breakId}' for update`);
      let end = await holdBreak();
      const proposals = ['anna', 'ben'].map((staffMember) => act(found!.breakId, 'propose', { resolution: 'write-off', reason: 'as agreed', staffMember }));
      await waiting(2);
      await end();
      const proposed = await Promise.all(proposals);
      expect(proposed.map(({ status }) => status).sort()).to.deep.equal([200, 409]);
      const { proposalId } = proposed.find(({ status }) => status === 200)?.body.proposal as { proposalId: string };
      const before = await suspense();
      end = await holdBreak();
      const decisions = [act(found!.breakId, 'approve', { proposalId, staffMember: 'carl' }), act(found!.breakId, 'approve', { proposalId, staffMember: 'dora' }), act(found!.breakId, 'refuse', { proposalId, staffMember: 'emil', reason: 'rather not' })];
      await waiting(3);
      await end();
      const decided = await Promise.all(decisions);
      expect(decided.map(({ status }) => status).sort()).to.deep.equal([200, 409, 409]);
      const wasApproved = decided.slice(0, 2).some(({ status }) => status === 200);
      expect(await suspense() - before).to.equal(wasApproved ? 94_000n : 0n);
    });

    it('a match found while a resolution waits for approval ends the break, and the approval comes too late', async () => {
      const report = await uploaded([line({ minor: 95_000, transactionId: 'race-3' })]);
      const [found] = await breaksOf(`statementId=${report.statementId}`);
      const { proposalId } = (await act(found!.breakId, 'propose', { resolution: 'write-off', reason: 'as agreed', staffMember: 'anna' })).body.proposal as { proposalId: string };
      await received(95_000, 'race-3');
      await run();
      const before = await suspense();
      expect((await act(found!.breakId, 'approve', { proposalId, staffMember: 'ben' })).body.code).to.equal('invalid_state');
      expect(await suspense()).to.equal(before);
    });

    it('the database itself takes an entry for one match only, and nobody\'s own approval', async () => {
      const report = await uploaded([line({ minor: 96_000, transactionId: 'once-1' }), line({ minor: 96_001, transactionId: 'once-2' })]);
      await received(96_000, 'once-1');
      await run();
      const violation = await service.database.query(
        `insert into reconciliation_matches (item_id, entry_id, message, rule, score) select (select item_id from statement_items where statement_id = $1 and state = 'open'), m.entry_id, m.message, 'reference', 1
         from reconciliation_matches m join statement_items i using (item_id) where i.statement_id = $1`, [report.statementId]).then(() => 'taken', (fault: { constraint?: string }) => fault.constraint);
      expect(violation).to.equal('matches_entry_once');
    });
  });

  describe('bad input', () => {
    const nothing = async (): Promise<number> => Number((await service.database.query<{ n: string }>('select count(*) as n from statements'))[0]?.n);
    const XMLNS = 'urn:iso:std:iso:20022:tech:xsd:camt.053.001.08';

    it('is refused by its line or its element, and nothing is written', async () => {
      const sound = document([line({ minor: 1 }), line({ minor: 2 })]);
      const cases: [string, string, RegExp][] = [
        ['a bomb of entities', `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>${sound.replace(/<\?.*?\?>/, '')}`, /document type declaration/],
        ['an external entity', `<!DOCTYPE x SYSTEM "file:///etc/hostname">${sound.replace(/<\?.*?\?>/, '')}`, /document type declaration/],
        ['another namespace', sound.replace(XMLNS, 'urn:example:camt'), /the Document is none of camt\.053/],
        ['a truncated file', sound.slice(0, 900), /not well-formed XML \(line \d+\)/],
        ['no XML', '{"Document": 1}', /not well-formed XML/],
        ['a negative amount', sound.replace('>0.02<', '>-0.02<'), /^Stmt 1, Ntry 2: Amt is no amount\.$/],
        ['a currency nobody knows', sound.replace('Ccy="EUR">0.02', 'Ccy="XQZ">0.02'), /Ntry 2: Amt: Ccy is no currency of ISO 4217/],
        ['a status nobody knows', sound.replace('>BOOK<', '>MAYB<'), /Ntry 1: Sts is none of/],
        ['a second statement with a fault', sound.replace('</Stmt>', `</Stmt><Stmt><Id>S</Id></Stmt>`), /^Stmt 2: .*Id is missing/],
      ];
      const before = await nothing();
      for (const [what, xml, expected] of cases) {
        const { status, body } = await upload(xml);
        expect([status, body.code], `${what}: ${JSON.stringify(body)}`).to.deep.equal([400, 'invalid_message']);
        expect(body.detail, what).to.match(expected);
      }
      expect(await nothing()).to.equal(before);
    });

    it('more than 16 MB, another media type and an unknown source are refused', async () => {
      const before = await nothing();
      expect((await upload(document([]).padEnd(17 * 1024 * 1024, ' '))).body).to.include({ status: 413, code: 'payload_too_large' });
      expect((await upload(document([]), 'rail', staff, { 'content-type': 'application/json' })).body.code).to.equal('unsupported_media_type');
      expect((await upload(document([]), 'moon')).status).to.equal(400);
      expect(await nothing()).to.equal(before);
    });

    it('a large file is read beside the service, which answers meanwhile, and its faults are told like those of a small one', async () => {
      const lines = [...Array(1_500).keys()].map((i) => line({ minor: 200_000 + i, reference: String(i), endToEndId: `LARGE-${i}`, remittance: 'A long text for a large statement '.repeat(4) }));
      const xml = document(lines);
      expect(xml.length).to.be.greaterThan(512 * 1024);
      expect((await upload(xml.replace('>2014.99<', '>2014.999<'))).body).to.include({ code: 'invalid_message', detail: 'Stmt 1, Ntry 1500: Amt has more decimals than EUR.' });
      const large = upload(xml);
      expect((await fetch(new URL('/livez', service.url))).status).to.equal(200);
      expect((await large).body.statements[0]).to.include({ entries: 1_500, complete: true });
    });

    it('attacks and broken messages among the published ones are refused, the sound ones load', async function () {
      if (!existsSync(SAMPLES)) {
        console.log('        skipped: the reference messages are not on this machine');
        this.skip();
      }
      const files = (folder: string, only: RegExp): string[] => readdirSync(new URL(folder, SAMPLES)).filter((name) => only.test(name)).map((name) => folder + name);
      const before = await nothing();
      for (const file of [...files('invalid/attack/', /camt.*\.xml$/), ...files('invalid/not-xml/', /camt.*\.xml$/)])
        expect((await upload(readFileSync(new URL(file, SAMPLES)))).status, file).to.equal(400);
      expect(await nothing()).to.equal(before);
      for (const file of [...files('camt.053.001.08/', /\.xml$/), ...files('camt.054.001.08/', /\.xml$/), ...files('statements/', /\.xml$/), ...files('tricky-valid/', /camt.*\.xml$/)]) {
        const answer = await upload(readFileSync(new URL(file, SAMPLES)));
        expect(answer.status, `${file}: ${JSON.stringify(answer.body).slice(0, 300)}`).to.equal(200);
        for (const report of answer.body.statements as { complete: boolean; reconciledAt: string | null }[]) expect([report.complete, report.reconciledAt !== null], file).to.deep.equal([true, true]);
      }
    });
  });
});
