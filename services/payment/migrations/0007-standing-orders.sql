-- Standing orders: payments that come again and again under a variable recurring consent.
create table standing_orders (
  standing_order_id uuid primary key,
  client_id text not null,
  customer_id uuid not null,
  consent_id uuid not null,
  debtor_account_id uuid not null,
  amount_minor bigint not null check (amount_minor > 0),
  currency text not null,
  creditor_name text not null,
  creditor_iban text not null,
  remittance text,
  -- {frequency, firstDate, endOfMonth, count, lastDate, holidayRule} (Schedule in src/standing-orders.ts).
  schedule jsonb not null,
  status text not null check (status in ('active', 'completed', 'ended', 'cancelled')),
  end_reason text,
  -- The next payment: its number in the schedule (from 0), its day, and when that day begins. Null once there is none.
  next_number integer,
  next_date date,
  next_at timestamptz,
  created_at timestamptz not null,
  check ((status = 'active') = (next_at is not null) and (next_at is null) = (next_date is null) and (next_at is null) = (next_number is null))
);
create index standing_orders_by_client on standing_orders (client_id, standing_order_id desc);
create index standing_orders_by_consent on standing_orders (consent_id) where status = 'active';
create index standing_orders_due on standing_orders (next_at) where status = 'active';

-- What came of each day of a standing order: a payment, or why there was none. One day is executed once, whoever tries.
create table standing_order_executions (
  standing_order_id uuid not null references standing_orders,
  execution_date date not null,
  payment_id uuid references payments,
  reason text,
  at timestamptz not null default clock_timestamp(),
  constraint standing_order_executed_once primary key (standing_order_id, execution_date),
  check ((payment_id is null) = (reason is not null))
);

-- An order that is checked and written, without an idempotency key, in the transaction of the caller.
-- verdict: 'created'; 'consent_consumed'; 'limit_exceeded' with what broken_limit says; 'bank_limit_exceeded' with what
-- broken_bank_limit says; 'duplicate' with the other payment; else what consent_outcome says. Unless 'created' nothing is written.
-- p.checks = {limits: {timeZone, payments, amountMinor}, duplicateMinutes}, each where it is to be checked.
-- Locks, always in this order: consent, debtor account's limit, fingerprint.
create function place_payment(p jsonb, p_events jsonb, out verdict text, out other uuid, out breach jsonb)
language plpgsql as $$
declare
  consent authorised_consents;
  many boolean;
  moment timestamptz := clock_timestamp();
begin
  select consent_outcome(c, p, moment), c.kind = 'variable-recurring' into verdict, many
    from authorised_consents c where c.consent_id = (p->>'consentId')::uuid;
  if not found then verdict := 'consent_unknown'; end if;
  -- Payments under one recurring consent go one after the other; a single payment is held apart by its unique index.
  if many then
    select * into consent from authorised_consents c where c.consent_id = (p->>'consentId')::uuid for update;
    moment := clock_timestamp();
    verdict := consent_outcome(consent, p, moment);
    if verdict = 'covered' then breach := broken_limit(consent, (p->>'amountMinor')::bigint, moment); end if;
    if breach is not null then verdict := 'limit_exceeded'; end if;
  end if;
  if verdict = 'covered' and p->'checks'->'limits' is not null then
    breach := broken_bank_limit(p, p->'checks'->'limits');
    if breach is not null then verdict := 'bank_limit_exceeded'; end if;
  end if;
  if verdict = 'covered' and p->>'fingerprint' is not null and p->'checks'->'duplicateMinutes' is not null then
    other := duplicate_of(p, (p->'checks'->>'duplicateMinutes')::integer);
    if other is not null then verdict := 'duplicate'; end if;
  end if;
  if verdict <> 'covered' then return; end if;
  if not insert_payment(p, p_events, many) then
    verdict := 'consent_consumed';
    return;
  end if;
  if many then
    insert into counted_payments (payment_id, consent_id, counted_at) values ((p->>'paymentId')::uuid, (p->>'consentId')::uuid, moment);
  end if;
  verdict := 'created';
end
$$;

-- A payment order in one round trip: idempotency key and place_payment, all or nothing. outcome: 'replay' with the payment made
-- before; 'mismatch' or 'in_flight' (the key); else the verdict of place_payment. Unless 'created' or 'replay', nothing is left
-- behind, so that the same key can be used again.
create or replace function initiate_payment(p_key text, p_hash bytea, p jsonb, p_events jsonb)
returns table (outcome text, payment_id uuid, broken jsonb)
language plpgsql as $$
#variable_conflict use_column
declare
  claim record;
  placed record;
begin
  select b.outcome, b.response into claim
    from idempotency_begin(p->>'clientId', 'initiatePayment', p_key, p_hash) b;
  if claim.outcome <> 'fresh' then
    return query select claim.outcome, (claim.response->'body'->>'paymentId')::uuid, null::jsonb;
    return;
  end if;
  placed := place_payment(p, p_events);
  if placed.verdict <> 'created' then
    delete from idempotency_keys k
      where k.client_id = p->>'clientId' and k.operation = 'initiatePayment' and k.key = p_key;
    return query select placed.verdict, placed.other, placed.breach;
    return;
  end if;
  update idempotency_keys k set status = 201, response = jsonb_build_object('body', jsonb_build_object('paymentId', p->>'paymentId'))
    where k.client_id = p->>'clientId' and k.operation = 'initiatePayment' and k.key = p_key;
  outcome := 'created';
  payment_id := (p->>'paymentId')::uuid;
  return next;   -- "return query" plans and runs a statement
end
$$;
