/** What is told of messages that failed. */
import { ATTEMPTS_MAX, OUTBOX_STATUS, type OutboxState } from '../domain/outbox.ts';
import { failedEventData } from '../wire/v1.ts';
import { type Row, statement } from './database.ts';
import { appendEvents, type NewEvent } from './events.ts';
import { moveFailed } from './listed-items.ts';
import type { Batch } from './writer.ts';

/** Of reactions, typing and receipts nobody is told: their item says it. */
const failedMessages = statement(
  { ref: 'int' },
  `select outbox.*, lines.id as line_id, lines.handle as line_handle, chats.ref as chat_ref, chats.id as chat_id
   from outbox join lines on lines.ref = outbox.line_ref
     left join chats on chats.account_ref = outbox.account_ref and chats.line_ref = outbox.line_ref
       and chats.identifier = outbox.recipient{, items}
   where outbox.ref = i.ref and outbox.state = 'failed' and outbox.kind in ('message', 'audio_message')`,
);

/** Tells of those of the items that have failed just now; one that goes on is left out by its state. */
export async function tellFailures(
  batch: Batch,
  items: readonly { readonly ref: number; readonly now: number }[],
): Promise<void> {
  if (items.length === 0) return;
  const refs = items.map(({ ref }) => ref);
  const events = await failureEvents(batch, refs, Math.max(...items.map(({ now }) => now)));
  await appendEvents(
    batch,
    refs.flatMap((ref) => events.get(ref) ?? []),
  );
}

/** The events of those of the items that are messages, by the item's ref. */
export async function failureEvents(
  batch: Batch,
  refs: readonly number[],
  now: number,
): Promise<ReadonlyMap<number, NewEvent>> {
  await moveFailed(
    batch,
    [...new Set(refs)].map((ref) => ({ ref, now })),
  );
  const rows = await batch.tx.each(
    failedMessages,
    [...new Set(refs)].map((ref) => ({ ref })),
  );
  return new Map(rows.map((row) => [Number(row['ref']), failureEvent(row, now)]));
}

function failureEvent(row: Row, now: number): NewEvent {
  const chatRef = row['chat_ref'];
  const item = {
    id: String(row['id']),
    lineId: String(row['line_id']),
    status: OUTBOX_STATUS[String(row['state']) as OutboxState],
    payload: JSON.parse(String(row['payload'])) as unknown,
    completedAt: Number(row['completed_at']),
    error: String(row['error']),
    attempts: Number(row['attempts']),
    attemptsMax: ATTEMPTS_MAX,
    createdAt: Number(row['created_at']),
  };
  const chatId = row['chat_id'];
  return {
    accountRef: Number(row['account_ref']),
    lineRef: Number(row['line_ref']),
    chatRef: typeof chatRef === 'number' ? chatRef : null,
    messageRef: null,
    type: 'message.failed',
    data: JSON.stringify(failedEventData(item, String(row['line_handle']), typeof chatId === 'string' ? chatId : null)),
    now,
  };
}
