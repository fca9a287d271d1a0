/** A short run of `npm run test:faults`, and that its proof is not blind. */
import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { expect } from 'chai';
import { newId } from '@kontor/kernel/ids';
import { scratchDirectory } from '../../../scripts/testing/infrastructure.js';
import { cutter, type Cutter } from './cuts.js';
import { killer } from './kills.js';
import { ROOT, startSmallPlatform, type SmallPlatform } from './platform.js';
import { describeBreach, underLoad, type Outcome, type Troublemaker } from './run.js';
import { scheduleOf } from './schedule.js';

/** `npm run test:faults` kills a thousand times; another seed each time, told when it fails. */
const KILLS = 50;
const CUTS = 25;

describe('Whatever is killed while payments are made', function () {
  this.timeout(360_000);
  const seed = Math.floor(Math.random() * 2 ** 31);
  let cuts: Cutter;
  let platform: SmallPlatform;
  let outcome: Outcome;
  before(async () => {
    const built = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: ROOT, encoding: 'utf8' });
    expect(built.status, built.stderr).to.equal(0);
    cuts = cutter(seed);
    platform = await startSmallPlatform(scratchDirectory(), { databaseUrl: cuts.through });
  });
  after(async () => {
    await platform?.stop();
    await cuts?.close();
  });

  it(`nothing that was answered is lost, nothing happens twice, and the ledger is exact: ${KILLS} kills, ${CUTS} connections cut around a commit`, async () => {
    outcome = await underLoad(platform, { seed, troubles: KILLS + CUTS, round: KILLS + CUTS, tell: () => undefined, troublemaker: (answered) => both(killer(platform, seed, answered), cuts.troublemaker()) });
    expect(outcome.proof.breaches.map((breach) => describeBreach(breach, outcome.troubles)), `npm run test:faults -- --seed=${seed} --kills=${KILLS} --cuts=${CUTS}`).to.deep.equal([]);
    // A run in which nothing settles, or nothing is refused, would show nothing.
    expect(outcome.proof.payments).to.include.keys('ACSC', 'RJCT');
    expect(outcome.answered).to.be.greaterThan(20);
    expect(outcome.book.orders.some(({ instant, answers }) => instant && answers.size > 0), 'an instant payment').to.equal(true);
  });

  it('and the proof sees a payment that is lost, one that is stuck, one sent twice, and a cent too much', async () => {
    const [settled] = await platform.query<{ payment_id: string }>('payment', `select payment_id from payments where status = 'ACSC' and not on_us limit 1`);
    const lost = newId();
    outcome.book.orders[0]!.answers.add(lost);
    await platform.query('payment', `update payments set status = 'ACSP' where payment_id = $1`, [settled!.payment_id]);
    appendFileSync(platform.journal, `{"type":"accepted","messageId":"${settled!.payment_id.replaceAll('-', '')}"}\n`);
    await platform.query('account', `update ledger_balances set booked_minor = booked_minor + 1 where ledger_account_id = $1`, [outcome.book.accounts[0]!.accountId]);
    const { breaches } = await outcome.again();
    const said = breaches.map((breach) => describeBreach(breach, outcome.troubles)).join('\n');
    expect(said).to.include(`payment ${lost} was answered 2xx and is lost`);
    expect(said).to.match(new RegExp(`payment ${settled!.payment_id} stands at ACSP`));
    expect(said).to.match(new RegExp(`payment ${settled!.payment_id} .*the rail accepted 2 messages`));
    expect(said).to.include(`account ${outcome.book.accounts[0]!.accountId} has`);
    expect(said).to.include('balance equals its entries');
  });
});

describe('The schedule of kills', () => {
  const first = (seed: number, steps: number): unknown[] => {
    const schedule = scheduleOf(seed);
    return Array.from({ length: steps }, () => schedule.next().value);
  };
  it('is the same for the same seed, another for another, and names every part', () => {
    expect(first(7, 300)).to.deep.equal(first(7, 300));
    expect(first(7, 20)).to.not.deep.equal(first(8, 20));
    expect(new Set(first(7, 300).map((step) => (step as { target: string }).target)).size).to.equal(10);
  });
});

/** Two kills, then a cut. */
function both(kills: Troublemaker, cuts: Troublemaker): Troublemaker {
  let number = 0;
  return { next: () => (++number % 3 === 0 ? cuts : kills).next() };
}
