/** Removing a line, in one transaction; and purging what it leaves behind, in bounded steps. */
import { isItemEvent } from '../domain/events.ts';
import { lineLane } from '../domain/line.ts';
import { SENTENCES } from '../domain/outbox.ts';
import { type Row, statement, type Tx } from './database.ts';
import { lockLane } from './leases.ts';
import { LINES_TOPIC } from './lines.ts';
import { moveFailed } from './listed-items.ts';
import { outboxTopic } from './outbox.ts';
import { disableWebhooksOfLine } from './webhooks.ts';
import type { Write } from './writer.ts';

/** How many chats one step empties at most. */
const CHATS_MAX = 100;

const markRemoved = statement(
  { ref: 'int', now: 'int' },
  'update lines set removed_at = coalesce(removed_at, i.now), is_active = 0 where ref = i.ref',
);

/** One statement for each of the three, which have an index each. */
const fail = (state: 'fetching' | 'pending' | 'waiting') =>
  statement(
    { line_ref: 'int', error: 'text', now: 'int' },
    `update outbox set state = 'failed', error = i.error, completed_at = i.now, updated_at = i.now
     where line_ref = i.line_ref and state = '${state}' returning ref`,
  );
const failFetching = fail('fetching');
const failPending = fail('pending');
const failWaiting = fail('waiting');

export interface Removal {
  readonly ref: number;
  /** Whether whoever runs the line is cut off at once: a purge wants nothing more of it. */
  readonly cutsOff: boolean;
  readonly now: number;
}

/**
 * Its lease is locked first, as whoever runs the line does before it writes; then the line, as whoever accepts does.
 * What was handed over already ends by its echo or its time limit.
 */
export const removeLines: Write<Removal, null> = {
  name: 'remove_lines',
  kind: 'outcome',
  concurrency: 1,
  async run(batch, removals) {
    const { tx, wake } = batch;
    for (const { ref, cutsOff, now } of removals) {
      await lockLane(tx, lineLane(ref), cutsOff);
      await tx.one(markRemoved, { ref, now });
      const failed = { line_ref: ref, error: SENTENCES.lineRemoved, now };
      const gone: Row[] = [];
      for (const failState of [failFetching, failPending, failWaiting]) gone.push(...(await tx.one(failState, failed)));
      await moveFailed(
        batch,
        gone.map((row) => ({ ref: Number(row['ref']), now })),
      );
      await disableWebhooksOfLine(batch, ref, 'Its line was removed.');
      wake(outboxTopic(ref));
    }
    wake(LINES_TOPIC);
    return removals.map(() => null);
  },
};

/**
 * In this order, so that whoever looks in between, or after a crash, finds nothing that lacks what it speaks of: what is
 * listed goes before its item, an item before its message, a message before its event, a delivery before its event and its webhook.
 */
export const PURGE_PARTS = ['deliveries', 'items', 'outbox', 'chats', 'events', 'uploads', 'webhooks'] as const;
export type PurgePart = (typeof PURGE_PARTS)[number];

export interface PurgeStep {
  readonly lineRef: number;
  readonly part: PurgePart;
  /** Where the step before ended; 0 at first. */
  readonly after: number;
  readonly max: number;
}

/** Where the next step of this part begins, null when the part is done, or that the line is back. */
export type Purged = { readonly next: number | null } | 'revived';

/** Purges of one line go one after another, and none goes on once the line is back. */
const lockRemoved = statement(
  { ref: 'int' },
  'update lines set removed_at = removed_at where ref = i.ref and removed_at is not null returning ref',
);

export const purgeLines: Write<PurgeStep, Purged> = {
  name: 'purge_lines',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx }, steps) {
    const results: Purged[] = [];
    for (const step of steps) {
      const isRemoved = (await tx.one(lockRemoved, { ref: step.lineRef })).length > 0;
      results.push(isRemoved ? { next: await PURGES[step.part](tx, step) } : 'revived');
    }
    return results;
  },
};

const PURGES: Readonly<Record<PurgePart, (tx: Tx, step: PurgeStep) => Promise<number | null>>> = {
  deliveries: purgeDeliveries,
  items: purgeItems,
  outbox: (tx, step) => purgeRange(tx, step, async (range) => tx.one(deleteOutbox, range), newestOutbox),
  chats: purgeChats,
  events: (tx, step) => purgeRange(tx, step, (range) => purgeEvents(tx, range), newestEvent),
  uploads: ageUploads,
  webhooks: purgeWebhooks,
};

const deleteDeliveries = statement(
  { line_ref: 'int', max: 'int' },
  `delete from deliveries where (webhook_ref, event_seq) in (
     select d.webhook_ref, d.event_seq from webhooks w join deliveries d on d.webhook_ref = w.ref
     where w.line_ref = i.line_ref limit i.max)
   returning webhook_ref, event_seq`,
);
const deleteAttempts = statement(
  { webhook_ref: 'int', event_seq: 'int' },
  `delete from attempts where (webhook_ref, event_seq) in (select i.webhook_ref, i.event_seq {from items})`,
);

async function purgeDeliveries(tx: Tx, { lineRef, max }: PurgeStep): Promise<number | null> {
  const gone = await tx.one(deleteDeliveries, { line_ref: lineRef, max });
  await tx.each(deleteAttempts, gone);
  return gone.length < max ? null : 0;
}

const deleteItems = statement(
  { line_ref: 'int', max: 'int' },
  `delete from listed_items where ref in (select l.ref from listed_items l where l.line_ref = i.line_ref
     order by l.created_at, l.ref limit i.max)
   returning ref`,
);

async function purgeItems(tx: Tx, { lineRef, max }: PurgeStep): Promise<number | null> {
  return (await tx.one(deleteItems, { line_ref: lineRef, max })).length < max ? null : 0;
}

const ageParts = statement(
  { line_ref: 'int' },
  'update upload_parts set created_at = 0 where line_ref = i.line_ref and created_at > 0',
);

/** Pieces of files go with their blobs, by whoever drops what was left behind. */
async function ageUploads(tx: Tx, { lineRef }: PurgeStep): Promise<number | null> {
  await tx.one(ageParts, { line_ref: lineRef });
  return null;
}

const newestOutbox = statement({}, 'select coalesce(max(ref), 0) as newest from outbox');
const deleteOutbox = statement(
  { line_ref: 'int', after: 'int', until: 'int' },
  'delete from outbox where line_ref = i.line_ref and ref > i.after and ref <= i.until',
);
const newestEvent = statement({}, 'select coalesce(max(seq), 0) as newest from events');
const deleteEvents = statement(
  { line_ref: 'int', after: 'int', until: 'int' },
  'delete from events where line_ref = i.line_ref and seq > i.after and seq <= i.until returning seq, account_ref, type',
);
const deleteItemDeliveries = statement(
  { seq: 'int', account_ref: 'int' },
  `delete from deliveries where (webhook_ref, event_seq) in (
     select w.ref, i.seq from webhooks w{, items} where w.account_ref = i.account_ref and w.kind = 'account'
     union all select d.webhook_ref, d.event_seq from deliveries d{, items} where d.event_seq = i.seq and d.url is not null)
   returning webhook_ref, event_seq`,
);

/** A stretch of a table that has no index by line: one pass over it, in steps. */
async function purgeRange(
  tx: Tx,
  { lineRef, after, max }: PurgeStep,
  remove: (range: { line_ref: number; after: number; until: number }) => Promise<unknown>,
  newestOf: typeof newestOutbox,
): Promise<number | null> {
  const until = after + max;
  await remove({ line_ref: lineRef, after, until });
  const [row] = await tx.one(newestOf, {});
  return until >= Number(row?.['newest']) ? null : until;
}

/**
 * With what they are due to webhooks of the account and to callbacks, which the line does not take with it. After the
 * events: what comes with one is there to be seen once the event was.
 */
async function purgeEvents(tx: Tx, range: { line_ref: number; after: number; until: number }): Promise<void> {
  const events = (await tx.one(deleteEvents, range)).filter((row) => isItemEvent(String(row['type'])));
  await tx.each(deleteAttempts, await tx.each(deleteItemDeliveries, events));
}

const someChats = statement(
  { line_ref: 'int', max: 'int' },
  'select ref from chats where line_ref = i.line_ref order by last_message_at desc, ref desc limit i.max',
);
const deleteOldest = statement(
  { chat_ref: 'int', max: 'int' },
  `delete from messages where ref in (select m.ref from messages m where m.chat_ref = i.chat_ref
     order by m.sent_at, m.ref limit i.max) returning ref`,
);
/** Whoever announces a message deletes this row first, so after it the message's event is there or never will be. */
const deleteHeldRows = statement(
  { ref: 'int' },
  'delete from held_messages where message_ref in (select i.ref {from items})',
);
const deleteAttachments = statement(
  { ref: 'int' },
  'delete from attachments where message_ref in (select i.ref {from items})',
);
const deleteReactions = statement(
  { ref: 'int' },
  'delete from reactions where message_ref in (select i.ref {from items})',
);
const deleteTyping = statement({ ref: 'int' }, 'delete from typing_indicators where chat_ref = i.ref');
const deleteReadReceipts = statement({ ref: 'int' }, 'delete from read_receipts where chat_ref = i.ref');
const deleteChat = statement({ ref: 'int' }, 'delete from chats where ref = i.ref');
/** What a chat says of its messages holds between two steps as well. */
const describeRest = statement(
  { ref: 'int' },
  `update chats set last_message_at = coalesce((select max(m.sent_at) from messages m where m.chat_ref = i.ref), 0),
     has_received_inbound = case when has_received_inbound = 1
       and exists (select 1 from messages m where m.chat_ref = i.ref and m.is_from_me = 0) then 1 else 0 end
   where ref = i.ref`,
);

async function purgeChats(tx: Tx, { lineRef, max }: PurgeStep): Promise<number | null> {
  const chats = await tx.one(someChats, { line_ref: lineRef, max: CHATS_MAX });
  let left = max;
  for (const chat of chats) {
    const ref = Number(chat['ref']);
    const gone = await tx.one(deleteOldest, { chat_ref: ref, max: left });
    await tx.each(deleteHeldRows, gone);
    await tx.each(deleteAttachments, gone);
    await tx.each(deleteReactions, gone);
    if (gone.length === left) {
      await tx.one(describeRest, { ref });
      return 0;
    }
    for (const remove of [deleteTyping, deleteReadReceipts, deleteChat]) await tx.one(remove, { ref });
    left -= gone.length;
  }
  return chats.length < CHATS_MAX ? null : 0;
}

const deleteWebhookRows = statement({ line_ref: 'int' }, 'delete from webhooks where line_ref = i.line_ref');
const deleteHealth = statement({ line_ref: 'int' }, 'delete from line_health where line_ref = i.line_ref');

/** The last step. How far the driver was heard stays: a line that comes back does not hear everything again. */
async function purgeWebhooks(tx: Tx, { lineRef }: PurgeStep): Promise<null> {
  await tx.one(deleteWebhookRows, { line_ref: lineRef });
  await tx.one(deleteHealth, { line_ref: lineRef });
  return null;
}
