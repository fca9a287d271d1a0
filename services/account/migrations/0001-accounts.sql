-- Accounts and the projection of customers they are opened for.

-- What this service knows of customers, told by the customer service's events. `as_of` is the time of the newest event
-- heard, so that events delivered out of order end in the same row; `closed` is final.
create table customers (
  customer_id uuid primary key,
  client_id   text not null,
  holder_name text,
  status      text not null check (status in ('active', 'under_review', 'rejected', 'closed')),
  as_of       timestamptz not null
);

-- The account id is also the id of its ledger account.
create table accounts (
  account_id     uuid primary key,
  customer_id    uuid not null,
  client_id      text not null,
  product        text not null check (product in ('current', 'savings')),
  currency       text not null check (currency ~ '^[A-Z]{3}$'),
  status         text not null check (status in ('pending', 'enabled', 'blocked', 'closed')),
  holder_name    text not null,
  iban           text,
  core_reference text,
  nickname       text,
  refusal_reason text,
  created_at     timestamptz not null,
  opened_at      timestamptz,
  constraint accounts_iban_unique unique (iban),
  constraint accounts_iban_when_usable check (iban is not null or status in ('pending', 'closed'))
);
create index accounts_customer on accounts (customer_id);
