/**
 * What becomes of messages after their first sighting: they are delivered, read, changed or taken back by their sender,
 * a voice memo gets its transcription, and an attachment its bytes.
 */
import type { LineEvent } from '@trunkline/drivers';
import type { EventType } from '../domain/events.ts';
import { messageEventData } from '../wire/v1.ts';
import { bornMessage } from './announcements.ts';
import { storeTranscriptions } from './attachments.ts';
import { type Row, statement } from './database.ts';
import { findKnownMessages, type KnownMessage } from './known-messages.ts';
import { type LaterAttachment, storeLaterAttachments } from './later-attachments.ts';
import { moveReceived, touchListed } from './listed-items.ts';
import { messagesFromRows, selectMessagesByRef, updateReceipts } from './messages.ts';
import type { ReadNews } from './presence.ts';
import { type Born, guidKey, type Seen, type Told } from './report.ts';
import type { Batch } from './writer.ts';

const editMessages = statement(
  { ref: 'int', text: 'text', at: 'int', now: 'int' },
  `update messages set text = i.text, edited_at = i.at, updated_at = i.now {from items} where messages.ref = i.ref`,
);

const unsendMessages = statement(
  { ref: 'int', at: 'int', now: 'int' },
  'update messages set text = null, unsent_at = i.at, updated_at = i.now {from items} where messages.ref = i.ref',
);

interface Change {
  readonly place: number;
  readonly type: EventType;
  readonly message: KnownMessage;
  readonly times: Readonly<Record<string, number>>;
  readonly now: number;
}

export interface Changes {
  readonly told: readonly Told[];
  /** Whoever reads a message has read its chat. */
  readonly reads: readonly ReadNews[];
}

export async function recordChanges(
  batch: Batch,
  all: readonly Seen[],
  born: ReadonlyMap<string, Born>,
): Promise<Changes> {
  const fresh = all.flatMap((seen, place) => bornTold(batch, seen, place, born));
  const named = all.flatMap((seen, place) => nameChange(seen, place, born));
  if (named.length === 0) return { told: fresh, reads: [] };
  const known = await findKnownMessages(batch.tx, named);
  const changes = new Fold();
  for (const { seen, guid, place } of named) {
    const message = known.get(guidKey(seen.report, guid));
    if (message) changes.take(message, seen, place);
  }
  await changes.write(batch);
  return { told: [...fresh, ...(await tell(batch, changes.list))], reads: changes.reads };
}

/** What a message's own first sighting says already. */
function bornTold(
  batch: Batch,
  { event, report, accountRef }: Seen,
  place: number,
  born: ReadonlyMap<string, Born>,
): Told[] {
  if (
    event.kind !== 'message' ||
    !event.isFromMe ||
    event.isOld ||
    (event.deliveredAt === null && event.readAt === null)
  )
    return [];
  const one = born.get(guidKey(report, event.guid));
  if (one?.seen.event !== event) return [];
  const { line, now } = report;
  const tell = (type: EventType, times: Readonly<Record<string, number>>): Told => ({
    place,
    event: {
      accountRef,
      lineRef: line.ref,
      chatRef: one.chat.ref,
      messageRef: one.ref,
      type,
      data: JSON.stringify(messageEventData(bornMessage(one), line.handle, batch.linkFile, times)),
      now,
    },
  });
  const delivered = event.deliveredAt === null ? [] : [tell('message.delivered', { delivered_at: event.deliveredAt })];
  return event.readAt === null ? delivered : [...delivered, tell('message.read', { read_at: event.readAt })];
}

/** The sightings that change a message which is here, and its GUID. */
function nameChange(
  seen: Seen,
  place: number,
  born: ReadonlyMap<string, Born>,
): { readonly seen: Seen; readonly guid: string; readonly place: number }[] {
  const { event, report } = seen;
  if (!isChange(event)) return [];
  // What the first sighting said is in the row already.
  if (born.get(guidKey(report, event.guid))?.seen.event === event) return [];
  return [{ seen, guid: event.guid, place }];
}

function isChange(event: LineEvent): event is Extract<LineEvent, { guid: string }> {
  switch (event.kind) {
    case 'message':
      return event.isFromMe && (event.deliveredAt !== null || event.readAt !== null);
    case 'receipt':
    case 'edited':
    case 'unsent':
    case 'transcription':
    case 'attachment':
      return true;
    default:
      return false;
  }
}

/** Takes the changes in their order, and writes each message's last state once. */
class Fold {
  readonly list: Change[] = [];
  readonly reads: ReadNews[] = [];
  readonly #states = new Map<number, KnownMessage>();
  readonly #receipts = new Map<number, Row>();
  readonly #edits = new Map<number, Row>();
  readonly #unsends = new Map<number, Row>();
  readonly #transcriptions = new Map<number, string>();
  readonly #attachments: LaterAttachment[] = [];

  take(message: KnownMessage, seen: Seen, place: number): void {
    const { event } = seen;
    if (event.kind === 'receipt') {
      const isRead = event.receipt === 'read';
      this.#receive(message, seen, place, isRead ? null : event.at, isRead ? event.at : null);
    } else if (event.kind === 'message') this.#receive(message, seen, place, event.deliveredAt, event.readAt);
    else if (event.kind === 'edited') this.#edit(message, seen, place, event.text, event.at);
    else if (event.kind === 'unsent') this.#unsend(message, seen, place, event.at);
    else if (event.kind === 'transcription') this.#transcriptions.set(message.ref, event.transcription);
    else if (event.kind === 'attachment') {
      this.#attachments.push({ accountRef: message.accountRef, messageRef: message.ref, seen: event });
    }
  }

  #receive(message: KnownMessage, seen: Seen, place: number, delivered: number | null, read: number | null): void {
    const { now } = seen.report;
    const state = this.#states.get(message.ref) ?? message;
    if (!state.isFromMe) return;
    const deliveredAt = state.deliveredAt ?? delivered;
    const readAt = state.readAt ?? read;
    if (read !== null) this.#noteRead(state, place, read, now);
    if (deliveredAt === state.deliveredAt && readAt === state.readAt) return;
    if (deliveredAt !== null && state.deliveredAt === null)
      this.list.push({ place, type: 'message.delivered', message, times: { delivered_at: deliveredAt }, now });
    if (readAt !== null && state.readAt === null)
      this.list.push({ place, type: 'message.read', message, times: { read_at: readAt }, now });
    this.#states.set(message.ref, { ...state, deliveredAt, readAt });
    this.#receipts.set(message.ref, { ref: message.ref, delivered_at: deliveredAt, read_at: readAt, now });
  }

  /** In a group nobody says who it was. */
  #noteRead(message: KnownMessage, place: number, at: number, now: number): void {
    const { peer, accountRef, lineRef, lineHandle, chatRef, chatId } = message;
    if (peer === null) return;
    this.reads.push({ accountRef, lineRef, lineHandle, chatRef, chatId, handle: peer, place, at, now });
  }

  #edit(message: KnownMessage, { report: { now } }: Seen, place: number, text: string, at: number): void {
    const state = this.#states.get(message.ref) ?? message;
    if (state.unsentAt !== null || (state.editedAt ?? -1) >= at) return;
    this.#states.set(message.ref, { ...state, editedAt: at });
    this.#edits.set(message.ref, { ref: message.ref, text: text === '' ? null : text, at, now });
    this.list.push({ place, type: 'message.edited', message, times: { edited_at: at }, now });
  }

  #unsend(message: KnownMessage, { report: { now } }: Seen, place: number, at: number): void {
    const state = this.#states.get(message.ref) ?? message;
    if (state.unsentAt !== null) return;
    this.#states.set(message.ref, { ...state, unsentAt: at });
    this.#unsends.set(message.ref, { ref: message.ref, at, now });
    this.list.push({ place, type: 'message.unsent', message, times: { unsent_at: at }, now });
  }

  async write(batch: Batch): Promise<void> {
    const { tx } = batch;
    await tx.each(updateReceipts, [...this.#receipts.values()]);
    await tx.each(editMessages, [...this.#edits.values()]);
    await tx.each(unsendMessages, [...this.#unsends.values()]);
    const told = [...this.#transcriptions].map(([messageRef, transcription]) => ({ messageRef, transcription }));
    await storeTranscriptions(tx, told);
    await storeLaterAttachments(tx, this.#attachments);
    await this.#list(batch);
  }

  /** Every state that is kept was changed by the newest report that it is of. */
  async #list(batch: Batch): Promise<void> {
    const received = [...this.#receipts].flatMap(([messageRef, { now }]) => {
      const { outboxRef = null, readAt = null, itemPart = 0 } = this.#states.get(messageRef) ?? {};
      // An item is shown as the first of its messages stands.
      if (itemPart > 0) return [];
      const state = readAt === null ? ('delivered' as const) : ('read' as const);
      return [{ messageRef, outboxRef, state, now: Number(now) }];
    });
    await moveReceived(batch, received);
    const changed = [...this.#edits, ...this.#unsends].map(([messageRef, { now }]) => {
      return { messageRef, outboxRef: this.#states.get(messageRef)?.outboxRef ?? null, now: Number(now) };
    });
    await touchListed(batch.tx, changed);
  }
}

/** Each event shows its message as it is at the end of the batch. */
async function tell(batch: Batch, changes: readonly Change[]): Promise<Told[]> {
  const refs = [...new Set(changes.map(({ message }) => message.ref))];
  const rows = await batch.tx.each(
    selectMessagesByRef,
    refs.map((ref) => ({ ref })),
  );
  const messages = new Map((await messagesFromRows(batch.tx.each, rows)).map((message) => [message.ref, message]));
  return changes.flatMap(({ place, type, message, times, now }): Told[] => {
    const stored = messages.get(message.ref);
    if (!stored) return [];
    const { accountRef, lineRef, chatRef, ref: messageRef, lineHandle } = message;
    const data = JSON.stringify(messageEventData(stored, lineHandle, batch.linkFile, times));
    return [{ place, event: { accountRef, lineRef, chatRef, messageRef, type, data, now } }];
  });
}
