import { expect } from 'chai';
import { missingForKong } from '@kontor/testing/kong';
import { faultsOf } from './faults.js';
import { KINDS } from './gateways.js';
import { multiNode } from './multi-node.js';
import { surroundings, type Surroundings } from './surroundings.js';
import { petitioners, trial, type Petitioners } from './trial.js';

/** Enough that each way to ask without a consent comes under each fault many times; `npm run faults` asks 10,000 times. */
const REQUESTS = 200;

/**
 * What `npm test` breaks on the kong-pdk host: its servers, and what can be away. What hangs, and a plugin that throws, are in
 * plugins/test/pdk-kong.test.ts and in `npm run faults`, which breaks everything on every gateway.
 */
const OF_SERVERS = /^plugin servers|killed$|gone$/;

for (const kind of KINDS) {
  describe(`Nothing without a consent passes ${kind.name}`, function () {
    this.timeout(90_000);
    let around: Surroundings;
    let gateway: Awaited<ReturnType<typeof kind.start>>;
    let asking: Petitioners;
    before(async function () {
      const missing = kind.kong ? missingForKong() : [];
      if (missing.length > 0) {
        console.log(`      skipped: needs ${missing.join(', ')}`);
        this.skip();
      }
      around = await surroundings();
      gateway = await kind.start(around);
      asking = await petitioners(gateway, around);
    });
    after(async () => {
      await asking?.close();
      await gateway?.stop();
      await around?.stop();
    });

    for (const fault of faultsOf(kind).filter(({ name }) => !kind.has.includes('servers') || OF_SERVERS.test(name))) {
      it(`while broken: ${fault.name}`, async () => {
        const seen = await trial(gateway, around, asking, fault, REQUESTS);
        expect(seen.faults).to.deep.equal([]);
        expect(seen.reached).to.equal(0);
      });
    }

    if (kind.has.includes('spoilPlugin')) {
      it('and two nodes count a limit once, hold a revocation at once, take a sync, and survive each other', async () => {
        if (!gateway.node) throw new Error('Kong has no node');
        const shown = await multiNode({ kong: gateway.node, asking, trials: 30, tell: () => undefined });
        expect(shown).to.have.length(4);
        for (const { title, saw, held } of shown) expect(held, `${title}: ${saw}`).to.equal(true);
      });
    }
  });
}
