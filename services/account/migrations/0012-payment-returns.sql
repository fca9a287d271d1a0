-- Money of our payments that the rail sent back (pacs.004), each return once. It has left the rail's books in any case, so it is
-- booked in any case: to the debtor, or, while the payment is unknown, not captured yet, or paid less than comes back, to suspense.
create table payment_returns (
  rail_reference text primary key,
  payment_id     uuid,
  transaction_id uuid not null references ledger_transactions,
  amount_minor   bigint not null check (amount_minor > 0),
  currency       text not null,
  reason         text,                             -- ExternalReturnReason1Code
  end_to_end_id  text,
  -- Why it lies in suspense; null when it is on the debtor's account.
  fault          text check (fault in ('unknown-payment', 'more-than-paid', 'account-closed', 'other-currency')),
  break_id       uuid unique,
  booked_at      timestamptz not null
);
create index payment_returns_of_payment on payment_returns (payment_id) where payment_id is not null;

-- Why a return cannot go to the debtor of a payment (its hold is locked), or null.
create function payment_return_fault(p_payment_id uuid, p_amount_minor bigint, p_currency text) returns text
language plpgsql as $$
declare
  v_hold holds%rowtype;
  v_account accounts%rowtype;
begin
  select * into v_hold from holds h where h.payment_id = p_payment_id;
  if not found or v_hold.state <> 'captured' or v_hold.creditor_account_id is not null then return 'unknown-payment'; end if;
  if v_hold.currency <> p_currency then return 'other-currency'; end if;
  if p_amount_minor + (select coalesce(sum(r.amount_minor), 0) from payment_returns r where r.payment_id = p_payment_id and r.fault is null)
     > v_hold.amount_minor then return 'more-than-paid'; end if;
  select * into v_account from accounts a where a.account_id = v_hold.account_id for share;
  if v_account.status = 'closed' then return 'account-closed'; end if;
  return null;
end $$;

-- What a returned payment tells on a statement: the parties of the payment, the other way round.
create function payment_return_details(p_payment_id uuid, p_reason text, p_end_to_end_id text) returns jsonb
language sql stable as $$
  select jsonb_strip_nulls(jsonb_build_object('endToEndId', coalesce(h.details ->> 'endToEndId', p_end_to_end_id), 'reason', p_reason,
      'remittance', h.details ->> 'remittance', 'debtor', h.details -> 'creditor', 'creditor', h.details -> 'debtor'))
  from (select p_payment_id as payment_id) p left join holds h using (payment_id)
$$;

-- Books a return, once for its rail reference. The hold of the payment is the lock: the returns of one payment go one after the
-- other, so their sum cannot pass what was paid. Outcomes: returned, suspense (with its fault), repeated.
create function book_payment_return(p_rail_reference text, p_payment_id uuid, p_amount_minor bigint, p_currency text, p_reason text,
  p_end_to_end_id text, p_transaction_id uuid, p_break_id uuid, p_now timestamptz,
  out outcome text, out fault text, out transaction_id uuid, out account_id uuid)
language plpgsql as $$
declare
  v_credit uuid;
begin
  perform pg_advisory_xact_lock(hashtextextended('return:' || p_rail_reference, 0));
  if exists (select 1 from payment_returns r where r.rail_reference = p_rail_reference) then outcome := 'repeated'; return; end if;
  select h.account_id into account_id from holds h where h.payment_id = p_payment_id for update;
  fault := payment_return_fault(p_payment_id, p_amount_minor, p_currency);
  v_credit := case when fault is null then account_id else internal_account('suspense', p_currency) end;
  select p.transaction_id into transaction_id from post_transaction(p_transaction_id, 'return:' || p_rail_reference, 'return', p_payment_id,
    payment_return_details(p_payment_id, p_reason, p_end_to_end_id), p_now,
    two_entries(internal_account('settlement', p_currency), v_credit, p_amount_minor)) p;
  insert into payment_returns (rail_reference, payment_id, transaction_id, amount_minor, currency, reason, end_to_end_id, fault, break_id, booked_at)
    values (p_rail_reference, p_payment_id, transaction_id, p_amount_minor, p_currency, p_reason, p_end_to_end_id, fault,
      case when fault is not null then p_break_id end, p_now);
  if fault is null then outcome := 'returned'; return; end if;
  outcome := 'suspense';
  insert into reconciliation_breaks (break_id, subject, reason, entry_id, ledger_account_id, amount_minor, currency, payment_id)
    select p_break_id, 'entry:' || e.entry_id, 'return-' || fault, e.entry_id, e.ledger_account_id, p_amount_minor, p_currency, p_payment_id
    from ledger_entries e where e.transaction_id = book_payment_return.transaction_id and e.ledger_account_id = v_credit;
end $$;

-- Returns that came before the payment they are of was heard to have settled: from suspense to the debtor, and their breaks end.
create function settle_early_returns(p_payment_id uuid, p_now timestamptz)
returns table (rail_reference text, transaction_id uuid, account_id uuid, amount_minor bigint, currency text, reason text, break_id uuid)
language plpgsql as $$
declare
  v_account uuid;
  v_return payment_returns%rowtype;
  v_transaction uuid;
begin
  if not exists (select 1 from payment_returns r where r.payment_id = p_payment_id and r.fault = 'unknown-payment') then return; end if;
  select h.account_id into v_account from holds h where h.payment_id = p_payment_id for update;
  for v_return in select * from payment_returns r where r.payment_id = p_payment_id and r.fault = 'unknown-payment' order by r.booked_at, r.rail_reference for update
  loop
    -- Somebody of the staff may have dealt with it meanwhile.
    perform 1 from reconciliation_breaks b where b.break_id = v_return.break_id and b.status = 'open' for update;
    continue when not found or payment_return_fault(p_payment_id, v_return.amount_minor, v_return.currency) is not null;
    select p.transaction_id into v_transaction from post_transaction(gen_random_uuid(), 'return-settled:' || v_return.rail_reference, 'return', p_payment_id,
      payment_return_details(p_payment_id, v_return.reason, v_return.end_to_end_id), p_now,
      two_entries(internal_account('suspense', v_return.currency), v_account, v_return.amount_minor)) p;
    update payment_returns r set fault = null, transaction_id = v_transaction where r.rail_reference = v_return.rail_reference;
    update reconciliation_breaks b set status = 'resolved', resolution = 'matched', resolved_at = clock_timestamp() where b.break_id = v_return.break_id;
    return query select v_return.rail_reference, v_transaction, v_account, v_return.amount_minor, v_return.currency, v_return.reason, v_return.break_id;
  end loop;
end $$;
