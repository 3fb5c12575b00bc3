/** Typing and read receipts: what sightings make of them, what time ends, and what clients read. */
import type { EventType } from '../domain/events.ts';
import { type ReadReceipt, TYPING_EXPIRES_MS, type TypingIndicator } from '../domain/presence.ts';
import { readReceiptBody, typingBody } from '../wire/v1.ts';
import { type Engine, insertInto, type Row, statement, type Tx } from './database.ts';
import { appendEvents, type NewEvent } from './events.ts';
import type { Told } from './report.ts';
import type { Batch, Write } from './writer.ts';

/** A party of a chat, as a sighting or a message names it. */
interface Party {
  readonly accountRef: number;
  readonly lineRef: number;
  readonly lineHandle: string;
  readonly chatRef: number;
  readonly chatId: string;
  readonly handle: string;
  readonly place: number;
  readonly now: number;
}

export interface TypingNews extends Party {
  readonly isTyping: boolean;
  /** Unix milliseconds. */
  readonly at: number;
}

export interface ReadNews extends Party {
  /** Unix milliseconds. */
  readonly at: number;
}

const typingOf = statement(
  { chat_ref: 'int', handle: 'text' },
  `select typing_indicators.id, typing_indicators.chat_ref, typing_indicators.handle, typing_indicators.is_typing
   from typing_indicators{, items}
   where typing_indicators.chat_ref = i.chat_ref and typing_indicators.handle = i.handle`,
);

const typingNow = statement(
  { line_ref: 'int' },
  `select typing_indicators.chat_ref, typing_indicators.handle from typing_indicators{, items}
   where typing_indicators.line_ref = i.line_ref and typing_indicators.is_typing = 1`,
);

const upsertTyping = insertInto(
  'typing_indicators',
  {
    id: 'text',
    account_ref: 'int',
    line_ref: 'int',
    chat_ref: 'int',
    handle: 'text',
    is_typing: 'int',
    updated_at: 'int',
    expires_at: 'int',
  },
  `on conflict (chat_ref, handle) do update set is_typing = excluded.is_typing, updated_at = excluded.updated_at,
     expires_at = excluded.expires_at`,
);

const receiptsOf = statement(
  { chat_ref: 'int', handle: 'text' },
  `select read_receipts.id, read_receipts.chat_ref, read_receipts.handle, read_receipts.last_read_at
   from read_receipts{, items} where read_receipts.chat_ref = i.chat_ref and read_receipts.handle = i.handle`,
);

const upsertReceipts = insertInto(
  'read_receipts',
  {
    id: 'text',
    account_ref: 'int',
    line_ref: 'int',
    chat_ref: 'int',
    handle: 'text',
    last_read_at: 'int',
    synced_at: 'int',
  },
  'on conflict (chat_ref, handle) do update set last_read_at = excluded.last_read_at, synced_at = excluded.synced_at',
);

/** Those of a line who type just now, by chat: their next message ends it. */
export async function typingByLine(tx: Tx, lineRefs: ReadonlySet<number>): Promise<ReadonlySet<string>> {
  const rows = await tx.each(
    typingNow,
    [...lineRefs].map((lineRef) => ({ line_ref: lineRef })),
  );
  return new Set(rows.map((row) => partyKey(Number(row['chat_ref']), String(row['handle']))));
}

export function partyKey(chatRef: number, handle: string): string {
  return `${chatRef} ${handle}`;
}

/** Decides in the order of the news; the same word again only lengthens what it said. */
export async function recordTyping({ tx, newId }: Batch, news: readonly TypingNews[]): Promise<readonly Told[]> {
  if (news.length === 0) return [];
  const states = new Map<string, { id: string; isTyping: boolean }>();
  for (const row of await tx.each(typingOf, partyRows(news))) {
    const key = partyKey(Number(row['chat_ref']), String(row['handle']));
    states.set(key, { id: String(row['id']), isTyping: row['is_typing'] === 1 });
  }
  const rows = new Map<string, Row>();
  const told: Told[] = [];
  for (const one of news) {
    const key = partyKey(one.chatRef, one.handle);
    const before = states.get(key);
    if (!one.isTyping && !before?.isTyping) continue;
    const id = before?.id ?? newId('typing');
    states.set(key, { id, isTyping: one.isTyping });
    rows.set(key, {
      id,
      ...partyRow(one),
      is_typing: one.isTyping ? 1 : 0,
      updated_at: one.now,
      expires_at: one.now + TYPING_EXPIRES_MS,
    });
    if (before?.isTyping === one.isTyping) continue;
    told.push({ place: one.place, event: typingEvent(one, { id, isTyping: one.isTyping, updatedAt: one.now }) });
  }
  await tx.each(upsertTyping, [...rows.values()]);
  return told;
}

/** A receipt only moves on. */
export async function recordReads({ tx, newId }: Batch, news: readonly ReadNews[]): Promise<readonly Told[]> {
  if (news.length === 0) return [];
  const states = new Map<string, { id: string; lastReadAt: number }>();
  for (const row of await tx.each(receiptsOf, partyRows(news))) {
    const key = partyKey(Number(row['chat_ref']), String(row['handle']));
    states.set(key, { id: String(row['id']), lastReadAt: Number(row['last_read_at']) });
  }
  const rows = new Map<string, Row>();
  const told = new Map<string, Told>();
  for (const one of news) {
    const key = partyKey(one.chatRef, one.handle);
    const before = states.get(key);
    if (before && before.lastReadAt >= one.at) continue;
    const id = before?.id ?? newId('receipt');
    states.set(key, { id, lastReadAt: one.at });
    rows.set(key, { id, ...partyRow(one), last_read_at: one.at, synced_at: one.now });
    told.set(key, { place: one.place, event: readEvent(one, id) });
  }
  await tx.each(upsertReceipts, [...rows.values()]);
  return [...told.values()];
}

function partyRows(news: readonly Party[]): Row[] {
  const distinct = new Map(
    news.map(({ chatRef, handle }) => [partyKey(chatRef, handle), { chat_ref: chatRef, handle }]),
  );
  return [...distinct.values()];
}

function partyRow({ accountRef, lineRef, chatRef, handle }: Party): Row {
  return { account_ref: accountRef, line_ref: lineRef, chat_ref: chatRef, handle };
}

function typingEvent(
  one: Omit<Party, 'place'>,
  state: { readonly id: string; readonly isTyping: boolean; readonly updatedAt: number },
): NewEvent {
  const type: EventType = state.isTyping ? 'typing.started' : 'typing.stopped';
  return partyEvent(one, type, typingBody({ ...state, chatId: one.chatId, handle: one.handle }));
}

function readEvent(one: ReadNews, id: string): NewEvent {
  const { chatId, handle, at, now } = one;
  return partyEvent(one, 'receipt.read', readReceiptBody({ id, chatId, handle, lastReadAt: at, syncedAt: now }));
}

function partyEvent(one: Omit<Party, 'place'>, type: EventType, body: Readonly<Record<string, unknown>>): NewEvent {
  return {
    accountRef: one.accountRef,
    lineRef: one.lineRef,
    chatRef: one.chatRef,
    messageRef: null,
    type,
    data: JSON.stringify({ ...body, line_handle: one.lineHandle }),
    now: one.now,
  };
}

const anyExpired = statement(
  { now: 'int' },
  `select 1 as found where (select min(expires_at) from typing_indicators where is_typing = 1) <= i.now`,
);

const endExpired = statement(
  { now: 'int' },
  `update typing_indicators set is_typing = 0, updated_at = i.now where is_typing = 1 and expires_at <= i.now
   returning ref`,
);

const typingByRef = statement(
  { ref: 'int' },
  `select typing_indicators.*, chats.id as chat_id, lines.handle as line_handle
   from typing_indicators join chats on chats.ref = typing_indicators.chat_ref
     join lines on lines.ref = typing_indicators.line_ref{, items}
   where typing_indicators.ref = i.ref`,
);

/** Whether somebody's typing is over without a word. */
export async function anyTypingExpired(engine: Engine, now: number): Promise<boolean> {
  return (await engine.read(anyExpired, { now })).length > 0;
}

/** Ends the typing that nobody has ended. Gives how many. */
export const endTyping: Write<{ now: number }, number> = {
  name: 'end_typing',
  kind: 'outcome',
  concurrency: 1,
  async run(batch, items) {
    const now = Math.max(...items.map((item) => item.now));
    const ended = await batch.tx.one(endExpired, { now });
    const rows = await batch.tx.each(
      typingByRef,
      ended.map((row) => ({ ref: Number(row['ref']) })),
    );
    await appendEvents(
      batch,
      rows
        .toSorted((a, b) => Number(a['ref']) - Number(b['ref']))
        .map((row) => {
          const { id, isTyping, updatedAt } = typingFromRow(row);
          const party = {
            accountRef: Number(row['account_ref']),
            lineRef: Number(row['line_ref']),
            lineHandle: String(row['line_handle']),
            chatRef: Number(row['chat_ref']),
            chatId: String(row['chat_id']),
            handle: String(row['handle']),
            now,
          };
          return typingEvent(party, { id, isTyping, updatedAt });
        }),
    );
    return items.map(() => ended.length);
  },
};

const typingOfChat = statement(
  { chat_ref: 'int' },
  `select typing_indicators.*, chats.id as chat_id from typing_indicators
     join chats on chats.ref = typing_indicators.chat_ref
   where typing_indicators.chat_ref = i.chat_ref order by typing_indicators.ref`,
);

const receiptsOfChat = statement(
  { chat_ref: 'int' },
  `select read_receipts.*, chats.id as chat_id from read_receipts join chats on chats.ref = read_receipts.chat_ref
   where read_receipts.chat_ref = i.chat_ref order by read_receipts.ref`,
);

export async function readTyping(engine: Engine, chatRef: number): Promise<readonly TypingIndicator[]> {
  return (await engine.read(typingOfChat, { chat_ref: chatRef })).map(typingFromRow);
}

export async function readReceipts(engine: Engine, chatRef: number): Promise<readonly ReadReceipt[]> {
  const rows = await engine.read(receiptsOfChat, { chat_ref: chatRef });
  return rows.map((row) => ({
    id: String(row['id']),
    chatId: String(row['chat_id']),
    handle: String(row['handle']),
    lastReadAt: Number(row['last_read_at']),
    syncedAt: Number(row['synced_at']),
  }));
}

function typingFromRow(row: Row): TypingIndicator {
  return {
    id: String(row['id']),
    chatId: String(row['chat_id']),
    handle: String(row['handle']),
    isTyping: row['is_typing'] === 1,
    updatedAt: Number(row['updated_at']),
  };
}
