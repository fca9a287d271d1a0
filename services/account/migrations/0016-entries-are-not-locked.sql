-- A foreign key locks the row it refers to, for which its owner needs the privilege to update: and nobody has that on the
-- entries of the ledger. It would guard nothing either: entries are never deleted, and what is matched is read from them
-- in the same transaction.
alter table reconciliation_breaks drop constraint reconciliation_breaks_entry_id_fkey;
alter table reconciliation_matches drop constraint reconciliation_matches_entry_id_fkey;
alter table reconciliation_cleared drop constraint reconciliation_cleared_entry_id_fkey;
