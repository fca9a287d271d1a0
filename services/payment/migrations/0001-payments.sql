-- Payments, their status history, and what customers authorised.

-- What a customer authorised in a payment consent: told by consent.authorised, taken back by consent.revoked or
-- consent.expired. The columns of the authorisation are null when the end was heard before the beginning.
create table authorised_consents (
  consent_id uuid primary key,
  client_id text,
  customer_id uuid,
  debtor_account_id uuid,
  amount_minor bigint,
  currency text,
  creditor_name text,
  creditor_iban text,
  remittance text,
  ended text check (ended in ('revoked', 'expired')),
  heard_at timestamptz not null default now(),
  check (ended is not null or (client_id is not null and customer_id is not null and debtor_account_id is not null
    and amount_minor is not null and currency is not null and creditor_name is not null and creditor_iban is not null))
);

create table payments (
  payment_id uuid primary key,
  client_id text not null,
  customer_id uuid not null,
  consent_id uuid not null,
  debtor_account_id uuid not null,
  amount_minor bigint not null check (amount_minor > 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  creditor_name text not null,
  creditor_iban text not null,
  end_to_end_id text not null,
  uetr uuid not null,
  remittance text,
  reference text,
  debtor_name text,
  debtor_iban text,
  status text not null check (status in ('RCVD', 'ACTC', 'ACCP', 'ACSP', 'ACSC', 'RJCT', 'CANC')),
  status_reason text,
  status_at timestamptz not null,
  created_at timestamptz not null,
  -- A consent is used up by one payment, in the transaction of that payment.
  constraint payments_consent_used_once unique (consent_id),
  check ((status = 'RJCT') = (status_reason is not null) or status = 'CANC')
);
-- Lists are newest first; payment ids are UUIDv7, so their order is the order of creation.
create index payments_by_client on payments (client_id, payment_id desc);
create index payments_unsettled on payments (status_at) where status in ('RCVD', 'ACTC', 'ACCP', 'ACSP');

create table payment_statuses (
  payment_id uuid not null references payments,
  position smallint not null,
  status text not null,
  reason text,
  at timestamptz not null,
  primary key (payment_id, position)
);

-- Whether a client asks for exactly what the customer authorised, and may still. Gives 'covered' or what is wrong.
create function consent_outcome(p jsonb) returns text
language sql stable as $$
  select case
    when c.consent_id is null then 'consent_unknown'
    when c.ended = 'revoked' then 'consent_revoked'
    when c.ended = 'expired' then 'consent_expired'
    when c.client_id <> p->>'clientId' or c.customer_id <> (p->>'customerId')::uuid then 'consent_of_another'
    when c.debtor_account_id <> (p->>'debtorAccountId')::uuid then 'account_differs'
    when c.amount_minor <> (p->>'amountMinor')::bigint or c.currency <> p->>'currency' then 'amount_differs'
    when c.creditor_iban <> p->>'creditorIban' or c.creditor_name <> p->>'creditorName' then 'creditor_differs'
    when c.remittance is not null and c.remittance is distinct from p->>'remittance' then 'remittance_differs'
    else 'covered'
  end
  from (select (p->>'consentId')::uuid as wanted) w
  left join authorised_consents c on c.consent_id = w.wanted
$$;

-- A payment order in one round trip: idempotency key, consent, payment, status history and outbox, all or nothing.
-- outcome: 'created'; 'replay' with the payment made before; 'mismatch' or 'in_flight' (the key);
-- 'consent_consumed'; else what consent_outcome says. Unless 'created' or 'replay', nothing is left behind, so that the
-- same key can be used again.
create function initiate_payment(p_key text, p_hash bytea, p jsonb, p_events jsonb)
returns table (outcome text, payment_id uuid)
language plpgsql as $$
#variable_conflict use_column
declare
  claim record;
  verdict text;
  id uuid := (p->>'paymentId')::uuid;
  at timestamptz := (p->>'createdAt')::timestamptz;
begin
  select b.outcome, b.response into claim
    from idempotency_begin(p->>'clientId', 'initiatePayment', p_key, p_hash) b;
  if claim.outcome <> 'fresh' then
    return query select claim.outcome, (claim.response->'body'->>'paymentId')::uuid;
    return;
  end if;

  verdict := consent_outcome(p);
  if verdict = 'covered' then
    insert into payments (payment_id, client_id, customer_id, consent_id, debtor_account_id, amount_minor, currency,
      creditor_name, creditor_iban, end_to_end_id, uetr, remittance, status, status_at, created_at)
    values (id, p->>'clientId', (p->>'customerId')::uuid, (p->>'consentId')::uuid, (p->>'debtorAccountId')::uuid,
      (p->>'amountMinor')::bigint, p->>'currency', p->>'creditorName', p->>'creditorIban', p->>'endToEndId',
      (p->>'uetr')::uuid, p->>'remittance', 'RCVD', at, at)
    on conflict on constraint payments_consent_used_once do nothing;
    if not found then verdict := 'consent_consumed'; end if;
  end if;
  if verdict <> 'covered' then
    delete from idempotency_keys k
      where k.client_id = p->>'clientId' and k.operation = 'initiatePayment' and k.key = p_key;
    return query select verdict, null::uuid;
    return;
  end if;

  insert into payment_statuses (payment_id, position, status, at) values (id, 1, 'RCVD', at);
  insert into outbox (id, type, routing_key, event)
    select (e->>'id')::uuid, e->>'type', e->>'type', e from jsonb_array_elements(p_events) with ordinality as t(e, n) order by n;
  update idempotency_keys k set status = 201, response = jsonb_build_object('body', jsonb_build_object('paymentId', id))
    where k.client_id = p->>'clientId' and k.operation = 'initiatePayment' and k.key = p_key;
  return query select 'created', id;
end
$$;
