-- Statements of the rail and the core, matched with the ledger.
--
--   statements 1 ── n statement_parts 1 ── n statement_entries 1 ── n statement_items n ── matches ── n ledger_entries
--                                                                        │                                 │
--   reconciliation_breaks: an item, a ledger entry or a statement ───────┴─────────────────────────────────┘
--
-- An item is what is matched: an entry, or each payment of a batch booking. A ledger entry may have one item of a statement
-- (camt.053) and one of a notification (camt.054), which tell the same movement.

create table statements (
  statement_id  uuid primary key,
  source        text not null check (source in ('rail', 'core')),
  message       text not null check (message in ('camt.053', 'camt.054')),
  reference     text not null,
  account       text not null,
  currency      text,
  parts         int not null check (parts > 0),
  opening       jsonb,                           -- {amount, creditDebit, date}
  closing       jsonb,
  received_from text not null,                   -- the event's source, or who uploaded it
  received_at   timestamptz not null default clock_timestamp(),
  reconciled_at timestamptz,
  constraint statements_reference_unique unique (source, message, reference)
);
create index statements_newest on statements (received_at desc, statement_id desc);
create index statements_unreconciled on statements (received_at) where reconciled_at is null;

create table statement_parts (
  statement_id uuid not null references statements,
  part         int not null check (part > 0),
  digest       text not null,                    -- SHA-256 of what the part says
  primary key (statement_id, part)
);

create table statement_entries (
  statement_id     uuid not null,
  part             int not null,
  ordinal          int not null,
  reference        text not null,
  amount_minor     bigint not null,
  currency         text not null,
  credit_debit     text not null check (credit_debit in ('CRDT', 'DBIT')),
  reversal         boolean not null,
  status           text not null,
  booking_date     date,
  value_date       date,
  transaction_code text,
  transactions     jsonb not null,
  primary key (statement_id, part, ordinal),
  foreign key (statement_id, part) references statement_parts
);

create table statement_items (
  item_id           bigint generated always as identity primary key,
  statement_id      uuid not null,
  part              int not null,
  ordinal           int not null,
  message           text not null,
  -- Of whom the statement is; null until an account of ours is known under its number.
  ledger_account_id uuid references ledger_accounts,
  amount_minor      bigint not null,
  currency          text not null,
  credit_debit      text not null,
  item_date         date not null,
  end_to_end_id     text,
  rail_transaction  text,
  instruction_id    text,
  uetr              text,
  remittance        text,
  keys              text[] not null,             -- its references with side and amount: another one of them is a duplicate
  state             text not null default 'open' check (state in ('open', 'matched', 'ignored')),
  foreign key (statement_id, part, ordinal) references statement_entries
);
create index statement_items_open on statement_items (ledger_account_id, message, amount_minor) where state = 'open';
create index statement_items_of_statement on statement_items (statement_id);
create index statement_items_keys on statement_items using gin (keys) where state <> 'open';

-- Two people decide how a break ends: who proposed it is not who approves it.
create table reconciliation_breaks (
  break_id       uuid primary key,
  subject        text not null,                  -- item:<id> | entry:<id> | statement:<id> | conflict:<statement>:<digest>
  reason         text not null,
  statement_id   uuid references statements,
  item_id        bigint references statement_items,
  entry_id       bigint references ledger_entries,
  ledger_account_id uuid references ledger_accounts,
  amount_minor   numeric,
  currency       text,
  payment_id     uuid,
  candidates     uuid[] not null default '{}',   -- ledger transactions it might be
  status         text not null default 'open' check (status in ('open', 'proposed', 'resolved')),
  proposal       jsonb,                          -- {proposalId, resolution, transactionId?, reason, by, at}
  resolution     text,
  resolved_by    text,
  found_at       timestamptz not null default clock_timestamp(),
  resolved_at    timestamptz,
  constraint breaks_resolved check ((status = 'resolved') = (resolved_at is not null)),
  constraint breaks_four_eyes check (resolved_by is null or resolved_by <> proposal ->> 'by')
);
create unique index breaks_one_open on reconciliation_breaks (subject) where status <> 'resolved';
create index breaks_newest on reconciliation_breaks (found_at, break_id);
create index breaks_unresolved on reconciliation_breaks (reason, found_at) where status <> 'resolved';
create index breaks_of_entry on reconciliation_breaks (entry_id) where entry_id is not null;
create index breaks_of_statement on reconciliation_breaks (statement_id) where statement_id is not null;

create table reconciliation_matches (
  item_id    bigint not null references statement_items,
  entry_id   bigint not null references ledger_entries,
  message    text not null,
  rule       text not null check (rule in ('reference', 'amount-and-date', 'similar-text', 'staff', 'write-off')),
  score      numeric not null,
  matched_at timestamptz not null default clock_timestamp(),
  primary key (item_id, entry_id),
  constraint matches_entry_once unique (entry_id, message)
);
-- One to one; what was written off stands beside the booking it completes.
create unique index matches_item_once on reconciliation_matches (item_id) where rule <> 'write-off';

-- Ledger entries that will have no statement entry: written off (both entries), or ignored with a reason.
create table reconciliation_cleared (
  entry_id bigint primary key references ledger_entries,
  break_id uuid not null references reconciliation_breaks
);

-- Every act of the staff, also those that came to nothing.
create table reconciliation_decisions (
  decision_id bigint generated always as identity primary key,
  break_id    uuid not null references reconciliation_breaks,
  act         text not null check (act in ('proposed', 'approved', 'refused')),
  by_member   text not null,
  proposal    jsonb not null,
  reason      text,
  decided_at  timestamptz not null default clock_timestamp()
);
create trigger reconciliation_decisions_append_only before update or delete or truncate on reconciliation_decisions
  for each statement execute function refuse_change();

-- Accounts that are reconciled, since their first statement. Entries booked up to `checked_through` are matched, cleared or a
-- break; nothing is booked on a day that is over.
create table reconciliation_accounts (
  ledger_account_id uuid primary key references ledger_accounts,
  since             date not null,
  checked_through   date not null default '-infinity'
);
create index ledger_entries_booked on ledger_entries (ledger_account_id, booking_date, entry_id);

-- The account of the ledger that a statement is of: a customer's by its IBAN or its number at the core; of the rail otherwise
-- the settlement account of the currency.
create function reconciled_account(p_source text, p_account text, p_currency text) returns uuid
language sql stable as $$
  select coalesce(
    (select l.ledger_account_id from accounts a join ledger_accounts l on l.ledger_account_id = a.account_id
     where a.iban = p_account or (p_source = 'core' and a.core_reference = p_account) limit 1),
    case p_source when 'rail' then (select ledger_account_id from ledger_accounts where code = 'settlement:' || p_currency) end)
$$;

-- The entries of an account as its statement has them: a customer's account is our liability, the settlement account our asset,
-- so their sides are the other way round.
create function statement_side(p_kind text, p_side text) returns text
language sql immutable as $$
  select case when (p_kind = 'customer') = (p_side = 'credit') then 'CRDT' else 'DBIT' end
$$;
