/** What the feed needs besides events: holds that have lasted long enough end, and what is kept no longer goes. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '@kontor/kernel/logger';
import type { FeedRepository } from './feed-repository.js';

const HOLDS_EVERY_MS = 1_000;
const PRUNE_EVERY_MS = 600_000;

/** Starts it. @returns how to stop: resolves when nothing of it runs any more */
export function startUpkeep({ feed, logger, now, retentionDays }: { feed: FeedRepository; logger: Logger; now: () => Date; retentionDays: number }): () => Promise<void> {
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    let pruneAt = 0;
    while (!stop.signal.aborted) {
      try {
        const late = await feed.releaseOverdue(now());
        if (late > 0) logger.warn('events were told before their predecessors came', { attempt: late });
        if (now().getTime() >= pruneAt) {
          while (await feed.prune(new Date(now().getTime() - retentionDays * 86_400_000)) > 0 && !stop.signal.aborted);
          pruneAt = now().getTime() + PRUNE_EVERY_MS;
        }
      } catch (error) {
        logger.warn('the upkeep of the feed waits for the database', { error });
      }
      await pause(HOLDS_EVERY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  };
  const ended = run();
  return () => {
    stop.abort();
    return ended;
  };
}
