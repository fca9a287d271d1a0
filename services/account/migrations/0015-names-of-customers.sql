-- When the newest event that gave a name came about. A name is as new as that event, not as the newest event of all: one that is
-- heard late still counts where what was heard since gave no name.
alter table customers add column name_as_of timestamptz;
update customers set name_as_of = as_of where holder_name is not null;
