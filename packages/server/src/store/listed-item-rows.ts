/** Listed items with all that they show: joined from their outbox items, messages, attachments and chats. */
import type { Service } from '@trunkline/drivers';
import { handleOf, type ListedItem, type StoredStatus, UNDER_WAY } from '../domain/listed-item.ts';
import type { Attachment } from '../domain/message.ts';
import type { OutboxState } from '../domain/outbox.ts';
import { readAttachments } from './attachments.ts';
import { type Row, type Statement, statement } from './database.ts';
import { numberOrNull, textOrNull } from './row-values.ts';

const selectItems = statement(
  { ref: 'int' },
  `select listed_items.*, accounts.owner_email, lines.handle as line_handle, lines.service as line_service,
     outbox.id as outbox_id, outbox.state as outbox_state, outbox.payload, outbox.details, outbox.error,
     messages.id as message_id, messages.text, messages.unsent_at, messages.reply_to_guid, messages.attachment_count, messages.effect,
     case when exists (select 1 from opt_outs where opt_outs.account_ref = listed_items.account_ref
       and opt_outs.handle = listed_items.peer) then 1 else 0 end as has_opted_out,
     chats.id as group_id, chats.name as group_name, chats.participants as group_participants
   from listed_items join accounts on accounts.ref = listed_items.account_ref
     join lines on lines.ref = listed_items.line_ref
     left join outbox on outbox.ref = listed_items.outbox_ref
     left join messages on messages.ref = listed_items.message_ref
     left join chats on chats.ref = listed_items.chat_ref{, items}
   where listed_items.ref = i.ref`,
);

const selectByGuid = statement(
  { line_ref: 'int', guid: 'text' },
  `select messages.line_ref, messages.guid, messages.id, outbox.id as outbox_id
   from messages left join outbox on outbox.ref = messages.outbox_ref{, items}
   where messages.line_ref = i.line_ref and messages.guid = i.guid`,
);

type ReadEach = (statement: Statement, items: readonly Row[]) => Promise<Row[]>;

/** In the order of the refs; what is not there any more is left out. */
export async function readListedItems(readEach: ReadEach, refs: readonly number[]): Promise<readonly ListedItem[]> {
  const rows = await readEach(
    selectItems,
    refs.map((ref) => ({ ref })),
  );
  const withFiles = rows.flatMap((row) => (Number(row['attachment_count']) > 0 ? [Number(row['message_ref'])] : []));
  const attachments = await readAttachments(readEach, [...new Set(withFiles)]);
  const handles = await readHandles(readEach, rows.flatMap(repliedRow));
  const byRef = new Map(rows.map((row) => [Number(row['ref']), itemFromRow(row, attachments, handles)]));
  return refs.flatMap((ref) => byRef.get(ref) ?? []);
}

/** What the outbox knows of an item beyond its state. */
interface Asked {
  readonly text?: unknown;
  readonly media_url?: unknown;
  readonly send_style?: unknown;
  readonly reply_part?: unknown;
  readonly files?: readonly { readonly file: string; readonly filename: string | null }[];
  readonly guid?: string;
  readonly effect?: string;
  readonly callback?: string;
}

/** The request as accepted, and over it what was settled then. */
function askedOf(row: Row): Asked {
  const parse = (column: string) => JSON.parse(textOrNull(row[column]) ?? '{}') as Asked;
  return { ...parse('payload'), ...parse('details') };
}

function repliedRow(row: Row): Row[] {
  const guid = repliedGuid(row);
  return guid === null ? [] : [{ line_ref: row['line_ref'] ?? null, guid }];
}

function repliedGuid(row: Row): string | null {
  return row['message_id'] === null ? (askedOf(row).guid ?? null) : textOrNull(row['reply_to_guid']);
}

/** The handles of messages, by line and GUID. */
async function readHandles(readEach: ReadEach, named: readonly Row[]): Promise<ReadonlyMap<string, string>> {
  if (named.length === 0) return new Map();
  const rows = await readEach(selectByGuid, named);
  return new Map(
    rows.map((row) => [
      `${Number(row['line_ref'])} ${String(row['guid'])}`,
      handleOf(textOrNull(row['outbox_id']) ?? String(row['id'])),
    ]),
  );
}

function itemFromRow(
  row: Row,
  attachments: ReadonlyMap<number, readonly Attachment[]>,
  handles: ReadonlyMap<string, string>,
): ListedItem {
  const asked = askedOf(row);
  const place = Number(row['place']);
  const isSeen = row['message_id'] !== null;
  const isOutbound = row['is_outbound'] === 1;
  const service = String(row['service']) as Service;
  const mine = row['unsent_at'] === null ? (attachments.get(Number(row['message_ref'])) ?? []) : [];
  const guid = repliedGuid(row);
  const repliedHandle = guid === null ? undefined : handles.get(`${Number(row['line_ref'])} ${guid}`);
  const text = isSeen ? textOrNull(row['text']) : textOrNull(asked.text as string | undefined);
  return {
    ref: Number(row['ref']),
    handle: handleOf(textOrNull(row['outbox_id']) ?? String(row['message_id']), place),
    accountRef: Number(row['account_ref']),
    accountEmail: String(row['owner_email']),
    lineRef: Number(row['line_ref']),
    lineHandle: String(row['line_handle']),
    isOutbound,
    status: statusOf(row),
    service,
    wasDowngraded: isOutbound && isSeen ? service !== 'imessage' && row['line_service'] !== 'sms' : null,
    peer: String(row['peer']),
    hasOptedOut: row['has_opted_out'] === 1,
    group: groupOf(row),
    chatRef: numberOrNull(row['chat_ref']),
    outboxRef: numberOrNull(row['outbox_ref']),
    messageRef: numberOrNull(row['message_ref']),
    messageId: textOrNull(row['message_id']),
    text: place === 0 ? text : null,
    media: mediaOf(asked, isSeen ? mine[place] : undefined),
    sendStyle: isSeen ? textOrNull(row['effect']) : (asked.effect ?? null),
    repliesTo: repliedHandle === undefined ? null : { handle: repliedHandle, part: Number(asked.reply_part ?? 0) },
    error: row['outbox_state'] === 'failed' ? textOrNull(row['error']) : null,
    callbackUrl: asked.callback ?? null,
    createdAt: Number(row['created_at']),
    updatedAt: Number(row['updated_at']),
  };
}

function statusOf(row: Row): StoredStatus | 'ACCEPTED' {
  const status = String(row['status']) as StoredStatus;
  const isUnderWay = status === 'QUEUED' && UNDER_WAY.includes(String(row['outbox_state']) as OutboxState);
  return isUnderWay ? 'ACCEPTED' : status;
}

function groupOf(row: Row): ListedItem['group'] {
  const id = textOrNull(row['group_id']);
  if (id === null) return null;
  const participants = JSON.parse(String(row['group_participants'])) as string[];
  return { id, name: textOrNull(row['group_name']), participants };
}

/** What was named by its address is shown by it; what came, or was uploaded, by its file. */
function mediaOf(asked: Asked, attachment: Attachment | undefined): ListedItem['media'] {
  if (typeof asked.media_url === 'string') return { url: asked.media_url };
  if (attachment) return { file: attachment.file };
  const [file] = asked.files ?? [];
  return file ? { file: { id: file.file, filename: file.filename } } : null;
}
