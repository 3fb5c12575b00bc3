/** What a row of the message database means to the server. Pure: what has to be found out, is handed in. */
import { styleOfExpressiveId } from '../../effect.ts';
import type { ChatSeen, LineEvent, MessageSeen, ObservedChat, SeenAttachment } from '../../line-events.ts';
import type { OwnRow } from '../own-rows.ts';
import { hasLink } from './links.ts';
import type { AttachmentRow, ChatRow, MessageRow } from './message-row.ts';

/** How long the server holds an announcement for a link's preview, and for an attachment that is still coming. */
const PREVIEW_HOLD_MS = 2_000;
const ATTACHMENT_HOLD_MS = 60_000;
/** A row that lies longer than this before the moment up to which the line was read, is old. */
export const OLD_BY_MS = 10 * 60_000;
/** A sender's clock may be ahead by a little; a date beyond that is none. */
const AHEAD_MS = 24 * 3_600_000;
const TRANSFER_FAILED = 6;
const RENAMED = 2;

type WithoutCursor<E> = E extends LineEvent ? Omit<E, 'cursor'> : never;
/** An event before it has its place in the order. */
export type EventBody = WithoutCursor<LineEvent>;

/** What is known of a message beside its row. */
export interface Circumstances {
  /** The line's handle. */
  readonly line: string;
  /** Unix milliseconds. */
  readonly firstSeen: number;
  /** The moment up to which the line is known to have been read. Unix milliseconds. */
  readonly caughtUpAt: number;
  /** The files of its visible attachments, by their places; null where the bytes are not with the server. */
  readonly files: readonly (string | null)[];
  /** The item that an own row is the echo of. */
  readonly item: Extract<OwnRow, { state: 'ours' }> | null;
  /** All of the item has gone out with this row. */
  readonly isWholeItem: boolean;
}

export function toMessageSeen(row: MessageRow, chat: ChatRow, around: Circumstances): Omit<MessageSeen, 'cursor'> {
  const { line, firstSeen, caughtUpAt, item, isWholeItem } = around;
  const seen = visibleAttachments(row).map((one, place) => toAttachment(one, around.files[place] ?? null));
  // What went out by an item is the server's file already.
  const attachments = item?.file ? [{ ...item.file, transcription: null }] : seen;
  const isOld = isOldRow(row, caughtUpAt);
  return {
    kind: 'message',
    guid: row.guid,
    chat: toObservedChat(chat, line),
    isFromMe: row.isFromMe,
    sender: row.isFromMe ? line : (row.sender ?? chat.identifier),
    text: row.text,
    attachments,
    isAudioMessage: row.isAudioMessage,
    service: row.service,
    sentAt: sentAt(row, firstSeen),
    replyToGuid: row.threadOriginatorGuid,
    effect: row.effectId === null ? null : styleOfExpressiveId(row.effectId),
    reference: item?.reference ?? null,
    itemPart: item?.part ?? 0,
    isWholeItem,
    isOld,
    deliveredAt: row.isFromMe && row.isDelivered ? (row.deliveredAt ?? firstSeen) : null,
    readAt: row.isFromMe && !chat.isGroup ? row.readAt : null,
    awaits: row.isFromMe || isOld ? null : awaited(row, attachments, firstSeen),
  };
}

export function toChatSeen(row: MessageRow, chat: ChatRow, line: string): Omit<ChatSeen, 'cursor'> {
  const observed = toObservedChat(chat, line);
  // The row says what the name is now, before the chat does.
  return { kind: 'chat', chat: row.itemType === RENAMED ? { ...observed, name: row.groupTitle } : observed };
}

/** In their order, without what nobody is shown. */
export function visibleAttachments({ attachments }: MessageRow): readonly AttachmentRow[] {
  return attachments.filter(({ isHidden }) => !isHidden);
}

export function toAttachment({ name, mimeType, totalBytes }: AttachmentRow, file: string | null): SeenAttachment {
  return { file, filename: name, mimeType, size: totalBytes > 0 ? totalBytes : null, transcription: null };
}

/** A row without a date is not held to be old. */
export function isOldRow({ date }: MessageRow, caughtUpAt: number): boolean {
  return date !== 0 && date < caughtUpAt - OLD_BY_MS;
}

function toObservedChat(chat: ChatRow, line: string): ObservedChat {
  const { identifier, isGroup, displayName, service } = chat;
  const others = chat.participants.filter((one) => one !== line);
  const participants = isGroup || others.length > 0 ? others : [identifier];
  return { identifier, isGroup, name: isGroup ? displayName : null, participants, service };
}

function sentAt({ date }: MessageRow, firstSeen: number): number {
  return date === 0 || date > firstSeen + AHEAD_MS ? firstSeen : date;
}

function awaited(row: MessageRow, seen: readonly SeenAttachment[], firstSeen: number): MessageSeen['awaits'] {
  const isComing = visibleAttachments(row).some(
    ({ transferState }, place) => seen[place]?.file === null && transferState !== TRANSFER_FAILED,
  );
  if (isComing) return { what: 'attachment', until: firstSeen + ATTACHMENT_HOLD_MS };
  const needsPreview = row.balloonBundleId === null && hasLink(row.text);
  return needsPreview ? { what: 'preview', until: firstSeen + PREVIEW_HOLD_MS } : null;
}
