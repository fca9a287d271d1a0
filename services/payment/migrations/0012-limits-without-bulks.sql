-- The payments of a bulk are no single payments: the customer approved their number and total, and that is their limit. They do not use
-- up the limits of a day, which are against somebody who makes payment after payment.
create or replace function broken_bank_limit(p jsonb, p_limits jsonb) returns jsonb
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
    from payments q where q.debtor_account_id = (p->>'debtorAccountId')::uuid and q.kind <> 'bulk' and q.created_at >= day::timestamp at time zone zone
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
