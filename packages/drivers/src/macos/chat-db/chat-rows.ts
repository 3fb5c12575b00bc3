/** The chats of the message database. */
import { handleOfAccount, readHandle } from './handles.ts';
import type { ChatRow } from './message-row.ts';
import type { OpenChatDb, Row } from './open-chat-db.ts';
import { numberOf, serviceOf, textOf } from './row-values.ts';

const STYLE_GROUP = 43;
const COLUMNS = ['guid', 'chat_identifier', 'style', 'service_name', 'display_name', 'account_login'] as const;

/** By their ROWID. */
export function readChats(db: OpenChatDb, rowids: readonly number[]): ReadonlyMap<number, ChatRow> {
  if (rowids.length === 0) return new Map();
  const list = JSON.stringify(rowids);
  const names = COLUMNS.filter((name) => db.columns.chat.has(name));
  const chats = db.all(
    `SELECT ROWID AS rowid, ${names.join(', ')} FROM chat WHERE ROWID IN (SELECT value FROM json_each(?))`,
    list,
  );
  const handles = db.all(
    `SELECT j.chat_id, h.id FROM chat_handle_join j JOIN handle h ON h.ROWID = j.handle_id
     WHERE j.chat_id IN (SELECT value FROM json_each(?)) ORDER BY j.chat_id, h.ROWID`,
    list,
  );
  return new Map(chats.map((row) => [numberOf(row, 'rowid'), toChat(row, handles)]));
}

/** The spelling in the database may be another one than ours, so a handle is looked for among its own rows as well. */
export function findChats(db: OpenChatDb, identifier: string): ChatRow[] {
  const rows = db.all(
    `SELECT ROWID AS rowid FROM chat WHERE chat_identifier = ?
     UNION SELECT j.chat_id FROM handle h JOIN chat_handle_join j ON j.handle_id = h.ROWID
       JOIN chat c ON c.ROWID = j.chat_id WHERE h.id = ? AND c.style <> ${STYLE_GROUP} ORDER BY 1`,
    identifier,
    identifier,
  );
  const chats = readChats(
    db,
    rows.map((row) => numberOf(row, 'rowid')),
  );
  // A thread of several people may bear the handle of one of them.
  const isMeant = (chat: ChatRow): boolean =>
    chat.identifier === identifier && !(chat.isGroup && chat.participants.includes(identifier));
  return [...chats.values()].filter(isMeant);
}

function toChat(row: Row, handles: readonly Row[]): ChatRow {
  const rowid = numberOf(row, 'rowid');
  const own = textOf(row, 'account_login');
  const raw = handles.filter((one) => numberOf(one, 'chat_id') === rowid).map((one) => textOf(one, 'id') ?? '');
  // The handle of an unknown sender is empty.
  const participants = [...new Set(raw.map(readHandle))].filter((one) => one !== '');
  // Threads of several people may come with the identifier and the style of a direct chat.
  const isGroup = numberOf(row, 'style') === STYLE_GROUP || participants.length > 1;
  const guid = textOf(row, 'guid') ?? '';
  const identifier = textOf(row, 'chat_identifier') ?? '';
  return {
    rowid,
    guid,
    // Every chat has a name by which it is known, and be it that of its row.
    identifier: (isGroup ? identifier : readHandle(identifier)) || guid || `chat ${rowid}`,
    isGroup,
    service: serviceOf(textOf(row, 'service_name')),
    displayName: textOf(row, 'display_name'),
    accountLogin: own,
    participants: isGroup && own !== null ? participants.filter((one) => one !== handleOfAccount(own)) : participants,
  };
}
