/** Whether an own row is the echo of a part that was handed over. Pure. */
import { basename, dirname } from 'node:path';
import { normaliseHandle } from '../../handle.ts';
import type { ChatAddress } from '../../line-driver.ts';
import type { AttachmentRow, MessageRow } from '../chat-db/message-row.ts';
import { bareText, coverWith, coverWithPreview, isLaterPiece } from './expected-text.ts';
import type { LedgerPart } from './ledger.ts';

export type Match =
  /** `covered` is how much of a text has been seen with it; `isWhole` says that it was all. */
  | { readonly state: 'yes'; readonly covered: number; readonly isWhole: boolean }
  /** The row is not finished, and may become the part's. */
  | { readonly state: 'maybe' }
  | { readonly state: 'no' };

const LINK_PREVIEW = 'com.apple.messages.URLBalloonProvider';
const NO: Match = { state: 'no' };
const MAYBE: Match = { state: 'maybe' };

export function matchRow(part: LedgerPart, row: MessageRow): Match {
  if (row.rowid <= part.maxRowidBefore) return NO;
  const match = part.text === null ? matchFile(part, row) : matchText(part, part.text, row);
  if (match.state !== 'yes') return match;
  return row.chat === null ? MAYBE : match;
}

/** A row that went nowhere: no chat, no words, and the recipient in place of a sender. */
export function isGhost(row: MessageRow, chat: ChatAddress): boolean {
  const isBare = row.text === null && !row.hasAttachments && row.attachments.length === 0;
  return isBare && row.chat === null && row.service === 'sms' && isSameHandle(row.sender, chat.identifier);
}

function matchText(part: LedgerPart, text: string, row: MessageRow): Match {
  if (!mayStandIn(part, row) || row.attachments.some(({ isHidden }) => !isHidden)) return NO;
  // Before its words a preview tells nothing: they may stand in a row that is still to come.
  const isPreview = row.balloonBundleId === LINK_PREVIEW && part.state === 'seen';
  const covered =
    row.text !== null
      ? coverWith(text, part.covered, row.text)
      : isPreview
        ? coverWithPreview(text, part.covered)
        : null;
  if (covered !== null) return { state: 'yes', covered, isWhole: covered === bareText(text).length };
  if (row.text !== null) return isLaterPiece(text, part.covered, row.text) ? MAYBE : NO;
  return row.hasAttachments || part.state === 'seen' ? NO : MAYBE;
}

/** The folder of a staged file has a name that no other has, so that its path alone is proof. */
function matchFile(part: LedgerPart, row: MessageRow): Match {
  const { stagedPath } = part;
  if (stagedPath === null || row.text !== null) return NO;
  const yes: Match = { state: 'yes', covered: 0, isWhole: true };
  if (row.attachments.some(({ path }) => path !== null && folderOf(path) === folderOf(stagedPath))) return yes;
  if (!mayStandIn(part, row)) return NO;
  if (row.attachments.some((one) => isCopy(part, stagedPath, one))) return yes;
  if (row.attachments.some(({ path }) => path !== null)) return NO;
  // Where Messages could not read the file, its row has an error and no file behind its place.
  return row.error !== 0 && row.chat !== null ? yes : MAYBE;
}

/** What comes before the last folder may be spelt in several ways, and so may the name behind it. */
function folderOf(path: string): string {
  return basename(dirname(path));
}

/** Messages may keep a copy of its own: the same name with the same number of bytes. */
function isCopy(part: LedgerPart, stagedPath: string, { name, totalBytes }: AttachmentRow): boolean {
  const isNamed = name?.normalize('NFC') === basename(stagedPath).normalize('NFC');
  return isNamed && totalBytes === part.file?.size && totalBytes > 0;
}

/** The chat of the recipient, or none yet. */
function mayStandIn({ chat, chatGuids }: LedgerPart, row: MessageRow): boolean {
  if (row.chat === null || chatGuids.includes(row.chat.guid)) return true;
  if (row.chat.isGroup !== chat.isGroup) return false;
  if (chat.isGroup) return row.chat.identifier === chat.identifier;
  const [only, ...others] = row.chat.participants;
  return (
    isSameHandle(row.chat.identifier, chat.identifier) ||
    (others.length === 0 && only !== undefined && isSameHandle(only, chat.identifier))
  );
}

function isSameHandle(left: string | null, right: string): boolean {
  return left !== null && (left === right || (normaliseHandle(left) ?? left) === (normaliseHandle(right) ?? right));
}
