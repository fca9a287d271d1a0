create table note (
  note_id uuid primary key,
  word text not null,
  at timestamptz not null default now()
);
