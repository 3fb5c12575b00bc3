/**
 * The tables of the simulated phone network, in DDL that SQLite and PostgreSQL both understand.
 *
 * There is no identity column: a reader that tails by an identity misses the rows of a transaction that drew early and
 * committed late. Positions are drawn from the line's own row, which stays locked until the commit (see `feed.ts`).
 *
 * An oracle outside the server may read `messages`: one row is one message that reached the air, so counting the rows
 * of a `reference` counts how often the server sent that outbox item.
 */
export const WIRE_SCHEMA: readonly string[] = [
  // A line as the network knows it: the position of its newest entry, and the faults it was given (JSON, null: none).
  `create table if not exists lines (
    line text primary key,
    head bigint not null,
    faults text
  )`,

  // Every message on the air, one row each, never deduplicated by reference. `from_line` is 1 for the line's own
  // messages, which carry the outbox item's `reference` and the `attempt`; a phone's have neither. `chat` is the
  // peer's handle or the group's identifier; `seq` the position of the message's entry in the line's feed. `state` is
  // sent, delivered or read for the line's messages, and received or read for a phone's. With `echoes` 0 the line never hears
  // of the message.
  `create table if not exists messages (
    guid text primary key,
    line text not null,
    seq bigint not null,
    chat text not null,
    is_group integer not null,
    from_line integer not null,
    sender text not null,
    text text not null,
    reference text,
    attempt integer,
    echoes integer not null,
    state text not null,
    sent_at bigint not null
  )`,
  'create index if not exists messages_reference on messages (reference)',
  'create index if not exists messages_chat on messages (chat, sent_at, line, seq)',
  `create index if not exists messages_unread on messages (line, chat) where state = 'delivered'`,
  `create index if not exists messages_unread_by_line on messages (line, chat) where state = 'received'`,

  // What some messages have besides text: `attachments` as JSON, whether it is a voice memo, the GUID that it answers,
  // its send style, and when its sender changed it or took it back.
  `create table if not exists message_extras (
    guid text primary key,
    attachments text not null,
    is_audio integer not null,
    reply_to text,
    effect text,
    edited_at bigint,
    unsent_at bigint
  )`,

  // The reactions that are on messages now: one of each sender on a message. `target` is the message's GUID.
  `create table if not exists reactions (
    target text not null,
    sender text not null,
    type text not null,
    at bigint not null,
    primary key (target, sender)
  )`,

  // What a line did besides sending messages, a row for each hand-over that was carried out: a reaction, typing, or the
  // mark that a chat was read. An oracle may count these too.
  `create table if not exists acts (
    reference text not null,
    attempt integer not null,
    line text not null,
    chat text not null,
    kind text not null,
    guid text not null,
    at bigint not null,
    primary key (reference, attempt)
  )`,

  // The chats in which a line types, and until when it is shown to.
  `create table if not exists line_typing (
    line text not null,
    chat text not null,
    until_at bigint not null,
    primary key (line, chat)
  )`,

  // The arbiter's journal, a row for each hand-over that was written or ruled out: the first of the two to insert its
  // row wins. `state` is sent, or void when the network has promised that this attempt will never go out.
  `create table if not exists hand_overs (
    reference text not null,
    attempt integer not null,
    state text not null,
    primary key (reference, attempt)
  )`,

  // What a line's driver reads, in the order of `seq`: `body` is the event as JSON, without its cursor. An entry with
  // `visible` 0 is passed over: its message is on the air, and its echo never comes.
  `create table if not exists entries (
    line text not null,
    seq bigint not null,
    kind text not null,
    chat text not null,
    body text not null,
    visible integer not null,
    primary key (line, seq)
  )`,

  // What will happen at `due_at`, done once by whichever process runs the line's driver. `cause` is the position of
  // the entry that it follows from, and orders what is due at the same time.
  `create table if not exists futures (
    id text primary key,
    line text not null,
    due_at bigint not null,
    cause bigint not null,
    kind text not null,
    body text not null
  )`,
  'create index if not exists futures_due on futures (line, due_at)',

  // The groups of a line, and the phones in them. The line itself is never listed.
  `create table if not exists group_chats (
    identifier text primary key,
    line text not null,
    name text
  )`,
  `create table if not exists group_members (
    identifier text not null,
    phone text not null,
    ord integer not null,
    primary key (identifier, phone)
  )`,
  'create index if not exists group_members_phone on group_members (phone)',

  // The phones that answer by themselves: with `text`, or with what they were sent when `echo` is 1.
  `create table if not exists autoreplies (
    phone text primary key,
    text text,
    echo integer not null
  )`,
];
