-- Endpoints of fintechs and what is to be delivered to them.

create table webhook_endpoints (
  endpoint_id     uuid primary key,
  client_id       text not null,
  url             text not null,
  event_types     text[] not null check (cardinality(event_types) > 0),
  status          text not null check (status in ('enabled', 'disabled')),
  disabled_reason text check (disabled_reason in ('gone')),
  sealed_secret   bytea not null,                  -- AES-256-GCM, see src/secrets.ts
  created_at      timestamptz not null
);
create index webhook_endpoints_client on webhook_endpoints (client_id, endpoint_id desc);

-- One row an endpoint and event, written in the transaction in which the event was heard. `leased_until` keeps other
-- senders off while one is sending; a sender that dies leaves the lease to run out.
create table webhook_deliveries (
  delivery_id     uuid primary key,
  endpoint_id     uuid not null references webhook_endpoints on delete cascade,
  event_id        uuid not null,
  event_type      text not null,
  body            text not null,                   -- signed and sent as it stands
  status          text not null check (status in ('waiting', 'delivered', 'failed')),
  attempts        integer not null default 0,
  next_attempt_at timestamptz,
  leased_until    timestamptz,
  last_attempt_at timestamptz,
  last_status     integer,
  last_error      text,
  created_at      timestamptz not null,
  constraint webhook_deliveries_once unique (endpoint_id, event_id),
  constraint webhook_deliveries_waiting_has_time check ((status = 'waiting') = (next_attempt_at is not null))
);
create index webhook_deliveries_due on webhook_deliveries (next_attempt_at) where status = 'waiting';
create index webhook_deliveries_newest on webhook_deliveries (endpoint_id, delivery_id desc);
