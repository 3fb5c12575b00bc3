/** Messages that are here already, as later sightings name them: by line and GUID. */

import { type Row, statement, type Tx } from './database.ts';
import { guidKey, type Seen } from './report.ts';
import { numberOrNull } from './row-values.ts';

export interface KnownMessage {
  readonly ref: number;
  readonly id: string;
  readonly accountRef: number;
  readonly lineRef: number;
  readonly chatRef: number;
  readonly outboxRef: number | null;
  readonly itemPart: number;
  readonly chatId: string;
  /** The chat's peer, or null in a group. */
  readonly peer: string | null;
  readonly lineHandle: string;
  readonly isFromMe: boolean;
  readonly deliveredAt: number | null;
  readonly readAt: number | null;
  readonly editedAt: number | null;
  readonly unsentAt: number | null;
}

const selectKnown = statement(
  { line_ref: 'int', guid: 'text' },
  `select messages.ref, messages.id, messages.guid, messages.account_ref, messages.line_ref, messages.chat_ref,
     messages.is_from_me, messages.outbox_ref, messages.delivered_at, messages.read_at, messages.edited_at, messages.unsent_at, messages.item_part,
     chats.id as chat_id, chats.identifier, chats.is_group, lines.handle as line_handle
   from messages join chats on chats.ref = messages.chat_ref join lines on lines.ref = messages.line_ref{, items}
   where messages.line_ref = i.line_ref and messages.guid = i.guid`,
);

/** By `guidKey`. */
export async function findKnownMessages(
  tx: Tx,
  named: readonly { readonly seen: Seen; readonly guid: string }[],
): Promise<ReadonlyMap<string, KnownMessage>> {
  const keys = new Map(
    named.map(({ seen: { report }, guid }) => [guidKey(report, guid), { line_ref: report.line.ref, guid }]),
  );
  const rows = await tx.each(selectKnown, [...keys.values()]);
  return new Map(rows.map((row) => [`${Number(row['line_ref'])} ${String(row['guid'])}`, knownFromRow(row)]));
}

function knownFromRow(row: Row): KnownMessage {
  return {
    ref: Number(row['ref']),
    id: String(row['id']),
    accountRef: Number(row['account_ref']),
    lineRef: Number(row['line_ref']),
    chatRef: Number(row['chat_ref']),
    outboxRef: numberOrNull(row['outbox_ref']),
    itemPart: Number(row['item_part']),
    chatId: String(row['chat_id']),
    peer: row['is_group'] === 1 ? null : String(row['identifier']),
    lineHandle: String(row['line_handle']),
    isFromMe: row['is_from_me'] === 1,
    deliveredAt: numberOrNull(row['delivered_at']),
    readAt: numberOrNull(row['read_at']),
    editedAt: numberOrNull(row['edited_at']),
    unsentAt: numberOrNull(row['unsent_at']),
  };
}
