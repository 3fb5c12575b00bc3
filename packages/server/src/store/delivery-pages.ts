/**
 * Deliveries as an operator reads them, newest first. There is no index over an account's deliveries, which each of them
 * would pay for: a page is merged from those of its webhooks, each read by its own key.
 */
import { type RawBuilder, sql } from 'kysely';
import type { Engine } from './database.ts';
import { type DeliveryRecord, readDeliveryRecords } from './delivery-records.ts';

/** Webhooks that one page is merged from: those with the newest deliveries. */
const WEBHOOKS_MAX = 100;
/** Deliveries that are looked at for one page, where a filter has no index. */
const LOOKED_AT_MAX = 5_000;
/** Processes number events by clocks of their own: a delivery may be a little older than one before it. */
const CLOCKS_DIFFER_MS = 60_000;

export const DELIVERY_STATES = ['new', 'retry', 'delivered', 'failed', 'dropped'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** The states that have an index. */
const TROUBLED: ReadonlySet<DeliveryState> = new Set(['retry', 'failed', 'dropped']);

export interface DeliveryFilter {
  readonly accountRef: number;
  /** The lines whose webhooks may be seen; null for all. */
  readonly lineRefs: readonly number[] | null;
  readonly webhookRef: number | null;
  readonly state: DeliveryState | null;
  readonly event: string | null;
  /** Unix milliseconds; 0 for all. */
  readonly since: number;
}

/** The place in the list after which a page begins. */
export interface DeliveryPlace {
  readonly eventSeq: number;
  readonly webhookRef: number;
}

export const NEWEST_DELIVERY: DeliveryPlace = { eventSeq: Number.MAX_SAFE_INTEGER, webhookRef: 0 };

export interface DeliveryPage {
  readonly deliveries: readonly DeliveryRecord[];
  /** Where the next page begins; it may find less than it looks for, or nothing, and still not be the last. */
  readonly next: DeliveryPlace | null;
}

interface Candidate extends DeliveryPlace {
  readonly state: string;
  readonly type: string | null;
  readonly createdAt: number;
}

export async function pageOfDeliveries(
  engine: Engine,
  filter: DeliveryFilter,
  after: DeliveryPlace,
  max: number,
): Promise<DeliveryPage> {
  const [webhooks, left] = await webhooksInTurn(engine, filter, after);
  if (webhooks.length === 0) return { deliveries: [], next: null };
  const isSearch = filter.event !== null || (filter.state !== null && !TROUBLED.has(filter.state));
  const each = isSearch ? Math.max(max + 1, Math.floor(LOOKED_AT_MAX / webhooks.length)) : max + 1;
  const candidates = await readCandidates(engine, filter, { webhooks, after, each });
  const { picked, next } = pick(candidates, filter, { each, max, left });
  return { deliveries: await readDeliveryRecords(engine, picked), next };
}

/** The webhooks whose newest deliveries after the place are the newest, and the newest number of those left out, 0 for none. */
async function webhooksInTurn(
  engine: Engine,
  filter: DeliveryFilter,
  after: DeliveryPlace,
): Promise<readonly [webhooks: readonly number[], left: number]> {
  if (filter.webhookRef !== null) return [[filter.webhookRef], 0];
  if (filter.lineRefs?.length === 0) return [[], 0];
  let query = engine.query
    .selectFrom('webhooks')
    .select([
      'webhooks.ref',
      sql<number | null>`(select max(deliveries.event_seq) from deliveries where deliveries.webhook_ref = webhooks.ref
        and deliveries.event_seq <= ${after.eventSeq} and ${isInState(filter.state)})`.as('newest'),
    ])
    .where('webhooks.account_ref', '=', filter.accountRef);
  if (filter.lineRefs) query = query.where('webhooks.line_ref', 'in', filter.lineRefs);
  const rows = (await query.execute()).filter((row) => row.newest !== null);
  rows.sort((a, b) => Number(b.newest) - Number(a.newest));
  return [rows.slice(0, WEBHOOKS_MAX).map((row) => row.ref), Number(rows[WEBHOOKS_MAX]?.newest ?? 0)];
}

interface Reading {
  readonly webhooks: readonly number[];
  readonly after: DeliveryPlace;
  /** Rows of each webhook. */
  readonly each: number;
}

async function readCandidates(
  engine: Engine,
  filter: DeliveryFilter,
  { webhooks, after, each }: Reading,
): Promise<readonly (readonly Candidate[])[]> {
  const read = async (ref: number): Promise<readonly Candidate[]> => {
    const seqMax = ref < after.webhookRef ? after.eventSeq : after.eventSeq - 1;
    const deliveries = engine.query
      .selectFrom('deliveries')
      .select(['deliveries.webhook_ref', 'deliveries.event_seq', 'deliveries.state', 'deliveries.created_at'])
      .where('deliveries.webhook_ref', '=', ref)
      .where('deliveries.event_seq', '<=', seqMax)
      .where(isInState(filter.state))
      .orderBy('deliveries.event_seq', 'desc')
      .limit(each);
    const rows = await (filter.event === null
      ? deliveries.select(sql<string | null>`null`.as('type'))
      : deliveries.innerJoin('events', 'events.seq', 'deliveries.event_seq').select('events.type')
    ).execute();
    return rows.map((row) => ({
      webhookRef: row.webhook_ref,
      eventSeq: row.event_seq,
      state: row.state,
      type: row.type,
      createdAt: row.created_at,
    }));
  };
  const lists: (readonly Candidate[])[] = [];
  for (const ref of webhooks) lists.push(await read(ref));
  return lists;
}

interface Bounds {
  readonly each: number;
  readonly max: number;
  readonly left: number;
}

/**
 * The merged list is whole down to where the first of its parts was cut off. What lies below that is for the next page,
 * unless it is all too old.
 */
function pick(
  lists: readonly (readonly Candidate[])[],
  filter: DeliveryFilter,
  { each, max, left }: Bounds,
): { readonly picked: readonly Candidate[]; readonly next: DeliveryPlace | null } {
  const cuts = lists.flatMap((list) => (list.length < each ? [] : list.slice(-1)));
  const ends: DeliveryPlace[] = left === 0 ? [...cuts] : [...cuts, { eventSeq: left + 1, webhookRef: 0 }];
  const [end] = ends.sort(newestFirst);
  const whole = lists
    .flat()
    .sort(newestFirst)
    .filter((one) => !end || newestFirst(one, end) <= 0);
  const matching = whole.filter((one) => matches(one, filter));
  const picked = matching.slice(0, max);
  if (matching.length > max) return { picked, next: placeOf(picked.at(-1)) };
  const isTooOld = whole.some((one) => one.createdAt < filter.since - CLOCKS_DIFFER_MS);
  return { picked, next: isTooOld ? null : placeOf(end) };
}

function newestFirst(a: DeliveryPlace, b: DeliveryPlace): number {
  return b.eventSeq - a.eventSeq || b.webhookRef - a.webhookRef;
}

function placeOf(place: DeliveryPlace | undefined): DeliveryPlace | null {
  return place ? { eventSeq: place.eventSeq, webhookRef: place.webhookRef } : null;
}

function matches(one: Candidate, { state, event, since }: DeliveryFilter): boolean {
  return (state === null || one.state === state) && (event === null || one.type === event) && one.createdAt >= since;
}

/** In the words of the index, which both engines compare with those of the query. */
function isInState(state: DeliveryState | null): RawBuilder<boolean> {
  if (state === null || !TROUBLED.has(state)) return sql`1 = 1`;
  return sql`deliveries.state in ('retry', 'failed', 'dropped') and deliveries.state = ${sql.lit(state)}`;
}
