/** Chats: one row per account, line and identifier, made by the first sighting. */
import type { Service } from '@trunkline/drivers';
import { insertInto, type Row, statement, type Tx } from './database.ts';
import type { Batch } from './writer.ts';

/** A chat as a sighting describes it. */
export interface SeenChat {
  readonly accountRef: number;
  readonly lineRef: number;
  readonly identifier: string;
  readonly isGroup: boolean;
  readonly name: string | null;
  readonly participants: readonly string[];
  readonly service: Service;
  readonly now: number;
}

export interface ChatRow {
  readonly ref: number;
  readonly id: string;
  readonly name: string | null;
  readonly participants: string;
}

export const selectChats = statement(
  { account_ref: 'int', line_ref: 'int', identifier: 'text' },
  `select i.ord as ord, chats.ref, chats.id, chats.name, chats.participants from chats{, items}
   where chats.account_ref = i.account_ref and chats.line_ref = i.line_ref and chats.identifier = i.identifier`,
);

const insertChats = insertInto(
  'chats',
  {
    id: 'text',
    account_ref: 'int',
    line_ref: 'int',
    identifier: 'text',
    service: 'text',
    name: 'text',
    is_group: 'int',
    participants: 'text',
    has_received_inbound: 'int',
    last_message_at: 'int',
    created_at: 'int',
  },
  'on conflict (account_ref, line_ref, identifier) do nothing',
);

const describeChats = statement(
  { ref: 'int', name: 'text', participants: 'text' },
  'update chats set name = i.name, participants = i.participants {from items} where chats.ref = i.ref',
);

const touchChats = statement(
  { ref: 'int', last_message_at: 'int', has_received_inbound: 'int' },
  `update chats set
     last_message_at = case when i.last_message_at > chats.last_message_at then i.last_message_at
       else chats.last_message_at end,
     has_received_inbound = case when i.has_received_inbound = 1 then 1 else chats.has_received_inbound end
   {from items} where chats.ref = i.ref`,
);

export function chatKey(chat: { accountRef: number; lineRef: number; identifier: string }): string {
  return `${chat.accountRef} ${chat.lineRef} ${chat.identifier}`;
}

/** Finds the chats or makes them, and brings a group's name and members up to what was seen last. */
export async function upsertChats({ tx, newId }: Batch, seen: readonly SeenChat[]): Promise<Map<string, ChatRow>> {
  const distinct = [...new Map(seen.map((chat) => [chatKey(chat), chat])).values()];
  const found = await lookUp(tx, distinct);
  const missing = distinct.filter((chat) => !found.has(chatKey(chat)));
  if (missing.length > 0) {
    await tx.each(
      insertChats,
      missing.map((chat) => newRow(chat, newId('chat'))),
    );
    for (const [key, row] of await lookUp(tx, missing)) found.set(key, row);
  }
  const changed = distinct.flatMap((chat) => {
    const row = found.get(chatKey(chat));
    const participants = JSON.stringify(chat.participants);
    if (!row || !chat.isGroup || (row.name === chat.name && row.participants === participants)) return [];
    return [{ ref: row.ref, name: chat.name, participants }];
  });
  await tx.each(describeChats, changed);
  return found;
}

/** Moves the chats' last activity on and remembers that somebody wrote. */
export async function touch(
  tx: Tx,
  touched: readonly { ref: number; lastMessageAt: number; hasReceivedInbound: boolean }[],
): Promise<void> {
  const rows = new Map<number, { ref: number; last_message_at: number; has_received_inbound: number }>();
  for (const one of touched) {
    const row = rows.get(one.ref) ?? { ref: one.ref, last_message_at: 0, has_received_inbound: 0 };
    row.last_message_at = Math.max(row.last_message_at, one.lastMessageAt);
    if (one.hasReceivedInbound) row.has_received_inbound = 1;
    rows.set(one.ref, row);
  }
  await tx.each(touchChats, [...rows.values()]);
}

async function lookUp(tx: Tx, chats: readonly SeenChat[]): Promise<Map<string, ChatRow>> {
  const rows = await tx.each(
    selectChats,
    chats.map((chat) => ({ account_ref: chat.accountRef, line_ref: chat.lineRef, identifier: chat.identifier })),
  );
  const found = new Map<string, ChatRow>();
  for (const row of rows) {
    const chat = chats[Number(row['ord'])];
    if (!chat) continue;
    const name = typeof row['name'] === 'string' ? row['name'] : null;
    found.set(chatKey(chat), {
      ref: Number(row['ref']),
      id: String(row['id']),
      name,
      participants: String(row['participants']),
    });
  }
  return found;
}

function newRow(chat: SeenChat, id: string): Row {
  return {
    id,
    account_ref: chat.accountRef,
    line_ref: chat.lineRef,
    identifier: chat.identifier,
    service: chat.service,
    name: chat.name,
    is_group: chat.isGroup ? 1 : 0,
    participants: JSON.stringify(chat.participants),
    has_received_inbound: 0,
    last_message_at: 0,
    created_at: chat.now,
  };
}
