/**
 * The chat with oneself: every message stands in it twice, as an own row and as an inbound one with a GUID of its own.
 * Who took the second for a message from somebody would answer himself for ever.
 */
import { handleOfAccount, readHandle } from './handles.ts';
import type { OpenChatDb } from './open-chat-db.ts';
import { numberOf, toAppleNanoseconds } from './row-values.ts';
import { type ReadRow, rowsByRowid } from './rows.ts';

/** How far the two rows lie apart, by their dates. */
const PAIR_WITHIN_MS = 10_000;
const CANDIDATES_MAX = 50;

/** Whether the inbound row is from an address of the line's own. */
export function isFromOneself(row: ReadRow, line: string): boolean {
  const { chat, sender, destinationCallerId } = row;
  if (row.isFromMe || sender === null || chat?.isGroup !== false) return false;
  const own = [
    line,
    ...(destinationCallerId === null ? [] : [readHandle(destinationCallerId)]),
    ...(chat.accountLogin === null ? [] : [handleOfAccount(chat.accountLogin)]),
  ];
  return own.includes(sender);
}

/** Whether an own row says the same at about the same time in the same chat. */
export function hasOwnTwin(db: OpenChatDb, { chat, date, text, attachments }: ReadRow): boolean {
  if (chat === null) return false;
  const found = db.all(
    `SELECT j.message_id FROM chat_message_join j JOIN message m ON m.ROWID = j.message_id
     WHERE j.chat_id = ? AND j.message_date BETWEEN ? AND ? AND m.is_from_me = 1
     ORDER BY j.message_id DESC LIMIT ${CANDIDATES_MAX}`,
    chat.rowid,
    toAppleNanoseconds(date - PAIR_WITHIN_MS),
    toAppleNanoseconds(date + PAIR_WITHIN_MS),
  );
  const rows = rowsByRowid(
    db,
    found.map((row) => numberOf(row, 'message_id')),
  );
  return rows.some((row) => row.text === text && row.attachments.length === attachments.length);
}
