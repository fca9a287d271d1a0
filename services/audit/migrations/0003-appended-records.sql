-- append_audit_records tells which records it appended, by event id: what follows from a record (access.decided) must follow
-- once, however often the record is delivered. Else as in 0001.
drop function append_audit_records(jsonb);
create function append_audit_records(p_records jsonb) returns setof uuid language plpgsql as $$
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
    return next (one ->> 'event_id')::uuid;
  end loop;
end
$$;
