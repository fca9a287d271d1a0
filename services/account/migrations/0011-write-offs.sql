-- Books what a statement and the ledger differ by against suspense, so that the settlement account says what the rail says.
--   p_credit_debit: the side the statement has, or that the ledger has too much of
--   p_adds: true books that side (the statement has it, the ledger has not), false the opposite one (the ledger has it alone)
--   returns the transaction, and its entry on the account
create function write_off_break(p_break_id uuid, p_transaction_id uuid, p_ledger_account_id uuid, p_credit_debit text, p_adds boolean,
  p_amount_minor bigint, p_details jsonb, p_now timestamptz, out transaction_id uuid, out entry_id bigint)
language plpgsql as $$
declare
  v_account ledger_accounts%rowtype;
  v_suspense uuid;
  v_side text;
begin
  select * into strict v_account from ledger_accounts where ledger_account_id = p_ledger_account_id;
  if v_account.kind <> 'settlement' then
    raise exception 'only the settlement account is written off, not %', v_account.code using errcode = 'KL006';
  end if;
  v_suspense := internal_account('suspense', v_account.currency);
  v_side := case when (p_credit_debit = 'CRDT') = p_adds then 'debit' else 'credit' end;
  select p.transaction_id into transaction_id from post_transaction(p_transaction_id, 'write-off:' || p_break_id, 'correction', null, p_details, p_now,
    case v_side when 'debit' then two_entries(p_ledger_account_id, v_suspense, p_amount_minor)
      else two_entries(v_suspense, p_ledger_account_id, p_amount_minor) end) p;
  select e.entry_id into strict entry_id from ledger_entries e
    where e.transaction_id = write_off_break.transaction_id and e.ledger_account_id = p_ledger_account_id;
end $$;
