/** Chats as clients read them: by page, by id, by identifier. */
import type { Service } from '@trunkline/drivers';
import type { Chat } from '../domain/chat.ts';
import type { Line } from '../domain/line.ts';
import { chatKey, selectChats } from './chats.ts';
import type { Engine } from './database.ts';

/** The place in a line's list of chats after which a page begins. */
export interface ChatPosition {
  readonly lastMessageAt: number;
  readonly ref: number;
}

export interface StoredChat extends Chat {
  readonly ref: number;
  readonly lineRef: number;
}

/** A line's chats, latest activity first, strictly after the position; those without messages come last. */
export async function pageOfChats(
  engine: Engine,
  accountRef: number,
  lineRef: number,
  after: ChatPosition | null,
  max: number,
): Promise<readonly StoredChat[]> {
  let query = chatQuery(engine)
    .where('chats.account_ref', '=', accountRef)
    .where('chats.line_ref', '=', lineRef)
    .orderBy('chats.last_message_at', 'desc')
    .orderBy('chats.ref', 'desc')
    .limit(max);
  if (after) {
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('chats.last_message_at', 'chats.ref'), '<', tuple(after.lastMessageAt, after.ref)),
    );
  }
  return (await query.execute()).map(chatFromRow);
}

/** A chat by its `cht_` id or its identifier, on one line. */
export async function findChat(
  engine: Engine,
  accountRef: number,
  lineRef: number,
  by: { readonly id: string } | { readonly identifier: string },
): Promise<StoredChat | null> {
  const query = chatQuery(engine).where('chats.account_ref', '=', accountRef).where('chats.line_ref', '=', lineRef);
  const row = await ('id' in by
    ? query.where('chats.id', '=', by.id)
    : query.where('chats.identifier', '=', by.identifier)
  ).executeTakeFirst();
  return row ? chatFromRow(row) : null;
}

/** A chat of the account by its id, on whichever line. */
export async function findChatById(engine: Engine, accountRef: number, id: string): Promise<StoredChat | null> {
  const row = await chatQuery(engine)
    .where('chats.account_ref', '=', accountRef)
    .where('chats.id', '=', id)
    .executeTakeFirst();
  return row ? chatFromRow(row) : null;
}

/** The chat id of each of these messages, by GUID, where the chat has been seen. */
export async function findChatIds(
  engine: Engine,
  accountRef: number,
  lines: readonly Line[],
  messages: readonly { readonly guid: string; readonly line: string; readonly chatIdentifier: string }[],
): Promise<Map<string, string>> {
  const byHandle = new Map(lines.map((line) => [line.handle, line]));
  const asked = messages.flatMap((message) => {
    const line = byHandle.get(message.line);
    if (!line) return [];
    return [{ guid: message.guid, key: { accountRef, lineRef: line.ref, identifier: message.chatIdentifier } }];
  });
  const distinct = [...new Map(asked.map(({ key }) => [chatKey(key), key])).values()];
  const rows = await engine.readEach(
    selectChats,
    distinct.map((key) => ({ account_ref: key.accountRef, line_ref: key.lineRef, identifier: key.identifier })),
  );
  const ids = new Map<string, string>();
  for (const row of rows) {
    const key = distinct[Number(row['ord'])];
    if (key) ids.set(chatKey(key), String(row['id']));
  }
  return new Map(
    asked.flatMap(({ guid, key }): [string, string][] => {
      const id = ids.get(chatKey(key));
      return id === undefined ? [] : [[guid, id]];
    }),
  );
}

function chatQuery(engine: Engine) {
  return engine.query
    .selectFrom('chats')
    .innerJoin('lines', 'lines.ref', 'chats.line_ref')
    .selectAll('chats')
    .select('lines.id as line_id');
}

function chatFromRow(row: {
  ref: number;
  line_ref: number;
  id: string;
  line_id: string;
  identifier: string;
  service: string;
  name: string | null;
  is_group: number;
  participants: string;
  has_received_inbound: number;
  last_message_at: number;
}): StoredChat {
  return {
    ref: row.ref,
    lineRef: row.line_ref,
    id: row.id,
    lineId: row.line_id,
    identifier: row.identifier,
    service: row.service as Service,
    name: row.name,
    isGroup: row.is_group === 1,
    participants: JSON.parse(row.participants) as string[],
    hasReceivedInbound: row.has_received_inbound === 1,
    lastMessageAt: row.last_message_at === 0 ? null : row.last_message_at,
  };
}
