import { startReceiver } from '../../scripts/demo/receiver.js';
import { journal } from '../../scripts/demo/journal.js';
import { walk } from '../../scripts/demo/walk.js';
import { place, sanctioned } from './platform.js';

describe('the main journey, as `npm run demo` walks it', function () {
  this.timeout(180_000);
  it('goes from sign-up to a verified audit trail', async () => {
    const receiver = await startReceiver();
    const lines: string[] = [];
    try {
      await walk({ journal: journal((line) => lines.push(line)), receiver, place: place(), sanctioned: await sanctioned() });
    } catch (error) {
      throw new Error(`${(error as Error).message}\nSo far:\n${lines.join('\n')}`, { cause: error });
    } finally {
      await receiver.close();
    }
  });
});
