/** Where the ledger of hand-overs is kept, in the journal. Times are Unix milliseconds. */

export const SEND_TABLES: readonly string[] = [
  // What was handed over under a reference, as its first attempt said it.
  `create table if not exists send_items (
     reference text primary key,
     chat text not null,
     is_group integer not null,
     -- The newest attempt that was begun.
     attempt integer not null,
     made_at integer not null
   ) strict, without rowid`,
  'create index if not exists send_items_by_age on send_items (made_at)',
  // A text, and each file, is a part of its own: what is said to Messages in one call.
  `create table if not exists send_parts (
     reference text not null references send_items (reference),
     part integer not null,
     state text not null,
     -- What is sent: a text, empty once its outcome is certain; null where it is a file.
     text text,
     file_id text,
     file_name text,
     file_type text,
     file_size integer,
     staged_path text,
     max_rowid_before integer,
     dispatched_at integer,
     -- The GUIDs of the chats that its row may stand in, as JSON, besides those that are named after the recipient.
     chat_guids text not null default '[]',
     -- How many characters of the text the rows seen so far hold, white space aside.
     covered integer not null default 0,
     -- 1 while a row may still be claimed for it.
     is_open integer not null default 0,
     guid text,
     reason text,
     primary key (reference, part)
   ) strict, without rowid`,
  'create index if not exists send_parts_open on send_parts (dispatched_at) where is_open = 1',
  'create index if not exists send_parts_staged on send_parts (staged_path) where staged_path is not null',
  // Attempts that were promised never to go out: this one, and all before it.
  `create table if not exists send_voids (
     reference text primary key,
     attempt integer not null,
     made_at integer not null
   ) strict, without rowid`,
  // Whose an own row is, once that is decided; without a reference it is the owner's.
  `create table if not exists own_rows (
     guid text primary key,
     reference text,
     part integer,
     decided_at integer not null
   ) strict, without rowid`,
  'create index if not exists own_rows_by_age on own_rows (decided_at)',
  'create index if not exists own_rows_by_reference on own_rows (reference, part) where reference is not null',
];
