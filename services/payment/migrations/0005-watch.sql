-- Finding payments whose time has come: those that wait for their day, and those that stand too long at their status.
drop index payments_due;
create index payments_waiting on payments (due_at) where pending_for = 'execution-date';

-- Since when a payment is to be seen to move: it reached its status, was let go, was accepted (instant), or was last retried.
-- How long it may stand then, in seconds, doubles with each attempt. p_patience: {RCVD, PDNG, review, ACCP, ACSP, ACSC, instant}.
create function stands_until(q payments, p_patience jsonb) returns timestamptz
language sql immutable as $$
  select coalesce(q.retried_at, case when q.status = 'PDNG' then coalesce(q.due_at, q.status_at) when q.instant then coalesce(q.accepted_at, q.status_at) else q.status_at end)
    + make_interval(secs => power(2, q.attempts) * (p_patience ->> case when q.instant and q.pending_for is null and q.status <> 'ACSC' then 'instant' else coalesce(q.pending_for, q.status) end)::float8)
$$;
