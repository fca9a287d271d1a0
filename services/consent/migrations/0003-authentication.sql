-- Strong customer authentication: challenges, the messages that carry them, and the browsers a customer has proven to be his.

-- Failures are counted per browser or address (Redis), never per customer: a lock on the row would let anybody lock anybody out.
ALTER TABLE credentials DROP COLUMN failed_attempts, DROP COLUMN locked_until;

-- One attempt to prove a second factor for one thing. It is used once, by one statement.
CREATE TABLE challenges (
  id          uuid PRIMARY KEY,
  customer_id uuid NOT NULL,
  purpose     text NOT NULL CHECK (purpose IN ('sign-in', 'consent')),
  consent_id  uuid REFERENCES consents (id),
  method      text NOT NULL CHECK (method IN ('totp', 'message', 'decoupled')),
  -- SHA-256 over exactly what was on the screen (RTS on SCA, article 5)
  linked_hash bytea NOT NULL,
  -- HMAC-SHA-256 of the code sent; the code itself is nowhere but in the message
  code_hash   bytea,
  -- what the customer's device answered
  decision    text CHECK (decision IN ('approve', 'deny')),
  tries       integer NOT NULL DEFAULT 0,
  created_at  timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL,
  used_at     timestamptz,
  voided_at   timestamptz,
  CHECK ((purpose = 'consent') = (consent_id IS NOT NULL)),
  CHECK ((method = 'message') = (code_hash IS NOT NULL)),
  CHECK (decision IS NULL OR method = 'decoupled')
);
CREATE INDEX challenges_by_customer ON challenges (customer_id, created_at DESC);
CREATE INDEX challenges_by_age ON challenges (created_at);

-- What the bank told the customer's telephone. The text is sealed (AES-256-GCM): it holds codes, payees and amounts.
CREATE TABLE messages (
  id           uuid PRIMARY KEY,
  customer_id  uuid NOT NULL,
  challenge_id uuid NOT NULL REFERENCES challenges (id) ON DELETE CASCADE,
  text_sealed  bytea NOT NULL,
  created_at   timestamptz NOT NULL
);
CREATE INDEX messages_by_customer ON messages (customer_id, created_at DESC);
CREATE INDEX messages_by_challenge ON messages (challenge_id);

-- Browsers from which the customer has passed two factors; the cookie's value is kept as its SHA-256 only.
CREATE TABLE devices (
  id_hash     bytea PRIMARY KEY,
  customer_id uuid NOT NULL,
  created_at  timestamptz NOT NULL,
  expires_at  timestamptz NOT NULL
);
CREATE INDEX devices_by_customer ON devices (customer_id);
CREATE INDEX devices_by_age ON devices (expires_at);
