/** Cuts connections to the database around commits; which, and on which side of the commit, follows from the seed. */
import { setTimeout as pause } from 'node:timers/promises';
import { commitProxy, type CommitProxy } from '@kontor/testing/commit-proxy';
import { dice } from '@kontor/testing/dice';
import type { DatabaseName } from './platform.js';
import type { Troublemaker } from './run.js';

/** One commit in so many, while troubles are asked for. */
const ONE_IN = 8;

export interface Cutter {
  /** Puts a proxy before a database. */
  through(name: DatabaseName, url: string): Promise<string>;
  troublemaker(): Troublemaker;
  close(): Promise<void>;
}

/** Steps are told as they happen; between rounds nothing is cut. */
export function cutter(seed: number): Cutter {
  const drawn = dice(seed);
  const proxies: CommitProxy[] = [];
  let waiting: ((what: string) => void) | undefined;
  return {
    async through(name, url) {
      const proxy = await commitProxy(url, (statement) => {
        if (!waiting || drawn.below(ONE_IN) > 0) return 'through';
        const fate = drawn.next() < 0.75 ? 'answer lost' : 'commit lost';
        const kind = /initiate_payment/.test(statement) ? 'initiate_payment' : /outbox/.test(statement) ? 'relay' : 'commit';
        waiting(`${name}: ${kind}, ${fate}`);
        waiting = undefined;
        return fate;
      });
      proxies.push(proxy);
      return proxy.url;
    },
    troublemaker: () => ({
      next: () => Promise.race([
        new Promise<string>((done) => { waiting = done; }),
        pause(60_000, undefined, { ref: false }).then(() => { throw new Error('nothing was committed for 60 s'); }),
      ]),
    }),
    async close() {
      await Promise.all(proxies.map((proxy) => proxy.close()));
    },
  };
}
