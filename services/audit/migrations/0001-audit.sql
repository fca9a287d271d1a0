-- The trail: each record carries the hash of the one before, so that nothing can be altered, removed or slipped in
-- unnoticed. The hash covers the ciphertext of personal data, not the data: destroying its key leaves the chain whole.
create table audit_records (
  position bigint primary key,
  event_id uuid not null unique,
  kind text not null check (kind in ('event', 'access', 'erasure')),
  type text not null,
  at timestamptz not null,
  recorded_at timestamptz not null,
  source text,
  client_id text,
  customer_id uuid,
  -- Whose key seals the personal data: 'customer:<id>', or a resource whose customer is not known yet.
  subject text,
  consent_id uuid,
  operation text,
  status integer,
  decision text,
  code text,
  correlation_id text,
  -- Canonical JSON of the fields that are not personal, as text: it is hashed letter by letter.
  data text not null,
  -- none: no personal data. sealed: in ciphertext. withheld: it came after the customer was erased and was not kept.
  personal text not null check (personal in ('none', 'sealed', 'withheld')),
  ciphertext bytea,
  previous_hash bytea not null check (length(previous_hash) = 32),
  hash bytea not null unique check (length(hash) = 32),
  check ((personal = 'sealed') = (ciphertext is not null))
);
create index audit_records_by_customer on audit_records (customer_id, position) where customer_id is not null;
create index audit_records_by_subject on audit_records (subject, position) where subject is not null;
create index audit_records_by_consent on audit_records (consent_id, position) where consent_id is not null;
create index audit_records_by_client on audit_records (client_id, position) where client_id is not null;
create index audit_records_by_type on audit_records (type, position);

-- A data key for each subject, wrapped by the master key. An erased key is null for ever.
create table data_keys (
  subject text primary key,
  wrapped bytea,
  created_at timestamptz not null,
  erased_at timestamptz,
  check ((wrapped is null) = (erased_at is not null))
);

-- Which customer a resource belongs to, learnt from events that name both.
create table subject_customers (
  subject text primary key,
  customer_id uuid not null
);
create index subject_customers_by_customer on subject_customers (customer_id);

-- What passed the gateway (the document store where no MongoDB is given).
create table access_records (
  request_id text primary key,
  at timestamptz not null,
  document jsonb not null
);
create index access_records_by_time on access_records (at, request_id);
create index access_records_by_customer on access_records ((document ->> 'customerId'), at, request_id);
create index access_records_by_consent on access_records ((document ->> 'consentId'), at, request_id);
create index access_records_by_client on access_records ((document ->> 'clientId'), at, request_id);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the audit trail is append-only' using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_records_append_only before update or delete on audit_records for each row execute function refuse_change();
create trigger audit_records_no_truncate before truncate on audit_records for each statement execute function refuse_change();
create trigger access_records_append_only before update or delete on access_records for each row execute function refuse_change();
create trigger access_records_no_truncate before truncate on access_records for each statement execute function refuse_change();
-- An owner's grants are given by nobody, so they are taken by name.
do $$
begin
  execute format('revoke update, delete, truncate on audit_records, access_records from public, %I', current_user);
end
$$;

-- A key that was erased is never put back.
create function refuse_revival() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or old.erased_at is not null then
    raise exception 'an erased key stays erased' using errcode = 'insufficient_privilege';
  end if;
  return new;
end
$$;
create trigger data_keys_stay_erased before update or delete on data_keys for each row execute function refuse_revival();

-- Appends records to the chain, one after the other under an advisory lock held to the end of the transaction; a record
-- already there (by event id) is left out. p_records: array of objects with the columns above (snake case), ciphertext in
-- base64, and `canonical`, the text that is hashed after position and previous hash. Gives the positions appended.
create function append_audit_records(p_records jsonb) returns setof bigint language plpgsql as $$
declare
  one jsonb;
  last_position bigint;
  last_hash bytea;
begin
  perform pg_advisory_xact_lock(7206100);
  select r.position, r.hash into last_position, last_hash from audit_records r order by r.position desc limit 1;
  if not found then
    last_position := 0;
    last_hash := decode(repeat('00', 32), 'hex');
  end if;
  for one in select value from jsonb_array_elements(p_records) loop
    continue when exists (select from audit_records r where r.event_id = (one ->> 'event_id')::uuid);
    insert into audit_records
      (position, event_id, kind, type, at, recorded_at, source, client_id, customer_id, subject, consent_id, operation, status,
       decision, code, correlation_id, data, personal, ciphertext, previous_hash, hash)
    values (last_position + 1, (one ->> 'event_id')::uuid, one ->> 'kind', one ->> 'type', (one ->> 'at')::timestamptz,
       (one ->> 'recorded_at')::timestamptz, one ->> 'source', one ->> 'client_id', (one ->> 'customer_id')::uuid, one ->> 'subject',
       (one ->> 'consent_id')::uuid, one ->> 'operation', (one ->> 'status')::integer, one ->> 'decision', one ->> 'code',
       one ->> 'correlation_id', one ->> 'data', one ->> 'personal', decode(one ->> 'ciphertext', 'base64'), last_hash,
       sha256(last_hash || convert_to((last_position + 1)::text || ' ' || (one ->> 'canonical'), 'UTF8')))
    returning position, hash into last_position, last_hash;
    return next last_position;
  end loop;
end
$$;
