/** Deliveries: what is due to each webhook. First attempts belong to the webhook's lane, retries to whoever claims them. */
import { type Engine, type Row, statement } from './database.ts';
import { textOrNull } from './row-values.ts';
import { dropDue, noteOutcomes, type Outcome } from './webhooks.ts';
import type { Write } from './writer.ts';

export const RETRIES_TOPIC = 'retries';

export interface DueDelivery {
  readonly webhookRef: number;
  readonly eventSeq: number;
  readonly id: string;
  readonly chatRef: number | null;
  readonly attempts: number;
  /** Whether it was claimed by its row; else it is the lane's. */
  readonly isRetry: boolean;
  readonly type: string;
  /** The event's data as JSON. */
  readonly data: string;
  /** Where it is posted to, or null: to its webhook's URL. */
  readonly url: string | null;
}

/** The inner query asks for nothing but the key, so that SQLite reads it from `deliveries_new` and passes no delivered row. */
const newOfWebhook = statement(
  { webhook_ref: 'int', after: 'int', max: 'int' },
  `select d.webhook_ref, d.event_seq, d.id, d.chat_ref, d.attempts, d.url, events.type, events.data
   from (select webhook_ref, event_seq from deliveries
     where webhook_ref = i.webhook_ref and state = 'new' and event_seq > i.after order by event_seq limit i.max) as due
   join deliveries d on d.webhook_ref = due.webhook_ref and d.event_seq = due.event_seq
   join events on events.seq = d.event_seq order by d.event_seq`,
);

/** First attempts that a webhook's lane has not begun, in the order of their events. */
export async function readNewDeliveries(
  engine: Engine,
  webhookRef: number,
  after: number,
  max: number,
): Promise<readonly DueDelivery[]> {
  return (await engine.read(newOfWebhook, { webhook_ref: webhookRef, after, max })).map((row) =>
    dueFromRow(row, false),
  );
}

const webhooksWithNew = statement({}, "select distinct webhook_ref from deliveries where state = 'new'");

/** The webhooks whose lanes have something to begin. */
export async function readWebhooksWithNew(engine: Engine): Promise<readonly number[]> {
  return (await engine.read(webhooksWithNew, {})).map((row) => Number(row['webhook_ref']));
}

const claimRetry = statement(
  { webhook_ref: 'int', now: 'int', until: 'int', max: 'int' },
  `update deliveries set claimed_until = i.until
   where webhook_ref = i.webhook_ref and event_seq in (
     select d.event_seq from deliveries d
     where d.webhook_ref = i.webhook_ref and d.state = 'retry' and d.due_at <= i.now and d.claimed_until <= i.now
     order by d.due_at limit i.max {skip locked})
   returning webhook_ref, event_seq, id, chat_ref, attempts, url,
     (select events.type from events where events.seq = deliveries.event_seq) as type,
     (select events.data from events where events.seq = deliveries.event_seq) as data`,
);

interface RetryRequest {
  readonly webhookRef: number;
  readonly now: number;
  readonly until: number;
  readonly max: number;
}

/** Claims one webhook's retries that are due, each for one worker only. */
export const claimRetries: Write<RetryRequest, readonly DueDelivery[]> = {
  name: 'claim_retries',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx }, requests) {
    const results: DueDelivery[][] = [];
    for (const { webhookRef, now, until, max } of requests) {
      const rows = await tx.one(claimRetry, { webhook_ref: webhookRef, now, until, max });
      results.push(rows.map((row) => dueFromRow(row, true)));
    }
    return results;
  },
};

const extendClaim = statement(
  { webhook_ref: 'int', event_seq: 'int', until: 'int' },
  `update deliveries set claimed_until = i.until {from items}
   where deliveries.webhook_ref = i.webhook_ref and deliveries.event_seq = i.event_seq
     and deliveries.state = 'retry' and deliveries.claimed_until > 0`,
);

export const extendRetries: Write<{ webhookRef: number; eventSeq: number; until: number }, null> = {
  name: 'extend_retries',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx }, items) {
    await tx.each(
      extendClaim,
      inLockOrder(items).map(({ webhookRef, eventSeq, until }) => ({
        webhook_ref: webhookRef,
        event_seq: eventSeq,
        until,
      })),
    );
    return items.map(() => null);
  },
};

const nextRetryOfEach = statement(
  {},
  `select webhooks.ref, (select min(deliveries.due_at) from deliveries
     where deliveries.webhook_ref = webhooks.ref and deliveries.state = 'retry') as due_at
   from webhooks where webhooks.is_active = 1`,
);

/** When each active webhook's next retry is due, in Unix milliseconds; those without one are left out. */
export async function nextRetries(engine: Engine): Promise<readonly { webhookRef: number; dueAt: number }[]> {
  const rows = await engine.read(nextRetryOfEach, {});
  return rows.flatMap((row) =>
    row['due_at'] === null ? [] : [{ webhookRef: Number(row['ref']), dueAt: Number(row['due_at']) }],
  );
}

/** How an attempt ended. `dueAt` null ends the delivery: delivered when `error` is null, else failed. */
export interface AttemptResult {
  readonly webhookRef: number;
  readonly eventSeq: number;
  readonly attempt: number;
  readonly isRetry: boolean;
  readonly startedAt: number;
  readonly durationMs: number;
  readonly status: number | null;
  readonly error: string | null;
  /** The beginning of what the receiver answered, kept for failures. */
  readonly answer: string | null;
  readonly dueAt: number | null;
}

/** A lane's attempt was still under way when its delivery was dropped and sent again: the claim on it is another's. */
const IS_LANES_LAST = "(deliveries.state = 'retry' and i.is_retry = 0 and i.error is not null)";

/**
 * A late result of an earlier attempt changes nothing, unless it is a success. What was dropped meanwhile stays so, and the
 * failure is counted.
 */
const settle = statement(
  {
    webhook_ref: 'int',
    event_seq: 'int',
    state: 'text',
    attempts: 'int',
    is_retry: 'int',
    due_at: 'int',
    status: 'int',
    error: 'text',
    started_at: 'int',
    duration_ms: 'int',
  },
  `update deliveries set attempts = i.attempts,
     state = case when deliveries.state = 'dropped' or ${IS_LANES_LAST} then deliveries.state else i.state end,
     due_at = case when deliveries.state = 'dropped' or ${IS_LANES_LAST} then deliveries.due_at else i.due_at end,
     claimed_until = case when ${IS_LANES_LAST} then deliveries.claimed_until else 0 end,
     last_status = i.status, last_error = i.error, last_attempt_at = i.started_at, last_duration_ms = i.duration_ms
   {from items} where deliveries.webhook_ref = i.webhook_ref and deliveries.event_seq = i.event_seq
     and (deliveries.state in ('new', 'retry') and (deliveries.attempts < i.attempts or i.error is null)
       or deliveries.state = 'dropped' and deliveries.attempts < i.attempts and i.error is not null)`,
);

/** None for a delivery that was purged meanwhile; one that is there stays until the commit. */
const insertAttempt = statement(
  {
    webhook_ref: 'int',
    event_seq: 'int',
    attempt: 'int',
    started_at: 'int',
    duration_ms: 'int',
    status: 'int',
    error: 'text',
    answer: 'text',
  },
  `insert into attempts (webhook_ref, event_seq, attempt, started_at, duration_ms, status, error, answer)
   select i.webhook_ref, i.event_seq, i.attempt, i.started_at, i.duration_ms, i.status, i.error, i.answer
   from deliveries{, items} where deliveries.webhook_ref = i.webhook_ref and deliveries.event_seq = i.event_seq
   {for share of deliveries} on conflict (webhook_ref, event_seq, attempt) do nothing`,
);

export const recordAttempts: Write<AttemptResult, null> = {
  name: 'record_attempts',
  kind: 'outcome',
  concurrency: 2,
  isPatient: true,
  async run(batch, items) {
    const { tx, wake } = batch;
    const results = inLockOrder(items);
    // Webhooks before deliveries, as whoever deletes one locks them.
    const disabled = await noteOutcomes(batch, results.map(outcomeOf));
    await tx.each(settle, results.map(settledRow));
    await dropDue(tx, disabled);
    const failures = results.filter((result) => result.error !== null);
    await tx.each(insertAttempt, failures.map(attemptRow));
    if (failures.some((result) => result.dueAt !== null)) wake(RETRIES_TOPIC);
    return results.map(() => null);
  },
};

/** Whoever locks several deliveries locks them in this order, so that no two wait for each other. */
export function inLockOrder<T extends { readonly webhookRef: number; readonly eventSeq: number }>(
  items: readonly T[],
): T[] {
  return items.toSorted((a, b) => a.webhookRef - b.webhookRef || a.eventSeq - b.eventSeq);
}

function outcomeOf({ webhookRef, error, startedAt }: AttemptResult): Outcome {
  return { ref: webhookRef, succeeded: error === null, at: startedAt };
}

function settledRow(result: AttemptResult): Row {
  const ended = result.error === null ? 'delivered' : 'failed';
  return {
    webhook_ref: result.webhookRef,
    event_seq: result.eventSeq,
    state: result.dueAt === null ? ended : 'retry',
    attempts: result.attempt,
    is_retry: Number(result.isRetry),
    due_at: result.dueAt ?? 0,
    status: result.status,
    error: result.error,
    started_at: result.startedAt,
    duration_ms: result.durationMs,
  };
}

function attemptRow(result: AttemptResult): Row {
  return {
    webhook_ref: result.webhookRef,
    event_seq: result.eventSeq,
    attempt: result.attempt,
    started_at: result.startedAt,
    duration_ms: result.durationMs,
    status: result.status,
    error: result.error,
    answer: result.answer,
  };
}

function dueFromRow(row: Row, isRetry: boolean): DueDelivery {
  return {
    webhookRef: Number(row['webhook_ref']),
    eventSeq: Number(row['event_seq']),
    id: String(row['id']),
    chatRef: row['chat_ref'] === null ? null : Number(row['chat_ref']),
    attempts: Number(row['attempts']),
    isRetry,
    type: String(row['type']),
    data: String(row['data']),
    url: textOrNull(row['url']),
  };
}
