/** What is stored of one outbox item's or one message's walk: its times, its events, and the attempts to deliver them. */

import type { AttemptTime, EventTime, ItemTimes, MessageTimes, Times } from '../domain/walk.ts';
import { NO_LINE } from '../domain/webhook.ts';
import { type Engine, type Row, statement } from './database.ts';
import { findMessages, type StoredMessage } from './messages.ts';
import { findOutboxItem, type OutboxItem } from './outbox.ts';
import { numberOrNull, textOrNull } from './row-values.ts';

export interface StoredWalk {
  readonly lineRef: number;
  readonly item: OutboxItem | null;
  readonly message: StoredMessage | null;
  readonly times: Times;
}

/** An account's item, with the message that it became. */
export async function findWalkOfItem(engine: Engine, accountRef: number, id: string): Promise<StoredWalk | null> {
  const item = await findOutboxItem(engine, accountRef, id);
  if (!item) return null;
  const [row] = await engine.read(messageOfItem, { id });
  const [message] = row ? await findMessages(engine, accountRef, String(row['id'])) : [];
  return walkOf(engine, item.lineRef, item, message ?? null);
}

/** An account's message, with the item that it came from. */
export async function findWalkOfMessage(engine: Engine, accountRef: number, id: string): Promise<StoredWalk | null> {
  const [message] = await findMessages(engine, accountRef, id);
  if (!message) return null;
  const item = message.outboxId === null ? null : await findOutboxItem(engine, accountRef, message.outboxId);
  return walkOf(engine, message.lineRef, item, message);
}

/** By the GUID that the echo gave the item: messages have an index for that. */
const messageOfItem = statement(
  { id: 'text' },
  `select messages.id from outbox join messages
     on messages.line_ref = outbox.line_ref and messages.guid = outbox.guid and messages.outbox_ref = outbox.ref
   where outbox.id = i.id`,
);
const itemTimes = statement(
  { id: 'text' },
  'select state, created_at, claimed_at, handed_over_at, completed_at, attempts, error from outbox where id = i.id',
);
const messageTimes = statement(
  { id: 'text' },
  'select is_from_me, sent_at, synced_at, delivered_at, read_at from messages where id = i.id',
);
const eventsOfMessage = statement(
  { ref: 'int' },
  'select id, type, created_at from events where message_ref = i.ref order by seq',
);
/** The webhooks of its line, and those of its account that are of no line. */
const LISTENS = `w.account_ref = e.account_ref and w.line_ref in (e.line_ref, ${NO_LINE})`;
/** The failed attempts, and the one that succeeded, which is in the delivery's own columns. */
const attemptsOfMessage = statement(
  { ref: 'int' },
  `select w.id, a.attempt, a.started_at, a.duration_ms, a.status, a.error
   from events e join webhooks w on ${LISTENS}
     join attempts a on a.webhook_ref = w.ref and a.event_seq = e.seq
   where e.message_ref = i.ref
   union all
   select w.id, d.attempts, d.last_attempt_at, d.last_duration_ms, d.last_status, d.last_error
   from events e join webhooks w on ${LISTENS}
     join deliveries d on d.webhook_ref = w.ref and d.event_seq = e.seq
   where e.message_ref = i.ref and d.state = 'delivered'`,
);

async function walkOf(
  engine: Engine,
  lineRef: number,
  item: OutboxItem | null,
  message: StoredMessage | null,
): Promise<StoredWalk> {
  const [itemRow] = item ? await engine.read(itemTimes, { id: item.id }) : [];
  const [messageRow] = message ? await engine.read(messageTimes, { id: message.id }) : [];
  const events = message ? await engine.read(eventsOfMessage, { ref: message.ref }) : [];
  const attempts = message ? await engine.read(attemptsOfMessage, { ref: message.ref }) : [];
  const times: Times = {
    item: itemRow ? itemTimesFromRow(itemRow) : null,
    message: messageRow ? messageTimesFromRow(messageRow) : null,
    events: events.map(eventFromRow),
    attempts: attempts.map(attemptFromRow),
  };
  return { lineRef, item, message, times };
}

function itemTimesFromRow(row: Row): ItemTimes {
  return {
    createdAt: Number(row['created_at']),
    claimedAt: numberOrNull(row['claimed_at']),
    handedOverAt: numberOrNull(row['handed_over_at']),
    failedAt: row['state'] === 'failed' ? numberOrNull(row['completed_at']) : null,
    attempts: Number(row['attempts']),
    error: textOrNull(row['error']),
  };
}

function messageTimesFromRow(row: Row): MessageTimes {
  return {
    isFromMe: row['is_from_me'] === 1,
    sentAt: Number(row['sent_at']),
    syncedAt: Number(row['synced_at']),
    deliveredAt: numberOrNull(row['delivered_at']),
    readAt: numberOrNull(row['read_at']),
  };
}

function eventFromRow(row: Row): EventTime {
  return { id: String(row['id']), type: String(row['type']), at: Number(row['created_at']) };
}

function attemptFromRow(row: Row): AttemptTime {
  return {
    webhookId: String(row['id']),
    attempt: Number(row['attempt']),
    startedAt: Number(row['started_at']),
    durationMs: Number(row['duration_ms']),
    status: numberOrNull(row['status']),
    error: textOrNull(row['error']),
  };
}
