-- The only ways money moves. Locks are taken in one order everywhere, so that no two of these can deadlock:
--   hold (by payment)  →  accounts (share, by id)  →  ledger transaction (by reference)  →  balances (by account, shard)
-- except that a capture locks its balances before its reference; it is the only one to use references `payment:…` and
-- holds its payment's lock, so nobody waits for that reference.

-- Makes sure a ledger account and its balance rows exist. Customer accounts may not be overdrawn; internal ones may.
create function open_ledger_account(p_id uuid, p_code text, p_kind text, p_currency text) returns uuid
language plpgsql as $$
declare
  v_id uuid;
  v_shards smallint := case p_kind when 'customer' then 1 else 16 end;
begin
  select ledger_account_id into v_id from ledger_accounts where code = p_code;
  if found then return v_id; end if;
  insert into ledger_accounts (ledger_account_id, code, kind, currency, shards)
    values (p_id, p_code, p_kind, p_currency, v_shards) on conflict (code) do nothing;
  select ledger_account_id into strict v_id from ledger_accounts where code = p_code;
  insert into ledger_balances (ledger_account_id, shard, may_overdraw)
    select v_id, s, p_kind <> 'customer' from generate_series(0, v_shards - 1) s on conflict do nothing;
  return v_id;
end $$;

-- The internal account of a kind ('settlement', 'suspense') and currency, opened at first use.
create function internal_account(p_kind text, p_currency text) returns uuid
language sql as $$
  select open_ledger_account(gen_random_uuid(), p_kind || ':' || p_currency, p_kind, p_currency)
$$;

-- Which balance row of an account a transaction books to.
create function shard_of(p_shards smallint, p_transaction_id uuid) returns smallint
language sql immutable as $$
  select (case when p_shards = 1 then 0 else abs(hashtext(p_transaction_id::text)::bigint) % p_shards end)::smallint
$$;

-- Locks the balance rows one transaction will touch, in the one order.
create function lock_balances(p_accounts uuid[], p_transaction_id uuid) returns void
language plpgsql as $$
begin
  perform 1 from ledger_balances b join ledger_accounts a using (ledger_account_id)
    where b.ledger_account_id = any (p_accounts) and b.shard = shard_of(a.shards, p_transaction_id)
    order by b.ledger_account_id, b.shard for update of b;
end $$;

-- Books a transaction: entries and balances in one step, once for a reference.
--   p_entries: [{"account": uuid, "side": "debit"|"credit", "amount": minor units as text}]
--   returns the transaction's id and whether it was booked now (false: the reference had been booked before)
--   errors: KL002 debits and credits differ, KL003 the reference was used for other entries,
--           23514 funds_cover when a customer account would be overdrawn
create function post_transaction(
  p_transaction_id uuid, p_reference text, p_type text, p_payment_id uuid, p_details jsonb, p_booked_at timestamptz,
  p_entries jsonb, out transaction_id uuid, out booked boolean)
language plpgsql as $$
declare
  v_digest text := md5(p_entries::text);
  v_known ledger_transactions%rowtype;
begin
  insert into ledger_transactions as t (transaction_id, reference, type, payment_id, details, entries_digest, booked_at)
    values (p_transaction_id, p_reference, p_type, p_payment_id, p_details, v_digest, p_booked_at)
    on conflict (reference) do nothing;
  if not found then
    select * into strict v_known from ledger_transactions t where t.reference = p_reference;
    if v_known.entries_digest <> v_digest then
      raise exception 'reference % was booked with other entries', p_reference using errcode = 'KL003';
    end if;
    transaction_id := v_known.transaction_id;
    booked := false;
    return;
  end if;

  perform lock_balances(array(select (e ->> 'account')::uuid from jsonb_array_elements(p_entries) e), p_transaction_id);

  with entry as (
    select a.ledger_account_id, shard_of(a.shards, p_transaction_id) as shard,
           sum(case e ->> 'side' when 'credit' then (e ->> 'amount')::bigint else -(e ->> 'amount')::bigint end) as change
    from jsonb_array_elements(p_entries) e join ledger_accounts a on a.ledger_account_id = (e ->> 'account')::uuid
    group by 1, 2
  )
  update ledger_balances b set booked_minor = b.booked_minor + entry.change
    from entry where b.ledger_account_id = entry.ledger_account_id and b.shard = entry.shard;

  insert into ledger_entries (transaction_id, ledger_account_id, shard, side, amount_minor, currency, booking_date)
    select p_transaction_id, (e ->> 'account')::uuid, coalesce(shard_of(a.shards, p_transaction_id), 0), e ->> 'side',
           (e ->> 'amount')::bigint, a.currency, (p_booked_at at time zone 'utc')::date
    from jsonb_array_elements(p_entries) with ordinality as j (e, position)
    left join ledger_accounts a on a.ledger_account_id = (e ->> 'account')::uuid
    order by position;
  transaction_id := p_transaction_id;
  booked := true;
end $$;

-- Two equal entries, the shape of every payment.
create function two_entries(p_debit uuid, p_credit uuid, p_amount_minor bigint) returns jsonb
language sql immutable as $$
  select jsonb_build_array(
    jsonb_build_object('account', p_debit, 'side', 'debit', 'amount', p_amount_minor::text),
    jsonb_build_object('account', p_credit, 'side', 'credit', 'amount', p_amount_minor::text))
$$;

-- Books the settlement of a hold that is locked and reserved (or of one that never held: then against suspense, so that
-- the books say what the rail did and somebody looks). On-us: a creditor of ours is credited instead of settlement.
create function settle_hold(p_payment_id uuid, p_transaction_id uuid, p_now timestamptz,
  out transaction_id uuid, out creditor_account_id uuid)
language plpgsql as $$
declare
  v_hold holds%rowtype;
  v_creditor accounts%rowtype;
  v_debit uuid;
  v_credit uuid;
begin
  select * into strict v_hold from holds h where h.payment_id = p_payment_id for update;
  select * into v_creditor from accounts a where a.iban = v_hold.details -> 'creditor' ->> 'iban';
  perform 1 from accounts a where a.account_id in (v_hold.account_id, v_creditor.account_id) order by a.account_id for share;
  if v_creditor.account_id is not null then
    select * into v_creditor from accounts a where a.account_id = v_creditor.account_id;
  end if;
  v_debit := case v_hold.state when 'reserved' then v_hold.account_id else internal_account('suspense', v_hold.currency) end;
  if v_creditor.account_id is null then
    v_credit := internal_account('settlement', v_hold.currency);
  elsif v_creditor.status in ('enabled', 'blocked') and v_creditor.currency = v_hold.currency then
    v_credit := v_creditor.account_id;
    creditor_account_id := v_creditor.account_id;
  else
    v_credit := internal_account('suspense', v_hold.currency);
  end if;
  perform lock_balances(array[v_debit, v_credit], p_transaction_id);
  if v_hold.state = 'reserved' then
    update ledger_balances set held_minor = held_minor - v_hold.amount_minor where ledger_account_id = v_hold.account_id and shard = 0;
  end if;
  select p.transaction_id into transaction_id from post_transaction(p_transaction_id, 'payment:' || p_payment_id, 'payment',
    p_payment_id, v_hold.details, p_now, two_entries(v_debit, v_credit, v_hold.amount_minor)) p;
  update holds h set state = 'captured', transaction_id = settle_hold.transaction_id, updated_at = p_now where h.payment_id = p_payment_id;
end $$;

-- Reserves funds for a payment. Outcomes:
--   reserved  the funds are held                       refused   reason AC01, AC04, AC06, AM03 or AM04
--   captured  held and settled at once: the settlement had been heard before
--   released  the payment had ended before: nothing is held
--   repeated  decided before; nothing changed
create function reserve_funds(p_payment_id uuid, p_hold_id uuid, p_account_id uuid, p_amount_minor bigint, p_currency text,
  p_details jsonb, p_transaction_id uuid, p_now timestamptz,
  out outcome text, out reason text, out hold_id uuid, out debtor jsonb, out transaction_id uuid, out creditor_account_id uuid)
language plpgsql as $$
declare
  v_hold holds%rowtype;
  v_account accounts%rowtype;
  v_settling boolean;
begin
  insert into holds as h (payment_id, hold_id, account_id, state, amount_minor, currency, details, created_at, updated_at)
    values (p_payment_id, p_hold_id, p_account_id, 'reserved', p_amount_minor, p_currency, p_details, p_now, p_now)
    on conflict (payment_id) do nothing;
  if found then
    v_settling := false;
  else
    select * into strict v_hold from holds h where h.payment_id = p_payment_id for update;
    if v_hold.details is not null then outcome := 'repeated'; return; end if;
    update holds h set details = p_details, amount_minor = p_amount_minor, currency = p_currency, updated_at = p_now
      where h.payment_id = p_payment_id;
    if v_hold.state = 'released' then outcome := 'released'; return; end if;
    v_settling := true;
  end if;

  select * into v_account from accounts a where a.account_id = p_account_id for share;
  reason := case
    when not found or v_account.status = 'pending' then 'AC01'
    when v_account.status = 'closed' then case when v_account.iban is null then 'AC01' else 'AC04' end
    when v_account.status = 'blocked' then 'AC06'
    when v_account.currency <> p_currency then 'AM03'
  end;
  if reason is null then
    update ledger_balances b set held_minor = b.held_minor + p_amount_minor
      where b.ledger_account_id = p_account_id and b.shard = 0 and b.booked_minor - b.held_minor >= p_amount_minor;
    if not found then reason := 'AM04'; end if;
  end if;
  debtor := jsonb_build_object('name', v_account.holder_name, 'iban', v_account.iban);
  update holds h set state = case when reserve_funds.reason is null then 'reserved' else 'refused' end,
      reason = reserve_funds.reason, details = p_details || jsonb_build_object('debtor', reserve_funds.debtor)
    where h.payment_id = p_payment_id returning h.hold_id into hold_id;
  outcome := case when reason is null then 'reserved' else 'refused' end;
  if v_settling then
    select s.transaction_id, s.creditor_account_id into transaction_id, creditor_account_id
      from settle_hold(p_payment_id, p_transaction_id, p_now) s;
    outcome := 'captured';
  end if;
end $$;

-- Captures reserved funds when the payment has settled. Outcomes: captured, repeated, and deferred when the hold has
-- not been heard of yet (it is captured when it comes). KL003 when the amount is not the one held.
create function capture_funds(p_payment_id uuid, p_account_id uuid, p_amount_minor bigint, p_currency text,
  p_hold_id uuid, p_transaction_id uuid, p_now timestamptz,
  out outcome text, out transaction_id uuid, out creditor_account_id uuid)
language plpgsql as $$
declare
  v_hold holds%rowtype;
begin
  insert into holds as h (payment_id, hold_id, account_id, state, created_at, updated_at)
    values (p_payment_id, p_hold_id, p_account_id, 'settling', p_now, p_now) on conflict (payment_id) do nothing;
  if found then outcome := 'deferred'; return; end if;
  select * into strict v_hold from holds h where h.payment_id = p_payment_id for update;
  if v_hold.state in ('captured', 'settling') then outcome := 'repeated'; return; end if;
  if v_hold.details is null then
    raise exception 'payment % settled after it had been called off, and its order was never heard', p_payment_id using errcode = 'KL004';
  end if;
  if v_hold.account_id <> p_account_id or v_hold.amount_minor <> p_amount_minor or v_hold.currency <> p_currency then
    raise exception 'payment % settled with another account or amount than was held', p_payment_id using errcode = 'KL003';
  end if;
  select s.transaction_id, s.creditor_account_id into transaction_id, creditor_account_id
    from settle_hold(p_payment_id, p_transaction_id, p_now) s;
  outcome := 'captured';
end $$;

-- Gives reserved funds back when the payment was rejected or cancelled. Outcomes: released (also before the payment
-- itself was heard of: the row then refuses the hold), unheld when nothing had been reserved, repeated.
create function release_funds(p_payment_id uuid, p_account_id uuid, p_hold_id uuid, p_now timestamptz, out outcome text)
language plpgsql as $$
declare
  v_hold holds%rowtype;
begin
  insert into holds as h (payment_id, hold_id, account_id, state, created_at, updated_at)
    values (p_payment_id, p_hold_id, p_account_id, 'released', p_now, p_now) on conflict (payment_id) do nothing;
  if found then outcome := 'released'; return; end if;
  select * into strict v_hold from holds h where h.payment_id = p_payment_id for update;
  if v_hold.state = 'refused' then outcome := 'unheld'; return; end if;
  if v_hold.state <> 'reserved' then outcome := 'repeated'; return; end if;
  update ledger_balances b set held_minor = b.held_minor - v_hold.amount_minor
    where b.ledger_account_id = v_hold.account_id and b.shard = 0;
  update holds h set state = 'released', updated_at = p_now where h.payment_id = p_payment_id;
  outcome := 'released';
end $$;

-- Books an incoming credit transfer, once for its rail reference. Outcomes: credited; refused with AC01 (no such
-- account), AC04 (closed) or AM03 (not the account's currency); repeated.
create function book_incoming_credit(p_rail_reference text, p_iban text, p_amount_minor bigint, p_currency text,
  p_details jsonb, p_transaction_id uuid, p_now timestamptz,
  out outcome text, out reason text, out transaction_id uuid, out account_id uuid)
language plpgsql as $$
declare
  v_account accounts%rowtype;
  v_booked boolean;
begin
  if exists (select 1 from refused_credits r where r.rail_reference = p_rail_reference) then outcome := 'repeated'; return; end if;
  if exists (select 1 from ledger_transactions t where t.reference = 'rail:' || p_rail_reference) then outcome := 'repeated'; return; end if;
  select * into v_account from accounts a where a.iban = p_iban for share;
  reason := case
    when not found then 'AC01'
    when v_account.status = 'closed' then 'AC04'
    when v_account.currency <> p_currency then 'AM03'
  end;
  if reason is not null then
    insert into refused_credits (rail_reference, reason, refused_at) values (p_rail_reference, reason, p_now)
      on conflict (rail_reference) do nothing;
    outcome := case when found then 'refused' else 'repeated' end;
    return;
  end if;
  select p.transaction_id, p.booked into transaction_id, v_booked from post_transaction(p_transaction_id,
    'rail:' || p_rail_reference, 'incoming-payment', null, p_details, p_now,
    two_entries(internal_account('settlement', p_currency), v_account.account_id, p_amount_minor)) p;
  account_id := v_account.account_id;
  outcome := case when v_booked then 'credited' else 'repeated' end;
end $$;

-- Everything that must hold of the books; one row a breach, none in health. Reads the whole ledger.
create function ledger_invariant_breaks() returns table (invariant text, subject text, expected numeric, actual numeric)
language sql stable as $$
  select 'debits equal credits', transaction_id::text || ' ' || currency, 0::numeric,
         sum(case side when 'debit' then amount_minor else -amount_minor end)
    from ledger_entries group by transaction_id, currency
    having sum(case side when 'debit' then amount_minor else -amount_minor end) <> 0
  union all
  select 'a transaction has two sides', t.transaction_id::text, 2, count(e.entry_id)
    from ledger_transactions t left join ledger_entries e using (transaction_id)
    group by t.transaction_id having count(e.entry_id) < 2
  union all
  select 'balance equals its entries', coalesce(b.ledger_account_id, e.ledger_account_id)::text,
         coalesce(e.total, 0), coalesce(b.booked_minor, 0)
    from ledger_balances b
    full join (select ledger_account_id, shard, sum(case side when 'credit' then amount_minor else -amount_minor end) as total
               from ledger_entries group by 1, 2) e on e.ledger_account_id = b.ledger_account_id and e.shard = b.shard
    where coalesce(b.booked_minor, 0) <> coalesce(e.total, 0)
  union all
  select 'held equals its holds', b.ledger_account_id::text, coalesce(h.total, 0), b.held_minor
    from ledger_balances b
    left join (select account_id, sum(amount_minor) as total from holds where state = 'reserved' group by 1) h
      on h.account_id = b.ledger_account_id
    where b.held_minor <> coalesce(h.total, 0)
  union all
  select 'customers are not overdrawn', b.ledger_account_id::text, 0, b.booked_minor - b.held_minor
    from ledger_balances b join ledger_accounts a using (ledger_account_id)
    where a.kind = 'customer' and b.booked_minor < b.held_minor
$$;
