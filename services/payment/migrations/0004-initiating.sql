-- Initiating payments of every kind: put off to a day or for a review, refused at once, on behalf of a bulk or a standing order.

alter table payments
  -- When funds were held and the payment was accepted (ACCP): the ten seconds of an instant payment are counted from here.
  add column accepted_at timestamptz,
  -- What a refund pays back, as the rail identified it: {railReference, endToEndId, amount, reason}.
  add column original jsonb,
  -- What was done since the payment stands at its status because it stands there too long (overdue in src/payment.ts).
  add column attempts smallint not null default 0,
  add column retried_at timestamptz,
  add column escalated_at timestamptz,
  -- What two orders for the same thing have in common; null where the client named nothing by which they could be told apart.
  add column fingerprint bytea;
create index payments_escalated on payments (escalated_at) where escalated_at is not null;
create index payments_on_us_uncaptured on payments (status_at) where on_us and status = 'ACSC';
create index payments_by_fingerprint on payments (fingerprint, created_at) where fingerprint is not null;
create index payments_by_debtor_account on payments (debtor_account_id, created_at);

-- Whether a client asks for what the customer authorised, and may still, at p_now. Gives 'covered' or what is wrong.
create or replace function consent_outcome(c authorised_consents, p jsonb, p_now timestamptz) returns text
language sql stable as $$
  select case
    when c.ended is not null then 'consent_' || c.ended
    when c.expires_at <= p_now or c.valid_until <= p_now then 'consent_expired'
    when c.client_id <> p->>'clientId' or c.customer_id <> (p->>'customerId')::uuid then 'consent_of_another'
    when c.valid_from > p_now then 'consent_not_begun'
    when (p->>'debtorAccountId')::uuid <> all (c.debtor_account_ids) then 'account_differs'
    when c.currency <> p->>'currency' then 'currency_differs'
    when c.kind = 'payment' and c.amount_minor <> (p->>'amountMinor')::bigint then 'amount_differs'
    when c.creditor_iban <> p->>'creditorIban' or c.creditor_name <> p->>'creditorName' then 'creditor_differs'
    when c.remittance is not null and c.remittance is distinct from p->>'remittance' then 'remittance_differs'
    when c.requested_execution_date is not null
      and c.requested_execution_date is distinct from (p->>'requestedExecutionDate')::date then 'date_differs'
    when (p->>'requestedExecutionDate')::date < (p_now at time zone 'UTC')::date then 'date_past'
    when (p->>'requestedExecutionDate')::date > (p_now at time zone 'UTC')::date + 365 then 'date_ahead'
    when (p->>'requestedExecutionDate')::date > (c.valid_until at time zone 'UTC')::date then 'date_beyond_consent'
    else 'covered'
  end
$$;

-- Writes a payment that was checked, its statuses and its events, in the transaction of the caller. p_recurring: one of many under
-- its consent (variable recurring, bulk, standing order); else it uses the consent up. False, and nothing written, when the consent
-- was used up before. `p` is what parametersOf in src/repository.ts makes of a payment:
-- the payment's fields; statuses [{status, reason}] where it does not begin and rest at RCVD, all reached at createdAt.
create function insert_payment(p jsonb, p_events jsonb, p_recurring boolean) returns boolean
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
  insert into outbox (id, type, routing_key, event)
    select (e->>'id')::uuid, e->>'type', e->>'type', e from jsonb_array_elements(p_events) with ordinality as t(e, n) order by n;
  return true;
end
$$;

-- The first limit of the bank a further payment from an account would break, with what is left of the day; null when it fits:
-- {"limit": "daily-count", "maximum": "500", "left": "0", "nextAt": <ISO 8601>} or "daily-amount" with minor units. What counts is
-- every payment ordered on the day (of p_limits.timeZone) that is not RJCT or CANC. Payments of one account go one after the
-- other from here on, until the caller's transaction ends: else two at once would each see the same rest.
create function broken_bank_limit(p jsonb, p_limits jsonb) returns jsonb
language plpgsql as $$
declare
  zone text := p_limits->>'timeZone';
  most_payments bigint := (p_limits->>'payments')::bigint;
  most_minor numeric := (p_limits->>'amountMinor')::numeric;
  day date;
  paid record;
begin
  perform pg_advisory_xact_lock(hashtextextended('payment-limit ' || (p->>'debtorAccountId'), 0));
  day := (clock_timestamp() at time zone zone)::date;
  select count(*) as payments, coalesce(sum(q.amount_minor) filter (where q.currency = p->>'currency'), 0) as minor into paid
    from payments q where q.debtor_account_id = (p->>'debtorAccountId')::uuid and q.created_at >= day::timestamp at time zone zone
      and q.status not in ('RJCT', 'CANC');
  if paid.payments >= most_payments or paid.minor + (p->>'amountMinor')::numeric > most_minor then
    return jsonb_build_object('limit', case when paid.payments >= most_payments then 'daily-count' else 'daily-amount' end,
      'maximum', case when paid.payments >= most_payments then most_payments::text else most_minor::text end,
      'left', case when paid.payments >= most_payments then '0' else greatest(most_minor - paid.minor, 0)::text end,
      'nextAt', to_char((day + 1)::timestamp at time zone zone at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'));
  end if;
  return null;
end
$$;

-- A live payment that orders the same thing and was made in the last p_minutes; null when there is none. Orders for the same
-- thing wait for each other from here on, until the caller's transaction ends: else two at once would not see each other.
create function duplicate_of(p jsonb, p_minutes integer) returns uuid
language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('payment-duplicate ' || (p->>'fingerprint'), 0));
  return (select q.payment_id from payments q where q.fingerprint = decode(p->>'fingerprint', 'hex')
    and q.created_at > clock_timestamp() - make_interval(mins => p_minutes) and q.status not in ('RJCT', 'CANC') order by q.created_at limit 1);
end
$$;

-- A payment order in one round trip: idempotency key, consent, limits, payment, status history and outbox, all or nothing.
-- p.checks = {limits: {timeZone, payments, amountMinor}, duplicateMinutes}, each where it is to be checked.
-- outcome: 'created'; 'replay' with the payment made before; 'mismatch' or 'in_flight' (the key); 'consent_consumed';
-- 'limit_exceeded' with what broken_limit says; 'bank_limit_exceeded' with what broken_bank_limit says; 'duplicate' with the other
-- payment; else what consent_outcome says. Unless 'created' or 'replay', nothing is left behind, so that the same key can be used again.
-- Locks, always in this order: idempotency key, consent, debtor account's limit, fingerprint.
create or replace function initiate_payment(p_key text, p_hash bytea, p jsonb, p_events jsonb)
returns table (outcome text, payment_id uuid, broken jsonb)
language plpgsql as $$
#variable_conflict use_column
declare
  claim record;
  consent authorised_consents;
  many boolean;
  moment timestamptz;
  verdict text;
  breach jsonb;
  other uuid;
  id uuid := (p->>'paymentId')::uuid;
begin
  select b.outcome, b.response into claim
    from idempotency_begin(p->>'clientId', 'initiatePayment', p_key, p_hash) b;
  if claim.outcome <> 'fresh' then
    return query select claim.outcome, (claim.response->'body'->>'paymentId')::uuid, null::jsonb;
    return;
  end if;

  moment := clock_timestamp();
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
  if verdict = 'covered' and not insert_payment(p, p_events, many) then verdict := 'consent_consumed'; end if;
  if verdict <> 'covered' then
    delete from idempotency_keys k
      where k.client_id = p->>'clientId' and k.operation = 'initiatePayment' and k.key = p_key;
    return query select verdict, other, breach;
    return;
  end if;

  if many then
    insert into counted_payments (payment_id, consent_id, counted_at) values (id, (p->>'consentId')::uuid, moment);
  end if;
  update idempotency_keys k set status = 201, response = jsonb_build_object('body', jsonb_build_object('paymentId', id))
    where k.client_id = p->>'clientId' and k.operation = 'initiatePayment' and k.key = p_key;
  outcome := 'created';
  payment_id := id;
  return next;   -- "return query" plans and runs a statement
end
$$;
