/** What a row of the message database is at this moment. */
import type { ReadRow } from './rows.ts';

/** Why a row cannot be told yet. */
export type Unfinished =
  /** In no chat. Some rows never get one. */
  | 'unjoined'
  /** Own, in no chat, and empty: what Messages leaves of a send to a chat that it does not know. */
  | 'ghost'
  | 'bodiless'
  | 'senderless'
  /** Own, and on its way to Apple's service. */
  | 'unsent'
  /** Own, and planned for later. */
  | 'scheduled';

export type Standing =
  | { readonly is: 'message' }
  /** A link's preview in a row of its own, where there is a row with the link. */
  | { readonly is: 'preview' }
  /** The group was renamed, or somebody came or went. */
  | { readonly is: 'chat' }
  /** Own, and refused. */
  | { readonly is: 'failed' }
  | { readonly is: 'unfinished'; readonly why: Unfinished }
  /** Nothing that is told: reactions, stickers, votes, and what the system says of itself. */
  | { readonly is: 'passed' };

/** From here on a row does something to another one: a sticker, a tapback, a vote. */
const ASSOCIATED_FROM = 1000;
const SCHEDULE_SENT = 2;
const URL_BALLOON = 'com.apple.messages.URLBalloonProvider';
/** `item_type`, and of a group's actions the one that somebody left. */
const ITEM = { participants: 1, renamed: 2, group: 3 } as const;
const LEFT = 0;

const PASSED: Standing = { is: 'passed' };

export function classifyRow(row: ReadRow): Standing {
  if (row.isSystem || row.associatedType >= ASSOCIATED_FROM) return PASSED;
  if (row.scheduleType !== 0 && row.scheduleState !== SCHEDULE_SENT) return unfinished('scheduled');
  if (row.itemType !== 0) return classifyNotice(row);
  const isEmpty = !hasContent(row);
  if (row.chat === null) return unfinished(row.isFromMe && isEmpty && !row.hasAttachments ? 'ghost' : 'unjoined');
  if (isEmpty) return row.isEmpty ? PASSED : unfinished('bodiless');
  if (row.isFromMe && isRefused(row)) return { is: 'failed' };
  if (row.isFromMe && !row.isSent && !row.isDelivered) return unfinished('unsent');
  if (row.sender === null && !row.isFromMe) return unfinished('senderless');
  return { is: isPreview(row) ? 'preview' : 'message' };
}

/** An error beside a delivery is none: the message went by another service. */
export function isRefused(row: Pick<ReadRow, 'error' | 'isDelivered' | 'isSent' | 'wasDowngraded'>): boolean {
  return row.error !== 0 && !row.isDelivered && !(row.isSent && row.wasDowngraded);
}

function classifyNotice({ itemType, groupActionType, chat }: ReadRow): Standing {
  const isChange =
    itemType === ITEM.participants ||
    itemType === ITEM.renamed ||
    (itemType === ITEM.group && groupActionType === LEFT);
  if (!isChange) return PASSED;
  return chat === null ? unfinished('unjoined') : { is: 'chat' };
}

function hasContent({ text, balloonBundleId, attachments }: ReadRow): boolean {
  return text !== null || balloonBundleId !== null || attachments.some(({ isHidden }) => !isHidden);
}

function isPreview({ balloonBundleId, attachments }: ReadRow): boolean {
  return balloonBundleId === URL_BALLOON && attachments.every(({ isHidden }) => isHidden);
}

function unfinished(why: Unfinished): Standing {
  return { is: 'unfinished', why };
}
