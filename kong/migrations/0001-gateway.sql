-- What Kong keeps in its database and this state uses: consumers, their credentials and groups, codes and tokens.
-- Codes and tokens are stored as SHA-256 of their 192 random bits. API keys are readable, because Kong's Admin API shows
-- them and those who seed credentials compare them; in this platform they open the sandbox only.

create table consumers (
  id uuid primary key,
  username text unique,
  custom_id text unique,
  tags text[] not null default '{}',
  created_at timestamptz not null default now(),
  constraint consumers_named check (username is not null or custom_id is not null)
);

create table oauth2_credentials (
  id uuid primary key,
  consumer_id uuid not null references consumers on delete cascade,
  name text not null,
  client_id text not null unique,
  client_secret text,
  hash_secret boolean not null,
  redirect_uris text[],
  client_type text not null check (client_type in ('confidential', 'public')),
  tags text[] not null default '{}',
  created_at timestamptz not null default now()
);
create index oauth2_credentials_consumer on oauth2_credentials (consumer_id);

create table keyauth_credentials (
  id uuid primary key,
  consumer_id uuid not null references consumers on delete cascade,
  key text not null unique,
  expires_at timestamptz,
  tags text[] not null default '{}',
  created_at timestamptz not null default now()
);
create index keyauth_credentials_consumer on keyauth_credentials (consumer_id);

create table acls (
  id uuid primary key,
  consumer_id uuid not null references consumers on delete cascade,
  "group" text not null,
  tags text[] not null default '{}',
  created_at timestamptz not null default now(),
  constraint acls_group_key unique (consumer_id, "group")
);

create table oauth2_authorization_codes (
  id uuid primary key,
  code_hash bytea not null unique,
  credential_id uuid not null references oauth2_credentials on delete cascade,
  authenticated_userid text not null,
  scope text,
  challenge text,
  plugin_id uuid not null,
  expires_at timestamptz not null
);

create table oauth2_tokens (
  id uuid primary key,
  credential_id uuid not null references oauth2_credentials on delete cascade,
  access_token_hash bytea not null unique,
  refresh_token_hash bytea unique,
  authenticated_userid text,
  scope text,
  expires_in integer not null,
  created_at timestamptz not null,
  -- When the refresh token dies too, and the row may go.
  expires_at timestamptz
);
create index oauth2_tokens_credential on oauth2_tokens (credential_id);
create index oauth2_tokens_expiry on oauth2_tokens (expires_at);
