/** What the audit service hears: every event there is, but for what it tells itself out of the trail. */
import { EVENT_TYPES, type AnyEvent } from '@kontor/kernel/events';
import type { Effects, Subscriptions } from '@kontor/kernel/service';
import type { TrailRepository } from './repository.js';
import { recordOfEvent } from './trail.js';

export function subscriptions({ trail, now }: { trail: TrailRepository; now: () => Date }): Subscriptions {
  const append = async (event: AnyEvent, { tx }: Effects): Promise<void> => {
    await trail.append(tx, [recordOfEvent(event, now())]);
  };
  // access.decided sums up records the chain has already: heard, it would be chained as its own echo.
  return Object.fromEntries(EVENT_TYPES.filter((type) => type !== 'access.decided').map((type) => [type, append])) as Subscriptions;
}
