/** The outbox's side of a sighting: which item a message on the line is the echo of, and what becomes of the item. */
import type { MessageSeen, ReactionSeen } from '@trunkline/drivers';
import { type Row, statement, type Tx } from './database.ts';
import { failureEvents } from './failed-items.ts';
import { isWhole, type Seen, type Told } from './report.ts';
import type { Batch } from './writer.ts';

/** The outbox item that a message is the echo of. */
export interface EchoOf {
  readonly ref: number;
  readonly id: string;
}

const itemsByReference = statement(
  { line_ref: 'int', id: 'text' },
  `select outbox.ref, outbox.id, outbox.line_ref from outbox{, items}
   where outbox.id = i.id and outbox.line_ref = i.line_ref`,
);

const itemsByGuid = statement(
  { line_ref: 'int', guid: 'text' },
  `select outbox.ref, outbox.id, outbox.line_ref, outbox.guid from outbox{, items} where outbox.line_ref = i.line_ref
   and outbox.guid = i.guid and outbox.state <> 'sent'`,
);

const markSent = statement(
  { ref: 'int', guid: 'text', handed_over_at: 'int', now: 'int' },
  `update outbox set state = 'sent', guid = coalesce(i.guid, outbox.guid), error = null, echo_due_at = null, completed_at = i.now,
     handed_over_at = coalesce(outbox.handed_over_at, i.handed_over_at), updated_at = i.now
   {from items} where outbox.ref = i.ref and outbox.state <> 'sent'`,
);

const markFailed = statement(
  { line_ref: 'int', id: 'text', error: 'text', now: 'int' },
  `update outbox set state = 'failed', error = i.error, completed_at = i.now, updated_at = i.now
   {from items} where outbox.id = i.id and outbox.line_ref = i.line_ref
     and outbox.state in ('sending', 'handed_over', 'unknown') returning outbox.ref, outbox.id, outbox.line_ref`,
);

/** By the reference that the driver names, else by the GUID under which the item was handed over. */
export async function findEchoes(
  tx: Tx,
  messages: readonly Seen<MessageSeen>[],
  all: readonly Seen[],
): Promise<Map<Seen, EchoOf>> {
  const own = messages.filter((seen) => seen.event.isFromMe);
  const reactions = all.filter(isEchoedReaction);
  const named = await tx.each(itemsByReference, [...own, ...reactions].flatMap(referenceRow));
  const unnamed = await tx.each(itemsByGuid, own.flatMap(guidRow));
  // A line names its own items alone: what another line in this batch names by the same id is nothing of its.
  const byReference = new Map(named.map((row) => [`${row['line_ref']} ${row['id']}`, row]));
  const byGuid = new Map(unnamed.map((row) => [`${row['line_ref']} ${row['guid']}`, row]));
  const echoes = new Map<Seen, EchoOf>();
  for (const seen of reactions) {
    const row = byReference.get(`${seen.report.line.ref} ${seen.event.reference}`);
    if (row) echoes.set(seen, { ref: Number(row['ref']), id: String(row['id']) });
  }
  for (const seen of own) {
    const { reference, guid } = seen.event;
    const { ref: lineRef } = seen.report.line;
    const row = reference === null ? byGuid.get(`${lineRef} ${guid}`) : byReference.get(`${lineRef} ${reference}`);
    if (row) echoes.set(seen, { ref: Number(row['ref']), id: String(row['id']) });
  }
  return echoes;
}

/**
 * An echo has the last word, however late: an item that had failed for want of it was sent after all. One that became
 * several messages is sent when the driver has seen them all.
 */
export async function markItemsSent(tx: Tx, echoes: ReadonlyMap<Seen, EchoOf>): Promise<void> {
  const whole = [...echoes].filter(([seen]) => isWhole(seen));
  const rows = whole.map(([{ event, report }, item]) => ({
    ref: item.ref,
    guid: event.kind === 'message' && event.itemPart === 0 ? event.guid : null,
    // An echo that came before the driver's answer is the first to say that the item was handed over.
    handed_over_at: Math.min(report.handedOver?.get(item.id) ?? report.now, report.now),
    now: report.now,
  }));
  await tx.each(markSent, rows);
}

/** What was handed over and turned out to have failed. */
export async function failItems(batch: Batch, all: readonly Seen[]): Promise<readonly Told[]> {
  const failures = all.flatMap(({ event, report }, place) =>
    event.kind === 'failure' ? [{ event, report, place }] : [],
  );
  if (failures.length === 0) return [];
  const rows = failures.map(({ event, report }) => ({
    line_ref: report.line.ref,
    id: event.reference,
    error: event.reason,
    now: report.now,
  }));
  const marked = await batch.tx.each(markFailed, rows);
  const failed = new Map(marked.map((row) => [`${row['line_ref']} ${row['id']}`, Number(row['ref'])]));
  const events = await failureEvents(batch, [...failed.values()], failures[0]?.report.now ?? 0);
  return failures.flatMap(({ event, report, place }): Told[] => {
    const told = events.get(failed.get(`${report.line.ref} ${event.reference}`) ?? -1);
    return told ? [{ place, event: told }] : [];
  });
}

function isEchoedReaction(seen: Seen): seen is Seen<ReactionSeen> {
  return seen.event.kind === 'reaction' && seen.event.isFromMe && seen.event.reference !== null;
}

function referenceRow({ event, report }: Seen<MessageSeen | ReactionSeen>): Row[] {
  return event.reference === null ? [] : [{ line_ref: report.line.ref, id: event.reference }];
}

function guidRow({ event, report }: Seen<MessageSeen>): Row[] {
  return event.reference === null ? [{ line_ref: report.line.ref, guid: event.guid }] : [];
}
