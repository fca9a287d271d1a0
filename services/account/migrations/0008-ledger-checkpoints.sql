-- The scheduled check reads what was booked since the last one that found nothing; the whole ledger it reads once a day, and
-- as long as something is broken. Two million entries take a full check some seconds, a minute's bookings milliseconds.

-- How far each balance was found sound.
create table ledger_checkpoints (
  ledger_account_id uuid not null,
  shard             smallint not null,
  sequence          bigint not null,
  booked_minor      bigint not null,
  primary key (ledger_account_id, shard)
);
create table ledger_full_checks (
  one        boolean primary key default true check (one),
  checked_at timestamptz not null
);

-- What must hold of balances and holds as they stand.
create function ledger_standing_breaks() returns table (invariant text, subject text, expected numeric, actual numeric)
language sql stable as $$
  select 'held equals its holds', b.ledger_account_id::text, coalesce(h.total, 0), b.held_minor
    from ledger_balances b
    left join (select account_id, sum(amount_minor) as total from holds where state = 'reserved' group by 1) h
      on h.account_id = b.ledger_account_id
    where b.held_minor <> coalesce(h.total, 0)
  union all
  select 'nobody is beyond the overdraft limit', b.ledger_account_id::text, -b.overdraft_minor, b.booked_minor - b.held_minor
    from ledger_balances b join ledger_accounts a using (ledger_account_id)
    where a.kind = 'customer' and b.booked_minor - b.held_minor < -b.overdraft_minor
$$;

-- As ledger_invariant_breaks(), of what lies behind the checkpoints; what holds of balances and holds alone is read as a whole.
create function ledger_recent_breaks() returns table (invariant text, subject text, expected numeric, actual numeric)
language sql stable as $$
  with behind as (
    select b.ledger_account_id, b.shard, b.booked_minor, b.sequence, coalesce(c.sequence, 0) as from_sequence, coalesce(c.booked_minor, 0) as from_minor
      from ledger_balances b left join ledger_checkpoints c using (ledger_account_id, shard)
      where b.sequence <> coalesce(c.sequence, 0) or b.booked_minor <> coalesce(c.booked_minor, 0)
  ), recent as materialized (
    select e.* from behind cross join lateral (
      select * from ledger_entries l where l.ledger_account_id = behind.ledger_account_id and l.shard = behind.shard and l.sequence > behind.from_sequence) e
  ), summed as (
    select ledger_account_id, shard, count(*) as entries, max(sequence) as highest,
           sum(case side when 'credit' then amount_minor else -amount_minor end) as total
      from recent group by 1, 2
  ), sides as (
    select e.transaction_id, e.currency, count(*) over (partition by e.transaction_id) as entries, e.side, e.amount_minor
      from ledger_entries e where e.transaction_id in (select transaction_id from recent)
  )
  select 'debits equal credits', transaction_id::text || ' ' || currency, 0::numeric, sum(case side when 'debit' then amount_minor else -amount_minor end)
    from sides group by transaction_id, currency having sum(case side when 'debit' then amount_minor else -amount_minor end) <> 0
  union all
  select distinct 'a transaction has two sides', transaction_id::text, 2::numeric, entries::numeric from sides where entries < 2
  union all
  select 'an entry is in the currency of its account', e.transaction_id::text, 0, count(*)
    from recent e join ledger_accounts a using (ledger_account_id) where e.currency <> a.currency group by e.transaction_id
  union all
  select 'balance equals its entries', ledger_account_id::text, from_minor + coalesce(total, 0), booked_minor
    from behind left join summed using (ledger_account_id, shard) where from_minor + coalesce(total, 0) <> booked_minor
  union all
  select 'the sequence has no gap', ledger_account_id::text, sequence, from_sequence + coalesce(entries, 0)
    from behind left join summed using (ledger_account_id, shard)
    where sequence <> from_sequence + coalesce(entries, 0) or highest <> sequence
  union all
  select * from ledger_standing_breaks()
$$;

-- Whether the next check must read everything: a breach is known, or the last full one is too long ago.
create function full_check_due(p_every interval) returns boolean language sql stable as $$
  select exists (select 1 from ledger_breaches_told) or not exists (select 1 from ledger_full_checks where checked_at > clock_timestamp() - p_every)
$$;

-- Keeps what a check that found nothing has seen; the caller's transaction is the one that checked (REPEATABLE READ).
create function keep_checkpoints(p_full boolean) returns void language sql as $$
  insert into ledger_checkpoints as c (ledger_account_id, shard, sequence, booked_minor)
    select b.ledger_account_id, b.shard, b.sequence, b.booked_minor from ledger_balances b
      left join ledger_checkpoints k using (ledger_account_id, shard)
      where b.sequence <> coalesce(k.sequence, 0) or b.booked_minor <> coalesce(k.booked_minor, 0)
    on conflict (ledger_account_id, shard) do update set sequence = excluded.sequence, booked_minor = excluded.booked_minor;
  insert into ledger_full_checks (checked_at) select clock_timestamp() where p_full
    on conflict (one) do update set checked_at = excluded.checked_at;
$$;
