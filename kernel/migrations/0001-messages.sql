-- What every service with a database needs to tell events, to hear each once, and to answer a repeated request once.

-- Events to be told: written in the transaction that caused them, published by the relay. `position` is the order of
-- writing, not of committing: the relay therefore takes whatever is unpublished, never "position > last".
create table outbox (
  id uuid primary key,
  position bigint generated always as identity,
  type text not null,
  routing_key text not null,
  event jsonb not null,
  created_at timestamptz not null default now(),
  published_at timestamptz
);
create index outbox_unpublished on outbox (position) where published_at is null;
create index outbox_published on outbox (published_at) where published_at is not null;

-- Events heard: written in the transaction of their effect.
create table inbox (
  consumer text not null,
  event_id uuid not null,
  received_at timestamptz not null default now(),
  primary key (consumer, event_id)
);
create index inbox_received on inbox (received_at);

-- Requests with an Idempotency-Key: written in the transaction of their effect, kept 24 hours.
-- response = { "body": …, "headers": { … } }; status is null only inside the transaction that works on the request.
create table idempotency_keys (
  client_id text not null,
  operation text not null,
  key text not null,
  request_hash bytea not null,
  status integer,
  response jsonb,
  created_at timestamptz not null default now(),
  primary key (client_id, operation, key)
);
create index idempotency_keys_created on idempotency_keys (created_at);

-- Claims a key for the running transaction. outcome: 'fresh' (go on), 'replay' (answer status and response), 'mismatch'
-- (another request used the key), 'in_flight' (another transaction is at work on it). A duplicate waits at most 250 ms for
-- the first: insert first, since a row that does not exist yet cannot be locked.
create function idempotency_begin(p_client text, p_operation text, p_key text, p_hash bytea)
returns table (outcome text, status integer, response jsonb)
language plpgsql
set lock_timeout = '250ms'
as $$
#variable_conflict use_column
declare
  kept idempotency_keys;
begin
  begin
    insert into idempotency_keys as k (client_id, operation, key, request_hash)
    values (p_client, p_operation, p_key, p_hash)
    on conflict (client_id, operation, key) do update
      set request_hash = excluded.request_hash, status = null, response = null, created_at = now()
      where k.created_at < now() - interval '24 hours';
  exception when lock_not_available then
    return query select 'in_flight', null::integer, null::jsonb;
    return;
  end;
  if found then
    return query select 'fresh', null::integer, null::jsonb;
    return;
  end if;
  select * into kept from idempotency_keys k
    where k.client_id = p_client and k.operation = p_operation and k.key = p_key;
  if kept.request_hash <> p_hash then
    return query select 'mismatch', null::integer, null::jsonb;
  elsif kept.status is null then
    return query select 'in_flight', null::integer, null::jsonb;
  else
    return query select 'replay', kept.status, kept.response;
  end if;
end
$$;
