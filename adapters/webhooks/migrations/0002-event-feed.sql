-- The event feed: what each application is told, in one order, kept for a while. A delivery is an entry on its way to one endpoint.

-- One row an application. `position` is drawn by updating the row in the transaction in which the event is heard: the lock on it
-- makes the entries of one application commit in the order of their positions, so that a reader who has gone past a position has
-- seen all before it. (A sequence would not: a transaction that draws 7 may commit after the one that draws 8.)
create table event_feeds (
  client_id text primary key,
  feed_id   uuid not null,                         -- in every cursor: one of another feed is refused
  position  bigint not null default 0,             -- of the newest entry
  pruned_to bigint not null default 0              -- entries up to here are gone
);

create table feed_entries (
  client_id  text not null references event_feeds,
  position   bigint not null,
  event_id   uuid not null,
  event_type text not null,
  subject    text not null,
  body       text not null,                        -- what a webhook of it says
  heard_at   timestamptz not null,
  primary key (client_id, position)
);
create index feed_entries_heard on feed_entries (heard_at);

-- How far the numbered events of a subject have come: a payment's status changes are 1, 2, 3, …
create table feed_sequences (
  client_id  text not null,
  subject    text not null,
  last       integer not null,
  changed_at timestamptz not null,
  primary key (client_id, subject)
);
create index feed_sequences_changed on feed_sequences (changed_at);

-- Events that came before their predecessor. They are entered when `last` has reached `follows`, or at `until`.
create table held_events (
  event_id   uuid primary key,
  client_id  text not null,
  subject    text not null,
  sequence   integer not null,
  follows    integer not null,
  event_type text not null,
  body       text not null,
  until      timestamptz not null
);
create index held_events_subject on held_events (client_id, subject, sequence, follows);
create index held_events_until on held_events (until);

-- Deliveries of one subject to one endpoint go in the order of the feed. Those from before this have neither, and wait for nobody.
alter table webhook_deliveries add column subject text, add column position bigint;
create index webhook_deliveries_before on webhook_deliveries (endpoint_id, subject, position) where status = 'waiting';
create index webhook_deliveries_ended on webhook_deliveries (created_at) where status <> 'waiting';
