/**
 * What drivers saw on the lines, written in one transaction: chats, messages, the outbox items they are the echo of,
 * receipts, and the events with their deliveries. A message row is born here and nowhere else, outgoing and incoming
 * alike.
 */
import type { LineEvent, MessageSeen } from '@trunkline/drivers';
import { announceSightings } from './announcements.ts';
import { type ChatRow, chatKey, type SeenChat, touch, upsertChats } from './chats.ts';
import { type Row, statement } from './database.ts';
import { type EchoOf, failItems, findEchoes, markItemsSent } from './echoes.ts';
import { heldClaims } from './leases.ts';
import { insertMessages, messageState, updateReceipts } from './messages.ts';
import { type Born, guidKey, type Report, type Seen } from './report.ts';
import type { Batch, Write } from './writer.ts';

export interface ReportResult {
  readonly state: 'committed' | 'fenced';
  /** The outbox items, by id, that the report's echoes made `sent`. */
  readonly sent: readonly string[];
}

const moveCursor = statement(
  { line_ref: 'int', cursor: 'text' },
  `insert into line_cursors (line_ref, cursor) select i.line_ref, i.cursor {from items} where true
   on conflict (line_ref) do update set cursor = excluded.cursor`,
);

export const recordSightings: Write<Report, ReportResult> = {
  name: 'record_sightings',
  kind: 'outcome',
  concurrency: 1,
  async run(batch, reports) {
    const holds = await heldClaims(
      batch.tx,
      reports.map((report) => report.claim),
    );
    const held = reports.filter((report) => holds(report.claim));
    const echoes = await record(batch, held);
    return reports.map((report) => ({
      state: holds(report.claim) ? 'committed' : 'fenced',
      sent: [...echoes].filter(([seen]) => seen.report === report).map(([, item]) => item.id),
    }));
  },
};

async function record(batch: Batch, reports: readonly Report[]): Promise<ReadonlyMap<Seen<MessageSeen>, EchoOf>> {
  const { tx } = batch;
  const all = reports.flatMap((report) => report.events.map((event): Seen => ({ report, event })));
  const messages = firstOfEachGuid(all);
  const chats = await upsertChats(batch, all.flatMap(seenChat));
  const echoes = await findEchoes(tx, messages);
  const born = await insertNew(batch, messages, chats, echoes);
  await markItemsSent(tx, echoes);
  await failItems(tx, all);
  await tx.each(updateReceipts, receiptRows(all, born));
  await touch(tx, [...born.values()].map(touchedBy));
  await announceSightings(batch, all, born);
  await tx.each(moveCursor, lastCursors(reports));
  return echoes;
}

/** Two sightings of one GUID in a batch are one message; the first one counts. */
function firstOfEachGuid(all: readonly Seen[]): Seen<MessageSeen>[] {
  const first = new Map<string, Seen<MessageSeen>>();
  for (const { report, event } of all) {
    if (event.kind !== 'message') continue;
    const key = guidKey(report, event.guid);
    if (!first.has(key)) first.set(key, { report, event });
  }
  return [...first.values()];
}

function seenChat({ event, report }: Seen): SeenChat[] {
  if (event.kind !== 'message' && event.kind !== 'chat') return [];
  return [{ ...event.chat, accountRef: report.line.accountRef, lineRef: report.line.ref, now: report.now }];
}

async function insertNew(
  batch: Batch,
  messages: readonly Seen<MessageSeen>[],
  chats: ReadonlyMap<string, ChatRow>,
  echoes: ReadonlyMap<Seen<MessageSeen>, EchoOf>,
): Promise<Map<string, Born>> {
  const tried = new Map<string, Omit<Born, 'ref'>>();
  const rows: Row[] = [];
  for (const seen of messages) {
    const { line } = seen.report;
    const chat = chats.get(chatKey({ accountRef: line.accountRef, lineRef: line.ref, ...seen.event.chat }));
    if (!chat) throw new Error('A sighting has no chat although one was just made.');
    const id = batch.newId('message');
    const item = echoes.get(seen);
    tried.set(id, { seen, id, chat, outboxId: item?.id ?? null });
    rows.push(messageRow(seen, id, chat.ref, item?.ref ?? null));
  }
  const born = new Map<string, Born>();
  for (const row of await batch.tx.each(insertMessages, rows)) {
    const made = tried.get(String(row['id']));
    if (made) born.set(guidKey(made.seen.report, made.seen.event.guid), { ...made, ref: Number(row['ref']) });
  }
  return born;
}

function messageRow({ report, event }: Seen<MessageSeen>, id: string, chatRef: number, outboxRef: number | null): Row {
  return {
    chat_ref: chatRef,
    sent_at: event.sentAt,
    id,
    account_ref: report.line.accountRef,
    line_ref: report.line.ref,
    guid: event.guid,
    sender: event.sender,
    // None is null, whatever a driver calls it.
    text: event.text === '' ? null : event.text,
    service: event.service,
    is_from_me: event.isFromMe ? 1 : 0,
    state: messageState(event),
    outbox_ref: outboxRef,
    reply_to_guid: event.replyToGuid,
    delivered_at: event.deliveredAt,
    read_at: event.readAt,
    now: report.now,
  };
}

/**
 * Receipts, and what a later sighting of a message already known says of its state: one row for each message, because a
 * set-based update takes only one of several rows that match.
 */
function receiptRows(all: readonly Seen[], born: ReadonlyMap<string, Born>): Row[] {
  const rows = new Map<string, Row>();
  for (const { event, report } of all) {
    const times = receiptTimes(event);
    if (!times) continue;
    const key = guidKey(report, times.guid);
    // What the first sighting said is in the row already.
    if (born.get(key)?.seen.event === event) continue;
    const earlier = rows.get(key);
    rows.set(key, {
      line_ref: report.line.ref,
      guid: times.guid,
      delivered_at: earlier?.['delivered_at'] ?? times.deliveredAt,
      read_at: earlier?.['read_at'] ?? times.readAt,
      now: report.now,
    });
  }
  return [...rows.values()];
}

function receiptTimes(event: LineEvent): Pick<MessageSeen, 'guid' | 'deliveredAt' | 'readAt'> | null {
  if (event.kind === 'receipt') {
    const isRead = event.receipt === 'read';
    return { guid: event.guid, deliveredAt: isRead ? null : event.at, readAt: isRead ? event.at : null };
  }
  if (event.kind !== 'message' || !event.isFromMe) return null;
  return event.deliveredAt === null && event.readAt === null ? null : event;
}

function touchedBy({ chat, seen }: Born): { ref: number; lastMessageAt: number; hasReceivedInbound: boolean } {
  return { ref: chat.ref, lastMessageAt: seen.event.sentAt, hasReceivedInbound: !seen.event.isFromMe };
}

function lastCursors(reports: readonly Report[]): Row[] {
  const last = new Map<number, Row>();
  for (const { line, events } of reports) {
    const cursor = events.at(-1)?.cursor;
    if (cursor !== undefined) last.set(line.ref, { line_ref: line.ref, cursor });
  }
  return [...last.values()];
}
