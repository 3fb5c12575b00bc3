/** The attachments of messages, in the order in which they stand in them. */
import { join } from 'node:path';
import type { AttributedBody } from '../text/attributed-body.ts';
import type { AttachmentRow } from './message-row.ts';
import type { OpenChatDb, Row } from './open-chat-db.ts';
import { isSet, numberOf, textOf } from './row-values.ts';

/** What a link preview or an app keeps beside its message. */
const PAYLOAD = /\.pluginPayloadAttachment$/i;
const HOME = /^~(?=\/)/;
const HIDDEN_COLUMN = 'hide_attachment';

interface Known extends AttachmentRow {
  readonly originalGuid: string | null;
}

/** A place in the text where an attachment stands, whether its row is there or not. */
export interface Slot {
  readonly guid: string;
  readonly name: string | null;
}

export function slotsOf(body: AttributedBody | null): readonly Slot[] {
  const slots = new Map<string, Slot>();
  for (const { transferGuid: guid, filename } of body?.runs ?? []) {
    if (guid !== null && !slots.has(guid)) slots.set(guid, { guid, name: filename });
  }
  return [...slots.values()];
}

/** By the ROWID of the message. */
export function readAttachments(db: OpenChatDb, rowids: readonly number[]): ReadonlyMap<number, Known[]> {
  const hidden = db.columns.attachment.has(HIDDEN_COLUMN) ? `a.${HIDDEN_COLUMN}` : '0';
  const rows = db.all(
    `SELECT j.message_id, a.guid, a.original_guid, a.filename, a.transfer_name, a.mime_type, a.transfer_state,
       a.total_bytes, ${hidden} AS is_hidden
     FROM message_attachment_join j JOIN attachment a ON a.ROWID = j.attachment_id
     WHERE j.message_id IN (SELECT value FROM json_each(?)) ORDER BY j.message_id, a.ROWID`,
    JSON.stringify(rowids),
  );
  const found = new Map<number, Known[]>();
  for (const row of rows) {
    const message = numberOf(row, 'message_id');
    found.set(message, [...(found.get(message) ?? []), toAttachment(row, db.home)]);
  }
  return found;
}

/** Each slot has its row by name; what has none takes the next row that is left, or stands for one that is to come. */
export function placeAttachments(known: readonly Known[], slots: readonly Slot[]): readonly AttachmentRow[] {
  const hidden = known.filter(({ isHidden }) => isHidden);
  const left = known.filter(({ isHidden }) => !isHidden);
  const named = slots.map(({ guid }) => {
    const place = left.findIndex((one) => one.guid === guid || one.originalGuid === guid);
    return place < 0 ? null : (left.splice(place, 1)[0] ?? null);
  });
  const placed = slots.map((slot, place) => named[place] ?? left.shift() ?? toComing(slot));
  return [...placed, ...left, ...hidden];
}

function toComing({ guid, name }: Slot): AttachmentRow {
  return { guid, path: null, name, mimeType: null, transferState: 0, totalBytes: 0, isHidden: false };
}

function toAttachment(row: Row, home: string): Known {
  const filename = textOf(row, 'filename');
  const name = textOf(row, 'transfer_name') ?? filename?.split('/').at(-1) ?? null;
  return {
    guid: textOf(row, 'guid') ?? '',
    originalGuid: textOf(row, 'original_guid'),
    path: filename === null ? null : HOME.test(filename) ? join(home, filename.slice(1)) : filename,
    name,
    mimeType: textOf(row, 'mime_type'),
    transferState: numberOf(row, 'transfer_state'),
    totalBytes: numberOf(row, 'total_bytes'),
    isHidden: isSet(row, 'is_hidden') || (name !== null && PAYLOAD.test(name)),
  };
}
