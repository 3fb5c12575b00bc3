/**
 * The projection of outbox and messages that lists in Sendblue's manner read: kept in the transaction of whatever changes
 * one of the two. Decision record 26.
 */
import type { Service } from '@trunkline/drivers';
import { ATTACHMENTS_MAX, refOfMessage, refOfOutbox, refsOf, type StoredStatus } from '../domain/listed-item.ts';
import type { MessageState } from '../domain/message.ts';
import { insertInto, type Row, type Statement, statement, type Tx } from './database.ts';
import type { EchoOf } from './echoes.ts';
import { type MovedItem, tellMoved } from './item-news.ts';
import { messageState } from './messages.ts';
import { type Born, isWhole, type Seen } from './report.ts';
import type { Batch } from './writer.ts';

const OUTBOX_PLACES = refOfOutbox(1);

/** A group has a chat already, or nothing could be sent to it. */
const insertAccepted = statement(
  { id: 'text', is_followed: 'int' },
  `insert into listed_items (ref, account_ref, line_ref, chat_ref, peer, is_outbound, status, service, outbox_ref,
     message_ref, place, created_at, updated_at, is_followed)
   select outbox.ref * ${OUTBOX_PLACES}, outbox.account_ref, outbox.line_ref,
     case when outbox.is_group = 1 then (select chats.ref from chats where chats.account_ref = outbox.account_ref
       and chats.line_ref = outbox.line_ref and chats.identifier = outbox.recipient) end,
     case when outbox.is_group = 1 then '' else outbox.recipient end, 1, 'QUEUED',
     case when lines.service = 'sms' then 'sms' else 'imessage' end, outbox.ref, null, 0,
     outbox.created_at, outbox.created_at, i.is_followed
   from outbox join lines on lines.ref = outbox.line_ref{, items} where outbox.id = i.id`,
);

const insertSeen = insertInto('listed_items', {
  ref: 'int',
  account_ref: 'int',
  line_ref: 'int',
  chat_ref: 'int',
  peer: 'text',
  is_outbound: 'int',
  status: 'text',
  service: 'text',
  outbox_ref: 'int',
  message_ref: 'int',
  place: 'int',
  created_at: 'int',
  updated_at: 'int',
});

const CHANGED_AT = 'updated_at = case when i.now > listed_items.created_at then i.now else listed_items.created_at end';

const MOVE = { first: 'int', last: 'int', status: 'text', service: 'text', message_ref: 'int', now: 'int' } as const;

/** What was delivered is not merely sent any more. */
const MOVE_ITEMS = `update listed_items set status = i.status, service = coalesce(i.service, listed_items.service),
     message_ref = coalesce(i.message_ref, listed_items.message_ref), ${CHANGED_AT}
   {from items} where listed_items.ref >= i.first and listed_items.ref <= i.last
     and (listed_items.status <> i.status or listed_items.message_ref is null and i.message_ref is not null)
     and not (listed_items.status = 'DELIVERED' and i.status = 'SENT')`;
const MOVED = 'returning listed_items.ref, listed_items.status, listed_items.account_ref, listed_items.is_followed';
const moveItems = statement(MOVE, `${MOVE_ITEMS} ${MOVED}`);
/** The first of several messages may be delivered before the others are sent. */
const moveSent = statement(MOVE, `${MOVE_ITEMS} and listed_items.status <> 'QUEUED' ${MOVED}`);

const nameItems = statement(
  { ref: 'int', message_ref: 'int', service: 'text' },
  `update listed_items set message_ref = i.message_ref, service = i.service {from items} where listed_items.ref = i.ref`,
);

const completeItems = statement(
  { ref: 'int', now: 'int' },
  `update listed_items set ${CHANGED_AT}, status = case when exists (select 1 from messages
       where messages.ref = listed_items.message_ref and messages.state in ('delivered', 'read')) then 'DELIVERED' else 'SENT' end
   {from items} where listed_items.ref = i.ref and listed_items.status in ('QUEUED', 'ERROR')
   returning listed_items.ref, listed_items.status, listed_items.account_ref, listed_items.is_followed`,
);

const touchItems = statement(
  { first: 'int', last: 'int', now: 'int' },
  `update listed_items set ${CHANGED_AT} {from items} where listed_items.ref >= i.first and listed_items.ref <= i.last`,
);

const failItems = statement(
  { outbox_ref: 'int', now: 'int' },
  `update listed_items set status = 'ERROR', ${CHANGED_AT} {from items}
   where listed_items.ref = i.outbox_ref * ${OUTBOX_PLACES} and listed_items.status <> 'ERROR'
     and exists (select 1 from outbox where outbox.ref = i.outbox_ref and outbox.state = 'failed')
   returning listed_items.ref, listed_items.status, listed_items.account_ref, listed_items.is_followed`,
);

/** Messages and voice memos, by the ids of their outbox items. */
export async function listAccepted(
  tx: Tx,
  items: readonly { readonly id: string; readonly isFollowed: boolean }[],
): Promise<void> {
  await tx.changed(
    insertAccepted,
    items.map(({ id, isFollowed }) => ({ id, is_followed: Number(isFollowed) })),
  );
}

/** New messages: the echo of an item moves it on, any other one is listed now. */
export async function listSeen(batch: Batch, born: readonly Born[], echoes: ReadonlyMap<Seen, EchoOf>): Promise<void> {
  const echoed = born.flatMap((one) => {
    const item = echoes.get(one.seen);
    return item && isFirstPart(one.seen) && isWhole(one.seen)
      ? [{ ...moveOf(one, item), service: one.seen.event.service }]
      : [];
  });
  const others = born.filter((one) => !echoes.has(one.seen));
  await batch.tx.each(insertSeen, others.flatMap(seenRows));
  const rows = inOrder(echoed);
  const moved = (await batch.tx.each(moveItems, rows)).map(movedFromRow);
  const completed = await completeParts(batch, born, echoes);
  // What is seen when it has arrived already was sent before.
  const told = [...moved, ...completed].flatMap((one) =>
    one.status === 'DELIVERED' ? [{ ...one, status: 'SENT' as const }, one] : [one],
  );
  await tellMoved(batch, told, latestOf([...rows, ...[...echoes.keys()].map(({ report }) => ({ now: report.now }))]));
}

/** An item that became several messages shows the first of them, and moves on when all have been seen. */
async function completeParts(
  { tx }: Batch,
  born: readonly Born[],
  echoes: ReadonlyMap<Seen, EchoOf>,
): Promise<readonly MovedItem[]> {
  const isNew = new Set<Seen>(born.map(({ seen }) => seen));
  const named = born.flatMap((one) => {
    const item = echoes.get(one.seen);
    if (!item || !isFirstPart(one.seen) || isWhole(one.seen)) return [];
    return [{ ref: refOfOutbox(item.ref), message_ref: one.ref, service: one.seen.event.service }];
  });
  await tx.each(nameItems, named);
  const completed = [...echoes].flatMap(([seen, item]) => {
    const isMoved = isNew.has(seen) && isFirstPart(seen);
    const isMessage = seen.event.kind === 'message';
    return isMessage && isWhole(seen) && !isMoved ? [{ ref: refOfOutbox(item.ref), now: seen.report.now }] : [];
  });
  const rows = completed.toSorted((a, b) => a.ref - b.ref);
  return (await tx.each(completeItems, rows)).map(movedFromRow);
}

function isFirstPart({ event }: Seen): boolean {
  return event.kind !== 'message' || event.itemPart === 0;
}

function moveOf(one: Born, item: EchoOf) {
  const ref = refOfOutbox(item.ref);
  const { event, report } = one.seen;
  return { first: ref, last: ref, status: statusOf(messageState(event)), message_ref: one.ref, now: report.now };
}

/** One for each attachment, and one where there is none. */
function seenRows({ seen, ref, chat, attachments }: Born): Row[] {
  const { event, report, accountRef } = seen;
  const { isGroup, identifier } = event.chat;
  const rows = Math.min(Math.max(attachments.length, 1), ATTACHMENTS_MAX);
  const toSomebody = isGroup ? '' : identifier;
  return Array.from({ length: rows }, (_, place) => ({
    ref: refOfMessage(ref, place),
    account_ref: accountRef,
    line_ref: report.line.ref,
    chat_ref: isGroup ? chat.ref : null,
    peer: event.isFromMe ? toSomebody : event.sender,
    is_outbound: event.isFromMe ? 1 : 0,
    status: statusOf(messageState(event)),
    service: event.service,
    outbox_ref: null,
    message_ref: ref,
    place,
    created_at: event.sentAt,
    updated_at: Math.max(event.sentAt, report.now),
  }));
}

/** How far a message that was sent has come. */
export interface ReceivedItem {
  readonly messageRef: number;
  readonly outboxRef: number | null;
  readonly state: MessageState;
  readonly now: number;
}

export async function moveReceived(batch: Batch, items: readonly ReceivedItem[]): Promise<void> {
  const rows = items.map(({ messageRef, outboxRef, state, now }) => ({
    ...refsOf(messageRef, outboxRef),
    status: statusOf(state),
    service: null satisfies Service | null,
    message_ref: null,
    now,
  }));
  await move(batch, moveSent, inOrder(rows));
}

/** What these messages say has changed. */
export async function touchListed(
  tx: Tx,
  messages: readonly { readonly messageRef: number; readonly outboxRef: number | null; readonly now: number }[],
): Promise<void> {
  const rows = messages.map(({ messageRef, outboxRef, now }) => ({ ...refsOf(messageRef, outboxRef), now }));
  await tx.each(touchItems, inOrder(rows));
}

/** Of these outbox items those that have failed. */
export async function moveFailed(
  batch: Batch,
  items: readonly { readonly ref: number; readonly now: number }[],
): Promise<void> {
  const rows = items.map(({ ref, now }) => ({ outbox_ref: ref, now })).sort((a, b) => a.outbox_ref - b.outbox_ref);
  await move(batch, failItems, rows);
}

function statusOf(state: MessageState): StoredStatus {
  if (state === 'received') return 'RECEIVED';
  return state === 'sent' ? 'SENT' : 'DELIVERED';
}

async function move(batch: Batch, statement: Statement, rows: readonly MoveRow[]): Promise<void> {
  const moved = (await batch.tx.each(statement, rows)).map(movedFromRow);
  await tellMoved(batch, moved, latestOf(rows));
}

type MoveRow = Row & { readonly now: number };

function latestOf(rows: readonly MoveRow[]): number {
  return rows.reduce((latest, { now }) => Math.max(latest, now), 0);
}

function movedFromRow(row: Row): MovedItem {
  return {
    ref: Number(row['ref']),
    accountRef: Number(row['account_ref']),
    status: String(row['status']) as StoredStatus,
    isFollowed: row['is_followed'] === 1,
  };
}

/** Whoever locks several locks them in this order, so that no two wait for each other. */
function inOrder<T extends { readonly first: number }>(rows: readonly T[]): T[] {
  return rows.toSorted((a, b) => a.first - b.first);
}
