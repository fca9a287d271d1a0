-- Rules of the ledger that grew with it: a sequence without gaps, value dates, overdraft limits, holds that expire, refunds,
-- reversal by counter-posting, closed periods.

-- One row a balance: `sequence` is the number of its newest entry, `overdraft_minor` how far a customer may go below zero.
alter table ledger_balances
  add column sequence        bigint not null default 0 check (sequence >= 0),
  add column overdraft_minor bigint not null default 0 check (overdraft_minor >= 0),
  drop constraint funds_cover,
  add constraint funds_cover check (may_overdraw or booked_minor - held_minor + overdraft_minor >= 0);

-- `sequence` counts the entries of one balance row from 1, drawn under its lock: a number that is missing is an entry that
-- is missing. `value_date` is the day from which the amount counts for interest; the booking date is never in the past.
alter table ledger_entries add column sequence bigint, add column value_date date;
grant update on ledger_entries to current_user;
alter table ledger_entries disable trigger ledger_entries_append_only;
update ledger_entries e set value_date = booking_date, sequence = numbered.sequence
  from (select entry_id, row_number() over (partition by ledger_account_id, shard order by entry_id) as sequence from ledger_entries) numbered
  where numbered.entry_id = e.entry_id;
update ledger_balances b set sequence = counted.entries
  from (select ledger_account_id, shard, count(*) as entries from ledger_entries group by 1, 2) counted
  where counted.ledger_account_id = b.ledger_account_id and counted.shard = b.shard;
alter table ledger_entries enable trigger ledger_entries_append_only;
revoke update on ledger_entries from current_user;
alter table ledger_entries alter column sequence set not null, alter column value_date set not null,
  add constraint ledger_entries_sequence unique (ledger_account_id, shard, sequence);

-- Days up to `closed_through` are closed: no value date lies in them any more, and no booking date.
create table ledger_closings (
  closed_through date primary key,
  closed_by      text not null,
  closed_at      timestamptz not null default clock_timestamp()
);
create trigger ledger_closings_append_only before update or delete or truncate on ledger_closings
  for each statement execute function refuse_change();

-- A reversal names what it takes back by its reference; nothing is taken back twice.
alter table ledger_transactions
  add column reverses uuid generated always as (case when reference like 'reversal:%' then substr(reference, 10)::uuid end) stored,
  add constraint ledger_transactions_reversed_once unique (reverses),
  add constraint ledger_transactions_reverses_one foreign key (reverses) references ledger_transactions,
  drop constraint ledger_transactions_type_check,
  add constraint ledger_transactions_type_check
    check (type in ('payment', 'incoming-payment', 'correction', 'reversal', 'payout', 'return', 'recall'));

-- A hold knows its end, the account of ours it pays (decided once, when it is made), and the received transfer it refunds.
alter table holds
  add column expires_at          timestamptz,
  add column creditor_account_id uuid,
  add column refund_of           uuid,
  drop constraint holds_state_check,
  add constraint holds_state_check check (state in ('reserved', 'captured', 'released', 'refused', 'settling', 'expired'));
update holds h set creditor_account_id = a.account_id from accounts a where a.iban = h.details -> 'creditor' ->> 'iban' and h.state = 'reserved';
create index holds_expiring on holds (expires_at) where state = 'reserved';
create index holds_incoming on holds (creditor_account_id) where state = 'reserved' and creditor_account_id is not null;
create index holds_refunds on holds (refund_of) where refund_of is not null;

-- How far back (or ahead) of its booking date a value date may lie.
create function value_date_days() returns int language sql immutable as $$ select 30 $$;

-- The day a posting is booked on: the day it happens, or the first open one if that day was closed meanwhile.
create function booking_date(p_at timestamptz) returns date language sql stable as $$
  select greatest((p_at at time zone 'utc')::date, (select max(closed_through) + 1 from ledger_closings))
$$;

-- Refuses a value date that lies too far from the booking date, in a closed period, or before an account was opened (KL005).
create function check_value_date(p_value_date date, p_booking_date date, p_accounts uuid[]) returns void
language plpgsql as $$
begin
  if abs(p_value_date - p_booking_date) > value_date_days() then
    raise exception 'value date % is more than % days from booking date %', p_value_date, value_date_days(), p_booking_date
      using errcode = 'KL005', constraint = 'value_date_near';
  end if;
  if p_value_date <= (select max(closed_through) from ledger_closings) then
    raise exception 'value date % lies in a closed period', p_value_date using errcode = 'KL005', constraint = 'value_date_open';
  end if;
  if exists (select 1 from accounts where account_id = any (p_accounts) and p_value_date < (opened_at at time zone 'utc')::date) then
    raise exception 'value date % is before the opening of an account', p_value_date using errcode = 'KL005', constraint = 'value_date_after_opening';
  end if;
end $$;

-- Which balance row of an account a transaction books to. A batch of postings (`kontor.shard`) stays on one row of each
-- internal account, so that it can lock all it needs before it begins.
create or replace function shard_of(p_shards smallint, p_transaction_id uuid) returns smallint
language sql stable as $$
  select (case when p_shards = 1 then 0
    else coalesce(nullif(current_setting('kontor.shard', true), '')::bigint, abs(hashtext(p_transaction_id::text)::bigint)) % p_shards end)::smallint
$$;

-- Books a transaction: entries and balances in one step, once for a reference. A posting may hold several currencies, each of
-- which balances by itself; nothing is converted.
--   p_entries: [{"account": uuid, "side": "debit"|"credit", "amount": minor units as text}]
--   p_value_date: the booking date unless given
--   returns the transaction's id and whether it was booked now (false: the reference had been booked before)
--   errors: KL002 debits and credits differ, KL003 the reference was used for other entries, KL005 the value date is refused,
--           23514 funds_cover when a customer account would fall below its overdraft limit
drop function post_transaction(uuid, text, text, uuid, jsonb, timestamptz, jsonb);
create function post_transaction(
  p_transaction_id uuid, p_reference text, p_type text, p_payment_id uuid, p_details jsonb, p_booked_at timestamptz,
  p_entries jsonb, p_value_date date default null, out transaction_id uuid, out booked boolean)
language plpgsql as $$
declare
  v_digest text := md5(p_entries::text);
  v_known ledger_transactions%rowtype;
  v_accounts uuid[];
  v_booking_date date := booking_date(p_booked_at);
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

  v_accounts := array(select (e ->> 'account')::uuid from jsonb_array_elements(p_entries) e);
  if p_value_date is not null then perform check_value_date(p_value_date, v_booking_date, v_accounts); end if;
  perform lock_balances(v_accounts, p_transaction_id);

  with entry as (
    select position, (e ->> 'account')::uuid as account, e ->> 'side' as side, (e ->> 'amount')::bigint as amount,
           a.currency, coalesce(shard_of(a.shards, p_transaction_id), 0) as shard
    from jsonb_array_elements(p_entries) with ordinality as j (e, position)
    left join ledger_accounts a on a.ledger_account_id = (e ->> 'account')::uuid
  ), change as (
    select account, shard, sum(case side when 'credit' then amount else -amount end) as minor, count(*) as entries from entry group by 1, 2
  ), drawn as (
    update ledger_balances b set booked_minor = b.booked_minor + change.minor, sequence = b.sequence + change.entries
      from change where b.ledger_account_id = change.account and b.shard = change.shard
      returning b.ledger_account_id as account, b.shard, b.sequence - change.entries as before
  )
  insert into ledger_entries (transaction_id, ledger_account_id, shard, side, amount_minor, currency, booking_date, value_date, sequence)
    select p_transaction_id, entry.account, entry.shard, entry.side, entry.amount, entry.currency, v_booking_date,
           coalesce(p_value_date, v_booking_date), drawn.before + row_number() over (partition by entry.account, entry.shard order by position)
    from entry left join drawn on drawn.account = entry.account and drawn.shard = entry.shard
    order by position;
  transaction_id := p_transaction_id;
  booked := true;
end $$;

-- Books the settlement of a hold that is locked and reserved (or of one that never held or holds no more: then against
-- suspense, so that the books say what the rail did and somebody looks). On-us: the creditor of ours is credited instead of
-- settlement; whether he is ours was decided when the funds were reserved, and is not asked again.
create or replace function settle_hold(p_payment_id uuid, p_transaction_id uuid, p_now timestamptz,
  out transaction_id uuid, out creditor_account_id uuid)
language plpgsql as $$
declare
  v_hold holds%rowtype;
  v_creditor accounts%rowtype;
  v_debit uuid;
  v_credit uuid;
begin
  select * into strict v_hold from holds h where h.payment_id = p_payment_id for update;
  perform 1 from accounts a where a.account_id in (v_hold.account_id, v_hold.creditor_account_id) order by a.account_id for share;
  v_debit := case v_hold.state when 'reserved' then v_hold.account_id else internal_account('suspense', v_hold.currency) end;
  if v_hold.creditor_account_id is null then
    v_credit := internal_account('settlement', v_hold.currency);
  else
    select * into strict v_creditor from accounts a where a.account_id = v_hold.creditor_account_id;
    if v_creditor.status in ('enabled', 'blocked') and v_creditor.currency = v_hold.currency then
      v_credit := v_creditor.account_id;
      creditor_account_id := v_creditor.account_id;
    else
      v_credit := internal_account('suspense', v_hold.currency);
    end if;
  end if;
  perform lock_balances(array[v_debit, v_credit], p_transaction_id);
  if v_hold.state = 'reserved' then
    update ledger_balances set held_minor = held_minor - v_hold.amount_minor where ledger_account_id = v_hold.account_id and shard = 0;
  end if;
  select p.transaction_id into transaction_id from post_transaction(p_transaction_id, 'payment:' || p_payment_id, 'payment',
    p_payment_id, v_hold.details, p_now, two_entries(v_debit, v_credit, v_hold.amount_minor)) p;
  update holds h set state = 'captured', transaction_id = settle_hold.transaction_id, updated_at = p_now where h.payment_id = p_payment_id;
end $$;

-- What has been paid back of a received transfer, or is on its way back.
create function refunded_minor(p_transaction_id uuid) returns bigint language sql stable as $$
  select coalesce(sum(amount_minor), 0)::bigint from holds where refund_of = p_transaction_id and state in ('reserved', 'captured')
$$;

-- Whether a payment may refund a received transfer. The caller holds the balance of the account: one refund after the other.
--   reason: NOOR no such transfer was received on the account (or it was reversed), AC03 the creditor is not who had paid,
--           AM09 more than is left of it
--   original: {railReference, endToEndId, amountMinor, currency} of a transfer the rail had delivered; null when it was on-us
create function check_refund(p_refund_of uuid, p_payment_id uuid, p_account_id uuid, p_creditor_iban text, p_amount_minor bigint, p_currency text,
  out reason text, out original jsonb)
language plpgsql as $$
declare
  v record;
begin
  select t.reference, t.details, e.amount_minor, e.currency into v
    from ledger_transactions t join ledger_entries e using (transaction_id)
    where t.transaction_id = p_refund_of and t.type in ('incoming-payment', 'payment') and e.ledger_account_id = p_account_id and e.side = 'credit'
      and not exists (select 1 from ledger_transactions r where r.reverses = p_refund_of);
  reason := case
    when not found then 'NOOR'
    when v.details -> 'debtor' ->> 'iban' is distinct from p_creditor_iban then 'AC03'
    when v.currency <> p_currency then 'AM03'
    when refunded_minor(p_refund_of) - (select coalesce(sum(amount_minor), 0) from holds
      where payment_id = p_payment_id and refund_of = p_refund_of and state in ('reserved', 'captured')) + p_amount_minor > v.amount_minor then 'AM09'
  end;
  if reason is null and v.reference like 'rail:%' then
    original := jsonb_build_object('railReference', substr(v.reference, 6), 'endToEndId', coalesce(v.details ->> 'endToEndId', ''),
      'amountMinor', v.amount_minor::text, 'currency', v.currency);
  end if;
end $$;

-- Reserves funds for a payment until p_hold_for has passed on this clock. Outcomes:
--   reserved  the funds are held; creditor_account_id: the payment is on-us; original: it returns that transfer
--   refused   reason AC01, AC04, AC06, AM03 or AM04; AC07 the creditor's account with us is closed; NOOR, AC03, AM09: check_refund
--   captured  held and settled at once: the settlement had been heard before
--   released  the payment had ended before: nothing is held
--   repeated  decided before; nothing changed
drop function reserve_funds(uuid, uuid, uuid, bigint, text, jsonb, uuid, timestamptz);
create function reserve_funds(p_payment_id uuid, p_hold_id uuid, p_account_id uuid, p_amount_minor bigint, p_currency text,
  p_details jsonb, p_transaction_id uuid, p_now timestamptz, p_hold_for interval default interval '7 days', p_refund_of uuid default null,
  out outcome text, out reason text, out hold_id uuid, out debtor jsonb, out transaction_id uuid, out creditor_account_id uuid, out original jsonb)
language plpgsql as $$
declare
  v_hold holds%rowtype;
  v_account accounts%rowtype;
  v_creditor accounts%rowtype;
  v_settling boolean;
begin
  insert into holds as h (payment_id, hold_id, account_id, state, amount_minor, currency, details, refund_of, created_at, updated_at)
    values (p_payment_id, p_hold_id, p_account_id, 'reserved', p_amount_minor, p_currency, p_details, p_refund_of, p_now, p_now)
    on conflict (payment_id) do nothing;
  if found then
    v_settling := false;
  else
    select * into strict v_hold from holds h where h.payment_id = p_payment_id for update;
    if v_hold.details is not null then outcome := 'repeated'; return; end if;
    update holds h set details = p_details, amount_minor = p_amount_minor, currency = p_currency, refund_of = p_refund_of, updated_at = p_now
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
    select * into v_creditor from accounts a where a.iban = p_details -> 'creditor' ->> 'iban';
    reason := case when v_creditor.status = 'closed' then 'AC07' when v_creditor.currency <> p_currency then 'AM03' end;
  end if;
  if reason is null and p_refund_of is not null then
    perform lock_balances(array[p_account_id], p_transaction_id);
    select c.reason, c.original into reason, original
      from check_refund(p_refund_of, p_payment_id, p_account_id, p_details -> 'creditor' ->> 'iban', p_amount_minor, p_currency) c;
  end if;
  if reason is null then
    update ledger_balances b set held_minor = b.held_minor + p_amount_minor
      where b.ledger_account_id = p_account_id and b.shard = 0 and b.booked_minor - b.held_minor + b.overdraft_minor >= p_amount_minor;
    if not found then reason := 'AM04'; end if;
  end if;
  debtor := jsonb_build_object('name', v_account.holder_name, 'iban', v_account.iban);
  update holds h set state = case when reserve_funds.reason is null then 'reserved' else 'refused' end,
      reason = reserve_funds.reason, details = p_details || jsonb_build_object('debtor', reserve_funds.debtor),
      creditor_account_id = v_creditor.account_id, expires_at = clock_timestamp() + p_hold_for
    where h.payment_id = p_payment_id returning h.hold_id into hold_id;
  outcome := case when reason is null then 'reserved' else 'refused' end;
  if reason is null then creditor_account_id := v_creditor.account_id; end if;
  if v_settling then
    select s.transaction_id, s.creditor_account_id into transaction_id, creditor_account_id
      from settle_hold(p_payment_id, p_transaction_id, p_now) s;
    outcome := 'captured';
  end if;
end $$;

-- Ends holds whose time is over on this clock: the funds are available again. A settlement that comes later is booked against
-- suspense. Holds that somebody works on are left for the next time.
create function expire_holds(p_most int) returns table (payment_id uuid, account_id uuid)
language plpgsql as $$
declare
  v_payments uuid[];
begin
  v_payments := array(select h.payment_id from holds h where h.state = 'reserved' and h.expires_at <= clock_timestamp()
    order by h.payment_id limit p_most for update skip locked);
  perform 1 from ledger_balances b where b.shard = 0 and b.ledger_account_id in (select h.account_id from holds h where h.payment_id = any (v_payments))
    order by b.ledger_account_id for update;
  update ledger_balances b set held_minor = b.held_minor - expired.minor
    from (select h.account_id, sum(h.amount_minor) as minor from holds h where h.payment_id = any (v_payments) group by 1) expired
    where b.ledger_account_id = expired.account_id and b.shard = 0;
  return query update holds h set state = 'expired', updated_at = clock_timestamp() where h.payment_id = any (v_payments)
    returning h.payment_id, h.account_id;
end $$;

-- Sets how far an account may be overdrawn. 23514 funds_cover when more than that is in use.
create function set_overdraft(p_account_id uuid, p_limit_minor bigint) returns void
language sql as $$
  update ledger_balances set overdraft_minor = p_limit_minor where ledger_account_id = p_account_id and shard = 0
$$;

-- Takes a booking back by booking its entries the other way round, once. Outcomes: reversed, repeated, unknown, is_reversal,
-- closed (a customer's account in it is closed). 23514 funds_cover when the money is not there any more.
create function reverse_transaction(p_reversed_id uuid, p_transaction_id uuid, p_details jsonb, p_now timestamptz,
  out outcome text, out transaction_id uuid)
language plpgsql as $$
declare
  v_reversed ledger_transactions%rowtype;
  v_entries jsonb;
  v_booked boolean;
begin
  select * into v_reversed from ledger_transactions t where t.transaction_id = p_reversed_id;
  if not found then outcome := 'unknown'; return; end if;
  if v_reversed.reverses is not null then outcome := 'is_reversal'; return; end if;
  perform 1 from accounts a join ledger_entries e on e.ledger_account_id = a.account_id
    where e.transaction_id = p_reversed_id order by a.account_id for share of a;
  if exists (select 1 from accounts a join ledger_entries e on e.ledger_account_id = a.account_id
             where e.transaction_id = p_reversed_id and a.status = 'closed') then
    select t.transaction_id into transaction_id from ledger_transactions t where t.reverses = p_reversed_id;
    outcome := case when found then 'repeated' else 'closed' end;
    return;
  end if;
  select jsonb_agg(jsonb_build_object('account', e.ledger_account_id, 'side', case e.side when 'debit' then 'credit' else 'debit' end,
      'amount', e.amount_minor::text) order by e.entry_id)
    into v_entries from ledger_entries e where e.transaction_id = p_reversed_id;
  select p.transaction_id, p.booked into transaction_id, v_booked from post_transaction(p_transaction_id, 'reversal:' || p_reversed_id, 'reversal',
    v_reversed.payment_id, v_reversed.details || p_details, p_now, v_entries) p;
  outcome := case when v_booked then 'reversed' else 'repeated' end;
end $$;

-- Takes every lock a batch of events will need, in the order in which single ones take them, and keeps the batch on one row of
-- each internal account.
--   p_payments: payments that are settled or released      p_accounts: debtors      p_ibans: creditors of incoming transfers
create function prepare_batch(p_payments uuid[], p_accounts uuid[], p_ibans text[]) returns void
language plpgsql as $$
declare
  v_accounts uuid[];
begin
  perform set_config('kontor.shard', floor(random() * 64)::text, true);
  perform 1 from holds h where h.payment_id = any (p_payments) order by h.payment_id for update;
  v_accounts := array(
    select a.account_id from accounts a
      where a.account_id = any (p_accounts) or a.iban = any (p_ibans)
        or a.account_id in (select h.creditor_account_id from holds h where h.payment_id = any (p_payments) and h.creditor_account_id is not null)
      order by a.account_id for share);
  perform lock_balances(v_accounts || array(
    select i.ledger_account_id from ledger_accounts i
      where i.code in (select k.kind || ':' || a.currency from accounts a, (values ('settlement'), ('suspense')) k (kind) where a.account_id = any (v_accounts))
    ), null);
end $$;
