/** The outbox: accepting items, and reading them. What the line's lane does with them is in `outbox-lane.ts`. */
import { ATTEMPTS_MAX, OUTBOX_STATUS, type OutboxState, type OutboxStatus } from '../domain/outbox.ts';
import { type Engine, insertInto, type Row, statement, type Tx } from './database.ts';
import type { Write } from './writer.ts';

/** To whom: a handle that may never have been seen, or a chat by its id. */
export type Recipient =
  | { readonly kind: 'handle'; readonly handle: string }
  | { readonly kind: 'chat'; readonly id: string };

export interface AcceptItem {
  readonly id: string;
  readonly accountRef: number;
  readonly lineRef: number;
  readonly to: Recipient;
  /** Whether the recipient must have written to the line first. */
  readonly contactFirst: boolean;
  /** The request as accepted, with its kind, as JSON. */
  readonly payload: string;
  readonly now: number;
}

export type Accepted = 'accepted' | 'line_not_found' | 'chat_not_found' | 'contact_has_not_messaged';

/** Locked until the commit: a removal fails what is accepted before it. Once for each line, whatever comes to it. */
const lineIsThere = statement(
  { line_ref: 'int' },
  'select lines.ref from lines{, items} where lines.ref = i.line_ref and lines.removed_at is null {for share of lines}',
);

// Joined with the line instead, SQLite plans the query anew for every item, at seven times the cost.
const chatByHandle = statement(
  { account_ref: 'int', line_ref: 'int', handle: 'text' },
  `select i.ord as ord, chats.identifier, chats.is_group, chats.has_received_inbound from chats{, items}
   where chats.account_ref = i.account_ref and chats.line_ref = i.line_ref and chats.identifier = i.handle`,
);

const chatById = statement(
  { account_ref: 'int', line_ref: 'int', id: 'text' },
  `select i.ord as ord, chats.identifier, chats.is_group, chats.has_received_inbound from chats{, items}
   where chats.account_ref = i.account_ref and chats.line_ref = i.line_ref and chats.id = i.id`,
);

const insertOutbox = insertInto('outbox', {
  id: 'text',
  account_ref: 'int',
  line_ref: 'int',
  recipient: 'text',
  is_group: 'int',
  state: 'text',
  payload: 'text',
  created_at: 'int',
  updated_at: 'int',
});

interface FoundChat {
  readonly identifier: string;
  readonly isGroup: number;
  readonly hasReceivedInbound: boolean;
}

/** Check and act in one transaction: the line and the chat are looked up, the rule applied, the row inserted. */
export const acceptItems: Write<AcceptItem, Accepted> = {
  name: 'accept_items',
  kind: 'accept',
  concurrency: 4,
  isRefusal: (result) => result !== 'accepted',
  async run({ tx, wake }, items) {
    const lines = await lockLines(tx, items);
    const chats = await findChats(tx, items);
    const rows: Row[] = [];
    const results = items.map((item, index): Accepted => {
      const chat = chats.get(index);
      const refusal = lines.has(item.lineRef) ? refusalOf(item, chat) : 'line_not_found';
      if (refusal) return refusal;
      rows.push(outboxRow(item, chat));
      wake(outboxTopic(item.lineRef));
      return 'accepted';
    });
    await tx.each(insertOutbox, rows);
    return results;
  },
};

export function outboxTopic(lineRef: number): string {
  return `outbox ${lineRef}`;
}

function refusalOf(item: AcceptItem, chat: FoundChat | undefined): Accepted | null {
  if (item.to.kind === 'chat' && !chat) return 'chat_not_found';
  if (item.contactFirst && !chat?.hasReceivedInbound) return 'contact_has_not_messaged';
  return null;
}

/** Those of the items' lines that were not removed. */
async function lockLines(tx: Tx, items: readonly AcceptItem[]): Promise<ReadonlySet<number>> {
  const refs = [...new Set(items.map((item) => item.lineRef))].sort((a, b) => a - b);
  const rows = await tx.each(
    lineIsThere,
    refs.map((ref) => ({ line_ref: ref })),
  );
  return new Set(rows.map((row) => Number(row['ref'])));
}

/** By the item's index; no entry where there is no such chat yet. */
async function findChats(tx: Tx, items: readonly AcceptItem[]): Promise<Map<number, FoundChat>> {
  const byHandle: { row: Row; index: number }[] = [];
  const byId: { row: Row; index: number }[] = [];
  items.forEach((item, index) => {
    const row = { account_ref: item.accountRef, line_ref: item.lineRef };
    if (item.to.kind === 'handle') byHandle.push({ row: { ...row, handle: item.to.handle }, index });
    else byId.push({ row: { ...row, id: item.to.id }, index });
  });
  const found = new Map<number, FoundChat>();
  for (const [query, asked] of [[chatByHandle, byHandle] as const, [chatById, byId] as const]) {
    const rows = await tx.each(
      query,
      asked.map(({ row }) => row),
    );
    for (const row of rows) {
      const index = asked[Number(row['ord'])]?.index;
      if (index !== undefined) found.set(index, chatFromRow(row));
    }
  }
  return found;
}

function chatFromRow(row: Row): FoundChat {
  return {
    identifier: String(row['identifier']),
    isGroup: Number(row['is_group']),
    hasReceivedInbound: row['has_received_inbound'] === 1,
  };
}

function outboxRow(item: AcceptItem, chat: FoundChat | undefined): Row {
  return {
    id: item.id,
    account_ref: item.accountRef,
    line_ref: item.lineRef,
    recipient: chat?.identifier ?? (item.to.kind === 'handle' ? item.to.handle : ''),
    is_group: chat?.isGroup ?? 0,
    state: 'pending' satisfies OutboxState,
    payload: item.payload,
    created_at: item.now,
    updated_at: item.now,
  };
}

export interface OutboxItem {
  readonly id: string;
  readonly lineRef: number;
  readonly lineId: string;
  readonly status: OutboxStatus;
  readonly payload: unknown;
  readonly completedAt: number | null;
  readonly error: string | null;
  readonly attempts: number;
  readonly attemptsMax: number;
  readonly createdAt: number;
}

export async function findOutboxItem(engine: Engine, accountRef: number, id: string): Promise<OutboxItem | null> {
  const row = await engine.query
    .selectFrom('outbox')
    .innerJoin('lines', 'lines.ref', 'outbox.line_ref')
    .selectAll('outbox')
    .select('lines.id as line_id')
    .where('outbox.id', '=', id)
    .where('outbox.account_ref', '=', accountRef)
    .executeTakeFirst();
  if (!row) return null;
  return {
    id: row.id,
    lineRef: row.line_ref,
    lineId: row.line_id,
    status: OUTBOX_STATUS[row.state as OutboxState],
    payload: JSON.parse(row.payload),
    completedAt: row.completed_at,
    error: row.error,
    attempts: row.attempts,
    attemptsMax: ATTEMPTS_MAX,
    createdAt: row.created_at,
  };
}
