/** Every event that is told to fintechs is entered in the feed, and queued for webhooks, in the transaction in which it is heard. */
import type { AnyEvent } from '@kontor/kernel/events';
import type { Effects, Subscriptions } from '@kontor/kernel/service';
import type { FeedRepository } from './feed-repository.js';
import { bodyOf, TOLD_TYPES, turnOf, type ToldType } from './told.js';

export function subscriptions({ feed, now }: { feed: FeedRepository; now: () => Date }): Subscriptions {
  const hear = async (event: AnyEvent, { tx }: Effects): Promise<void> => {
    const { clientId } = event.data as { clientId: string };
    await feed.hear({ clientId, eventId: event.id, type: event.type as ToldType, subject: event.subject, body: bodyOf(event), turn: turnOf(event), now: now() }, tx);
  };
  return Object.fromEntries(TOLD_TYPES.map((type) => [type, hear])) as Subscriptions;
}
