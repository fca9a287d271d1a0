/** Every event that is told to fintechs becomes deliveries in the transaction in which it is heard. */
import type { AnyEvent } from '@kontor/kernel/events';
import type { Effects, Subscriptions } from '@kontor/kernel/service';
import type { WebhookRepository } from './repository.js';
import { bodyOf, TOLD_TYPES, type ToldType } from './webhooks.js';

export function subscriptions({ webhooks, now }: { webhooks: WebhookRepository; now: () => Date }): Subscriptions {
  const enqueue = async (event: AnyEvent, { tx }: Effects): Promise<void> => {
    const { clientId } = event.data as { clientId: string };
    await webhooks.enqueue({ eventId: event.id, type: event.type as ToldType, clientId, body: bodyOf(event), now: now() }, tx);
  };
  return Object.fromEntries(TOLD_TYPES.map((type) => [type, enqueue])) as Subscriptions;
}
