-- What happens to a payment after the rail has it: recalls its client asks for (camt.056), and money that came back (pacs.004).
create table payment_recalls (
  recall_id     uuid primary key,
  payment_id    uuid not null references payments,
  reason        text not null,                     -- ExternalCancellationReason1Code
  status        text not null check (status in ('requested', 'accepted', 'refused')),
  answer_reason text,                              -- ExternalPaymentCancellationRejection1Code, when refused
  requested_at  timestamptz not null,
  answered_at   timestamptz,
  check ((status = 'requested') = (answered_at is null))
);
create index payment_recalls_of_payment on payment_recalls (payment_id, requested_at desc);
-- Two open recalls of one payment could both be accepted: the rail would be asked for the money twice.
create unique index payment_recalls_one_open on payment_recalls (payment_id) where status = 'requested';

create table payment_returns (
  rail_reference text primary key,                 -- of the pacs.004: one return counts once
  payment_id     uuid not null references payments,
  amount_minor   bigint not null check (amount_minor > 0),
  currency       text not null,
  reason         text,                             -- ExternalReturnReason1Code
  returned_at    timestamptz not null
);
create index payment_returns_of_payment on payment_returns (payment_id, returned_at);
