/** Webhooks as their operator sees them: with their end, its reason, and what became of their newest delivery. */
import type { Selectable } from 'kysely';
import type { Webhook, WebhookKind } from '../domain/webhook.ts';
import type { Engine } from './database.ts';
import type { DeliveriesTable, WebhooksTable } from './schema.ts';
import { kindOf } from './webhooks.ts';

export interface NewestDelivery {
  readonly id: string;
  readonly state: string;
  readonly lastAttemptAt: number | null;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
}

/** Times are Unix milliseconds. */
export interface WebhookRecord extends Webhook {
  readonly ref: number;
  readonly kind: WebhookKind;
  /** 0 for one of all lines, which has no handle. */
  readonly lineRef: number;
  readonly lineHandle: string | null;
  readonly disabledReason: string | null;
  readonly failingSince: number | null;
  readonly previousEndsAt: number | null;
  readonly createdAt: number;
  readonly newest: NewestDelivery | null;
}

export interface WebhookFilter {
  readonly accountRef: number;
  /** The lines whose webhooks may be seen; null for all. */
  readonly lineRefs: readonly number[] | null;
}

/** Newest first, strictly before the ref; the deleted ones are left out. */
export async function pageOfWebhooks(
  engine: Engine,
  filter: WebhookFilter,
  before: number,
  max: number,
): Promise<readonly WebhookRecord[]> {
  if (filter.lineRefs?.length === 0) return [];
  let picked = pickedWebhooks(engine, filter.accountRef).where('webhooks.ref', '<', before);
  if (filter.lineRefs) picked = picked.where('webhooks.line_ref', 'in', filter.lineRefs);
  return readRecords(engine, picked.limit(max));
}

export async function findWebhookRecord(engine: Engine, accountRef: number, id: string): Promise<WebhookRecord | null> {
  const [record] = await readRecords(engine, pickedWebhooks(engine, accountRef).where('webhooks.id', '=', id).limit(1));
  return record ?? null;
}

function pickedWebhooks(engine: Engine, accountRef: number) {
  return engine.query
    .selectFrom('webhooks')
    .selectAll('webhooks')
    .select((eb) =>
      eb
        .selectFrom('deliveries')
        .select((one) => one.fn.max('deliveries.event_seq').as('seq'))
        .whereRef('deliveries.webhook_ref', '=', 'webhooks.ref')
        .as('newest_seq'),
    )
    .where('webhooks.account_ref', '=', accountRef)
    .where('webhooks.deleted_at', 'is', null)
    .orderBy('webhooks.ref', 'desc');
}

/** The few webhooks are picked first; each looks for its newest delivery alone. */
async function readRecords(engine: Engine, picked: ReturnType<typeof pickedWebhooks>): Promise<WebhookRecord[]> {
  const rows = await engine.query
    .selectFrom(picked.as('w'))
    .leftJoin('lines', 'lines.ref', 'w.line_ref')
    .leftJoin('deliveries as d', (join) =>
      join.onRef('d.webhook_ref', '=', 'w.ref').onRef('d.event_seq', '=', 'w.newest_seq'),
    )
    .selectAll('w')
    .select(['lines.id as line_id', 'lines.handle as line_handle', 'd.id as newest_id', 'd.state as newest_state'])
    .select(['d.last_attempt_at', 'd.last_status', 'd.last_error'])
    .orderBy('w.ref', 'desc')
    .execute();
  return rows.map(recordFromRow);
}

type RecordRow = Selectable<WebhooksTable> &
  Partial<Pick<Selectable<DeliveriesTable>, 'last_attempt_at' | 'last_status' | 'last_error'>> & {
    readonly line_id: string | null;
    readonly line_handle: string | null;
    readonly newest_id: string | null;
    readonly newest_state: string | null;
  };

function recordFromRow(row: RecordRow): WebhookRecord {
  return {
    ref: row.ref,
    id: row.id,
    kind: kindOf(row.kind),
    lineRef: row.line_ref,
    lineId: row.line_id,
    lineHandle: row.line_handle,
    url: row.url,
    events: JSON.parse(row.events) as string[],
    isActive: row.is_active === 1,
    disabledReason: row.disabled_reason,
    failingSince: row.failing_since,
    previousEndsAt: row.previous_secret === null ? null : row.previous_ends_at,
    createdAt: row.created_at,
    newest: newestFromRow(row),
  };
}

function newestFromRow(row: RecordRow): NewestDelivery | null {
  if (row.newest_id === null || row.newest_state === null) return null;
  return {
    id: row.newest_id,
    state: row.newest_state,
    lastAttemptAt: row.last_attempt_at ?? null,
    lastStatus: row.last_status ?? null,
    lastError: row.last_error ?? null,
  };
}
