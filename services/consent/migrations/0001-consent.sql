-- Consents, and the little the service must know of applications, customers and accounts to show a customer what is asked.

CREATE TABLE consents (
  id            uuid PRIMARY KEY,
  client_id     text NOT NULL,
  type          text NOT NULL CHECK (type IN ('account-access', 'payment')),
  status        text NOT NULL CHECK (status IN ('awaiting_authorisation', 'authorised', 'rejected', 'revoked', 'expired', 'consumed')),
  status_reason text,
  permissions   text[] NOT NULL,
  accounts      uuid[] NOT NULL DEFAULT '{}',
  customer_id   uuid,
  payment       jsonb CHECK ((type = 'payment') = (payment IS NOT NULL)),
  redirect_uri  text NOT NULL,
  expires_at    timestamptz NOT NULL,
  version       integer NOT NULL DEFAULT 1,
  created_at    timestamptz NOT NULL,
  updated_at    timestamptz NOT NULL,
  -- Whoever is authorised has said who he is and for which accounts.
  CHECK (status <> 'authorised' OR (customer_id IS NOT NULL AND cardinality(accounts) > 0))
);
CREATE INDEX consents_by_client ON consents (client_id, created_at DESC, id DESC);
CREATE INDEX consents_by_customer ON consents (customer_id, created_at DESC) WHERE customer_id IS NOT NULL;
CREATE INDEX consents_due ON consents (expires_at) WHERE status IN ('awaiting_authorisation', 'authorised');

-- Projections of other services' events.
CREATE TABLE applications (client_id text PRIMARY KEY, name text NOT NULL);
CREATE TABLE customers (id uuid PRIMARY KEY, given_name text NOT NULL, active boolean NOT NULL);
CREATE TABLE accounts (
  id          uuid PRIMARY KEY,
  customer_id uuid NOT NULL,
  iban        text NOT NULL,
  currency    char(3) NOT NULL,
  product     text NOT NULL,
  open        boolean NOT NULL DEFAULT true
);
CREATE INDEX accounts_by_customer ON accounts (customer_id);

-- Online-banking credentials. The one-time-code secret is sealed (AES-256-GCM), the password hashed (Argon2id).
CREATE TABLE credentials (
  customer_id        uuid PRIMARY KEY,
  username           text NOT NULL UNIQUE,
  password_hash      text NOT NULL,
  totp_secret_sealed bytea NOT NULL,
  last_totp_step     bigint NOT NULL DEFAULT 0,   -- RFC 6238 §5.2: a code is accepted once
  failed_attempts    integer NOT NULL DEFAULT 0,
  locked_until       timestamptz
);

-- Proof of strong customer authentication, linked to what was on the screen (RTS on SCA, article 5).
CREATE TABLE authentications (
  id          uuid PRIMARY KEY,
  consent_id  uuid NOT NULL REFERENCES consents (id),
  customer_id uuid NOT NULL,
  factors     text[] NOT NULL,
  linked_hash bytea NOT NULL,
  at          timestamptz NOT NULL
);
