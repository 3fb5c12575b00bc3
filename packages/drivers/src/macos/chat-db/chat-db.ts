/** What the sender asks of the message database. It only ever reads. */
import { findChats } from './chat-rows.ts';
import type { ChatRow, MessageRow } from './message-row.ts';
import { type ChatDbPlace, identifyFile, type OpenChatDb, openChatDb } from './open-chat-db.ts';
import { maxRowid, ownRowsAfter, rowsByGuid } from './rows.ts';

/** Every method throws a `ChatDbUnreadableError` while the database cannot be read. */
export interface ChatDb {
  /** The number of the newest row; 0 where there is none. */
  maxRowid(): number;
  /** The line's own rows after a number, joined to a chat or not, in their order. */
  ownRowsAfter(rowid: number): MessageRow[];
  rowByGuid(guid: string): MessageRow | null;
  /** For a handle its direct chats, of every service; for a group's identifier the groups of that name. */
  chatsOf(identifier: string): ChatRow[];
  close(): void;
}

/** Opens the database when it is first asked, and again when another file has taken its place. */
export function createChatDb(place: ChatDbPlace): ChatDb {
  let open: OpenChatDb | null = null;

  function close(): void {
    open?.close();
    open = null;
  }

  function db(): OpenChatDb {
    if (open !== null && identifyFile(place.path) !== open.file) close();
    open ??= openChatDb(place);
    return open;
  }

  return {
    maxRowid: () => maxRowid(db()),
    ownRowsAfter: (rowid) => ownRowsAfter(db(), rowid),
    rowByGuid: (guid) => rowsByGuid(db(), [guid])[0] ?? null,
    chatsOf: (identifier) => findChats(db(), identifier),
    close,
  };
}
