-- Recalls of transfers we received (camt.056), and received transfers that the staff send back (pacs.004), after a recall or without one.
create table recalls (
  recall_id          uuid primary key,
  rail_reference     text not null unique,         -- of the camt.056: one recall is one case
  original_reference text not null,                -- of the transfer; it may not have been heard of yet
  end_to_end_id      text not null,
  amount_minor       bigint not null check (amount_minor > 0),
  currency           text not null,
  reason             text not null,                -- ExternalCancellationReason1Code
  status             text not null check (status in ('open', 'accepted', 'refused')),
  decided_by         text,                         -- <clientId>/<staffMember>
  decision_reason    text,                         -- ExternalPaymentCancellationRejection1Code, when refused
  received_at        timestamptz not null,
  decided_at         timestamptz,
  check ((status = 'open') = (decided_at is null)),
  check ((status = 'open') = (decided_by is null))
);
create index recalls_newest on recalls (received_at desc, recall_id desc);
create index recalls_open on recalls (received_at) where status = 'open';

create table credit_returns (
  transaction_id uuid primary key references ledger_transactions,
  returned_id    uuid not null references ledger_transactions,
  recall_id      uuid unique references recalls,
  account_id     uuid not null,
  amount_minor   bigint not null check (amount_minor > 0),
  currency       text not null,
  reason         text not null,                    -- ExternalReturnReason1Code
  returned_by    text not null,
  returned_at    timestamptz not null
);
create index credit_returns_of on credit_returns (returned_id);
create trigger credit_returns_append_only before update or delete or truncate on credit_returns
  for each statement execute function refuse_change();

-- What has been paid back of a received transfer, by refunds of its receiver and by returns of the bank, or is on its way back.
create or replace function refunded_minor(p_transaction_id uuid) returns bigint language sql stable as $$
  select (select coalesce(sum(amount_minor), 0) from holds where refund_of = p_transaction_id and state in ('reserved', 'captured'))::bigint
    + (select coalesce(sum(amount_minor), 0) from credit_returns where returned_id = p_transaction_id)::bigint
$$;

-- Sends a received transfer back, whole or in part: the account is debited and the rail gets its money. The account's balance is
-- the lock, as for refunds, so that all that goes back is never more than what came. Outcomes:
--   returned
--   unknown    no transfer the rail delivered, or reversed      too_much   more than is left of it
--   currency   not the transfer's                               closed     the account is
-- 23514 funds_cover when the money is not there any more.
create function return_credit(p_returned_id uuid, p_reference text, p_type text, p_recall_id uuid, p_amount_minor bigint, p_currency text, p_reason text,
  p_by text, p_transaction_id uuid, p_now timestamptz, out outcome text, out account_id uuid, out rail_reference text, out end_to_end_id text)
language plpgsql as $$
declare
  v record;
  v_settlement uuid := internal_account('settlement', p_currency);
begin
  select t.reference, t.details, e.amount_minor, e.currency, e.ledger_account_id into v
    from ledger_transactions t join ledger_entries e using (transaction_id)
    where t.transaction_id = p_returned_id and t.type = 'incoming-payment' and t.reference like 'rail:%' and e.side = 'credit';
  if not found then outcome := 'unknown'; return; end if;
  if v.currency <> p_currency then outcome := 'currency'; return; end if;
  perform 1 from accounts a where a.account_id = v.ledger_account_id and a.status in ('enabled', 'blocked') for share;
  if not found then outcome := 'closed'; return; end if;
  perform lock_balances(array[v.ledger_account_id, v_settlement], p_transaction_id);
  if exists (select 1 from ledger_transactions r where r.reverses = p_returned_id) then outcome := 'unknown'; return; end if;
  if refunded_minor(p_returned_id) + p_amount_minor > v.amount_minor then outcome := 'too_much'; return; end if;
  perform post_transaction(p_transaction_id, p_reference, p_type, null,
    jsonb_strip_nulls(jsonb_build_object('endToEndId', v.details ->> 'endToEndId', 'creditor', v.details -> 'debtor', 'reason', p_reason, 'by', p_by)),
    p_now, two_entries(v.ledger_account_id, v_settlement, p_amount_minor));
  insert into credit_returns (transaction_id, returned_id, recall_id, account_id, amount_minor, currency, reason, returned_by, returned_at)
    values (p_transaction_id, p_returned_id, p_recall_id, v.ledger_account_id, p_amount_minor, p_currency, p_reason, p_by, p_now);
  account_id := v.ledger_account_id;
  rail_reference := substr(v.reference, 6);
  end_to_end_id := coalesce(v.details ->> 'endToEndId', 'NOTPROVIDED');
  outcome := 'returned';
end $$;

-- What was sent back cannot be reversed as well, nor what sent it back: the account would be debited twice, or the rail's money be
-- taken back from nobody. The balance is the lock, as in return_credit.
create function refuse_reversal_of_returned() returns trigger language plpgsql as $$
begin
  perform 1 from ledger_balances b join ledger_entries e using (ledger_account_id) join ledger_accounts a using (ledger_account_id)
    where e.transaction_id = new.reverses and a.kind = 'customer' order by b.ledger_account_id for update of b;
  if refunded_minor(new.reverses) > 0 or exists (select 1 from credit_returns c where c.transaction_id = new.reverses) then
    raise exception 'transaction % was sent back over the rail', new.reverses using errcode = 'KL007', constraint = 'reversal_of_returned';
  end if;
  return null;
end $$;
create trigger ledger_transactions_returned after insert on ledger_transactions
  for each row when (new.reverses is not null) execute function refuse_reversal_of_returned();
