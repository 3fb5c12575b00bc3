/**
 * Pages of listed items. Which index a page is read by is decided here and not by the engines, which know nothing of how
 * many rows a filter lets through: each condition that has an index is counted first, up to a bound. Decision record 26.
 */
import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import type { ItemStatus } from '../domain/listed-item.ts';
import { type Engine, statement } from './database.ts';
import { type ItemFilter, type ItemOrder, itemQuery, type Lead, type Party } from './listed-item-query.ts';

/** `total` is exact up to here. So many rows are sorted in a moment. */
const TOTAL_EXACT_MAX = 5_000;
/** No other condition is counted where one has so few. */
const FEW = 500;
/** So many of the order's first items are looked at before all that may pass are sorted; and more for each passed over. */
const FIRST_LOOKED_AT = 10_000;
const FIRST_FOR_EACH_PASSED = 10;
/** What most items are: hardly a better beginning than the order itself. */
const COMMON: readonly ItemStatus[] = ['DELIVERED', 'RECEIVED'];
/** Leads whose index is in one order throughout, and whose conditions other indexes have too. */
const BY_ORDER: readonly Lead['name'][] = ['group', 'groups', 'creation', 'change'];

export interface ItemPage {
  readonly order: ItemOrder;
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

/** What is many. Tests set it to what they can write. */
export interface ItemBounds {
  readonly exactMax: number;
  readonly lookedAt: number;
}

const BOUNDS: ItemBounds = { exactMax: TOTAL_EXACT_MAX, lookedAt: FIRST_LOOKED_AT };

export async function findListedItems(
  engine: Engine,
  filter: ItemFilter,
  page: ItemPage,
  { exactMax, lookedAt }: ItemBounds = BOUNDS,
): Promise<FoundItems> {
  const { lead, counted, isFew, isMany } = await chooseLead(engine, filter, exactMax);
  const isInOrder = lead === null || lead.order === page.order;
  if (isFew && lead && !isInOrder) return readSorted(engine, filter, page, lead, exactMax);
  const count = isMany
    ? exactMax + 1
    : await countItems(engine, filter, counted, counted?.order ?? page.order, exactMax);
  const first = isInOrder ? null : await readFirst(engine, filter, page, lookedAt);
  const rows = first ?? (await pageQuery(engine, filter, page, lead).execute());
  const refs = rows.slice(0, page.limit).map((row) => row.ref);
  const hasMore = rows.length > refs.length;
  const shown = page.offset + refs.length + (hasMore ? 1 : 0);
  return { refs, hasMore, total: count > exactMax && refs.length > 0 ? Math.max(count, shown) : count };
}

/** Few that have to be sorted are counted in the same pass. */
async function readSorted(
  engine: Engine,
  filter: ItemFilter,
  page: ItemPage,
  lead: Lead,
  exactMax: number,
): Promise<FoundItems> {
  const counted = sql<number>`count(*) over ()`.as('found');
  const rows = await pageQuery(engine, filter, page, lead).select(counted).execute();
  const found = rows[0]?.found ?? (await countItems(engine, filter, lead, lead.order, exactMax));
  const refs = rows.slice(0, page.limit).map((row) => row.ref);
  return { refs, hasMore: rows.length > refs.length, total: Number(found) };
}

function pageQuery(engine: Engine, filter: ItemFilter, page: ItemPage, lead: Lead | null) {
  const isInOrder = lead === null || lead.order === page.order;
  const column = sql.ref<number>(`listed_items.${page.order}`);
  const direction = sql.raw(page.direction);
  // An order by which no index is to be read is hidden in an expression of the same value.
  return itemQuery(engine, filter, lead, lead?.order ?? page.order)
    .select('listed_items.ref')
    .orderBy(isInOrder ? sql`${column} ${direction}` : sql`${column} + 0 ${direction}`)
    .orderBy('listed_items.ref', page.direction)
    .limit(page.limit + 1)
    .offset(page.offset);
}

/**
 * Of many that pass the first are likely to be near the beginning of the order, so only that is looked at. Null where
 * they are not: then all of them have to be sorted.
 */
async function readFirst(
  engine: Engine,
  filter: ItemFilter,
  page: ItemPage,
  lookedAt: number,
): Promise<{ ref: number }[] | null> {
  const { order, direction } = page;
  const whole = { name: order === 'created_at' ? 'creation' : 'change', order, party: null } as const;
  const edge = await itemQuery(engine, onlyOf(filter, whole), whole, order)
    .select(`listed_items.${order} as at`)
    .orderBy(`listed_items.${order}`, direction)
    .orderBy('listed_items.ref', direction)
    .limit(1)
    .offset(lookedAt + FIRST_FOR_EACH_PASSED * page.offset)
    .executeTakeFirst();
  const rows = await pageQuery(engine, edge ? upTo(filter, page, edge.at) : filter, page, null).execute();
  return edge && rows.length <= page.limit ? null : rows;
}

/** The edge lies within the times that are asked for. */
function upTo(filter: ItemFilter, { order, direction }: ItemPage, edge: number): ItemFilter {
  if (order === 'created_at')
    return { ...filter, ...(direction === 'desc' ? { createdFrom: edge } : { createdTo: edge }) };
  return { ...filter, ...(direction === 'desc' ? { updatedFrom: edge } : { updatedTo: edge }) };
}

/**
 * Up to one more than the bound. SQLite would rather read a longer index that has all columns than the lead's, where that
 * has not; asked for in the order of the lead's, they are read by it.
 */
async function countItems(
  engine: Engine,
  filter: ItemFilter,
  lead: Lead | null,
  order: ItemOrder,
  max: number,
): Promise<number> {
  const query = itemQuery(engine, filter, lead, order);
  const isByOrder = lead !== null && BY_ORDER.includes(lead.name);
  const ordered = isByOrder ? query.orderBy(`listed_items.${order}`, 'desc') : query;
  const some = ordered.select(sql<number>`1`.as('one')).limit(max + 1);
  const row = await engine.query
    .selectFrom(some.as('some'))
    .select((eb) => eb.fn.countAll<number>().as('found'))
    .executeTakeFirstOrThrow();
  return Number(row.found);
}

interface Choice {
  /** Null where the order itself is the best there is. */
  readonly lead: Lead | null;
  /** By whose index all that pass are counted. */
  readonly counted: Lead | null;
  readonly isFew: boolean;
  /** More than can be told exactly pass, as was seen by the way. */
  readonly isMany: boolean;
}

/** Of all conditions the one that the fewest items meet; where many meet each of them, the first. */
async function chooseLead(engine: Engine, filter: ItemFilter, max: number): Promise<Choice> {
  const leads = leadsOf(filter);
  let fewest: { readonly lead: Lead; readonly count: number } | null = null;
  for (const lead of leads) {
    const count = await countItems(engine, onlyOf(filter, lead), lead, lead.order, max);
    if (count <= max && (!fewest || count < fewest.count)) fewest = { lead, count };
    if (count <= Math.min(FEW, max)) break;
  }
  if (fewest) return { lead: fewest.lead, counted: fewest.lead, isFew: true, isMany: false };
  const lead = leads.find((one) => isWorthSorting(filter, one)) ?? null;
  return { lead, counted: lead ?? leads[0] ?? null, isFew: false, isMany: leads.some((one) => isWhole(filter, one)) };
}

/** Whether whatever meets this condition passes: nothing else is asked for, and no line hides anything of it. */
function isWhole(filter: ItemFilter, lead: Lead): boolean {
  const { accountRef: _account, lineRefs, shared, ...asked } = filter;
  const { accountRef: _own, lineRefs: _lines, shared: _shared, ...led } = onlyOf(filter, lead);
  const line = led.lineRef ?? (lead.party?.peer === null ? lead.party.lineRef : null);
  const hidesNothing = lineRefs === null && (shared === null || (line !== null && line !== shared.lineRef));
  return hidesNothing && isDeepStrictEqual(given(asked), given(led));
}

function given(conditions: object): object {
  return Object.fromEntries(
    Object.entries(conditions).filter(
      ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
    ),
  );
}

/** A part of the times, or all that goes out, is hardly less than everything, which lies in order already. */
function isWorthSorting({ status, isOutbound }: ItemFilter, { name }: Lead): boolean {
  if (name === 'creation' || name === 'change') return false;
  return name !== 'status' || status !== undefined || !isOutbound;
}

/** Those come first which the fewest items are likely to meet. */
function leadsOf(filter: ItemFilter): readonly Lead[] {
  const { parties = [], status, isOutbound } = filter;
  const leads: Lead[] = [];
  const add = (name: Lead['name'], isGiven: boolean, party: Party | null = null) => {
    if (isGiven) leads.push({ name, order: name === 'change' ? 'updated_at' : 'created_at', party });
  };
  add('group', filter.chatRef !== undefined);
  for (const party of parties) add('pair', party.lineRef === null && filter.lineRef !== undefined, party);
  for (const party of parties) add('peer', party.lineRef === null, party);
  add('service', filter.service !== undefined && filter.service !== 'imessage');
  add('status', status !== undefined && !COMMON.includes(status));
  add('groups', filter.isGroup === true && filter.chatRef === undefined);
  add('line', filter.lineRef !== undefined);
  for (const party of parties) add('line', party.peer === null, party);
  add('status', status === undefined ? isOutbound !== undefined : COMMON.includes(status));
  add('creation', filter.createdFrom !== undefined || filter.createdTo !== undefined);
  add('change', filter.updatedFrom !== undefined || filter.updatedTo !== undefined);
  return leads;
}

/** As much of a filter as the index of a lead answers by itself. */
function onlyOf(filter: ItemFilter, { name, order, party }: Lead): ItemFilter {
  const { accountRef, createdFrom, createdTo, updatedFrom, updatedTo, chatRef, lineRef, service } = filter;
  // Nothing changes before it is made: a bound of the one order bounds the other.
  const times =
    order === 'created_at'
      ? { createdFrom, createdTo: least(createdTo, updatedTo) }
      : { updatedFrom: most(updatedFrom, createdFrom), updatedTo };
  const some = { accountRef, lineRefs: null, shared: null, ...times };
  if (party) return { ...some, parties: [party], ...(name === 'pair' ? { lineRef } : {}) };
  if (name === 'group') return { ...some, chatRef };
  if (name === 'groups') return { ...some, isGroup: true };
  if (name === 'line') return { ...some, lineRef };
  if (name === 'service') return { ...some, service };
  if (name !== 'status') return some;
  return { ...some, ...(filter.status === undefined ? { isOutbound: filter.isOutbound } : { status: filter.status }) };
}

function least(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

function most(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}

const anyOfPeer = statement(
  { account_ref: 'int', peer: 'text' },
  'select 1 as found from listed_items where account_ref = i.account_ref and peer = i.peer limit 1',
);

/** Whether anything came from this handle, or went to it: one's own line may be on the other side as well. */
export async function isPeer(engine: Engine, accountRef: number, peer: string): Promise<boolean> {
  return (await engine.read(anyOfPeer, { account_ref: accountRef, peer })).length > 0;
}
