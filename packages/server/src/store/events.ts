/** The event log: what is appended with each change, and what streams read. */
import { webhookLane } from '../domain/webhook.ts';
import { type Engine, type LogEntry, statement, type Tx } from './database.ts';
import type { Batch } from './writer.ts';

export const EVENTS_TOPIC = 'events';

/** An event before it has its number. */
export interface NewEvent {
  readonly accountRef: number;
  readonly lineRef: number;
  readonly chatRef: number | null;
  readonly messageRef: number | null;
  readonly type: string;
  /** The event's data as JSON. */
  readonly data: string;
  readonly now: number;
}

/** Locked until the commit, in the order of all who lock several: a webhook that ends meanwhile drops what is appended. */
const subscribers = statement(
  { line_ref: 'int' },
  `select webhooks.ref, webhooks.account_ref, webhooks.line_ref, webhooks.events from webhooks{, items}
   where webhooks.line_ref = i.line_ref and webhooks.deleted_at is null and webhooks.is_active = 1
   order by webhooks.ref {for share of webhooks}`,
);

interface Subscriber {
  readonly ref: number;
  readonly accountRef: number;
  readonly events: readonly string[];
}

/** Appends the events, in order, each with a delivery row for every webhook that asked for it. */
export async function appendEvents(batch: Batch, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  const byLine = await subscribersByLine(batch.tx, new Set(events.map((event) => event.lineRef)));
  for (const event of events) {
    const asked = (byLine.get(event.lineRef) ?? []).filter(
      (webhook) => webhook.accountRef === event.accountRef && webhook.events.includes(event.type),
    );
    batch.emit(
      logEntry(
        batch,
        event,
        asked.map(({ ref }) => ({ ref, url: null })),
      ),
    );
    for (const webhook of asked) batch.wake(webhookLane(webhook.ref));
  }
  batch.wake(EVENTS_TOPIC);
}

async function subscribersByLine(tx: Tx, lineRefs: ReadonlySet<number>): Promise<Map<number, Subscriber[]>> {
  const rows = await tx.each(
    subscribers,
    [...lineRefs].map((lineRef) => ({ line_ref: lineRef })),
  );
  const byLine = new Map<number, Subscriber[]>();
  for (const row of rows) {
    const lineRef = Number(row['line_ref']);
    const list = byLine.get(lineRef) ?? [];
    list.push({
      ref: Number(row['ref']),
      accountRef: Number(row['account_ref']),
      events: JSON.parse(String(row['events'])) as string[],
    });
    byLine.set(lineRef, list);
  }
  return byLine;
}

/** Whom an event is due to: a webhook, and where it is posted to unless that is the webhook's URL. */
export interface Addressee {
  readonly ref: number;
  readonly url: string | null;
}

/**
 * The event with its deliveries, which keep one order with all that have the same `orderRef`. It is in the log once the batch
 * has emitted it.
 */
export function logEntry(
  batch: Batch,
  event: NewEvent,
  addressees: readonly Addressee[],
  orderRef: number | null = event.chatRef,
): LogEntry {
  return {
    event: {
      id: batch.newId('event'),
      account_ref: event.accountRef,
      line_ref: event.lineRef,
      chat_ref: event.chatRef,
      message_ref: event.messageRef,
      type: event.type,
      data: event.data,
      created_at: event.now,
    },
    deliveries: addressees.map((to) => ({
      id: batch.newId('delivery'),
      account_ref: event.accountRef,
      webhook_ref: to.ref,
      chat_ref: orderRef,
      state: 'new',
      due_at: event.now,
      created_at: event.now,
      url: to.url,
    })),
  };
}

export interface LoggedEvent {
  readonly seq: number;
  readonly accountRef: number;
  readonly lineRef: number;
  readonly chatRef: number | null;
  readonly type: string;
  readonly data: string;
  readonly createdAt: number;
}

const eventsAfter = statement(
  { seq: 'int', max: 'int' },
  'select seq, account_ref, line_ref, chat_ref, type, data, created_at from events where seq > i.seq order by seq limit i.max',
);

const eventsOfAccountAfter = statement(
  { account_ref: 'int', seq: 'int', until: 'int', max: 'int' },
  `select seq, account_ref, line_ref, chat_ref, type, data, created_at from events
   where seq > i.seq and seq <= i.until and account_ref = i.account_ref order by seq limit i.max`,
);

/** The newest of the log by its key, and apart from it what is known of the part that was removed. */
const bounds = statement(
  {},
  `select coalesce((select max(seq) from events), 0) as newest,
     coalesce((select cast(value as bigint) from installation where name = 'pruned_through'), 0) as pruned_through`,
);

/** All accounts' events after a number, oldest first: what the tail of a process reads. */
export async function readEvents(engine: Engine, after: number, max: number): Promise<readonly LoggedEvent[]> {
  return (await engine.read(eventsAfter, { seq: after, max })).map(eventFromRow);
}

/** One account's events after a number and up to another: what a stream that catches up reads. */
export async function readEventsOfAccount(
  engine: Engine,
  range: { readonly accountRef: number; readonly after: number; readonly until: number },
  max: number,
): Promise<readonly LoggedEvent[]> {
  const rows = await engine.read(eventsOfAccountAfter, {
    account_ref: range.accountRef,
    seq: range.after,
    until: range.until,
    max,
  });
  return rows.map(eventFromRow);
}

export interface LogBounds {
  /** The newest number that was removed for its age, and with it the place before which a reader would miss something. */
  readonly prunedThrough: number;
  /** The newest number that was ever given, also when nothing is left; 0 in a log that has never had an event. */
  readonly newest: number;
}

export async function logBounds(engine: Engine): Promise<LogBounds> {
  const [row] = await engine.read(bounds, {});
  const prunedThrough = Number(row?.['pruned_through'] ?? 0);
  return { prunedThrough, newest: Math.max(Number(row?.['newest'] ?? 0), prunedThrough) };
}

function eventFromRow(row: Readonly<Record<string, unknown>>): LoggedEvent {
  return {
    seq: Number(row['seq']),
    accountRef: Number(row['account_ref']),
    lineRef: Number(row['line_ref']),
    chatRef: typeof row['chat_ref'] === 'number' ? row['chat_ref'] : null,
    type: String(row['type']),
    data: String(row['data']),
    createdAt: Number(row['created_at']),
  };
}
