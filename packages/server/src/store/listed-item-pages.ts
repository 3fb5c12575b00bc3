/**
 * Pages of listed items. Which index a page is read by is decided here and not by the engines, which know nothing of how
 * many rows a filter lets through: it is counted first, up to a bound. Decision record 26.
 */
import type { Service } from '@trunkline/drivers';
import { type ExpressionBuilder, type RawBuilder, type SelectQueryBuilder, sql } from 'kysely';
import { type ItemStatus, UNDER_WAY } from '../domain/listed-item.ts';
import { type Engine, statement } from './database.ts';
import type { Schema } from './schema.ts';

/** `total` is exact up to here. So many rows are sorted in a moment. */
export const TOTAL_EXACT_MAX = 10_000;

type Order = 'created_at' | 'updated_at';

/** Whoever has this number: one of the account's lines, somebody else, or both. */
export interface Party {
  readonly side: 'from' | 'to' | 'either';
  readonly lineRef: number | null;
  readonly peer: string | null;
}

/** All that is given must hold. Times in Unix milliseconds, both ends included. */
export interface ItemFilter {
  readonly accountRef: number;
  /** The lines that may be seen; null for all. */
  readonly lineRefs: readonly number[] | null;
  /** Of the shared line only one phone's items are shown, or none. */
  readonly shared: { readonly lineRef: number; readonly peer: string | null } | null;
  readonly createdFrom?: number | undefined;
  readonly createdTo?: number | undefined;
  readonly updatedFrom?: number | undefined;
  readonly updatedTo?: number | undefined;
  readonly parties?: readonly Party[] | undefined;
  readonly lineRef?: number | undefined;
  /** The chat of a group. */
  readonly chatRef?: number | undefined;
  readonly isGroup?: boolean | undefined;
  readonly isOutbound?: boolean | undefined;
  readonly service?: Service | undefined;
  readonly status?: ItemStatus | undefined;
}

export interface ItemPage {
  readonly order: Order;
  readonly direction: 'asc' | 'desc';
  readonly limit: number;
  readonly offset: number;
}

export interface FoundItems {
  readonly refs: readonly number[];
  readonly hasMore: boolean;
  /** How many items pass the filter. Above the bound it is what is known: more than the page shows, if there is more. */
  readonly total: number;
}

export async function findListedItems(engine: Engine, filter: ItemFilter, page: ItemPage): Promise<FoundItems> {
  const lead = leadOf(filter);
  const count = await countItems(engine, filter, lead);
  const isMany = count > TOTAL_EXACT_MAX;
  // Where many pass, the first of them are near the beginning of the order; where few do, they are sorted.
  const by = isMany && lead !== null && lead.order !== page.order ? null : lead;
  const isSorted = by === null || by.order === page.order;
  const column = sql.ref(`listed_items.${page.order}`);
  const direction = sql.raw(page.direction);
  const rows = await itemQuery(engine, filter, by, by === null ? page.order : by.order)
    .select('listed_items.ref')
    .orderBy(isSorted ? sql`${column} ${direction}` : sql`${unseen(column)} ${direction}`)
    .orderBy('listed_items.ref', page.direction)
    .limit(page.limit + 1)
    .offset(page.offset)
    .execute();
  const refs = rows.slice(0, page.limit).map((row) => row.ref);
  const hasMore = rows.length > refs.length;
  const seen = page.offset + refs.length + (hasMore ? 1 : 0);
  return { refs, hasMore, total: isMany && refs.length > 0 ? Math.max(count, seen) : count };
}

async function countItems(engine: Engine, filter: ItemFilter, lead: Lead | null): Promise<number> {
  const some = itemQuery(engine, filter, lead, lead?.order ?? 'created_at')
    .select(sql<number>`1`.as('one'))
    .limit(TOTAL_EXACT_MAX + 1);
  const row = await engine.query
    .selectFrom(some.as('some'))
    .select((eb) => eb.fn.countAll<number>().as('found'))
    .executeTakeFirstOrThrow();
  return Number(row.found);
}

/** The condition whose index is read, and the order that the index is in. */
interface Lead {
  readonly name: 'group' | 'peer' | 'line' | 'service' | 'status' | 'change';
  readonly order: Order;
}

function leadOf(filter: ItemFilter): Lead | null {
  const [party] = filter.parties ?? [];
  if (filter.chatRef !== undefined) return { name: 'group', order: 'created_at' };
  if (party && party.lineRef === null) return { name: 'peer', order: 'created_at' };
  if (filter.lineRef !== undefined || (party && party.peer === null)) return { name: 'line', order: 'created_at' };
  if (filter.service !== undefined && filter.service !== 'imessage') return { name: 'service', order: 'created_at' };
  if (filter.status !== undefined || filter.isOutbound !== undefined) return { name: 'status', order: 'updated_at' };
  const isByChange = filter.updatedFrom !== undefined || filter.updatedTo !== undefined;
  const isByCreation = filter.createdFrom !== undefined || filter.createdTo !== undefined;
  return isByChange && !isByCreation ? { name: 'change', order: 'updated_at' } : null;
}

type Query = SelectQueryBuilder<Schema, 'listed_items', object>;
type Builder = ExpressionBuilder<Schema, 'listed_items'>;

/** Every condition, of which the engine may use an index for the lead's and for the times of the lead's order. */
function itemQuery(engine: Engine, filter: ItemFilter, lead: Lead | null, order: Order): Query {
  const leads = (name: Lead['name']) => lead?.name === name;
  let query = engine.query
    .selectFrom('listed_items')
    .where('listed_items.account_ref', '=', filter.accountRef) as Query;
  query = whereTimes(query, filter, order);
  query = whereLines(query, filter, leads('line'));
  for (const [index, party] of (filter.parties ?? []).entries()) {
    query = query.where((eb) => ofParty(eb, party, index === 0 ? lead : null));
  }
  const { chatRef, isGroup, service } = filter;
  if (chatRef !== undefined) query = query.where(named('chat_ref', leads('group')), '=', chatRef);
  if (isGroup !== undefined) query = query.where('listed_items.chat_ref', isGroup ? 'is not' : 'is', null);
  if (service !== undefined) query = query.where(textOf('service', leads('service')), '=', service);
  if (service !== undefined && leads('service')) query = query.where('listed_items.service', '<>', 'imessage');
  return whereStatus(query, filter, leads('status'));
}

function whereTimes(query: Query, filter: ItemFilter, order: Order): Query {
  const bounds = [
    ['created_at', '>=', filter.createdFrom],
    ['created_at', '<=', filter.createdTo],
    ['updated_at', '>=', filter.updatedFrom],
    ['updated_at', '<=', filter.updatedTo],
    // Nothing changes before it is made: a bound of the one order bounds the other.
    ['created_at', '<=', order === 'created_at' ? filter.updatedTo : undefined],
    ['updated_at', '>=', order === 'updated_at' ? filter.createdFrom : undefined],
  ] as const;
  let bounded = query;
  for (const [column, operator, at] of bounds) {
    if (at !== undefined) bounded = bounded.where(named(column, column === order), operator, at);
  }
  return bounded;
}

function whereLines(query: Query, { lineRef, lineRefs, shared }: ItemFilter, isLead: boolean): Query {
  let seen = query;
  if (lineRef !== undefined) seen = seen.where(named('line_ref', isLead), '=', lineRef);
  if (lineRefs !== null) seen = seen.where(named('line_ref', false), 'in', [...lineRefs]);
  if (shared) {
    seen = seen.where((eb) => {
      const elsewhere = eb(named('line_ref', false), '<>', shared.lineRef);
      return shared.peer === null ? elsewhere : eb.or([elsewhere, eb(textOf('peer', false), '=', shared.peer)]);
    });
  }
  return seen;
}

function ofParty(eb: Builder, { side, lineRef, peer }: Party, lead: Lead | null) {
  const isFrom = side === 'from' ? 1 : 0;
  const going = (isOutbound: number) => (side === 'either' ? [] : [eb('listed_items.is_outbound', '=', isOutbound)]);
  const ways = [
    ...(peer === null ? [] : [eb.and([eb(textOf('peer', lead?.name === 'peer'), '=', peer), ...going(1 - isFrom)])]),
    ...(lineRef === null
      ? []
      : [eb.and([eb(named('line_ref', lead?.name === 'line'), '=', lineRef), ...going(isFrom)])]),
  ];
  const [only, ...others] = ways;
  return only && others.length === 0 ? only : eb.or(ways);
}

const OUTBOUND: readonly string[] = ['QUEUED', 'SENT', 'DELIVERED', 'ERROR'];

/** What is under way is queued in its row; inbound items are those of one status. */
function whereStatus(query: Query, { status, isOutbound }: ItemFilter, isLead: boolean): Query {
  const column = textOf('status', isLead);
  let narrowed = query;
  if (isOutbound === false) narrowed = narrowed.where(column, '=', 'RECEIVED');
  else if (isOutbound) narrowed = narrowed.where(column, 'in', [...OUTBOUND]);
  if (status === undefined) return narrowed;
  if (status !== 'QUEUED' && status !== 'ACCEPTED') return narrowed.where(column, '=', status);
  return narrowed.where(column, '=', 'QUEUED').where(({ eb, exists, not, selectFrom }) => {
    const underWay = exists(
      selectFrom('outbox')
        .select('outbox.ref')
        .whereRef('outbox.ref', '=', 'listed_items.outbox_ref')
        .where(sql`outbox.state || ''`, 'in', [...UNDER_WAY]),
    );
    return status === 'ACCEPTED' ? underWay : not(eb.and([underWay]));
  });
}

/** A column by which no index is to be read is hidden in an expression of the same value. */
function named(column: 'created_at' | 'updated_at' | 'line_ref' | 'chat_ref', isLead: boolean): RawBuilder<number> {
  const ref = sql.ref<number>(`listed_items.${column}`);
  return isLead ? ref : unseen(ref);
}

function unseen(column: RawBuilder<unknown>): RawBuilder<number> {
  return sql<number>`${column} + 0`;
}

function textOf(column: 'peer' | 'service' | 'status', isLead: boolean): RawBuilder<string> {
  const ref = sql.ref<string>(`listed_items.${column}`);
  return isLead ? ref : sql<string>`${ref} || ''`;
}

const anyOfPeer = statement(
  { account_ref: 'int', peer: 'text' },
  'select 1 as found from listed_items where account_ref = i.account_ref and peer = i.peer limit 1',
);

/** Whether anything came from this handle, or went to it: one's own line may be on the other side as well. */
export async function isPeer(engine: Engine, accountRef: number, peer: string): Promise<boolean> {
  return (await engine.read(anyOfPeer, { account_ref: accountRef, peer })).length > 0;
}
