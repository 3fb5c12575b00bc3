/** The query for listed items that pass a filter, and the conditions by whose indexes it may be run. Decision record 26. */
import type { Service } from '@trunkline/drivers';
import { type ExpressionBuilder, type RawBuilder, type SelectQueryBuilder, sql } from 'kysely';
import { type ItemStatus, UNDER_WAY } from '../domain/listed-item.ts';
import type { Engine } from './database.ts';
import type { Schema } from './schema.ts';

export type ItemOrder = 'created_at' | 'updated_at';

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

/** A condition by whose index items are read, and the order that the index is in. */
export interface Lead {
  readonly name: 'group' | 'pair' | 'peer' | 'service' | 'status' | 'groups' | 'line' | 'creation' | 'change';
  readonly order: ItemOrder;
  /** Whose number it is about, where it is about one that is not the line's field. */
  readonly party: Party | null;
}

export type ItemQuery = SelectQueryBuilder<Schema, 'listed_items', object>;
type Builder = ExpressionBuilder<Schema, 'listed_items'>;

/** Every condition, of which the engine may use an index for the lead's and for the times of the lead's order. */
export function itemQuery(engine: Engine, filter: ItemFilter, lead: Lead | null, order: ItemOrder): ItemQuery {
  const leads = (name: Lead['name']) => lead?.name === name;
  let query = engine.query
    .selectFrom('listed_items')
    // A line's indexes have no account in front: an account that is seen leads to another index, in the same order.
    .where(named('account_ref', !leads('line') && !leads('pair')), '=', filter.accountRef) as ItemQuery;
  query = whereTimes(query, filter, order);
  query = whereLines(query, filter, leads('pair') || (leads('line') && lead?.party === null));
  for (const party of filter.parties ?? []) {
    query = query.where((eb) => ofParty(eb, party, lead?.party === party ? lead : null));
  }
  const { chatRef, isGroup, service } = filter;
  if (chatRef !== undefined) query = query.where(named('chat_ref', leads('group')), '=', chatRef);
  if (isGroup !== undefined) query = query.where(named('chat_ref', leads('groups')), isGroup ? 'is not' : 'is', null);
  if (service !== undefined) query = query.where(textOf('service', leads('service')), '=', service);
  if (service !== undefined && leads('service')) query = query.where('listed_items.service', '<>', 'imessage');
  return whereStatus(query, filter, leads('status'));
}

function whereTimes(query: ItemQuery, filter: ItemFilter, order: ItemOrder): ItemQuery {
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

function whereLines(query: ItemQuery, { lineRef, lineRefs, shared }: ItemFilter, isLead: boolean): ItemQuery {
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
    ...(peer === null
      ? []
      : [
          eb.and([eb(textOf('peer', lead?.name === 'peer' || lead?.name === 'pair'), '=', peer), ...going(1 - isFrom)]),
        ]),
    ...(lineRef === null
      ? []
      : [eb.and([eb(named('line_ref', lead?.name === 'line'), '=', lineRef), ...going(isFrom)])]),
  ];
  const [only, ...others] = ways;
  return only && others.length === 0 ? only : eb.or(ways);
}

const OUTBOUND: readonly string[] = ['QUEUED', 'SENT', 'DELIVERED', 'ERROR'];

/** What is under way is queued in its row; inbound items are those of one status. */
function whereStatus(query: ItemQuery, { status, isOutbound }: ItemFilter, isLead: boolean): ItemQuery {
  const column = textOf('status', isLead);
  let narrowed = query;
  if (isOutbound !== undefined && !isLead)
    narrowed = narrowed.where('listed_items.is_outbound', '=', isOutbound ? 1 : 0);
  else if (isOutbound === false) narrowed = narrowed.where(column, '=', 'RECEIVED');
  else if (isOutbound) narrowed = narrowed.where(column, 'in', [...OUTBOUND]);
  if (status === undefined) return narrowed;
  if (status !== 'QUEUED' && status !== 'ACCEPTED') return narrowed.where(column, '=', status);
  // A subquery of one value is looked up row by row: no planner makes a join of two whole tables of it.
  const state = sql<string>`(select outbox.state from outbox where outbox.ref = listed_items.outbox_ref)`;
  return narrowed.where(column, '=', 'QUEUED').where(state, status === 'ACCEPTED' ? 'in' : 'not in', [...UNDER_WAY]);
}

/** A column by which no index is to be read is hidden in an expression of the same value. */
function named(
  column: 'account_ref' | 'created_at' | 'updated_at' | 'line_ref' | 'chat_ref',
  isLead: boolean,
): RawBuilder<number> {
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
