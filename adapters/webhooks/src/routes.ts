/** One handler per operation of openapi.yaml. */
import { newId } from '@kontor/kernel/ids';
import { problem } from '@kontor/kernel/problem';
import type { Routes } from '@kontor/kernel/service';
import { isPrivateAddress } from './addresses.js';
import type { FeedRepository } from './feed-repository.js';
import type { operations } from './openapi.generated.js';
import type { WebhookRepository } from './repository.js';
import type { ToldType } from './told.js';
import { checkUrl, enabled, owned, toDelivery, toEndpoint, type Endpoint } from './webhooks.js';

/** Events queued by one replay; the next begins at its nextCursor. */
const MOST_REPLAYED = 1_000;

type EventBody = { type: ToldType; timestamp: string; data: Record<string, string | number> };

export interface RouteNeeds {
  webhooks: WebhookRepository;
  feed: FeedRepository;
  allowPrivate: boolean;
  newSecret: () => string;
  seal: (secret: string, endpointId: string) => Buffer;
  now: () => Date;
}

export function routes({ webhooks, feed, allowPrivate, newSecret, seal, now }: RouteNeeds): Routes<operations> {
  return {
    async createWebhookEndpoint({ body, headers, caller }) {
      const endpoint: Endpoint = {
        endpointId: newId(), clientId: caller.clientId, url: checkUrl(body.url, { allowPrivate, isPrivate: isPrivateAddress }),
        eventTypes: body.eventTypes, status: 'enabled', disabledReason: null, createdAt: now(),
      };
      const secret = newSecret();
      const answer = await webhooks.create(
        { key: headers['idempotency-key'] as string, clientId: caller.clientId, body }, endpoint, seal(secret, endpoint.endpointId),
        { status: 201, body: toEndpoint(endpoint), headers: { Location: `/v1/webhook-endpoints/${endpoint.endpointId}` } });
      // The stored answer has no secret: it is added to the first answer only.
      return answer.headers?.['Idempotency-Replayed'] ? answer : { ...answer, body: { ...answer.body, secret } };
    },
    async listWebhookEndpoints({ query, caller }) {
      const page = await webhooks.list(caller.clientId, query as { limit: number; cursor?: string });
      return { status: 200, body: { data: page.rows.map(toEndpoint), nextCursor: page.nextCursor } };
    },
    async getWebhookEndpoint({ params, caller }) {
      return { status: 200, body: toEndpoint(owned(await webhooks.find(params.endpointId), caller.clientId)) };
    },
    async deleteWebhookEndpoint({ params, caller }) {
      owned(await webhooks.find(params.endpointId), caller.clientId);
      await webhooks.remove(params.endpointId);
      return { status: 204 };
    },
    async listWebhookDeliveries({ params, query, caller }) {
      owned(await webhooks.find(params.endpointId), caller.clientId);
      const page = await webhooks.deliveries(params.endpointId, query as { limit: number; cursor?: string });
      return { status: 200, body: { data: page.rows.map(toDelivery), nextCursor: page.nextCursor } };
    },
    async retryWebhookDelivery({ params, caller }) {
      owned(await webhooks.find(params.endpointId), caller.clientId);
      return { status: 202, body: toDelivery(await webhooks.retry(params.endpointId, params.deliveryId, now())) };
    },
    async replayWebhookEvents({ params, body, caller }) {
      const endpoint = enabled(owned(await webhooks.find(params.endpointId), caller.clientId));
      if ((body.after === undefined) === (body.since === undefined)) throw problem('invalid_request', 'Give either after or since.');
      const from = body.after === undefined ? { since: new Date(body.since as string) } : { after: body.after };
      return { status: 202, body: await feed.replay(endpoint, from, MOST_REPLAYED, now()) };
    },
    async listEvents({ query, caller }) {
      const { after, limit, types } = query as { after?: string; limit: number; types?: string[] };
      const page = await feed.read(caller.clientId, { limit, ...(after === undefined ? {} : { after }), ...(types === undefined ? {} : { types }) });
      return { status: 200, body: { data: page.entries.map(({ eventId, body }) => ({ eventId, ...JSON.parse(body) as EventBody })), nextCursor: page.nextCursor, hasMore: page.hasMore } };
    },
  };
}
