-- What must hold of the books, and what was last found broken.

-- Everything that must hold; one row a breach, none in health. One statement, so one snapshot. Reads the whole ledger.
create or replace function ledger_invariant_breaks() returns table (invariant text, subject text, expected numeric, actual numeric)
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
  select 'an entry is in the currency of its account', e.transaction_id::text, 0, count(*)
    from ledger_entries e join ledger_accounts a using (ledger_account_id) where e.currency <> a.currency group by e.transaction_id
  union all
  select 'balance equals its entries', coalesce(b.ledger_account_id, e.ledger_account_id)::text,
         coalesce(e.total, 0), coalesce(b.booked_minor, 0)
    from ledger_balances b
    full join (select ledger_account_id, shard, sum(case side when 'credit' then amount_minor else -amount_minor end) as total
               from ledger_entries group by 1, 2) e on e.ledger_account_id = b.ledger_account_id and e.shard = b.shard
    where coalesce(b.booked_minor, 0) <> coalesce(e.total, 0)
  union all
  -- The unique index keeps numbers from repeating: as many as the highest of them, from 1, have no gap.
  select 'the sequence has no gap', coalesce(b.ledger_account_id, e.ledger_account_id)::text, coalesce(b.sequence, 0), coalesce(e.entries, 0)
    from ledger_balances b
    full join (select ledger_account_id, shard, count(*) as entries, min(sequence) as lowest, max(sequence) as highest
               from ledger_entries group by 1, 2) e on e.ledger_account_id = b.ledger_account_id and e.shard = b.shard
    where coalesce(b.sequence, 0) <> coalesce(e.entries, 0) or e.highest <> e.entries or e.lowest <> 1
  union all
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

-- How much a check has looked at.
create function ledger_size() returns table (transactions bigint, entries bigint, accounts bigint, holds bigint)
language sql stable as $$
  select (select count(*) from ledger_transactions), (select count(*) from ledger_entries), (select count(*) from ledger_accounts),
         (select count(*) from holds where state = 'reserved')
$$;

-- Breaches that have been told: one row an invariant, with the digest of all its breaches. What is told once is not told
-- again until it changes.
create table ledger_breaches_told (
  invariant text primary key,
  digest    text not null,
  told_at   timestamptz not null default clock_timestamp()
);
