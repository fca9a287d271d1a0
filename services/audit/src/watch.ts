/** Proves the chain all the time: what is new every minute, the whole once a day. A break raises an alert. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '@kontor/kernel/logger';
import type { Metrics } from '@kontor/kernel/metrics';
import type { TrailRepository } from './repository.js';
import { EMPTY_PROOF, type Proof } from './trail.js';

const EVERY_MS = 60_000;
const WHOLE_EVERY_MS = 24 * 60 * 60 * 1000;

export interface ChainWatch {
  /** Proves now what is new since the last time. @returns whether the chain is whole */
  look(): Promise<boolean>;
  stop(): Promise<void>;
}

/** Metrics: `audit_chain_valid` (1 whole, 0 broken) and `audit_chain_proven_records`. */
export function watchChain({ trail, logger, metrics, now }: { trail: TrailRepository; logger: Logger; metrics: Metrics; now: () => Date }): ChainWatch {
  const valid = metrics.gauge({ name: 'audit_chain_valid', help: '1: every record of the trail is proven. 0: the chain is broken.' });
  const proven = metrics.gauge({ name: 'audit_chain_proven_records', help: 'Records of the trail proven so far.' });
  const stopping = new AbortController();
  let proof: Proof = EMPTY_PROOF;
  let wholeSince = now().getTime();

  async function look(): Promise<boolean> {
    if (proof.firstBreak || now().getTime() - wholeSince > WHOLE_EVERY_MS) {
      proof = EMPTY_PROOF;
      wholeSince = now().getTime();
    }
    proof = await trail.verify(undefined, proof);
    valid.set(proof.firstBreak ? 0 : 1);
    proven.set(proof.records);
    if (proof.firstBreak) logger.error(`the audit chain is broken at position ${proof.firstBreak.position}`, { code: proof.firstBreak.reason });
    return proof.firstBreak === undefined;
  }

  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      await look().catch((error: unknown) => logger.warn('the audit chain could not be proven, it will be tried again', { error }));
      await pause(EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  const watching = watch();
  return {
    look,
    stop: async () => {
      stopping.abort();
      await watching;
    },
  };
}
