/** Deliveries with all that is known of them: the event, the webhook, and each attempt. */

import type { WebhookKind } from '../domain/webhook.ts';
import { type Engine, type Row, statement } from './database.ts';
import { numberOrNull, textOrNull } from './row-values.ts';
import { kindOf } from './webhooks.ts';

/** Times are Unix milliseconds. */
export interface DeliveryRecord {
  readonly webhookRef: number;
  readonly eventSeq: number;
  readonly id: string;
  readonly webhookId: string;
  readonly kind: WebhookKind;
  /** Where it is posted to. */
  readonly url: string;
  readonly lineRef: number;
  /** Whether its webhook can be sent anything. */
  readonly isWebhookActive: boolean;
  readonly eventId: string;
  readonly type: string;
  readonly state: string;
  readonly attempts: number;
  readonly dueAt: number;
  readonly lastAttemptAt: number | null;
  readonly lastDurationMs: number | null;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
  readonly resentAt: number | null;
  readonly createdAt: number;
}

const COLUMNS = `d.webhook_ref, d.event_seq, d.id, w.id as webhook_id, w.kind,
  coalesce(d.url, w.url) as url, w.line_ref, w.is_active, e.id as event_id, e.type,
  d.state, d.attempts, d.due_at, d.last_attempt_at, d.last_duration_ms, d.last_status, d.last_error, d.resent_at,
  d.created_at`;
const JOINED = 'join webhooks w on w.ref = d.webhook_ref join events e on e.seq = d.event_seq';

const byKeys = statement(
  { webhook_ref: 'int', event_seq: 'int' },
  `select ${COLUMNS} from deliveries d ${JOINED}{, items}
   where d.webhook_ref = i.webhook_ref and d.event_seq = i.event_seq`,
);
const byId = statement(
  { account_ref: 'int', id: 'text' },
  `select ${COLUMNS}, e.data from deliveries d ${JOINED} where d.id = i.id and d.account_ref = i.account_ref`,
);

interface DeliveryKey {
  readonly webhookRef: number;
  readonly eventSeq: number;
}

/** In the order of the keys; one that was removed meanwhile is left out. */
export async function readDeliveryRecords(
  engine: Engine,
  keys: readonly DeliveryKey[],
): Promise<readonly DeliveryRecord[]> {
  if (keys.length === 0) return [];
  const rows = await engine.readEach(
    byKeys,
    keys.map(({ webhookRef, eventSeq }) => ({ webhook_ref: webhookRef, event_seq: eventSeq })),
  );
  const records = new Map(rows.map(recordFromRow).map((one) => [`${one.webhookRef} ${one.eventSeq}`, one]));
  return keys.flatMap(({ webhookRef, eventSeq }) => records.get(`${webhookRef} ${eventSeq}`) ?? []);
}

export interface WholeDelivery extends DeliveryRecord {
  /** The event's data as JSON. */
  readonly data: string;
}

export async function findDelivery(engine: Engine, accountRef: number, id: string): Promise<WholeDelivery | null> {
  const [row] = await engine.read(byId, { account_ref: accountRef, id });
  return row ? { ...recordFromRow(row), data: String(row['data']) } : null;
}

export interface AttemptRecord {
  readonly attempt: number;
  readonly startedAt: number;
  readonly durationMs: number;
  readonly status: number | null;
  /** Null for a success. */
  readonly error: string | null;
  readonly answer: string | null;
}

/** A success that nothing has followed is in the delivery's own columns. */
const attemptsOfDelivery = statement(
  { webhook_ref: 'int', event_seq: 'int', after: 'int', max: 'int' },
  `select attempt, started_at, duration_ms, status, error, answer from attempts
   where webhook_ref = i.webhook_ref and event_seq = i.event_seq and attempt > i.after
   union all
   select d.attempts, d.last_attempt_at, d.last_duration_ms, d.last_status, d.last_error, null from deliveries d
   where d.webhook_ref = i.webhook_ref and d.event_seq = i.event_seq and d.state = 'delivered' and d.attempts > i.after
     and not exists (select 1 from attempts a
       where a.webhook_ref = d.webhook_ref and a.event_seq = d.event_seq and a.attempt = d.attempts)
   order by 1 limit i.max`,
);

/** The first of the attempts after a number. */
export async function readAttempts(
  engine: Engine,
  { webhookRef, eventSeq }: DeliveryKey,
  after: number,
  max: number,
): Promise<readonly AttemptRecord[]> {
  const rows = await engine.read(attemptsOfDelivery, { webhook_ref: webhookRef, event_seq: eventSeq, after, max });
  return rows.map((row) => ({
    attempt: Number(row['attempt']),
    startedAt: Number(row['started_at']),
    durationMs: Number(row['duration_ms']),
    status: numberOrNull(row['status']),
    error: textOrNull(row['error']),
    answer: textOrNull(row['answer']),
  }));
}

function recordFromRow(row: Row): DeliveryRecord {
  return {
    webhookRef: Number(row['webhook_ref']),
    eventSeq: Number(row['event_seq']),
    id: String(row['id']),
    webhookId: String(row['webhook_id']),
    kind: kindOf(row['kind']),
    url: String(row['url']),
    lineRef: Number(row['line_ref']),
    isWebhookActive: row['is_active'] === 1,
    eventId: String(row['event_id']),
    type: String(row['type']),
    state: String(row['state']),
    attempts: Number(row['attempts']),
    dueAt: Number(row['due_at']),
    lastAttemptAt: numberOrNull(row['last_attempt_at']),
    lastDurationMs: numberOrNull(row['last_duration_ms']),
    lastStatus: numberOrNull(row['last_status']),
    lastError: textOrNull(row['last_error']),
    resentAt: numberOrNull(row['resent_at']),
    createdAt: Number(row['created_at']),
  };
}
