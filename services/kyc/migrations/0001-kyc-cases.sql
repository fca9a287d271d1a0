-- The customers to be known, as the customer service last told them.
create table applicants (
  customer_id uuid primary key,
  client_id text not null,
  given_name text not null,
  family_name text not null,
  birth_date text not null,
  nationality text not null,
  residence text not null,
  -- The customer has left: no new check.
  gone boolean not null default false,
  -- Time of the event the data came with: an older event does not overwrite a newer one.
  as_of timestamptz not null
);

create table kyc_cases (
  id uuid primary key,
  customer_id uuid not null references applicants,
  client_id text not null,
  status text not null check (status in ('checking', 'review', 'approved', 'rejected', 'superseded')),
  cause text not null check (cause in ('registered', 'identity_changed', 'requested')),
  identity_outcome text check (identity_outcome in ('verified', 'failed', 'refer')),
  screening_outcome text check (screening_outcome in ('clear', 'potential-match')),
  screening_matches jsonb not null default '[]',
  provider_reference text,
  checked_at timestamptz,
  reasons text[] not null default '{}',
  decided_by text,
  decision_reason text,
  opened_at timestamptz not null,
  updated_at timestamptz not null,
  decided_at timestamptz,
  check ((status in ('approved', 'rejected')) = (decided_at is not null)),
  check ((decided_by is null) = (decision_reason is null))
);
create unique index one_open_case_per_customer on kyc_cases (customer_id) where status in ('checking', 'review');
create index kyc_cases_by_customer on kyc_cases (customer_id, opened_at desc, id desc);
create index kyc_cases_by_status on kyc_cases (status, opened_at, id);
