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
/** A longer text is nobody's; one frame must hold it. UTF-16 units. */
const TEXT_MAX = 500_000;
const TRANSFER_FAILED = 6;
const RENAMED = 2;

type WithoutCursor<E> = E extends LineEvent ? Omit<E, 'cursor'> : never;
/** An event before it has its place in the order. */
export type EventBody = WithoutCursor<LineEvent>;

/** What is known of a message beside its row. */
export interface Circumstances {
  /** The line's handle. */
  readonly line: string;
  /** These are Unix milliseconds. */
  readonly now: number;
  readonly firstSeen: number;
  readonly isOld: boolean;
  /** The files of its visible attachments, by their places; null where the bytes are not with the server. */
  readonly files: readonly (string | null)[];
  /** The item that an own row is the echo of. */
  readonly item: Extract<OwnRow, { state: 'ours' }> | null;
  /** All of the item has gone out with this row. */
  readonly isWholeItem: boolean;
}

export function toMessageSeen(row: MessageRow, chat: ChatRow, around: Circumstances): Omit<MessageSeen, 'cursor'> {
  const { line, now, firstSeen, isOld, item, isWholeItem } = around;
  const seen = visibleAttachments(row).map((one, place) => toAttachment(one, around.files[place] ?? null));
  // What went out by an item is the server's file already.
  const attachments = item?.file ? [{ ...item.file, transcription: null }] : seen;
  return {
    kind: 'message',
    guid: row.guid,
    chat: toObservedChat(chat, line),
    isFromMe: row.isFromMe,
    sender: row.isFromMe ? line : row.sender || chat.identifier,
    text: row.text?.slice(0, TEXT_MAX) ?? null,
    attachments,
    isAudioMessage: row.isAudioMessage,
    service: row.service,
    sentAt: sentAt(row, firstSeen, now),
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

export function toChatSeen(row: MessageRow, chat: ChatRow, line: string, isOld: boolean): Omit<ChatSeen, 'cursor'> {
  const observed = toObservedChat(chat, line);
  // The row says what the name is now, before the chat does; one from long ago says what it was.
  const isRenamed = row.itemType === RENAMED && !isOld;
  return { kind: 'chat', chat: isRenamed ? { ...observed, name: row.groupTitle } : observed };
}

/** In their order, without what nobody is shown. */
export function visibleAttachments({ attachments }: MessageRow): readonly AttachmentRow[] {
  return attachments.filter(({ isHidden }) => !isHidden);
}

export function toAttachment({ name, mimeType, totalBytes }: AttachmentRow, file: string | null): SeenAttachment {
  return { file, filename: name, mimeType, size: totalBytes > 0 ? totalBytes : null, transcription: null };
}

/**
 * It was old when it was first seen: what has waited since is not. A row without a date is not held to be old, nor one that
 * was handed over here, however long Messages took for it.
 */
export function isOldRow(
  { date }: MessageRow,
  { firstSeen, caughtUpAt, item }: Pick<Circumstances, 'firstSeen' | 'item'> & { readonly caughtUpAt: number },
): boolean {
  return item === null && date !== 0 && date < Math.min(caughtUpAt, firstSeen) - OLD_BY_MS;
}

function toObservedChat(chat: ChatRow, line: string): ObservedChat {
  const { identifier, isGroup, displayName, service } = chat;
  const others = chat.participants.filter((one) => one !== line);
  const participants = isGroup || others.length > 0 ? others : [identifier];
  return { identifier, isGroup, name: isGroup ? displayName : null, participants, service };
}

/** What was planned for later is dated by when it goes out, long after it was first seen. */
function sentAt({ date }: MessageRow, firstSeen: number, now: number): number {
  return date === 0 || date > now + AHEAD_MS ? firstSeen : date;
}

function awaited(row: MessageRow, seen: readonly SeenAttachment[], firstSeen: number): MessageSeen['awaits'] {
  const isComing = visibleAttachments(row).some(
    ({ transferState }, place) => seen[place]?.file === null && transferState !== TRANSFER_FAILED,
  );
  if (isComing) return { what: 'attachment', until: firstSeen + ATTACHMENT_HOLD_MS };
  const needsPreview = row.balloonBundleId === null && hasLink(row.text);
  return needsPreview ? { what: 'preview', until: firstSeen + PREVIEW_HOLD_MS } : null;
}
