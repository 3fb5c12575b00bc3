/** Messages in the manner of Sendblue: the list with its filters, one of them, and how one is doing. */

import type { Service } from '@trunkline/drivers';
import { z } from 'zod';
import type { Caller } from '../../access/authenticate.ts';
import { hasPrefix } from '../../domain/ids.ts';
import type { Line } from '../../domain/line.ts';
import { ITEM_STATUSES } from '../../domain/listed-item.ts';
import { isVisible, mayUse, usableLineRefs } from '../../lines/resolve.ts';
import { findChatById } from '../../store/chat-pages.ts';
import { type FoundItems, findListedItems, isPeer } from '../../store/listed-item-pages.ts';
import type { ItemFilter, Party } from '../../store/listed-item-query.ts';
import { readListedItems } from '../../store/listed-item-rows.ts';
import { itemBody, sentBody } from '../../wire/sendblue.ts';
import type { LinkFile } from '../../wire/v1.ts';
import { limitField, nameField } from '../input.ts';
import { type Route, route } from '../route.ts';
import { flagField, handleField, handleOf, offsetField, timeField } from './fields.ts';
import { requireItem, type ShownDeps, sharedOf } from './shown.ts';

export interface SendblueMessageDeps extends ShownDeps {
  readonly linkFile: LinkFile;
}

const PAGE_MAX = 100;
const ORDERS = {
  createdAt: 'created_at',
  created_at: 'created_at',
  sentAt: 'created_at',
  sent_at: 'created_at',
  updatedAt: 'updated_at',
  updated_at: 'updated_at',
} as const;
const SERVICES = { iMessage: 'imessage', SMS: 'sms', RCS: 'rcs' } as const satisfies Record<string, Service>;

const number = (sentence: string) => nameField.optional().describe(sentence);

const listQuery = z.object({
  account_email: number("Only this account's, by its owner's address."),
  created_at_gte: timeField('Created then or later.'),
  created_at_lte: timeField('Created then or earlier.'),
  sent_at_gte: timeField('Sent then or later: the same as created.'),
  sent_at_lte: timeField('Sent then or earlier: the same as created.'),
  updated_at_gte: timeField('Changed then or later.'),
  updated_at_lte: timeField('Changed then or earlier.'),
  from_number: number('Whoever sent it.'),
  to_number: number('Whoever it goes to.'),
  number: number('Either side.'),
  sendblue_number: number('The line.'),
  group_id: number('The group: the `cht_` id of its chat.'),
  is_outbound: flagField('Whether it goes out.'),
  message_type: z.enum(['message', 'group']).optional().describe('One-to-one, or to a group.'),
  service: z.enum(['iMessage', 'SMS', 'RCS']).optional().describe('What carried it.'),
  status: z.enum(ITEM_STATUSES).optional().describe('How far it has come.'),
  order_by: z
    .enum(['createdAt', 'updatedAt', 'sentAt', 'created_at', 'updated_at', 'sent_at'])
    .default('createdAt')
    .describe('The time to order by.'),
  order_direction: z.enum(['asc', 'desc']).default('desc').describe('The oldest first, or the newest.'),
  limit: limitField(PAGE_MAX, PAGE_MAX),
  offset: offsetField(),
  worker_id: nameField.optional().describe('Taken and ignored.'),
});
type ListQuery = z.infer<typeof listQuery>;

export function sendblueMessageRoutes(deps: SendblueMessageDeps): Route[] {
  return [
    route({
      name: 'sendblueListMessages',
      summary: 'Lists messages of both sides, with all filters that are given.',
      description:
        'An own message is there from its acceptance on. `total` is exact up to 5,000; beyond that it is a number that is greater than what the page and those before it show, as long as there is more.',
      answer: 'SendblueMessagePage',
      method: 'GET',
      path: '/api/v2/messages',
      scope: 'messages:read',
      query: listQuery,
      async handle({ caller, query }) {
        const { limit, offset } = query;
        const filter = await filterOf(deps, caller, query);
        const page = { order: ORDERS[query.order_by], direction: query.order_direction, limit, offset };
        const nothing: FoundItems = { refs: [], hasMore: false, total: 0 };
        const { refs, hasMore, total } = filter === null ? nothing : await findListedItems(deps.engine, filter, page);
        const items = await readListedItems(deps.engine.readEach, refs);
        const data = items.map((item) => itemBody(item, deps.linkFile));
        return { status: 'OK', data, pagination: { hasMore, limit, offset, total } };
      },
    }),
    route({
      name: 'sendblueGetMessage',
      summary: 'Gives one message.',
      answer: 'SendblueMessageAnswer',
      refusals: ['message_not_found'],
      method: 'GET',
      path: '/api/v2/messages/:message_handle',
      scope: 'messages:read',
      params: { message_handle: "The message: its `message_handle`, or Apple's GUID." },
      async handle({ caller, params }) {
        const item = await requireItem(deps, caller, params['message_handle'] ?? '', 'message_handle');
        return { status: 'OK', data: itemBody(item, deps.linkFile) };
      },
    }),
    route({
      name: 'sendblueGetStatus',
      summary: 'Gives one message as it stands, bare.',
      answer: 'SendblueMessage',
      refusals: ['message_not_found'],
      method: 'GET',
      path: '/api/status',
      scope: 'messages:read',
      query: z.object({ handle: handleField.optional(), message_handle: handleField.optional() }),
      anyOf: ['handle', 'message_handle'],
      async handle({ caller, query }) {
        const item = await requireItem(deps, caller, query.handle ?? query.message_handle ?? '', 'handle');
        return sentBody(item, deps.linkFile);
      },
    }),
  ];
}

/** Null where nothing can pass: another account's address, or a line or group that the caller has not. */
async function filterOf(deps: SendblueMessageDeps, caller: Caller, query: ListQuery): Promise<ItemFilter | null> {
  const { accountRef } = caller;
  const parties: Party[] = [];
  for (const [field, side] of [
    ['number', 'either'],
    ['from_number', 'from'],
    ['to_number', 'to'],
  ] as const) {
    const given = query[field];
    if (given !== undefined) parties.push(...(await partyOf(deps, caller, side, handleOf(given, field))));
  }
  const line =
    query.sendblue_number === undefined
      ? undefined
      : await lineOf(deps, caller, handleOf(query.sendblue_number, 'sendblue_number'));
  const chatRef = query.group_id === undefined ? undefined : await groupOf(deps, accountRef, query.group_id);
  const email = query.account_email?.toLowerCase();
  if (line === null || chatRef === null || (email !== undefined && email !== caller.accountEmail.toLowerCase()))
    return null;
  return {
    accountRef,
    lineRefs: usableLineRefs(deps.registry, caller),
    shared: await sharedOf(deps, accountRef),
    createdFrom: latest(query.created_at_gte, query.sent_at_gte),
    createdTo: earliest(query.created_at_lte, query.sent_at_lte),
    updatedFrom: query.updated_at_gte,
    updatedTo: query.updated_at_lte,
    parties,
    lineRef: line?.ref,
    chatRef,
    isGroup: query.message_type && query.message_type === 'group',
    isOutbound: query.is_outbound,
    service: query.service && SERVICES[query.service],
    status: query.status,
  };
}

/** A number may be one of the account's lines, or somebody's, or both where one line writes to another. */
async function partyOf(
  deps: SendblueMessageDeps,
  caller: Caller,
  side: Party['side'],
  handle: string,
): Promise<Party[]> {
  const line = await lineOf(deps, caller, handle);
  if (line === null) return [{ side, lineRef: null, peer: handle }];
  const isAlsoPeer = await isPeer(deps.engine, caller.accountRef, handle);
  return [{ side, lineRef: line.ref, peer: isAlsoPeer ? handle : null }];
}

async function lineOf({ registry }: SendblueMessageDeps, caller: Caller, handle: string): Promise<Line | null> {
  const line = await registry.find(handle);
  return line && isVisible(caller, line) && mayUse(caller, line) ? line : null;
}

async function groupOf({ engine }: SendblueMessageDeps, accountRef: number, id: string): Promise<number | null> {
  if (!hasPrefix('chat', id)) return null;
  const chat = await findChatById(engine, accountRef, id);
  return chat?.isGroup ? chat.ref : null;
}

function latest(...times: (number | undefined)[]): number | undefined {
  const given = times.filter((time) => time !== undefined);
  return given.length === 0 ? undefined : Math.max(...given);
}

function earliest(...times: (number | undefined)[]): number | undefined {
  const given = times.filter((time) => time !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
}
