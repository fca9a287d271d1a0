/** All SQL of the webhooks adapter. */
import { decodeCursor, encodeCursor } from '@kontor/kernel/cursor';
import type { Database } from '@kontor/kernel/database';
import { newEvent, type EventContext } from '@kontor/kernel/events';
import { idempotent, type IdempotentAnswer } from '@kontor/kernel/idempotency';
import { isId } from '@kontor/kernel/ids';
import { appendEvent } from '@kontor/kernel/outbox';
import { problem } from '@kontor/kernel/problem';
import type { ToldType } from './told.js';
import { MOST_ENDPOINTS, type AttemptError, type Delivery, type Endpoint } from './webhooks.js';

interface EndpointRow {
  endpoint_id: string; client_id: string; url: string; event_types: ToldType[]; status: Endpoint['status']; disabled_reason: 'gone' | null;
  sealed_secret: Buffer; created_at: Date;
}
const toEndpoint = (row: EndpointRow): Endpoint => ({
  endpointId: row.endpoint_id, clientId: row.client_id, url: row.url, eventTypes: row.event_types, status: row.status,
  disabledReason: row.disabled_reason, createdAt: row.created_at,
});

interface DeliveryRow {
  delivery_id: string; endpoint_id: string; event_id: string; event_type: ToldType; status: Delivery['status']; attempts: number; created_at: Date;
  next_attempt_at: Date | null; last_attempt_at: Date | null; last_status: number | null; last_error: AttemptError | null;
}
const toDelivery = (row: DeliveryRow): Delivery => ({
  deliveryId: row.delivery_id, endpointId: row.endpoint_id, eventId: row.event_id, eventType: row.event_type, status: row.status, attempts: row.attempts,
  createdAt: row.created_at, nextAttemptAt: row.next_attempt_at, lastAttemptAt: row.last_attempt_at, lastStatus: row.last_status, lastError: row.last_error,
});

/** A delivery one sender has to itself until its lease ends. */
export interface Claimed {
  deliveryId: string;
  endpointId: string;
  eventId: string;
  url: string;
  sealedSecret: Buffer;
  body: string;
  /** This one included. */
  attempts: number;
}

export interface Page { limit: number; cursor?: string | undefined }
export interface Found<T> { rows: T[]; nextCursor: string | null }

/** Sends under way to one endpoint at a time, so that a slow one does not take all senders. */
const MOST_AT_ONCE = 4;

export type WebhookRepository = ReturnType<typeof webhookRepository>;

export function webhookRepository(database: Database) {
  return {
    /** Registers an endpoint once for an Idempotency-Key. @throws Problem conflict beyond MOST_ENDPOINTS */
    create<Body>(request: { key: string; clientId: string; body: unknown }, endpoint: Endpoint, sealedSecret: Buffer, answer: IdempotentAnswer<Body>): Promise<IdempotentAnswer<Body>> {
      return idempotent(database, { ...request, operation: 'createWebhookEndpoint' }, async (tx) => {
        // Counted under a lock of the client's own, so two at once cannot both be the last one allowed.
        await database.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`webhook_endpoints/${endpoint.clientId}`], tx);
        const [known] = await database.query<{ n: number }>('select count(*)::int as n from webhook_endpoints where client_id = $1', [endpoint.clientId], tx);
        if ((known?.n ?? 0) >= MOST_ENDPOINTS) throw problem('conflict', `An application may have ${MOST_ENDPOINTS} endpoints. Remove one first.`);
        await database.query(
          `insert into webhook_endpoints (endpoint_id, client_id, url, event_types, status, sealed_secret, created_at) values ($1, $2, $3, $4, $5, $6, $7)`,
          [endpoint.endpointId, endpoint.clientId, endpoint.url, endpoint.eventTypes, endpoint.status, sealedSecret, endpoint.createdAt], tx);
        return answer;
      });
    },

    async find(endpointId: string): Promise<Endpoint | undefined> {
      const [row] = await database.query<EndpointRow>('select * from webhook_endpoints where endpoint_id = $1', [endpointId]);
      return row && toEndpoint(row);
    },

    /** The endpoints of an application, newest first. */
    async list(clientId: string, page: Page): Promise<Found<Endpoint>> {
      const rows = await database.query<EndpointRow>(
        'select * from webhook_endpoints where client_id = $1 and ($2::uuid is null or endpoint_id < $2) order by endpoint_id desc limit $3',
        [clientId, before(page.cursor), page.limit + 1]);
      return paged(rows.map(toEndpoint), page.limit, ({ endpointId }) => endpointId);
    },

    /** Removes an endpoint, its secret and its deliveries. */
    async remove(endpointId: string): Promise<void> {
      await database.query('delete from webhook_endpoints where endpoint_id = $1', [endpointId]);
    },

    /** The deliveries to an endpoint, newest first. */
    async deliveries(endpointId: string, page: Page): Promise<Found<Delivery>> {
      const rows = await database.query<DeliveryRow>(
        'select * from webhook_deliveries where endpoint_id = $1 and ($2::uuid is null or delivery_id < $2) order by delivery_id desc limit $3',
        [endpointId, before(page.cursor), page.limit + 1]);
      return paged(rows.map(toDelivery), page.limit, ({ deliveryId }) => deliveryId);
    },

    /** Takes up to `most` due deliveries, for `leaseMs`; no other sender gets them meanwhile (SKIP LOCKED). None is due while an earlier one
     *  of its subject waits for the same endpoint: delivered or given up comes first. */
    async claim(most: number, now: Date, leaseMs: number): Promise<Claimed[]> {
      const rows = await database.query<{ delivery_id: string; endpoint_id: string; event_id: string; url: string; sealed_secret: Buffer; body: string; attempts: number }>(
        `with busy as (
           select endpoint_id, count(*) as sends from webhook_deliveries where status = 'waiting' and leased_until > $2 group by 1
         ), ranked as (
           select d.delivery_id, d.next_attempt_at,
                  row_number() over (partition by d.endpoint_id order by d.next_attempt_at) + coalesce(b.sends, 0) as place
           from webhook_deliveries d left join busy b using (endpoint_id)
           where d.status = 'waiting' and d.next_attempt_at <= $2 and (d.leased_until is null or d.leased_until <= $2)
             and not exists (select 1 from webhook_deliveries b where b.endpoint_id = d.endpoint_id and b.subject = d.subject and b.status = 'waiting' and b.position < d.position)
         ), due as (
           select d.delivery_id from webhook_deliveries d
           where d.delivery_id in (select delivery_id from ranked where place <= ${MOST_AT_ONCE} order by next_attempt_at limit $1)
             and d.status = 'waiting' and (d.leased_until is null or d.leased_until <= $2)
           for update skip locked
         )
         update webhook_deliveries d set attempts = d.attempts + 1, leased_until = $3, last_attempt_at = $2
         from due, webhook_endpoints e where d.delivery_id = due.delivery_id and e.endpoint_id = d.endpoint_id
         returning d.delivery_id, d.endpoint_id, d.event_id, e.url, e.sealed_secret, d.body, d.attempts`,
        [most, now, new Date(now.getTime() + leaseMs)]);
      return rows.map((row) => ({
        deliveryId: row.delivery_id, endpointId: row.endpoint_id, eventId: row.event_id, url: row.url, sealedSecret: row.sealed_secret, body: row.body, attempts: row.attempts,
      }));
    },

    /** The endpoint took it. */
    async delivered(claimed: Claimed, status: number): Promise<void> {
      await database.query(
        `update webhook_deliveries set status = 'delivered', next_attempt_at = null, leased_until = null, last_status = $3, last_error = null
         where delivery_id = $1 and attempts = $2 and status = 'waiting'`, [claimed.deliveryId, claimed.attempts, status]);
    },

    /** The attempt did not count: once more at `again`, or never. A late word of an attempt that has been overtaken changes nothing. */
    async attemptFailed(claimed: Claimed, failure: { status: number | null; error: AttemptError; again: Date | undefined }): Promise<void> {
      await database.query(
        `update webhook_deliveries set status = case when $5::timestamptz is null then 'failed' else 'waiting' end, next_attempt_at = $5, leased_until = null,
           last_status = $3, last_error = $4 where delivery_id = $1 and attempts = $2 and status = 'waiting'`,
        [claimed.deliveryId, claimed.attempts, failure.status, failure.error, failure.again ?? null]);
    },

    /** The endpoint is gone: it gets nothing more, what waits for it has failed, and the event is told once. */
    async disable(claimed: Claimed, context: EventContext): Promise<void> {
      await database.transaction(async (tx) => {
        const [disabled] = await database.query<{ client_id: string }>(
          `update webhook_endpoints set status = 'disabled', disabled_reason = 'gone' where endpoint_id = $1 and status = 'enabled' returning client_id`, [claimed.endpointId], tx);
        await database.query(
          `update webhook_deliveries set status = 'failed', next_attempt_at = null, leased_until = null, last_error = 'endpoint-gone',
             last_status = case when delivery_id = $2 then 410 else last_status end where endpoint_id = $1 and status = 'waiting'`, [claimed.endpointId, claimed.deliveryId], tx);
        if (!disabled) return;
        await appendEvent(database, tx, newEvent('webhook.endpoint-disabled', {
          subject: claimed.endpointId, source: 'webhooks', context: { ...context, clientId: disabled.client_id },
          data: { endpointId: claimed.endpointId, clientId: disabled.client_id },
        }));
      });
    },

    /** Sends a delivery that was given up once more, with all its attempts. @throws Problem webhook_delivery_not_found, invalid_state */
    async retry(endpointId: string, deliveryId: string, now: Date): Promise<Delivery> {
      const [again] = await database.query<DeliveryRow>(
        `update webhook_deliveries d set status = 'waiting', attempts = 0, next_attempt_at = $3, leased_until = null
         from webhook_endpoints e where d.delivery_id = $2 and d.endpoint_id = $1 and d.status = 'failed' and e.endpoint_id = d.endpoint_id and e.status = 'enabled'
         returning d.*`, [endpointId, deliveryId, now]);
      if (again) return toDelivery(again);
      const [known] = await database.query<{ status: string }>('select status from webhook_deliveries where endpoint_id = $1 and delivery_id = $2', [endpointId, deliveryId]);
      if (!known) throw problem('webhook_delivery_not_found');
      throw problem('invalid_state', known.status === 'failed' ? 'The endpoint is disabled. Register it again.'
        : known.status === 'waiting' ? 'The delivery is not given up: its next attempt comes by itself.' : 'The delivery was made. To have it again, replay the events.');
    },

    /** Deliveries that wait, due or not. */
    async waiting(): Promise<number> {
      const [row] = await database.query<{ n: number }>(`select count(*)::int as n from webhook_deliveries where status = 'waiting'`);
      return row?.n ?? 0;
    },
  };
}

function before(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const { id } = decodeCursor<{ id: string }>(cursor, ['id']);
  if (!isId(id)) throw problem('invalid_cursor', 'Use the cursor exactly as nextCursor gave it.');
  return id;
}

function paged<T>(rows: T[], limit: number, idOf: (row: T) => string): Found<T> {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { rows: page, nextCursor: rows.length > limit && last ? encodeCursor({ id: idOf(last) }) : null };
}
