/** Attachments whose bytes come after their message was told. */
import { type AttachmentMover, isFinished } from './attachment-mover.ts';
import type { OpenChatDb } from './open-chat-db.ts';
import { nextLookAt, type Outcome } from './outcome.ts';
import type { AttachmentWait } from './reader-memory.ts';
import { type ReadRow, rowsByGuid } from './rows.ts';
import { toAttachment, visibleAttachments } from './to-events.ts';

/** What has not come by then stays in iCloud, or its transfer has failed for good. */
const LATE_MS = 7 * 24 * 3_600_000;

export function lookForAttachments(
  db: OpenChatDb,
  mover: AttachmentMover,
  waits: readonly AttachmentWait[],
  now: number,
): Outcome[] {
  if (waits.length === 0) return [];
  const rows = rowsByGuid(db, [...new Set(waits.map(({ guid }) => guid))]);
  const byGuid = new Map(rows.map((row) => [row.guid, row]));
  return waits.map((wait) => look(mover, wait, byGuid.get(wait.guid), now));
}

function look(mover: AttachmentMover, wait: AttachmentWait, row: ReadRow | undefined, now: number): Outcome {
  const { guid, place, isOld } = wait;
  const attachment = row === undefined ? undefined : visibleAttachments(row)[place];
  const isThere = attachment !== undefined && isFinished(attachment);
  const isHopeless = row === undefined || now - wait.firstSeen > LATE_MS || (isOld && !isThere);
  if (isHopeless) return { events: [], keep: (memory) => memory.dropAttachment(wait) };
  const file = isThere ? mover.fileOf(guid, attachment, isOld) : null;
  if (!isThere || file === null) {
    const later = { ...wait, dueAt: nextLookAt(wait.firstSeen, now) };
    return { events: [], keep: (memory) => memory.keepAttachment(later) };
  }
  return {
    events: [{ kind: 'attachment', guid, place, attachment: toAttachment(attachment, file) }],
    keep(memory) {
      memory.dropAttachment(wait);
      mover.forget(guid, attachment);
    },
  };
}
