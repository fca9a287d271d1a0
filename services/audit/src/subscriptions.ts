/** What the audit service hears: every event there is. */
import { EVENT_TYPES, type AnyEvent } from '@kontor/kernel/events';
import type { Effects, Subscriptions } from '@kontor/kernel/service';
import type { TrailRepository } from './repository.js';
import { recordOfEvent } from './trail.js';

export function subscriptions({ trail, now }: { trail: TrailRepository; now: () => Date }): Subscriptions {
  const append = async (event: AnyEvent, { tx }: Effects): Promise<void> => {
    await trail.append(tx, [recordOfEvent(event, now())]);
  };
  return Object.fromEntries(EVENT_TYPES.map((type) => [type, append])) as Subscriptions;
}
