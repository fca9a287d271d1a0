-- What an account's opener keeps with it, and what is known of how it came to its state.

-- `version` counts the changes of an account: its ETag. What the bank has blocked, the opener does not unblock.
alter table accounts
  add column version    bigint not null default 1,
  add column blocked_by text check (blocked_by in ('opener', 'compliance'));
update accounts set blocked_by = 'compliance' where status = 'blocked';

-- Whom the customer has saved as a payee of an account.
create table beneficiaries (
  beneficiary_id uuid primary key,
  account_id     uuid not null references accounts,
  name           text not null,
  iban           text not null,
  reference      text,
  version        bigint not null default 1,
  created_at     timestamptz not null default clock_timestamp(),
  constraint beneficiaries_once unique (account_id, iban)
);

-- Pays what an account has left to another of ours, before it is closed. The caller holds both accounts. Answers the transaction.
create function pay_out(p_account_id uuid, p_to uuid, p_amount_minor bigint, p_transaction_id uuid, p_details jsonb, p_now timestamptz) returns uuid
language sql as $$
  select p.transaction_id from post_transaction(p_transaction_id, 'closing:' || p_account_id, 'payout', null, p_details, p_now,
    two_entries(p_account_id, p_to, p_amount_minor)) p
$$;
