/** The rows of the message database, with their chats and attachments, in few statements. */
import { decodeAttributedBody } from '../text/attributed-body.ts';
import { plainText } from '../text/plain-text.ts';
import { placeAttachments, readAttachments, slotsOf } from './attachment-rows.ts';
import { readChats } from './chat-rows.ts';
import { readHandle } from './handles.ts';
import type { ChatRow, MessageRow } from './message-row.ts';
import type { OpenChatDb, Row } from './open-chat-db.ts';
import {
  bytesOf,
  isSet,
  millisecondsIn,
  momentOf,
  numberOf,
  serviceOf,
  textOf,
  toAppleNanoseconds,
} from './row-values.ts';

export interface ReadRow extends MessageRow {
  /** Written by the system about itself. */
  readonly isSystem: boolean;
}

/** How many of the newest rows are searched for those without a chat. */
const UNJOINED_WITHIN = 500;

/** What is read as it stands; what a release does not have is null. */
const COLUMNS = [
  'guid',
  'text',
  'attributedBody',
  'service',
  'is_from_me',
  'is_sent',
  'is_delivered',
  'error',
  'was_downgraded',
  'is_audio_message',
  'item_type',
  'group_action_type',
  'group_title',
  'associated_message_type',
  'associated_message_guid',
  'thread_originator_guid',
  'balloon_bundle_id',
  'expressive_send_style_id',
  'is_empty',
  'cache_has_attachments',
  'schedule_type',
  'schedule_state',
  'destination_caller_id',
  'is_system_message',
  'is_service_message',
] as const;
const MOMENTS = ['date', 'date_read', 'date_delivered'] as const;

export function rowsAfter(db: OpenChatDb, rowid: number, limit: number): ReadRow[] {
  return complete(db, select(db, 'm.ROWID > ? ORDER BY m.ROWID LIMIT ?', rowid, limit));
}

export function rowsByRowid(db: OpenChatDb, rowids: readonly number[]): ReadRow[] {
  if (rowids.length === 0) return [];
  const list = 'm.ROWID IN (SELECT value FROM json_each(?)) ORDER BY m.ROWID';
  return complete(db, select(db, list, JSON.stringify(rowids)));
}

export function rowsByGuid(db: OpenChatDb, guids: readonly string[]): ReadRow[] {
  if (guids.length === 0) return [];
  const list = 'm.guid IN (SELECT value FROM json_each(?)) ORDER BY m.ROWID';
  return complete(db, select(db, list, JSON.stringify(guids)));
}

export function ownRowsAfter(db: OpenChatDb, rowid: number): ReadRow[] {
  // With the plus the planner stays with the ROWID and does not walk an index of all own rows.
  return complete(db, select(db, 'm.ROWID > ? AND +m.is_from_me = 1 ORDER BY m.ROWID', rowid));
}

/** The rows of a moment ago that stand in no chat. */
export function unjoinedRows(db: OpenChatDb, since: number): { readonly rowid: number; readonly guid: string }[] {
  const rows = db.all(
    `SELECT m.ROWID AS rowid, m.guid FROM message m WHERE m.ROWID > ? AND m.date >= ?
       AND NOT EXISTS (SELECT 1 FROM chat_message_join j WHERE j.message_id = m.ROWID) ORDER BY m.ROWID`,
    maxRowid(db) - UNJOINED_WITHIN,
    toAppleNanoseconds(since),
  );
  return rows.map((row) => ({ rowid: numberOf(row, 'rowid'), guid: textOf(row, 'guid') ?? '' }));
}

export function maxRowid(db: OpenChatDb): number {
  return numberOf(db.all('SELECT MAX(ROWID) AS newest FROM message')[0] ?? {}, 'newest');
}

/** Of several chats a row stands in the one with the lowest number. */
function select(db: OpenChatDb, where: string, ...values: (string | number)[]): Row[] {
  const has = (name: string): boolean => db.columns.message.has(name);
  const plain = COLUMNS.map((name) => (has(name) ? `m.${name}` : `NULL AS ${name}`));
  const moments = MOMENTS.map((name) => `${has(name) ? millisecondsIn(`m.${name}`) : 'NULL'} AS ${name}`);
  return db.all(
    `SELECT m.ROWID AS rowid, ${[...plain, ...moments].join(', ')}, h.id AS sender,
       (SELECT MIN(j.chat_id) FROM chat_message_join j WHERE j.message_id = m.ROWID) AS chat_rowid
     FROM message m LEFT JOIN handle h ON h.ROWID = m.handle_id WHERE ${where}`,
    ...values,
  );
}

function complete(db: OpenChatDb, rows: readonly Row[]): ReadRow[] {
  if (rows.length === 0) return [];
  const chatRowids = new Set(rows.flatMap((row) => (row['chat_rowid'] === null ? [] : [numberOf(row, 'chat_rowid')])));
  const chats = readChats(db, [...chatRowids]);
  const attachments = readAttachments(
    db,
    rows.map((row) => numberOf(row, 'rowid')),
  );
  return rows.map((row) => {
    const body = bytesOf(row, 'attributedBody');
    const decoded = body === null ? null : decodeAttributedBody(body);
    const chat = chats.get(numberOf(row, 'chat_rowid')) ?? null;
    return {
      ...toFlags(row),
      service: serviceOf(textOf(row, 'service') ?? chat?.service ?? null),
      text: plainText(decoded, textOf(row, 'text')),
      chat,
      sender: senderOf(row, chat),
      attachments: placeAttachments(attachments.get(numberOf(row, 'rowid')) ?? [], slotsOf(decoded)),
    };
  });
}

/**
 * An inbound row of a direct chat may name the own address that it came to as its sender: then it is from the other
 * party. In a chat with oneself there is none.
 */
function senderOf(row: Row, chat: ChatRow | null): string | null {
  const raw = textOf(row, 'sender');
  const sender = raw === null ? null : readHandle(raw);
  if (isSet(row, 'is_from_me') || chat === null || chat.isGroup) return sender;
  const destination = textOf(row, 'destination_caller_id');
  const isOwn = sender === null || (destination !== null && sender === readHandle(destination));
  return isOwn ? (chat.participants.find((one) => one !== sender) ?? chat.identifier) : sender;
}

function toFlags(row: Row): Omit<ReadRow, 'service' | 'text' | 'chat' | 'sender' | 'attachments'> {
  return {
    rowid: numberOf(row, 'rowid'),
    guid: textOf(row, 'guid') ?? '',
    date: momentOf(row, 'date') ?? 0,
    isFromMe: isSet(row, 'is_from_me'),
    isSent: isSet(row, 'is_sent'),
    isDelivered: isSet(row, 'is_delivered'),
    deliveredAt: momentOf(row, 'date_delivered'),
    readAt: momentOf(row, 'date_read'),
    error: numberOf(row, 'error'),
    wasDowngraded: isSet(row, 'was_downgraded'),
    isAudioMessage: isSet(row, 'is_audio_message'),
    itemType: numberOf(row, 'item_type'),
    groupActionType: numberOf(row, 'group_action_type'),
    groupTitle: textOf(row, 'group_title'),
    associatedType: numberOf(row, 'associated_message_type'),
    associatedGuid: textOf(row, 'associated_message_guid'),
    threadOriginatorGuid: textOf(row, 'thread_originator_guid'),
    balloonBundleId: textOf(row, 'balloon_bundle_id'),
    effectId: textOf(row, 'expressive_send_style_id'),
    isEmpty: isSet(row, 'is_empty'),
    hasAttachments: isSet(row, 'cache_has_attachments'),
    scheduleType: numberOf(row, 'schedule_type'),
    scheduleState: numberOf(row, 'schedule_state'),
    destinationCallerId: textOf(row, 'destination_caller_id'),
    isSystem: isSet(row, 'is_system_message') || isSet(row, 'is_service_message'),
  };
}
