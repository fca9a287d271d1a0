/** A short run of the second part of `npm run test:simulation` and what it would see. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { differenceOf, startStage, type Stage } from './deliveries.js';

/** `npm run test:simulation` takes 500 seeds; others each time, told when one fails. */
const SEEDS = 24;

describe('Every event delivered three times, in any order', function () {
  this.timeout(180_000);
  let stage: Stage;
  before(async () => { stage = await startStage(); });
  after(() => stage?.stop());

  it(`ends in the same rows as in order and once: ${SEEDS} seeds`, async () => {
    const first = Math.floor(Math.random() * 2 ** 31);
    for (let at = 0; at < SEEDS; at += 4)
      expect(await Promise.all([0, 1, 2, 3].map((n) => differenceOf(stage, first + at + n)))).to.deep.equal([undefined, undefined, undefined, undefined]);
  });

  it('is seen not to where a repeated event counts twice', async () => {
    const { account } = stage;
    const { deliver } = account;
    // A rail that names a repeat by another id and reference would be such a case: neither inbox nor ledger could know it.
    account.deliver = async (event) => {
      const salary = event.type === 'rail.credit-transfer-received' && 'endToEndId' in event.data && event.data.endToEndId === 'salary';
      await deliver(salary ? { ...event, id: randomUUID(), data: { ...event.data, railReference: `${randomUUID()}/tx/1` } } as typeof event : event);
    };
    try {
      expect(await differenceOf(stage, 7)).to.match(/balances: in order/);
    } finally {
      account.deliver = deliver;
    }
  });
});
