-- The customers of the bank, one row each, owned by the client that registered them.
create table customers (
  id uuid primary key,
  client_id text not null,
  status text not null check (status in ('pending', 'active', 'under_review', 'rejected', 'closed')),
  given_name text not null,
  family_name text not null,
  birth_date date not null,
  nationality text not null check (nationality ~ '^[A-Z]{2}$'),
  residence text not null check (residence ~ '^[A-Z]{2}$'),
  email text not null,
  phone text,
  -- The last know-your-customer outcome taken in: a late event of an older case must not undo it.
  kyc_case_id uuid,
  kyc_outcome text check (kyc_outcome in ('approved', 'review', 'rejected')),
  version integer not null check (version > 0),
  created_at timestamptz not null,
  updated_at timestamptz not null,
  check ((kyc_case_id is null) = (kyc_outcome is null))
);
create index customers_by_client on customers (client_id, created_at, id);
create index customers_by_creation on customers (created_at, id);
