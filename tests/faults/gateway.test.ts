import { expect } from 'chai';
import { missingForKong } from '@kontor/testing/kong';
import { FAULTS } from './faults.js';
import { embedded, kong } from './gateways.js';
import { multiNode } from './multi-node.js';
import { surroundings, type Surroundings } from './surroundings.js';
import { petitioners, trial, type Petitioners } from './trial.js';

/** Enough that each way to ask without a consent comes under each fault many times; `npm run faults` asks 10,000 times. */
const REQUESTS = 200;

for (const [name, start] of [['Kong', kong], ['the embedded gateway', embedded]] as const) {
  describe(`Nothing without a consent passes ${name}`, function () {
    this.timeout(90_000);
    let around: Surroundings;
    let gateway: Awaited<ReturnType<typeof start>>;
    let asking: Petitioners;
    before(async function () {
      const missing = name === 'Kong' ? missingForKong() : [];
      if (missing.length > 0) {
        console.log(`      skipped: needs ${missing.join(', ')}`);
        this.skip();
      }
      around = await surroundings();
      gateway = await start(around);
      asking = await petitioners(gateway, around);
    });
    after(async () => {
      await asking?.close();
      await gateway?.stop();
      await around?.stop();
    });

    for (const fault of FAULTS.filter(({ kongOnly }) => name === 'Kong' || !kongOnly)) {
      it(`while broken: ${fault.name}`, async () => {
        const seen = await trial(gateway, around, asking, fault, REQUESTS);
        expect(seen.faults).to.deep.equal([]);
        expect(seen.reached).to.equal(0);
      });
    }

    if (name === 'Kong') {
      it('and two nodes count a limit once, hold a revocation at once, take a sync, and survive each other', async () => {
        if (!('node' in gateway)) throw new Error('Kong has no node');
        const shown = await multiNode({ kong: gateway.node, asking, trials: 30, tell: () => undefined });
        expect(shown).to.have.length(4);
        for (const { title, saw, held } of shown) expect(held, `${title}: ${saw}`).to.equal(true);
      });
    }
  });
}
