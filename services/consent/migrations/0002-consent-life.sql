-- The whole life of a consent: more kinds, several approvals, amendments, history, what it is used for.

ALTER TABLE consents DROP CONSTRAINT consents_type_check, DROP CONSTRAINT consents_status_check;
ALTER TABLE consents
  ADD CONSTRAINT consents_type_check CHECK (type IN ('account-access', 'payment', 'variable-recurring', 'funds-confirmation')),
  ADD CONSTRAINT consents_status_check CHECK (status IN
    ('awaiting_authorisation', 'partially_authorised', 'authorised', 'rejected', 'consumed', 'revoked', 'withdrawn', 'expired')),
  ADD COLUMN approvers uuid[] NOT NULL DEFAULT '{}',
  ADD COLUMN approvals jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN recurring jsonb CHECK ((type = 'variable-recurring') = (recurring IS NOT NULL)),
  ADD COLUMN one_off boolean NOT NULL DEFAULT false,
  ADD COLUMN frequency_per_day integer CHECK (frequency_per_day > 0),
  ADD COLUMN amendment jsonb CHECK (amendment IS NULL OR status = 'authorised'),
  ADD COLUMN valid_from timestamptz,
  -- Days before its end that its people were told of last.
  ADD COLUMN notice integer,
  -- Only a payment is used up.
  ADD CONSTRAINT consents_consumed_are_payments CHECK (status <> 'consumed' OR type = 'payment');
-- A revocation of the third party's has a name of its own now.
UPDATE consents SET status = 'withdrawn' WHERE status = 'revoked' AND status_reason = 'by_third_party';
UPDATE consents SET status = 'rejected' WHERE status = 'expired' AND status_reason = 'abandoned';
UPDATE consents SET approvers = ARRAY[customer_id], approvals = jsonb_build_array(jsonb_build_object('customerId', customer_id, 'at', updated_at))
  WHERE customer_id IS NOT NULL AND status IN ('authorised', 'consumed');
DROP INDEX consents_due;
CREATE INDEX consents_due ON consents (expires_at) WHERE status IN ('awaiting_authorisation', 'partially_authorised', 'authorised');
CREATE INDEX consents_awaiting ON consents (created_at) WHERE status = 'awaiting_authorisation';
CREATE INDEX consents_part_signed ON consents (id) WHERE status = 'partially_authorised';
CREATE INDEX consents_in_amendment ON consents (id) WHERE amendment IS NOT NULL;
CREATE INDEX consents_by_approver ON consents USING gin (approvers);
CREATE INDEX consents_by_account ON consents USING gin (accounts);
CREATE INDEX consents_by_age ON consents (created_at DESC, id DESC);

-- Every change, in order; the terms as they stood after it. Written in the transaction of the change, never changed.
CREATE TABLE consent_history (
  consent_id uuid NOT NULL REFERENCES consents (id),
  version    integer NOT NULL,
  at         timestamptz NOT NULL,
  act        text NOT NULL,
  status     text NOT NULL,
  actor_kind text NOT NULL CHECK (actor_kind IN ('customer', 'third_party', 'bank', 'system')),
  actor_id   text,
  reason     text NOT NULL,
  note       text,
  terms      jsonb NOT NULL,
  PRIMARY KEY (consent_id, version)
);
INSERT INTO consent_history (consent_id, version, at, act, status, actor_kind, reason, terms)
  SELECT id, version, updated_at, 'create', status, 'system', coalesce(status_reason, 'requested'),
    jsonb_build_object('permissions', permissions, 'accounts', accounts, 'expiresAt', expires_at) FROM consents;

-- Who holds an account; every holder approves what is done with it.
CREATE TABLE account_holders (
  account_id  uuid NOT NULL REFERENCES accounts (id),
  customer_id uuid NOT NULL,
  PRIMARY KEY (account_id, customer_id)
);
CREATE INDEX account_holders_by_customer ON account_holders (customer_id);
INSERT INTO account_holders (account_id, customer_id) SELECT id, customer_id FROM accounts;

-- Accesses without the customer, counted for consents that limit them. Days in UTC.
CREATE TABLE consent_uses (
  consent_id uuid NOT NULL REFERENCES consents (id),
  day        date NOT NULL,
  operation  text NOT NULL,
  account    text NOT NULL,
  used       integer NOT NULL,
  PRIMARY KEY (consent_id, day, operation, account)
);
CREATE INDEX consent_uses_by_day ON consent_uses (day);

-- What the gateway decided under each consent, as the audit service tells it.
CREATE TABLE consent_decisions (
  consent_id uuid NOT NULL,
  client_id  text NOT NULL,
  day        date NOT NULL,
  operation  text NOT NULL,
  decision   text NOT NULL CHECK (decision IN ('allow', 'refuse')),
  code       text NOT NULL DEFAULT '',
  count      bigint NOT NULL,
  last_at    timestamptz NOT NULL,
  PRIMARY KEY (consent_id, client_id, day, operation, decision, code)
);
CREATE INDEX consent_decisions_by_day ON consent_decisions (day) WHERE decision = 'refuse';

-- Authorisation requests an application has left with us: the customer's link carries only the reference, and works once.
CREATE TABLE authorisation_references (
  reference_hash bytea PRIMARY KEY,
  consent_id     uuid NOT NULL REFERENCES consents (id),
  request        jsonb NOT NULL,
  expires_at     timestamptz NOT NULL,
  taken_at       timestamptz
);
CREATE INDEX authorisation_references_by_end ON authorisation_references (expires_at);
