/** What is broken, how it is mended, and what must still hold while it is broken. */
import type { Breakable, Kind } from './gateways.js';
import type { Surroundings } from './surroundings.js';

/** While a part is broken a request is `served` (most are), `refused` (all are), or `either` (where it hits the fault or not). */
export type Expected = 'served' | 'refused' | 'either';

export interface Fault {
  name: string;
  inflict(gateway: Breakable, around: Surroundings): Promise<void> | void;
  mend(gateway: Breakable, around: Surroundings): Promise<void> | void;
  /** Repeated while requests run, every two seconds, twice. */
  again?(gateway: Breakable): Promise<void> | void;
  /** A request on a valid consent, with a token the gateway has seen. */
  consented: Expected;
  /** A new token for a registered client. */
  token: Expected;
  /** Connections may break: the process that holds them is killed. */
  breaksConnections?: boolean;
  /** What a gateway must have to be broken so. */
  needs?: Kind['has'][number];
}

/** The faults a kind of gateway can have. */
export const faultsOf = (kind: Kind): Fault[] => FAULTS.filter(({ needs }) => needs === undefined || kind.has.includes(needs));

/**
 * The faults of the gateway. Without Redis nothing is served and no token issued: rate limits count there, and a limit that falls
 * away with its store would be none (deck/policies.yaml, `fault_tolerant`).
 */
export const FAULTS: readonly Fault[] = [
  { name: 'nothing', inflict: () => undefined, mend: () => undefined, consented: 'served', token: 'served' },
  { name: 'plugin throws', inflict: (gateway) => gateway.breakPlugin(), mend: (gateway) => gateway.mendPlugin(), consented: 'refused', token: 'served' },
  { name: 'plugin does not parse', inflict: (gateway) => gateway.spoilPlugin?.(), mend: (gateway) => gateway.mendPlugin(), consented: 'served', token: 'served', needs: 'spoilPlugin' },
  { name: 'plugin servers killed', inflict: ({ servers }) => servers?.kill(), again: ({ servers }) => servers?.kill(), mend: () => undefined, consented: 'either', token: 'served', needs: 'servers' },
  { name: 'plugin servers in a crash loop', inflict: ({ servers }) => servers?.loop(), mend: ({ servers }) => servers?.mend(), consented: 'either', token: 'served', needs: 'servers' },
  { name: 'plugin servers stopped', inflict: ({ servers }) => servers?.freeze(), mend: ({ servers }) => servers?.thaw(), consented: 'refused', token: 'served', needs: 'servers' },
  { name: 'plugin servers answer garbage', inflict: ({ servers }) => servers?.spoil(), mend: ({ servers }) => servers?.mend(), consented: 'refused', token: 'served', needs: 'servers' },
  { name: 'Redis gone', inflict: (_, { redis }) => redis.kill(), mend: (_, { redis }) => redis.start(), consented: 'either', token: 'refused' },
  { name: 'Redis hung', inflict: (_, { redis }) => redis.freeze(), mend: (_, { redis }) => redis.thaw(), consented: 'either', token: 'refused' },
  { name: 'consent service gone', inflict: (_, { consents }) => consents.stop(), mend: (_, { consents }) => consents.start(), consented: 'served', token: 'served' },
  { name: 'consent service hung', inflict: (_, { consents }) => consents.freeze(), mend: (_, { consents }) => consents.thaw(), consented: 'served', token: 'served' },
  {
    name: 'Redis and consent service gone', consented: 'refused', token: 'refused',
    inflict: async (_, { redis, consents }) => void await Promise.all([redis.kill(), consents.stop()]),
    mend: async (_, { redis, consents }) => void await Promise.all([redis.start(), consents.start()]),
  },
  {
    name: 'Redis and consent service hung', consented: 'refused', token: 'refused',
    inflict: (_, { redis, consents }) => { redis.freeze(); consents.freeze(); },
    mend: (_, { redis, consents }) => { redis.thaw(); consents.thaw(); },
  },
  { name: 'worker killed', inflict: (gateway) => gateway.killWorker(), again: (gateway) => gateway.killWorker(), mend: () => undefined, consented: 'either', token: 'either', breaksConnections: true },
  { name: 'database gone', inflict: (_, { database }) => database.cut({ refuse: true }), mend: (_, { database }) => database.mend(), consented: 'served', token: 'refused' },
  { name: 'database hung', inflict: (_, { database }) => database.holdAnswers(), mend: (_, { database }) => { database.release(); database.cut(); }, consented: 'served', token: 'refused' },
];
