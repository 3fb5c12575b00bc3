/** Messages: inserting a sighting once, its states, and the pages that clients read. */

import { isSendStyle, type Service } from '@trunkline/drivers';
import type { Message, MessageState } from '../domain/message.ts';
import { readAttachments } from './attachments.ts';
import { type Engine, type Row, type Statement, statement } from './database.ts';
import { textOrNull } from './row-values.ts';

/** A second sighting of a GUID on a line is harmless: the unique index refuses it. */
export const insertMessages = statement(
  {
    chat_ref: 'int',
    sent_at: 'int',
    id: 'text',
    account_ref: 'int',
    line_ref: 'int',
    guid: 'text',
    sender: 'text',
    text: 'text',
    service: 'text',
    is_from_me: 'int',
    state: 'text',
    outbox_ref: 'int',
    reply_to_guid: 'text',
    delivered_at: 'int',
    read_at: 'int',
    is_audio_message: 'int',
    attachment_count: 'int',
    effect: 'text',
    item_part: 'int',
    is_whole_item: 'int',
    is_old: 'int',
    now: 'int',
  },
  `insert into messages (chat_ref, sent_at, ref, id, account_ref, line_ref, guid, sender, text, service, is_from_me,
     state, outbox_ref, reply_to_guid, delivered_at, read_at, is_audio_message, attachment_count, effect,
     item_part, is_whole_item, is_old, synced_at, updated_at)
   select i.chat_ref, i.sent_at, {next ref of messages}, i.id, i.account_ref, i.line_ref, i.guid, i.sender, i.text,
     i.service, i.is_from_me, i.state, i.outbox_ref, i.reply_to_guid, i.delivered_at, i.read_at, i.is_audio_message,
     i.attachment_count, i.effect, i.item_part, i.is_whole_item, i.is_old, i.now, i.now
   {from items} where true
   on conflict (line_ref, guid) do nothing returning ref, id`,
);

/** A state only moves on: sent, delivered, read. */
export const updateReceipts = statement(
  { ref: 'int', delivered_at: 'int', read_at: 'int', now: 'int' },
  `update messages set
     delivered_at = coalesce(messages.delivered_at, i.delivered_at),
     read_at = coalesce(messages.read_at, i.read_at),
     state = case when coalesce(messages.read_at, i.read_at) is not null then 'read'
       when coalesce(messages.delivered_at, i.delivered_at) is not null then 'delivered' else messages.state end,
     updated_at = i.now
   {from items} where messages.ref = i.ref and messages.is_from_me = 1`,
);

export const selectMessagesByRef = statement(
  { ref: 'int' },
  `select messages.*, chats.id as chat_id, lines.id as line_id, lines.handle as line_handle, outbox.id as outbox_id
   from messages join chats on chats.ref = messages.chat_ref join lines on lines.ref = messages.line_ref
   left join outbox on outbox.ref = messages.outbox_ref{, items} where messages.ref = i.ref`,
);

const pageByChat = statement(
  { chat_ref: 'int', sent_at: 'int', ref: 'int', max: 'int' },
  `select messages.*, chats.id as chat_id, lines.id as line_id, outbox.id as outbox_id
   from messages join chats on chats.ref = messages.chat_ref join lines on lines.ref = messages.line_ref
   left join outbox on outbox.ref = messages.outbox_ref
   where messages.chat_ref = i.chat_ref and (messages.sent_at, messages.ref) < (i.sent_at, i.ref)
   order by messages.sent_at desc, messages.ref desc limit i.max`,
);

const messageById = statement(
  { account_ref: 'int', id: 'text' },
  `select messages.*, chats.id as chat_id, lines.id as line_id, outbox.id as outbox_id
   from messages join chats on chats.ref = messages.chat_ref join lines on lines.ref = messages.line_ref
   left join outbox on outbox.ref = messages.outbox_ref
   where messages.account_ref = i.account_ref and messages.id = i.id`,
);

/** A GUID is looked up line by line, of which there are few; CROSS JOIN keeps SQLite from reading all messages instead. */
const messagesByGuid = statement(
  { account_ref: 'int', guid: 'text' },
  `select messages.*, chats.id as chat_id, lines.id as line_id, outbox.id as outbox_id
   from lines cross join messages join chats on chats.ref = messages.chat_ref
   left join outbox on outbox.ref = messages.outbox_ref
   where messages.line_ref = lines.ref and messages.account_ref = i.account_ref and messages.guid = i.guid
   order by messages.ref desc`,
);

const ownGuids = statement(
  { account_ref: 'int', line_ref: 'int', guid: 'text' },
  `select messages.guid from messages{, items}
   where messages.line_ref = i.line_ref and messages.guid = i.guid and messages.account_ref = i.account_ref`,
);

/** The place in a chat after which a page begins. */
export interface MessagePosition {
  readonly sentAt: number;
  readonly ref: number;
}

export const NEWEST: MessagePosition = { sentAt: Number.MAX_SAFE_INTEGER, ref: Number.MAX_SAFE_INTEGER };

export interface StoredMessage extends Message {
  readonly ref: number;
  readonly lineRef: number;
}

/** A page of a chat's messages, newest first, strictly before the position. */
export async function pageOfMessages(
  engine: Engine,
  chatRef: number,
  before: MessagePosition,
  max: number,
): Promise<readonly StoredMessage[]> {
  const rows = await engine.read(pageByChat, { chat_ref: chatRef, sent_at: before.sentAt, ref: before.ref, max });
  return messagesFromRows(engine.readEach, rows);
}

/** A message by its id or, newest first, the messages with that GUID on any line of the account. */
export async function findMessages(engine: Engine, accountRef: number, idOrGuid: string): Promise<StoredMessage[]> {
  const byId = await engine.read(messageById, { account_ref: accountRef, id: idOrGuid });
  if (byId.length > 0) return messagesFromRows(engine.readEach, byId);
  const byGuid = await engine.read(messagesByGuid, { account_ref: accountRef, guid: idOrGuid });
  return messagesFromRows(engine.readEach, byGuid);
}

/** Of these GUIDs on a line those whose messages are the account's. */
export async function findOwnGuids(
  engine: Engine,
  accountRef: number,
  lineRef: number,
  guids: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await engine.readEach(
    ownGuids,
    guids.map((guid) => ({ account_ref: accountRef, line_ref: lineRef, guid })),
  );
  return new Set(rows.map((row) => String(row['guid'])));
}

/** In the order of the rows; the attachments of those that have some are read at once. */
export async function messagesFromRows(
  readEach: (statement: Statement, items: readonly Row[]) => Promise<Row[]>,
  rows: readonly Row[],
): Promise<StoredMessage[]> {
  const refs = rows.flatMap((row) => (Number(row['attachment_count']) > 0 ? [Number(row['ref'])] : []));
  const attachments = await readAttachments(readEach, refs);
  return rows.map((row) => messageFromRow(row, attachments));
}

function messageFromRow(row: Row, attachments: Awaited<ReturnType<typeof readAttachments>>): StoredMessage {
  // What was taken back is gone.
  const isGone = row['unsent_at'] !== null;
  return {
    ref: Number(row['ref']),
    lineRef: Number(row['line_ref']),
    id: String(row['id']),
    lineId: String(row['line_id']),
    chatId: String(row['chat_id']),
    guid: String(row['guid']),
    sender: String(row['sender']),
    text: textOrNull(row['text']),
    attachments: isGone ? [] : (attachments.get(Number(row['ref'])) ?? []),
    isAudioMessage: row['is_audio_message'] === 1,
    service: String(row['service']) as Service,
    isFromMe: row['is_from_me'] === 1,
    sentAt: Number(row['sent_at']),
    syncedAt: Number(row['synced_at']),
    outboxId: textOrNull(row['outbox_id']),
    replyToGuid: textOrNull(row['reply_to_guid']),
    effect: isSendStyle(row['effect']) ? row['effect'] : null,
  };
}

/** What a first sighting says of how far a message has come. */
export function messageState(seen: {
  isFromMe: boolean;
  deliveredAt: number | null;
  readAt: number | null;
}): MessageState {
  if (!seen.isFromMe) return 'received';
  if (seen.readAt !== null) return 'read';
  return seen.deliveredAt !== null ? 'delivered' : 'sent';
}
