/** What a conversation has besides texts: attachments, voice memos, reactions, typing, receipts, edits. */
import type { MigrationText } from './migration.ts';

export const conversations: MigrationText = {
  name: '0005-conversations',
  statements: (engine) => [
    // Whether it is a voice memo, how many attachments it has, and when its sender changed it or took it back.
    'alter table messages add column is_audio_message bigint not null default 0',
    'alter table messages add column attachment_count bigint not null default 0',
    'alter table messages add column edited_at bigint',
    'alter table messages add column unsent_at bigint',

    // The attachments of a message, in their order. `file_ref` is null where the bytes are not here.
    `create table attachments (message_ref bigint not null, place bigint not null, file_ref bigint, filename text,
      mime_type text, size bigint, transcription text, primary key (message_ref, place))`,

    // Reactions. One that was taken off keeps its row.
    `create table reactions (ref ${engine.identity}, id text not null unique, account_ref bigint not null,
      line_ref bigint not null, chat_ref bigint not null, message_ref bigint not null, type text not null,
      sender text not null, is_from_me bigint not null, added bigint not null, sent_at bigint not null,
      synced_at bigint not null, unique (message_ref, sender, type))`,
    'create index reactions_by_chat on reactions (chat_ref)',

    // Who types in a chat, and until when that is believed without another word.
    `create table typing_indicators (ref ${engine.identity}, id text not null unique, account_ref bigint not null,
      line_ref bigint not null, chat_ref bigint not null, handle text not null, is_typing bigint not null,
      updated_at bigint not null, expires_at bigint not null, unique (chat_ref, handle))`,
    'create index typing_now on typing_indicators (line_ref, expires_at) where is_typing = 1',
    'create index typing_expiring on typing_indicators (expires_at) where is_typing = 1',

    // How far each party has read a chat.
    `create table read_receipts (ref ${engine.identity}, id text not null unique, account_ref bigint not null,
      line_ref bigint not null, chat_ref bigint not null, handle text not null, last_read_at bigint not null,
      synced_at bigint not null, unique (chat_ref, handle))`,

    // What an item asks for, and what its hand-over needs beyond the request, as JSON.
    "alter table outbox add column kind text not null default 'message'",
    'alter table outbox add column details text',

    // What the line's driver can do, a JSON array; null where none has said so yet.
    'alter table line_health add column capabilities text',
  ],
};
