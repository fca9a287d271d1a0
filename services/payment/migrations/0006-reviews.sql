-- Payments that were held for a review, or refused by the fraud check: why, and who decided. Releasing takes two members of the
-- staff: one proposes, another approves. Who is kept as <client id>/<staff member>.
create table payment_reviews (
  payment_id uuid primary key references payments,
  score smallint not null check (score between 0 and 100),
  reasons text[] not null,
  held_at timestamptz not null default clock_timestamp(),
  proposed_by text,
  proposed_at timestamptz,
  decision text check (decision in ('released', 'refused')),
  decided_by text,
  decided_at timestamptz,
  note text,
  check ((decision is null) = (decided_by is null) and (decision is null) = (decided_at is null)),
  constraint payment_reviews_four_eyes check (decision is distinct from 'released' or (proposed_by is not null and proposed_by <> decided_by))
);
create index payments_in_review on payments (payment_id) where pending_for = 'review';

-- When an account was opened (account.opened): a young one is looked at more closely.
create table opened_accounts (
  account_id uuid primary key,
  opened_at timestamptz not null
);

-- What is known of an account before a payment to p_iban: from its last hundred payments.
create function payment_facts(p_account uuid, p_currency text, p_iban text)
returns table (known_creditor boolean, settled integer, largest_minor bigint, creditors_in_hour integer, opened_at timestamptz)
language sql stable as $$
  with recent as (
    select q.creditor_iban, q.amount_minor, q.currency, q.created_at, q.status in ('ACSC', 'ACCC') as settled
    from payments q where q.debtor_account_id = p_account order by q.created_at desc limit 100)
  select coalesce(bool_or(r.settled and r.creditor_iban = p_iban), false),
    count(*) filter (where r.settled and r.currency = p_currency)::integer,
    max(r.amount_minor) filter (where r.settled and r.currency = p_currency),
    count(distinct r.creditor_iban) filter (where r.creditor_iban <> p_iban and r.created_at > clock_timestamp() - interval '1 hour')::integer,
    (select o.opened_at from opened_accounts o where o.account_id = p_account)
  from recent r
$$;

-- As before (0004-initiating.sql), and p.review {score, reasons} of a payment that was held or refused.
create or replace function insert_payment(p jsonb, p_events jsonb, p_recurring boolean) returns boolean
language plpgsql as $$
declare
  id uuid := (p->>'paymentId')::uuid;
  at timestamptz := (p->>'createdAt')::timestamptz;
begin
  insert into payments (payment_id, client_id, customer_id, consent_id, debtor_account_id, amount_minor, currency, creditor_name, creditor_iban,
    end_to_end_id, uetr, remittance, requested_execution_date, status, status_reason, status_at, created_at, recurring,
    kind, instant, refund_of, bulk_payment_id, standing_order_id, pending_for, due_at, fingerprint)
  values (id, p->>'clientId', (p->>'customerId')::uuid, (p->>'consentId')::uuid, (p->>'debtorAccountId')::uuid, (p->>'amountMinor')::bigint, p->>'currency',
    p->>'creditorName', p->>'creditorIban', p->>'endToEndId', (p->>'uetr')::uuid, p->>'remittance', (p->>'requestedExecutionDate')::date,
    coalesce(p->>'status', 'RCVD'), p->>'statusReason', at, at, p_recurring,
    coalesce(p->>'kind', 'single'), coalesce((p->>'instant')::boolean, false), (p->>'refundOf')::uuid, (p->>'bulkPaymentId')::uuid,
    (p->>'standingOrderId')::uuid, p->>'pendingFor', (p->>'dueAt')::timestamptz, decode(p->>'fingerprint', 'hex'))
  on conflict (consent_id) where not recurring do nothing;
  if not found then return false; end if;
  insert into payment_statuses (payment_id, position, status, reason, at)
    select id, n, s->>'status', s->>'reason', at from jsonb_array_elements(coalesce(p->'statuses', '[{"status": "RCVD"}]')) with ordinality as t(s, n);
  if p->'review' is not null then
    insert into payment_reviews (payment_id, score, reasons, decision, decided_by, decided_at)
    select id, (p->'review'->>'score')::smallint, array(select jsonb_array_elements_text(p->'review'->'reasons')),
      refused.decision, case when refused.decision is not null then 'fraud-check' end, case when refused.decision is not null then at end
    from (select case p->>'status' when 'RJCT' then 'refused' end as decision) refused;
  end if;
  insert into outbox (id, type, routing_key, event)
    select (e->>'id')::uuid, e->>'type', e->>'type', e from jsonb_array_elements(p_events) with ordinality as t(e, n) order by n;
  return true;
end
$$;

-- As before (0005-watch.sql); the time of a review is counted from when the payment was held, also when its day is far.
create or replace function stands_until(q payments, p_patience jsonb) returns timestamptz
language sql immutable as $$
  select coalesce(q.retried_at, case when q.pending_for = 'review' then q.status_at when q.status = 'PDNG' then coalesce(q.due_at, q.status_at)
      when q.instant then coalesce(q.accepted_at, q.status_at) else q.status_at end)
    + make_interval(secs => power(2, q.attempts) * (p_patience ->> case when q.instant and q.pending_for is null and q.status <> 'ACSC' then 'instant' else coalesce(q.pending_for, q.status) end)::float8)
$$;
