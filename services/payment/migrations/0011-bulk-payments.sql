-- Bulks of payments, and whose account an IBAN is.

-- Accounts of this bank, as account.opened told them: a file names its debtors by IBAN, a consent by account.
create table account_ibans (
  iban text primary key,
  account_id uuid not null
);

create table bulk_payments (
  bulk_payment_id uuid primary key,
  client_id text not null,
  customer_id uuid not null,
  -- A consent is used up by one bulk, in the transaction of that bulk.
  consent_id uuid not null constraint bulk_payments_consent_used_once unique,
  source text not null check (source in ('json', 'pain.001')),
  message_id text not null,
  -- Of a file: CreDtTm and CtrlSum of its header, as they stand there.
  message_created_at text,
  control_sum text,
  digest text not null,
  transactions integer not null check (transactions between 1 and 10000),
  total_minor bigint not null,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  -- Where the transfers stand: refused when the bulk was taken, cancelled before their day, settled or rejected as payments, open.
  refused integer not null,
  cancelled integer not null default 0,
  settled integer not null default 0,
  rejected integer not null default 0,
  open integer not null check (open >= 0),
  -- {correlationId, traceparent} of the request: its payments are made later, and are caused by it.
  context jsonb not null,
  created_at timestamptz not null,
  completed_at timestamptz,
  check (refused + cancelled + settled + rejected + open = transactions),
  check ((open = 0) = (completed_at is not null))
);

create table bulk_batches (
  bulk_payment_id uuid not null references bulk_payments,
  batch integer not null,
  batch_id text not null,
  debtor_account_id uuid not null,
  requested_execution_date date,
  transactions integer not null,
  control_sum text,
  primary key (bulk_payment_id, batch)
);

create table bulk_items (
  bulk_payment_id uuid not null,
  item integer not null,
  batch integer not null,
  state text not null check (state in ('waiting', 'released', 'refused', 'cancelled')),
  -- When it becomes a payment.
  due_at timestamptz not null,
  payment_id uuid unique,
  end_to_end_id text not null,
  instruction_id text,
  uetr uuid,
  amount_minor bigint,
  currency text,
  creditor_name text,
  creditor_iban text,
  remittance text,
  -- {reason, detail, line, path} of one that was refused.
  refusal jsonb,
  primary key (bulk_payment_id, item),
  foreign key (bulk_payment_id, batch) references bulk_batches,
  check ((state = 'released') = (payment_id is not null)),
  check ((state = 'refused') = (refusal is not null)),
  check (state = 'refused' or (amount_minor > 0 and currency is not null and creditor_name is not null and creditor_iban is not null))
);
create index bulk_items_due on bulk_items (due_at, bulk_payment_id, item) where state = 'waiting';

-- Takes a bulk, without its batches and items, if it is what the customer approved and may still be made. 'taken', or what is wrong;
-- then nothing is written. The consent's row is locked: two bulks on it go one after the other.
create function take_bulk(p jsonb) returns text
language plpgsql as $$
declare
  c authorised_consents;
  moment timestamptz;
  verdict text;
begin
  select * into c from authorised_consents a where a.consent_id = (p->>'consentId')::uuid for update;
  if not found then return 'consent_unknown'; end if;
  moment := clock_timestamp();
  verdict := case
    when c.ended is not null then 'consent_' || c.ended
    when c.expires_at <= moment then 'consent_expired'
    when c.client_id <> p->>'clientId' or c.customer_id <> (p->>'customerId')::uuid then 'consent_of_another'
    when c.kind <> 'bulk-payment' then 'kind_differs'
    when exists (select from jsonb_array_elements_text(p->'debtorAccountIds') as t(id) where id::uuid <> all (c.debtor_account_ids)) then 'account_differs'
    when c.transactions <> (p->>'transactions')::integer then 'transactions_differ'
    when c.amount_minor <> (p->>'totalMinor')::bigint then 'total_differs'
    when c.digest is not null and c.digest is distinct from p->>'digest' then 'digest_differs'
    when c.requested_execution_date is not null and exists (
      select from jsonb_array_elements(p->'executionDates') as t(d) where c.requested_execution_date::text is distinct from d #>> '{}') then 'date_differs'
  end;
  if verdict is not null then return verdict; end if;
  insert into bulk_payments (bulk_payment_id, client_id, customer_id, consent_id, source, message_id, message_created_at, control_sum, digest, transactions,
    total_minor, currency, refused, open, context, created_at, completed_at)
  values ((p->>'bulkPaymentId')::uuid, p->>'clientId', (p->>'customerId')::uuid, (p->>'consentId')::uuid, p->>'source', p->>'messageId', p->>'messageCreatedAt',
    p->>'controlSum', p->>'digest', (p->>'transactions')::integer, (p->>'totalMinor')::bigint, p->>'currency', (p->>'refused')::integer,
    (p->>'transactions')::integer - (p->>'refused')::integer, p->'context', (p->>'createdAt')::timestamptz,
    case when (p->>'transactions')::integer = (p->>'refused')::integer then (p->>'createdAt')::timestamptz end)
  on conflict (consent_id) do nothing;
  return case when found then 'taken' else 'consent_consumed' end;
end
$$;
