/**
 * What drivers saw on the lines, written in one transaction: chats, messages, the outbox items they are the echo of,
 * receipts, and the events with their deliveries. A message row is born here and nowhere else, outgoing and incoming
 * alike.
 */
import type { MessageSeen } from '@trunkline/drivers';
import { announceSightings } from './announcements.ts';
import { attachmentsOf, findSeenFiles, storeAttachments } from './attachments.ts';
import { type ChatRow, chatKey, type SeenChat, touch, upsertChats } from './chats.ts';
import { type Row, statement } from './database.ts';
import { type EchoOf, failItems, findEchoes, markItemsSent } from './echoes.ts';
import { appendEvents } from './events.ts';
import { withLaterAttachments } from './later-attachments.ts';
import { heldClaims } from './leases.ts';
import { listSeen } from './listed-items.ts';
import { recordChanges } from './message-changes.ts';
import { insertMessages, messageState } from './messages.ts';
import { recordOptOutWords } from './opt-out-words.ts';
import { partyKey, type ReadNews, recordReads, recordTyping, type TypingNews, typingByLine } from './presence.ts';
import { recordReactions } from './reactions.ts';
import { type Born, guidKey, isWhole, type Report, type Seen, type Told, textOf } from './report.ts';
import { ownSightings } from './sighting-owners.ts';
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
    const merged = reports.map((report) => ({ ...report, events: withLaterAttachments(report.events) }));
    const echoes = await record(
      batch,
      merged.filter((report) => holds(report.claim)),
    );
    return merged.map((report) => ({
      state: holds(report.claim) ? 'committed' : 'fenced',
      sent: [...echoes].filter(([seen]) => seen.report === report && isWhole(seen)).map(([, item]) => item.id),
    }));
  },
};

async function record(batch: Batch, reports: readonly Report[]): Promise<ReadonlyMap<Seen, EchoOf>> {
  const { tx } = batch;
  // Reports of the shared line go one after another, for what one pairs decides whose the next one's messages are.
  await tx.each(moveCursor, lastCursors(reports.filter(({ line }) => line.isSandbox)));
  const all = await ownSightings(tx, reports);
  const messages = firstOfEachGuid(all);
  const chats = await upsertChats(batch, all.flatMap(seenChat));
  const echoes = await findEchoes(tx, messages, all);
  const born = await insertNew(batch, messages, chats, echoes);
  await markItemsSent(tx, echoes);
  await listSeen(batch, [...born.values()], echoes);
  await touch(tx, [...born.values()].map(touchedBy));
  await recordOptOutWords(
    tx,
    messages.flatMap(({ report, event }) => born.get(guidKey(report, event.guid)) ?? []),
  );
  const changes = await recordChanges(batch, all, born);
  const told = [
    ...changes.told,
    ...(await recordReactions(batch, all)),
    ...(await recordTyping(batch, await typingNews(batch, all, chats, born))),
    ...(await recordReads(batch, [...changes.reads, ...readNews(all, chats)])),
    ...(await failItems(batch, all)),
  ];
  await announceSightings(batch, all, born);
  // After the messages that they are about.
  await appendEvents(batch, inOrder(told));
  await tx.each(moveCursor, lastCursors(reports));
  return echoes;
}

/** Two sightings of one GUID in a batch are one message; the first one counts. */
function firstOfEachGuid(all: readonly Seen[]): Seen<MessageSeen>[] {
  const first = new Map<string, Seen<MessageSeen>>();
  for (const { report, event, accountRef } of all) {
    if (event.kind !== 'message') continue;
    const key = guidKey(report, event.guid);
    if (!first.has(key)) first.set(key, { report, event, accountRef });
  }
  return [...first.values()];
}

function seenChat({ event, report, accountRef }: Seen): SeenChat[] {
  if (!('chat' in event)) return [];
  return [{ ...event.chat, accountRef, lineRef: report.line.ref, now: report.now }];
}

async function insertNew(
  batch: Batch,
  messages: readonly Seen<MessageSeen>[],
  chats: ReadonlyMap<string, ChatRow>,
  echoes: ReadonlyMap<Seen, EchoOf>,
): Promise<Map<string, Born>> {
  const files = await findSeenFiles(
    batch.tx,
    messages.map(({ event, accountRef }) => ({ accountRef, attachments: event.attachments })),
  );
  const tried = new Map<string, Omit<Born, 'ref'>>();
  const rows: Row[] = [];
  for (const seen of messages) {
    const { accountRef, report } = seen;
    const chat = chats.get(chatKey({ accountRef, lineRef: report.line.ref, ...seen.event.chat }));
    if (!chat) throw new Error('A sighting has no chat although one was just made.');
    const id = batch.newId('message');
    const item = echoes.get(seen);
    const attachments = attachmentsOf(seen.event, accountRef, files);
    tried.set(id, { seen, id, chat, outboxId: item?.id ?? null, attachments });
    rows.push(messageRow(seen, id, chat.ref, item?.ref ?? null));
  }
  const born = new Map<string, Born>();
  for (const row of await batch.tx.each(insertMessages, rows)) {
    const made = tried.get(String(row['id']));
    if (made) born.set(guidKey(made.seen.report, made.seen.event.guid), { ...made, ref: Number(row['ref']) });
  }
  const brought = [...born.values()].map(({ ref, seen, attachments }) => {
    return { ref, accountRef: seen.accountRef, attachments };
  });
  await storeAttachments(batch.tx, brought, files);
  return born;
}

function messageRow(seen: Seen<MessageSeen>, id: string, chatRef: number, outboxRef: number | null): Row {
  const { report, event, accountRef } = seen;
  return {
    chat_ref: chatRef,
    sent_at: event.sentAt,
    id,
    account_ref: accountRef,
    line_ref: report.line.ref,
    guid: event.guid,
    sender: event.sender,
    text: textOf(event),
    service: event.service,
    is_from_me: event.isFromMe ? 1 : 0,
    state: messageState(event),
    outbox_ref: outboxRef,
    reply_to_guid: event.replyToGuid,
    delivered_at: event.deliveredAt,
    read_at: event.readAt,
    is_audio_message: event.isAudioMessage ? 1 : 0,
    attachment_count: event.attachments.length,
    effect: event.effect,
    item_part: event.itemPart,
    is_whole_item: event.isWholeItem ? 1 : 0,
    is_old: event.isOld ? 1 : 0,
    now: report.now,
  };
}

/** Whoever writes has ceased to type. */
async function typingNews(
  { tx }: Batch,
  all: readonly Seen[],
  chats: ReadonlyMap<string, ChatRow>,
  born: ReadonlyMap<string, Born>,
): Promise<TypingNews[]> {
  const wrote = [...born.values()].filter(({ seen }) => !seen.event.isFromMe);
  const typing = await typingByLine(tx, new Set(wrote.map(({ seen }) => seen.report.line.ref)));
  return all.flatMap((seen, place): TypingNews[] => {
    const { event, report } = seen;
    if (event.kind === 'typing') {
      const party = partyOf(seen, place, chats, event.handle);
      return party ? [{ ...party, isTyping: event.isTyping, at: event.at }] : [];
    }
    if (event.kind !== 'message' || event.isFromMe) return [];
    const one = born.get(guidKey(report, event.guid));
    const isOver = one?.seen.event === event && typing.has(partyKey(one.chat.ref, event.sender));
    const party = isOver ? partyOf(seen, place, chats, event.sender) : null;
    return party ? [{ ...party, isTyping: false, at: event.sentAt }] : [];
  });
}

function readNews(all: readonly Seen[], chats: ReadonlyMap<string, ChatRow>): ReadNews[] {
  return all.flatMap((seen, place): ReadNews[] => {
    if (seen.event.kind !== 'read') return [];
    const party = partyOf(seen, place, chats, seen.event.handle);
    return party ? [{ ...party, at: seen.event.at }] : [];
  });
}

function partyOf(
  { event, report, accountRef }: Seen,
  place: number,
  chats: ReadonlyMap<string, ChatRow>,
  handle: string,
) {
  if (!('chat' in event)) return null;
  const { line, now } = report;
  const chat = chats.get(chatKey({ accountRef, lineRef: line.ref, ...event.chat }));
  if (!chat) return null;
  const { ref: lineRef, handle: lineHandle } = line;
  return { accountRef, lineRef, lineHandle, chatRef: chat.ref, chatId: chat.id, handle, place, now };
}

function inOrder(told: readonly Told[]) {
  return told.toSorted((a, b) => a.place - b.place).map(({ event }) => event);
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
