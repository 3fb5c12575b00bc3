/** Attachments whose bytes come after their message was reported: a download that was still going on. */
import type { AttachmentSeen, LineEvent } from '@trunkline/drivers';
import { findSeenFiles } from './attachments.ts';
import { type Row, statement, type Tx } from './database.ts';
import type { Seen } from './report.ts';

const updateAttachments = statement(
  { message_ref: 'int', place: 'int', file_ref: 'int', filename: 'text', mime_type: 'text', size: 'int' },
  `update attachments set file_ref = coalesce(i.file_ref, attachments.file_ref),
     filename = coalesce(i.filename, attachments.filename), mime_type = coalesce(i.mime_type, attachments.mime_type),
     size = coalesce(i.size, attachments.size)
   {from items} where attachments.message_ref = i.message_ref and attachments.place = i.place`,
);

const withoutFile = statement(
  { line_ref: 'int', guid: 'text' },
  `select messages.line_ref, messages.guid, messages.ref,
     case when exists (select 1 from attachments where attachments.message_ref = messages.ref
       and attachments.file_ref is null) then 1 else 0 end as is_waiting
   from messages{, items} where messages.line_ref = i.line_ref and messages.guid = i.guid`,
);

/** Told together with its message, an attachment is part of what the message says. */
export function withLaterAttachments(events: readonly LineEvent[]): readonly LineEvent[] {
  if (!events.some(({ kind }) => kind === 'attachment')) return events;
  return events.map((event, place) => {
    if (event.kind !== 'message') return event;
    const later = events.slice(place).filter((one): one is AttachmentSeen => isOf(one, event.guid));
    if (later.length === 0) return event;
    const attachments = event.attachments.map(
      (one, index) => later.findLast((l) => l.place === index)?.attachment ?? one,
    );
    const isComplete = attachments.every(({ file }) => file !== null);
    return { ...event, attachments, awaits: isComplete && event.awaits?.what === 'attachment' ? null : event.awaits };
  });
}

function isOf(event: LineEvent, guid: string): boolean {
  return event.kind === 'attachment' && event.guid === guid;
}

export interface LaterAttachment {
  /** Whose the message is. */
  readonly accountRef: number;
  readonly messageRef: number;
  readonly seen: AttachmentSeen;
}

export async function storeLaterAttachments(tx: Tx, later: readonly LaterAttachment[]): Promise<void> {
  if (later.length === 0) return;
  const files = await findSeenFiles(
    tx,
    later.map(({ accountRef, seen }) => ({ accountRef, attachments: [seen.attachment] })),
  );
  const rows = later.map(({ accountRef, messageRef, seen: { place, attachment } }) => ({
    message_ref: messageRef,
    place,
    file_ref: attachment.file === null ? null : (files(accountRef, attachment.file)?.ref ?? null),
    filename: attachment.filename,
    mime_type: attachment.mimeType,
    size: attachment.size,
  }));
  await tx.each(updateAttachments, rows);
}

/** The messages whose last attachment is here now, by line and GUID. */
export async function findCompleted(tx: Tx, all: readonly Seen[]): Promise<ReadonlySet<string>> {
  const named = new Map<string, Row>();
  for (const { event, report } of all) {
    if (event.kind !== 'attachment') continue;
    named.set(`${report.line.ref} ${event.guid}`, { line_ref: report.line.ref, guid: event.guid });
  }
  if (named.size === 0) return new Set();
  const rows = await tx.each(withoutFile, [...named.values()]);
  return new Set(
    rows.filter((row) => row['is_waiting'] === 0).map((row) => `${Number(row['line_ref'])} ${String(row['guid'])}`),
  );
}
