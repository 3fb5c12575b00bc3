/**
 * When a message is announced: at once when it is complete; one that awaits a piece when the piece comes, at its
 * sender's next message, or when its time is up. What waits is a row, so crashes and takeovers release it. What is old
 * is not announced.
 */
import type { LineEvent, MessageSeen } from '@trunkline/drivers';
import type { Message } from '../domain/message.ts';
import { messageEventData } from '../wire/v1.ts';
import type { Row, Tx } from './database.ts';
import { appendEvents, type NewEvent } from './events.ts';
import { deleteHeld, type HeldMessage, holdMessages, selectDueHeld, selectHeldOfLines } from './held-messages.ts';
import { tellReceived } from './item-news.ts';
import { findCompleted } from './later-attachments.ts';
import { messagesFromRows, selectMessagesByRef } from './messages.ts';
import { type Born, guidKey, type Seen, textOf } from './report.ts';
import type { Batch, Write } from './writer.ts';

/** Decides in the order of the sightings; the rows and events are written after the last of them. */
export async function announceSightings(
  batch: Batch,
  all: readonly Seen[],
  born: ReadonlyMap<string, Born>,
): Promise<void> {
  const waiting = await waitingMessages(batch.tx, all);
  const completed = await findCompleted(batch.tx, all);
  const known = new Set(waiting.keys());
  const order = new Set<number>();
  const release = (matches: (one: HeldMessage) => boolean) => {
    for (const one of waiting.values()) {
      if (!matches(one)) continue;
      waiting.delete(one.ref);
      order.add(one.ref);
    }
  };
  for (const { event, report } of all) {
    const whole = wholeGuid(event);
    if (whole !== null && (event.kind === 'part' || completed.has(guidKey(report, whole))))
      release((one) => one.lineRef === report.line.ref && one.guid === whole);
    if (event.kind !== 'message' || event.isOld) continue;
    const one = born.get(guidKey(report, event.guid));
    if (!one || order.has(one.ref) || waiting.has(one.ref)) continue;
    if (!event.isFromMe) release((other) => other.chatRef === one.chat.ref && other.sender === event.sender);
    if (mustWait(event, report.now)) waiting.set(one.ref, heldMessage(one));
    else order.add(one.ref);
  }
  const bornByRef = new Map([...born.values()].map((one) => [one.ref, one]));
  await holdMessages(
    batch.tx,
    [...waiting.keys()].flatMap((ref) => heldRow(bornByRef.get(ref))),
  );
  const freed = await freedEvents(
    batch,
    [...order].filter((ref) => known.has(ref)),
    all[0]?.report.now ?? 0,
  );
  const events = [...order].flatMap((ref) => {
    const one = bornByRef.get(ref);
    const event = one ? bornEvent(batch, one) : freed.get(ref);
    return event ? [event] : [];
  });
  await announce(batch, events);
}

async function announce(batch: Batch, events: readonly NewEvent[]): Promise<void> {
  await appendEvents(batch, events);
  await tellReceived(batch, events);
}

/** The message that this may be the last piece of. */
function wholeGuid(event: LineEvent): string | null {
  if (event.kind === 'part') return event.partOf;
  return event.kind === 'attachment' ? event.guid : null;
}

/** An own message is never held back. */
function mustWait(event: MessageSeen, now: number): boolean {
  return !event.isFromMe && event.awaits !== null && event.awaits.until > now;
}

async function waitingMessages(tx: Tx, all: readonly Seen[]): Promise<Map<number, HeldMessage>> {
  const inbound = all.filter(({ event }) => wholeGuid(event) !== null || (event.kind === 'message' && !event.isFromMe));
  const held = await selectHeldOfLines(tx, [...new Set(inbound.map(({ report }) => report.line.ref))]);
  return new Map(held.map((one) => [one.ref, one]));
}

function heldMessage({ ref, chat, seen }: Born): HeldMessage {
  const { event, report } = seen;
  return { ref, lineRef: report.line.ref, chatRef: chat.ref, sender: event.sender, guid: event.guid };
}

/** Those that this transaction brought in; the others have their row already. */
function heldRow(one: Born | undefined): Row[] {
  if (!one) return [];
  const { event, report } = one.seen;
  return [
    {
      message_ref: one.ref,
      line_ref: report.line.ref,
      chat_ref: one.chat.ref,
      sender: event.sender,
      guid: event.guid,
      announce_at: event.awaits?.until ?? report.now,
    },
  ];
}

/** The message as it is stored, without another look at its row. */
export function bornMessage(one: Born): Message {
  const { event, report } = one.seen;
  return {
    id: one.id,
    lineId: report.line.id,
    chatId: one.chat.id,
    guid: event.guid,
    sender: event.sender,
    text: textOf(event),
    attachments: one.attachments,
    isAudioMessage: event.isAudioMessage,
    service: event.service,
    isFromMe: event.isFromMe,
    sentAt: event.sentAt,
    syncedAt: report.now,
    outboxId: one.outboxId,
    replyToGuid: event.replyToGuid,
    effect: event.effect,
  };
}

function bornEvent({ linkFile }: Batch, one: Born): NewEvent {
  const { event, report, accountRef } = one.seen;
  const { line } = report;
  return {
    accountRef,
    lineRef: line.ref,
    chatRef: one.chat.ref,
    messageRef: one.ref,
    type: event.isFromMe ? 'message.sent' : 'message.received',
    data: JSON.stringify(messageEventData(bornMessage(one), line.handle, linkFile)),
    now: report.now,
  };
}

/** Ends the wait of these messages and gives their events; those whose wait another ended meanwhile are left out. */
async function freedEvents(
  { tx, linkFile }: Batch,
  refs: readonly number[],
  now: number,
): Promise<Map<number, NewEvent>> {
  const freed = await deleteHeld(tx, refs);
  const rows = await tx.each(
    selectMessagesByRef,
    freed.map((ref) => ({ ref })),
  );
  const messages = await messagesFromRows(tx.each, rows);
  return new Map(
    rows.flatMap((row, index): [number, NewEvent][] => {
      const message = messages[index];
      if (!message) return [];
      const event: NewEvent = {
        accountRef: Number(row['account_ref']),
        lineRef: message.lineRef,
        chatRef: Number(row['chat_ref']),
        messageRef: message.ref,
        type: 'message.received',
        data: JSON.stringify(messageEventData(message, String(row['line_handle']), linkFile)),
        now,
      };
      return [[message.ref, event]];
    }),
  );
}

/** Announces the messages whose time to wait is up. Gives how many. */
export const announceDue: Write<{ now: number }, number> = {
  name: 'announce_due',
  kind: 'outcome',
  concurrency: 1,
  async run(batch, items) {
    const now = Math.max(...items.map((item) => item.now));
    const due = await selectDueHeld(batch.tx, now);
    const freed = await freedEvents(batch, due, now);
    await announce(
      batch,
      due.flatMap((ref) => freed.get(ref) ?? []),
    );
    return items.map(() => freed.size);
  },
};
