/** Links in texts, and the rows that show what is behind them. */
import type { OpenChatDb } from './open-chat-db.ts';
import { bytesOf, numberOf, toAppleNanoseconds } from './row-values.ts';
import { type ReadRow, rowsByRowid } from './rows.ts';

/** A preview comes at most this long after its text, by their dates. */
const PREVIEW_WITHIN_MS = 5_000;
const CANDIDATES_MAX = 20;
const LINK = /\bhttps?:\/\/[^\s]+/gi;
const BARE_LINK = /(?<![\p{L}\d@.])(?:[\p{L}\d](?:[\p{L}\d-]*[\p{L}\d])?\.)+\p{L}{2,}(?:\/[^\s]*)?(?![\p{L}\d@])/giu;
const TRAILING = /[/.,;:!?)\]}'"’”]+$/;

export function hasLink(text: string | null): boolean {
  return text !== null && linksIn(text).length > 0;
}

/** With a scheme or without one, and without the punctuation behind them. */
function linksIn(text: string): string[] {
  const links = text.match(LINK) ?? text.match(BARE_LINK) ?? [];
  return links.map((link) => link.replace(TRAILING, ''));
}

/** The row with the link that this preview is of; null where there is none. */
export function findPreviewed(db: OpenChatDb, preview: ReadRow): ReadRow | null {
  const payload = readPayload(db, preview.rowid);
  return rowsAround(db, preview).findLast((row) => isPreviewed(row, preview, payload)) ?? null;
}

function isPreviewed(row: ReadRow, preview: ReadRow, payload: string | null): boolean {
  const { text } = row;
  if (row.isFromMe !== preview.isFromMe || row.sender !== preview.sender) return false;
  // What has a preview in its own row needs no other one.
  if (text === null || row.balloonBundleId !== null || row.itemType !== 0 || row.associatedType !== 0) return false;
  const links = linksIn(text);
  if (links.length === 0) return false;
  if (preview.text !== null) return linksIn(preview.text).some((link) => links.includes(link));
  return payload === null || links.some((link) => payload.includes(link.toLowerCase()));
}

/** The rows of the same chat before it, by their dates not longer ago than a preview takes. */
function rowsAround(db: OpenChatDb, { chat, rowid, date }: ReadRow): ReadRow[] {
  if (chat === null) return [];
  const found = db.all(
    `SELECT message_id FROM chat_message_join WHERE chat_id = ? AND message_date BETWEEN ? AND ? AND message_id < ?
     ORDER BY message_id DESC LIMIT ${CANDIDATES_MAX}`,
    chat.rowid,
    toAppleNanoseconds(date - PREVIEW_WITHIN_MS),
    toAppleNanoseconds(date + PREVIEW_WITHIN_MS),
    rowid,
  );
  return rowsByRowid(
    db,
    found.map((row) => numberOf(row, 'message_id')),
  );
}

/** The preview's archive holds its addresses as they are written. */
function readPayload(db: OpenChatDb, rowid: number): string | null {
  const [row] = db.all('SELECT payload_data FROM message WHERE ROWID = ?', rowid);
  const bytes = bytesOf(row ?? {}, 'payload_data');
  return bytes === null ? null : Buffer.from(bytes).toString('latin1').toLowerCase();
}
