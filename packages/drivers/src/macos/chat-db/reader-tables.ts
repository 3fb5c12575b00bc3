/** The reader's tables in the journal. Times are Unix milliseconds. */
export const READER_TABLES: readonly string[] = [
  // How far each line has read, and by which rows its database is known again.
  `create table if not exists reader_positions (
     line text primary key,
     epoch text not null,
     file text not null,
     samples text not null,
     frontier integer not null,
     begun_at integer not null,
     caught_up_at integer not null
   ) strict`,
  // Rows that cannot be told yet.
  `create table if not exists reader_waiting (
     line text not null,
     guid text not null,
     rowid_seen integer not null,
     why text not null,
     first_seen integer not null,
     since integer not null,
     due_at integer not null,
     primary key (line, guid)
   ) strict, without rowid`,
  // Rows that were waited for in vain.
  `create table if not exists reader_orphans (
     line text not null,
     guid text not null,
     rowid_seen integer not null,
     why text not null,
     at integer not null,
     primary key (line, guid)
   ) strict, without rowid`,
  // What was told, so that nothing is told twice, and what may still become of own messages.
  `create table if not exists reader_told (
     line text not null,
     guid text not null,
     as_what text not null,
     is_direct integer not null,
     reference text,
     is_delivered integer not null,
     is_read integer not null,
     error integer not null,
     is_settled integer not null,
     at integer not null,
     primary key (line, guid)
   ) strict, without rowid`,
  'create index if not exists reader_told_unsettled on reader_told (line, at) where is_settled = 0',
  'create index if not exists reader_told_at on reader_told (at)',
  // Attachments whose bytes are not with the server, of messages that are.
  `create table if not exists reader_attachments (
     line text not null,
     guid text not null,
     place integer not null,
     is_old integer not null,
     first_seen integer not null,
     due_at integer not null,
     primary key (line, guid, place)
   ) strict, without rowid`,
];
