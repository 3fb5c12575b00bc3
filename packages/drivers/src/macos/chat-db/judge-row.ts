/** Decides what becomes of a row: told now, looked at again later, or never told. */
import type { OwnRows } from '../own-rows.ts';
import { type AttachmentMover, isFinished } from './attachment-mover.ts';
import { classifyRow, isRefused, type Unfinished } from './classify.ts';
import { failureSentence } from './failures.ts';
import { findPreviewed } from './links.ts';
import type { ChatRow } from './message-row.ts';
import type { OpenChatDb } from './open-chat-db.ts';
import { nextLookAt, nothing, type Outcome, type Sighting, waitFor } from './outcome.ts';
import { type ToldRow, UNWATCHED_MS } from './reader-memory.ts';
import type { ReadRow } from './rows.ts';
import { hasOwnTwin, isFromOneself } from './self-chat.ts';
import {
  type Circumstances,
  type EventBody,
  isOldRow,
  toChatSeen,
  toMessageSeen,
  visibleAttachments,
} from './to-events.ts';

/** How long a row is waited for; then it is an orphan, and never a message. */
const INCOMPLETE_MS = 5 * 60_000;
const UNSENT_MS = 7 * 24 * 3_600_000;
const SCHEDULED_MS = 31 * 24 * 3_600_000;
/** A send that a row may belong to is over by then; a row that is still open is its owner's. */
const UNDECIDED_MS = 120_000;
/** Then a message goes without the bytes of its attachments, which follow. */
const UPLOAD_MS = 5_000;
/** The text that a preview belongs to may be joined to the chat later than the preview. */
const PREVIEW_MS = 10_000;
const TWIN_MS = 10_000;
/** The waits that a message may go through, in their order. */
const STAGES: readonly string[] = ['undecided', 'preview', 'twin', 'uploading'];
/** A group's row is written before the group itself is changed. */
const SETTLE_MS = 500;

export interface Judging {
  readonly db: OpenChatDb;
  /** The line's handle. */
  readonly line: string;
  readonly ownRows: OwnRows;
  readonly mover: AttachmentMover;
  readonly now: number;
  readonly caughtUpAt: number;
  /**
   * The server may know of rows up to this one without our knowing: an answer was lost, or a predecessor ended before it
   * came. Of a message that it knows it takes no other attachments.
   */
  readonly uncertainUpTo: number;
  /** As what a row was told before. */
  told(guid: string): ToldRow['asWhat'] | null;
  /** Whether it was told as a message that has gone out, and not as refused since. */
  isOut(guid: string): boolean;
}

type Seen = Sighting<ReadRow>;

export function judgeRow(judging: Judging, seen: Seen): Outcome {
  const { row } = seen;
  const before = judging.told(row.guid);
  if (before !== null && before !== 'refusal') return nothing(row.guid);
  const standing = classifyRow(row);
  if (standing.is === 'unfinished') return waitForRest(judging, seen, standing.why);
  const { chat } = row;
  if (standing.is === 'passed' || chat === null) return nothing(row.guid);
  if (standing.is === 'chat') return tellChange(judging, seen, chat);
  if (standing.is === 'failed') return before === null ? tellRefusal(judging, seen, chat) : nothing(row.guid);
  const isPreview = standing.is === 'preview';
  if (row.isFromMe) return judgeOwn(judging, seen, chat, isPreview && row.text === null);
  return isPreview ? judgePreview(judging, seen, chat) : judgeInbound(judging, seen, chat);
}

function waitForRest({ now }: Judging, seen: Seen, why: Unfinished): Outcome {
  if (why === 'unsent') return waitOrGiveUp(seen, why, UNSENT_MS, now);
  if (why === 'scheduled') return waitOrGiveUp(seen, why, SCHEDULED_MS, now);
  // Who was due long ago was watched by nobody meanwhile: this Mac slept, or the agent was away.
  const isUnwatched = seen.waiting !== null && now - seen.waiting.dueAt > UNWATCHED_MS;
  if (isUnwatched) return waitFor({ row: seen.row, firstSeen: now, waiting: null }, why, now);
  // What is missing may change; the wait is one.
  return now - seen.firstSeen < INCOMPLETE_MS ? waitFor(seen, why, now) : giveUp(seen, why, now);
}

function waitOrGiveUp(seen: Seen, why: string, waitMs: number, now: number): Outcome {
  return hasWaited(seen, why, waitMs, now) ? giveUp(seen, why, now) : waitFor(seen, why, now);
}

function giveUp({ row: { guid, rowid } }: Seen, why: string, now: number): Outcome {
  return {
    events: [],
    keep: (memory) => {
      memory.dropWaiting(guid);
      memory.keepOrphan({ guid, rowid, why, at: now });
    },
  };
}

/** What comes after a wait is not begun again by a look at what came before it. */
function hasWaited({ waiting }: Seen, why: string, waitMs: number, now: number): boolean {
  // A clock that was set back says nothing of how long it was.
  if (waiting?.why === why) return now - waiting.since >= waitMs || now < waiting.since;
  const stage = STAGES.indexOf(why);
  return stage >= 0 && STAGES.indexOf(waiting?.why ?? '') > stage;
}

function tellChange(judging: Judging, seen: Seen, chat: ChatRow): Outcome {
  const { now, line, caughtUpAt } = judging;
  const isOld = isOldRow(seen.row, { firstSeen: seen.firstSeen, caughtUpAt, item: null });
  if (!hasWaited(seen, 'settling', SETTLE_MS, now)) return waitFor(seen, 'settling', now);
  return { ...asTold(judging, seen, chat, 'change'), events: [toChatSeen(seen.row, chat, line, isOld)] };
}

function tellRefusal(judging: Judging, seen: Seen, chat: ChatRow): Outcome {
  const { row } = seen;
  const own = judging.ownRows.claim(row);
  const isOpen = own.state === 'undecided' && !hasWaited(seen, 'undecided', UNDECIDED_MS, judging.now);
  if (isOpen) return waitFor(seen, 'undecided', judging.now);
  const item = own.state === 'ours' ? own : null;
  const told = asTold(judging, seen, chat, 'refusal', item);
  if (item === null) return told;
  const { reference } = item;
  return { ...told, events: [{ kind: 'failure', reference, reason: failureSentence(row.error) }] };
}

function judgePreview(judging: Judging, seen: Seen, chat: ChatRow): Outcome {
  const { row } = seen;
  const previewed = findPreviewed(judging.db, row);
  if (previewed !== null && judging.told(previewed.guid) === 'message') {
    const told = asTold(judging, seen, chat, 'piece');
    return { ...told, events: [{ kind: 'part', guid: row.guid, partOf: previewed.guid }] };
  }
  const isWorthWaiting = previewed !== null && !hasWaited(seen, 'preview', PREVIEW_MS, judging.now);
  if (row.text === null || isWorthWaiting) return waitOrGiveUp(seen, 'preview', PREVIEW_MS, judging.now);
  return judgeInbound(judging, seen, chat);
}

/** A preview may be all that is seen of a link that we sent. */
function judgeOwn(judging: Judging, seen: Seen, chat: ChatRow, isBarePreview: boolean): Outcome {
  const own = judging.ownRows.claim(seen.row);
  const isOpen = own.state === 'undecided' && !hasWaited(seen, 'undecided', UNDECIDED_MS, judging.now);
  if (isOpen) return waitFor(seen, 'undecided', judging.now);
  if (own.state === 'ours') return tellMessage(judging, seen, chat, own);
  return isBarePreview ? judgePreview(judging, seen, chat) : tellMessage(judging, seen, chat, null);
}

function judgeInbound(judging: Judging, seen: Seen, chat: ChatRow): Outcome {
  const { db, line, now } = judging;
  const { row } = seen;
  if (isFromOneself(row, line)) {
    if (hasOwnTwin(db, row)) return asTold(judging, seen, chat, 'twin');
    if (!hasWaited(seen, 'twin', TWIN_MS, now)) return waitFor(seen, 'twin', now);
  }
  return tellMessage(judging, seen, chat, null);
}

function tellMessage(judging: Judging, seen: Seen, chat: ChatRow, item: Circumstances['item']): Outcome {
  const { line, mover, now, caughtUpAt } = judging;
  const { row, firstSeen } = seen;
  const isOld = isOldRow(row, { firstSeen, caughtUpAt, item });
  // What went out by an item is the server's file already.
  const moved = item === null ? visibleAttachments(row) : [];
  const places = moved.map((attachment) => {
    const isThere = isFinished(attachment);
    // What a restore brings in waits for no bytes: there may be years of them.
    const file = isThere && !isOld ? mover.fileOf(row.guid, attachment, isOld) : null;
    return { attachment, isThere, file };
  });
  const isUploading = !isOld && places.some(({ isThere, file }) => isThere && file === null);
  if (isUploading && !hasWaited(seen, 'uploading', UPLOAD_MS, now)) return waitFor(seen, 'uploading', now);
  const files = places.map(({ file }) => file);
  const told = asTold(judging, seen, chat, 'message', item);
  // A part that was written before may still be refused, so it is asked for what has gone out, not for what is there.
  const isWholeItem = item === null || (item.isComplete && item.others.every(judging.isOut));
  const message = toMessageSeen(row, chat, { line, now, firstSeen, isOld, files, item, isWholeItem });
  const isUncertain = row.rowid <= judging.uncertainUpTo;
  const again = message.attachments.flatMap((attachment, place): EventBody[] => {
    const isTold = isUncertain && attachment.file !== null;
    return isTold ? [{ kind: 'attachment', guid: row.guid, place, attachment }] : [];
  });
  return {
    events: [message, ...again],
    keep(memory) {
      told.keep(memory);
      for (const [place, { attachment, isThere, file }] of places.entries()) {
        const wait = { guid: row.guid, place, isOld, firstSeen, dueAt: nextLookAt(firstSeen, now) };
        if (file !== null) mover.forget(row.guid, attachment);
        else if (isThere || !isOld) memory.keepAttachment(wait);
      }
    },
  };
}

/** Own messages are looked at until nothing more can become of them. */
function asTold(
  { now, caughtUpAt }: Judging,
  { row, firstSeen }: Seen,
  chat: ChatRow,
  asWhat: ToldRow['asWhat'],
  item: Circumstances['item'] = null,
): Outcome {
  const isDirect = !chat.isGroup;
  const isRead = isDirect && row.readAt !== null;
  const isOld = isOldRow(row, { firstSeen, caughtUpAt, item });
  const mayChange = row.isFromMe && (asWhat === 'message' || asWhat === 'refusal') && !isOld;
  const told: ToldRow = {
    guid: row.guid,
    asWhat,
    isDirect,
    reference: item?.reference ?? null,
    isDelivered: row.isDelivered,
    isRead,
    error: isRefused(row) ? row.error : 0,
    isSettled: !mayChange || isRead,
    at: now,
  };
  return {
    events: [],
    keep(memory) {
      memory.dropWaiting(row.guid);
      memory.keepTold(told);
    },
  };
}
