-- The bank's staff who look after consents. They are made by the bank's administrator (npm run staff), never by a page.

create table staff (
  id uuid primary key,                                            -- stands in consents' histories; says nothing about the person
  username text not null constraint staff_username_taken unique,  -- lower case
  role text not null check (role in ('consent-officer', 'compliance-officer')),
  password_hash text not null,                                    -- argon2id, PHC string
  totp_secret_sealed bytea not null,                              -- AES-256-GCM
  last_totp_step bigint not null default 0,                       -- a one-time code is taken once
  generation integer not null default 1,                          -- a session of an earlier one is over
  left_at timestamptz,                                            -- histories name the id, so the row stays
  created_at timestamptz not null default now()
);
