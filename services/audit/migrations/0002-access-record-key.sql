-- A gateway may take over the correlation id a client sends as its request id. The time a request began is the gateway's
-- own: with it in the key, a client that repeats an id cannot keep later requests out of the records.
alter table access_records drop constraint access_records_pkey, add primary key (request_id, at);
