/** A short run of `npm run oracle -- race`. */
import { expect } from 'chai';
import { missingForKong } from '@kontor/testing/kong';
import { raceOn } from './race.js';

/** Enough for Redis to be killed and the broker to be cut off in between; `npm run oracle -- race` ends 10,000 consents. */
const TRIALS = 60;

describe('A consent that has ended is over at the next request', function () {
  this.timeout(180_000);
  for (const which of ['kong', 'embedded'] as const) {
    it(which === 'kong' ? 'on two nodes of Kong, while broker and Redis come and go' : 'on the embedded gateway, while broker and Redis come and go', async function () {
      const missing = which === 'kong' ? missingForKong() : [];
      if (missing.length > 0) {
        console.log(`      skipped: needs ${missing.join(', ')}`);
        return this.skip();
      }
      const raced = await raceOn(which, { trials: TRIALS, tell: () => undefined });
      expect(raced).to.include({ late: 0, nodes: which === 'kong' ? 2 : 1 });
      expect(raced.trials).to.be.at.least(TRIALS);
      expect(raced.redisKills, 'Redis was killed').to.be.greaterThan(0);
      expect(raced.before['200'], 'reads before the end').to.be.greaterThan(0);
      expect(raced.after['403'] ?? 0, 'reads after the end').to.be.greaterThan(TRIALS);
    });
  }
});
