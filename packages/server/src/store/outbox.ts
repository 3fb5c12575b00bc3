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

/** Gives nothing for a removed line. The line is locked until the commit: a removal fails what is accepted before it. */
const chatByHandle = statement(
  { account_ref: 'int', line_ref: 'int', handle: 'text' },
  `select i.ord as ord, chats.identifier, chats.is_group, chats.has_received_inbound from lines{, items}
   left join chats on chats.account_ref = i.account_ref and chats.line_ref = i.line_ref and chats.identifier = i.handle
   where lines.ref = i.line_ref and lines.removed_at is null {for share of lines}`,
);

const chatById = statement(
  { account_ref: 'int', line_ref: 'int', id: 'text' },
  `select i.ord as ord, chats.identifier, chats.is_group, chats.has_received_inbound from lines{, items}
   left join chats on chats.account_ref = i.account_ref and chats.line_ref = i.line_ref and chats.id = i.id
   where lines.ref = i.line_ref and lines.removed_at is null {for share of lines}`,
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
    const chats = await findChats(tx, items);
    const rows: Row[] = [];
    const results = items.map((item, index): Accepted => {
      const chat = chats.get(index);
      const refusal = refusalOf(item, chat);
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

function refusalOf(item: AcceptItem, chat: FoundChat | null | undefined): Accepted | null {
  if (chat === undefined) return 'line_not_found';
  if (item.to.kind === 'chat' && !chat) return 'chat_not_found';
  if (item.contactFirst && !chat?.hasReceivedInbound) return 'contact_has_not_messaged';
  return null;
}

/** By the item's index: its chat, null where there is none yet, and no entry where the line was removed. */
async function findChats(tx: Tx, items: readonly AcceptItem[]): Promise<Map<number, FoundChat | null>> {
  const byHandle: { row: Row; index: number }[] = [];
  const byId: { row: Row; index: number }[] = [];
  items.forEach((item, index) => {
    const row = { account_ref: item.accountRef, line_ref: item.lineRef };
    if (item.to.kind === 'handle') byHandle.push({ row: { ...row, handle: item.to.handle }, index });
    else byId.push({ row: { ...row, id: item.to.id }, index });
  });
  const found = new Map<number, FoundChat | null>();
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

function chatFromRow(row: Row): FoundChat | null {
  if (row['identifier'] === null) return null;
  return {
    identifier: String(row['identifier']),
    isGroup: Number(row['is_group']),
    hasReceivedInbound: row['has_received_inbound'] === 1,
  };
}

function outboxRow(item: AcceptItem, chat: FoundChat | null | undefined): Row {
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
