/**
 * What is told of listed items: an own one's status when it changes, an inbound one when it is announced. Their bodies
 * are read and rendered only where somebody listens.
 */
import { type ListedItem, refOfOutbox, refsOf } from '../domain/listed-item.ts';
import { itemBody } from '../wire/sendblue.ts';
import { type Row, statement } from './database.ts';
import type { NewEvent } from './events.ts';
import { appendItemEvents, type ItemNews } from './item-events.ts';
import { readListedItems } from './listed-item-rows.ts';
import type { Batch } from './writer.ts';

/** An item whose status is another now. */
export interface MovedItem {
  readonly ref: number;
  readonly accountRef: number;
  readonly status: ListedItem['status'];
  /** Whether an address that came with the send is told of it. */
  readonly isFollowed: boolean;
}

const listeningAccounts = statement(
  { account_ref: 'int' },
  `select webhooks.account_ref from webhooks{, items}
   where webhooks.account_ref = i.account_ref and webhooks.kind = 'account' and webhooks.is_active = 1`,
);

/** In the order in which they moved; one that moved twice is told of twice. */
export async function tellMoved(batch: Batch, moved: readonly MovedItem[], now: number): Promise<void> {
  const own = moved.filter(({ status }) => status !== 'QUEUED' && status !== 'RECEIVED');
  const listening = await findListening(batch, own);
  const told = own.filter(({ accountRef, isFollowed }) => isFollowed || listening.has(accountRef));
  const items = await itemsByRef(batch, told);
  const news = told.flatMap(({ ref, status }) => {
    const item = items.get(ref);
    return item ? [newsOf(batch, { ...item, status }, 'status', now)] : [];
  });
  await appendItemEvents(batch, news);
}

/** Of outbox items that were claimed just now. So small a step is told where somebody listens, and written nowhere. */
export async function tellAccepted(batch: Batch, claimed: readonly Row[], now: number): Promise<void> {
  const messages = claimed.filter(({ kind }) => kind === 'message' || kind === 'audio_message');
  const moved = messages.map(({ ref, account_ref: accountRef, details }): MovedItem => {
    const isFollowed = typeof details === 'string' && 'callback' in (JSON.parse(details) as object);
    return { ref: refOfOutbox(Number(ref)), accountRef: Number(accountRef), status: 'ACCEPTED', isFollowed };
  });
  await tellMoved(batch, moved, now);
}

const rowsOfMessage = statement(
  { first: 'int', last: 'int' },
  `select listed_items.ref from listed_items
   where listed_items.ref >= i.first and listed_items.ref <= i.last`,
);

/** Tells of those of the events that announce a message from outside: once for each of its attachments. */
export async function tellReceived(batch: Batch, events: readonly NewEvent[]): Promise<void> {
  const received = events.filter(({ type }) => type === 'message.received');
  const listening = await findListening(batch, received);
  const news: ItemNews[] = [];
  for (const { accountRef, chatRef, messageRef, now } of received) {
    if (messageRef === null || !listening.has(accountRef)) continue;
    const { first, last } = refsOf(messageRef, null);
    const rows = await batch.tx.one(rowsOfMessage, { first, last });
    const items = await itemsByRef(
      batch,
      rows.map((row) => ({ ref: Number(row['ref']) })),
    );
    const ordered = [...items.values()].sort((a, b) => a.ref - b.ref);
    // A chat's messages are told in their order.
    news.push(...ordered.map((item) => ({ ...newsOf(batch, item, 'received', now), chatRef })));
  }
  // At once, so that a webhook that is made meanwhile hears of all of them or of none.
  await appendItemEvents(batch, news);
}

async function findListening(
  { tx }: Batch,
  items: readonly { readonly accountRef: number }[],
): Promise<ReadonlySet<number>> {
  const accounts = new Set(items.map(({ accountRef }) => accountRef));
  const rows = await tx.each(
    listeningAccounts,
    [...accounts].map((ref) => ({ account_ref: ref })),
  );
  return new Set(rows.map((row) => Number(row['account_ref'])));
}

async function itemsByRef(
  { tx }: Batch,
  named: readonly { readonly ref: number }[],
): Promise<ReadonlyMap<number, ListedItem>> {
  if (named.length === 0) return new Map();
  const refs = [...new Set(named.map(({ ref }) => ref))];
  const items = await readListedItems((text, rows) => tx.each(text, rows), refs);
  return new Map(items.map((item) => [item.ref, item]));
}

function newsOf({ linkFile }: Batch, item: ListedItem, kind: ItemNews['kind'], now: number): ItemNews {
  const { accountRef, lineRef, lineHandle, chatRef, outboxRef, messageRef } = item;
  const callbackUrl = kind === 'status' ? item.callbackUrl : null;
  const render = () => JSON.stringify(itemBody(item, linkFile));
  return { accountRef, lineRef, lineHandle, chatRef, outboxRef, messageRef, kind, callbackUrl, render, now };
}
