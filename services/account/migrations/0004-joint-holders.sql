-- Further customers who hold an account together with accounts.customer_id.
alter table accounts
  add column joint_holder_ids uuid[] not null default '{}',
  add constraint accounts_joint_holders check (cardinality(joint_holder_ids) <= 3 and not customer_id = any (joint_holder_ids));
create index accounts_by_joint_holder on accounts using gin (joint_holder_ids) where joint_holder_ids <> '{}';
