-- Developers at fintechs, and the applications they register. Client secrets and API keys are known to the gateway alone.

create table developers (
  id uuid primary key,
  email text not null constraint developers_email_taken unique,   -- lower case, trimmed
  password_hash text not null,                                    -- argon2id, PHC string
  organisation text not null,
  created_at timestamptz not null default now()
);

-- registering: the gateway is being told; active: it knows; removing: it has to forget. Rows in the first and the last
-- state are taken up by the reconciler when the request that should have finished them has died.
create table apps (
  id uuid primary key,                                            -- also the OAuth2 client id
  developer_id uuid not null references developers (id),
  request_id uuid not null,                                       -- of the form: a form sent twice registers once
  name text not null,
  redirect_uri text not null,
  roles text[] not null,
  status text not null default 'registering' check (status in ('registering', 'active', 'removing')),
  status_since timestamptz not null default now(),
  rotating_until timestamptz,                                     -- one rotation at a time
  rotated_at timestamptz,
  created_at timestamptz not null default now(),
  constraint apps_request_once unique (developer_id, request_id)
);
create index apps_unfinished on apps (status_since) where status <> 'active';
