-- Payments of every kind: put off to a day or for a review, instant, parts of a bulk or of a standing order, refunds, and such
-- that never leave the bank.
alter table payments
  add column kind text not null default 'single' check (kind in ('single', 'scheduled', 'standing-order', 'bulk', 'refund')),
  add column instant boolean not null default false,
  add column on_us boolean not null default false,
  add column bulk_payment_id uuid,
  add column standing_order_id uuid,
  add column refund_of uuid,
  -- What a payment that stands at PDNG waits for, and until when it is looked at again.
  add column pending_for text check (pending_for in ('execution-date', 'review', 'rail-answer')),
  add column due_at timestamptz,
  drop constraint payments_status_check,
  drop constraint payments_check,
  add constraint payments_status_check check (status in ('RCVD', 'PDNG', 'ACTC', 'ACCP', 'ACSP', 'ACSC', 'ACCC', 'RJCT', 'CANC')),
  add constraint payments_reason_check check (case status when 'RJCT' then status_reason is not null when 'CANC' then true when 'PDNG' then true else status_reason is null end),
  add constraint payments_pending_check check (pending_for is null or status = 'PDNG');
drop index payments_unsettled;
create index payments_unsettled on payments (status_at) where status in ('RCVD', 'PDNG', 'ACTC', 'ACCP', 'ACSP');
create index payments_due on payments (due_at) where due_at is not null;
