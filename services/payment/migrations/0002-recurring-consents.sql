-- Payments under variable recurring consents: many payments on one consent, each and all of a period within its limits.

-- The terms of a consent, by its kind. A payment consent: exactly these, once. A variable recurring one: amount_minor is the
-- most of one payment, debtor_account_ids are those it may be paid from, periodic_limits what may be paid in each period:
-- [{"maximumMinor": "50000", "period": "month", "alignment": "calendar"}, …].
alter table authorised_consents
  add column kind text,
  add column version integer not null default 0,
  add column expires_at timestamptz,
  add column debtor_account_ids uuid[],
  add column requested_execution_date date,
  add column valid_from timestamptz,
  add column valid_until timestamptz,
  add column periodic_limits jsonb;
update authorised_consents set kind = 'payment', debtor_account_ids = array[debtor_account_id] where client_id is not null;
alter table authorised_consents
  drop constraint authorised_consents_check,
  drop constraint authorised_consents_ended_check,
  drop column debtor_account_id,
  add constraint authorised_consents_ended_check check (ended in ('revoked', 'withdrawn', 'expired')),
  add constraint authorised_consents_kind_check check (kind in ('payment', 'variable-recurring')),
  -- Null only where the end was heard before the beginning.
  add constraint authorised_consents_terms_check check (case
    when kind is null then ended is not null
    else client_id is not null and customer_id is not null and amount_minor is not null and currency is not null
      and creditor_name is not null and creditor_iban is not null and cardinality(debtor_account_ids) > 0
      and (kind = 'payment' or (valid_from is not null and valid_until is not null and periodic_limits is not null))
  end);

-- A payment consent is good for one payment; under a recurring one there are many. They are counted in a table of their own:
-- an index more on payments, or a wider one, made every payment about 2 % slower.
alter table payments
  add column recurring boolean not null default false,
  add column requested_execution_date date,
  drop constraint payments_consent_used_once;
create unique index payments_consent_used_once on payments (consent_id) where not recurring;

-- When a payment was counted under its recurring consent, by the clock of this database: the one that says which period it is.
create table counted_payments (
  payment_id uuid primary key references payments,
  consent_id uuid not null,
  counted_at timestamptz not null
);
create index counted_payments_by_consent on counted_payments (consent_id, counted_at);

-- The period of a limit that holds an instant: begins <= p_at < ends. UTC throughout. p_at is not before p_from.
--   calendar  day, week (ISO, Monday), fortnight (begins with the ISO week of even number; after a year of 53 weeks the one
--             over the turn of the year has three weeks), month, half-year (January, July), year
--   consent   counted from p_from on. Months are counted from the first day, not from the period before: from 31 January on
--             they begin on 28 (29) February, 31 March, 30 April …
create function period_of(p_period text, p_alignment text, p_from timestamptz, p_at timestamptz, out begins timestamptz, out ends timestamptz)
language plpgsql immutable as $$
declare
  since timestamp := p_from at time zone 'UTC';
  moment timestamp := p_at at time zone 'UTC';
  days integer := case p_period when 'day' then 1 when 'week' then 7 when 'fortnight' then 14 end;
  months integer := case p_period when 'month' then 1 when 'half-year' then 6 when 'year' then 12 end;
  passed integer;
  opening timestamp;
  closing timestamp;
begin
  if p_alignment = 'consent' and days is not null then
    passed := floor(extract(epoch from moment - since) / (days * 86400)) * days;
    opening := since + make_interval(days => passed);
    closing := since + make_interval(days => passed + days);
  elsif p_alignment = 'consent' then
    passed := (extract(year from moment)::integer - extract(year from since)::integer) * 12
      + extract(month from moment)::integer - extract(month from since)::integer;
    passed := passed / months * months;
    if since + make_interval(months => passed) > moment then passed := passed - months; end if;
    opening := since + make_interval(months => passed);
    closing := since + make_interval(months => passed + months);
  elsif p_period = 'fortnight' then
    opening := date_trunc('week', moment);
    while extract(week from opening)::integer % 2 = 1 loop opening := opening - interval '7 days'; end loop;
    closing := opening + interval '14 days';
    if extract(week from closing)::integer % 2 = 1 then closing := closing + interval '7 days'; end if;
  elsif p_period = 'half-year' then
    opening := date_trunc('year', moment) + make_interval(months => case when extract(month from moment) > 6 then 6 else 0 end);
    closing := opening + interval '6 months';
  else
    opening := date_trunc(p_period, moment);
    closing := opening + ('1 ' || p_period)::interval;
  end if;
  begins := opening at time zone 'UTC';
  ends := closing at time zone 'UTC';
end
$$;

-- Whether a client asks for what the customer authorised, and may still, at p_now. Gives 'covered' or what is wrong.
drop function consent_outcome(jsonb);
create function consent_outcome(c authorised_consents, p jsonb, p_now timestamptz) returns text
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
    when (p->>'requestedExecutionDate')::date > (p_now at time zone 'UTC')::date then 'date_ahead'
    else 'covered'
  end
$$;

-- The first limit of a recurring consent a further payment would break, with what is left under it; null when it fits:
-- {"limit": "payment" | <period>, "maximumMinor": "…", "leftMinor": "…", "nextPeriodAt": <ISO 8601> | null}. nextPeriodAt is
-- null where no other period begins within the consent's time. The consent's row is locked: what others paid is all there.
create function broken_limit(c authorised_consents, p_amount_minor bigint, p_now timestamptz) returns jsonb
language sql volatile as $$
  select case when p_amount_minor > c.amount_minor then
    jsonb_build_object('limit', 'payment', 'maximumMinor', c.amount_minor::text, 'leftMinor', c.amount_minor::text, 'nextPeriodAt', null)
  else (
    select jsonb_build_object('limit', l->>'period', 'maximumMinor', l->>'maximumMinor',
      'leftMinor', greatest((l->>'maximumMinor')::numeric - paid, 0)::text,
      'nextPeriodAt', case when ends < c.valid_until then to_char(ends at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') end)
    from jsonb_array_elements(c.periodic_limits) with ordinality as limits (l, place),
      period_of(l->>'period', l->>'alignment', c.valid_from, p_now),
      lateral (select coalesce(sum(q.amount_minor), 0) as paid from counted_payments n join payments q using (payment_id)
        where n.consent_id = c.consent_id and n.counted_at >= begins and n.counted_at < ends and q.status not in ('RJCT', 'CANC')) as sums
    where paid + p_amount_minor > (l->>'maximumMinor')::numeric
    order by place limit 1)
  end
$$;

-- A payment order in one round trip: idempotency key, consent, limits, payment, status history and outbox, all or nothing.
-- outcome: 'created'; 'replay' with the payment made before; 'mismatch' or 'in_flight' (the key); 'consent_consumed';
-- 'limit_exceeded' with what broken_limit says; else what consent_outcome says. Unless 'created' or 'replay', nothing is left
-- behind, so that the same key can be used again.
drop function initiate_payment(text, bytea, jsonb, jsonb);
create function initiate_payment(p_key text, p_hash bytea, p jsonb, p_events jsonb)
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
  id uuid := (p->>'paymentId')::uuid;
  at timestamptz := (p->>'createdAt')::timestamptz;
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
  if verdict = 'covered' then
    insert into payments (payment_id, client_id, customer_id, consent_id, debtor_account_id, amount_minor, currency,
      creditor_name, creditor_iban, end_to_end_id, uetr, remittance, requested_execution_date, status, status_at, created_at, recurring)
    values (id, p->>'clientId', (p->>'customerId')::uuid, (p->>'consentId')::uuid, (p->>'debtorAccountId')::uuid,
      (p->>'amountMinor')::bigint, p->>'currency', p->>'creditorName', p->>'creditorIban', p->>'endToEndId',
      (p->>'uetr')::uuid, p->>'remittance', (p->>'requestedExecutionDate')::date, 'RCVD', at, at, many)
    on conflict (consent_id) where not recurring do nothing;
    if not found then verdict := 'consent_consumed'; end if;
  end if;
  if verdict <> 'covered' then
    delete from idempotency_keys k
      where k.client_id = p->>'clientId' and k.operation = 'initiatePayment' and k.key = p_key;
    return query select verdict, null::uuid, breach;
    return;
  end if;

  if many then
    insert into counted_payments (payment_id, consent_id, counted_at) values (id, (p->>'consentId')::uuid, moment);
  end if;
  insert into payment_statuses (payment_id, position, status, at) values (id, 1, 'RCVD', at);
  insert into outbox (id, type, routing_key, event)
    select (e->>'id')::uuid, e->>'type', e->>'type', e from jsonb_array_elements(p_events) with ordinality as t(e, n) order by n;
  update idempotency_keys k set status = 201, response = jsonb_build_object('body', jsonb_build_object('paymentId', id))
    where k.client_id = p->>'clientId' and k.operation = 'initiatePayment' and k.key = p_key;
  outcome := 'created';
  payment_id := id;
  return next;   -- "return query" plans and runs a statement
end
$$;
