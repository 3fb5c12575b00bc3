/** `/admin/v1/deliveries`: what was sent to webhooks, each attempt, and sending it again, one by one or all of some time. */
import { z } from 'zod';
import type { Caller } from '../../access/authenticate.ts';
import type { Clock } from '../../clock.ts';
import { ApiError } from '../../domain/errors.ts';
import { isLoggedType } from '../../domain/events.ts';
import { hasPrefix } from '../../domain/ids.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import { mayUseRef, usableLineRefs } from '../../lines/resolve.ts';
import type { Engine } from '../../store/database.ts';
import { DELIVERY_STATES, NEWEST_DELIVERY, pageOfDeliveries } from '../../store/delivery-pages.ts';
import { findDelivery, readAttempts, type WholeDelivery } from '../../store/delivery-records.ts';
import { RESENDABLE, type Resendable, resendDelivery } from '../../store/resends.ts';
import type { Writer } from '../../store/writer.ts';
import { resendSince } from '../../webhooks/resend.ts';
import { attemptBody, deliveryBody, wholeDeliveryBody } from '../../wire/admin.ts';
import { cursorField, limitField, nameField } from '../input.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import { list, type Route, route } from '../route.ts';
import { findVisibleWebhook } from './webhooks.ts';

/** What did not arrive. */
const STATES_DEFAULT: readonly Resendable[] = ['failed', 'dropped'];

export interface DeliveryDeps {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly registry: LineRegistry;
}

export function deliveryRoutes(deps: DeliveryDeps): Route[] {
  return [listRoute(deps), resendSinceRoute(deps), ...oneRoutes(deps)];
}

function listRoute(deps: DeliveryDeps): Route {
  return route({
    name: 'listDeliveries',
    summary: 'Lists deliveries, those of the newest events first.',
    description: 'A page may be short, or empty, while there are more: go on until `next_cursor` is null.',
    answer: 'Delivery[]',
    refusals: ['webhook_not_found'],
    method: 'GET',
    path: '/admin/v1/deliveries',
    scope: 'admin',
    query: z.object({
      webhook: nameField.optional().describe('Only those to this webhook: its `wh_` id.'),
      state: z.enum(DELIVERY_STATES).optional().describe('Only those in this state.'),
      event: nameField
        .refine(isLoggedType, 'must be the name of an event')
        .optional()
        .describe('Only those of this event.'),
      since: z
        .string()
        .regex(/^\d{1,15}$/, 'must be a time in Unix milliseconds')
        .optional()
        .meta({ type: 'integer', description: 'Only those that were made then or later, in Unix milliseconds.' }),
      limit: limitField(),
      cursor: cursorField,
    }),
    async handle({ caller, query }) {
      const webhook =
        query.webhook === undefined ? null : await findVisibleWebhook(deps, caller, query.webhook, 'webhook');
      const filter = {
        accountRef: caller.accountRef,
        lineRefs: usableLineRefs(deps.registry, caller),
        webhookRef: webhook?.ref ?? null,
        state: query.state ?? null,
        event: query.event ?? null,
        since: Number(query.since ?? 0),
      };
      const { accountRef, webhookRef, state, event, since } = filter;
      const name = `deliveries ${accountRef} ${webhookRef} ${state} ${event} ${since}`;
      const place = query.cursor === undefined ? [] : decodeCursor(name, query.cursor, 2);
      const [eventSeq = NEWEST_DELIVERY.eventSeq, ref = NEWEST_DELIVERY.webhookRef] = place;
      const page = await pageOfDeliveries(deps.engine, filter, { eventSeq, webhookRef: ref }, query.limit);
      const next = page.next && encodeCursor(name, [page.next.eventSeq, page.next.webhookRef]);
      return list(page.deliveries.map(deliveryBody), next);
    },
  });
}

function oneRoutes(deps: DeliveryDeps): Route[] {
  return [
    route({
      name: 'getDelivery',
      summary: 'Gives one delivery with its body.',
      answer: 'DeliveryWithBody',
      refusals: ['delivery_not_found'],
      method: 'GET',
      path: '/admin/v1/deliveries/:id',
      params: { id: 'The delivery: its `dlv_` id.' },
      scope: 'admin',
      async handle({ caller, params }) {
        return wholeDeliveryBody(await deliveryOf(deps, caller, params));
      },
    }),
    route({
      name: 'listDeliveryAttempts',
      summary: 'Lists the attempts at a delivery, the first one first.',
      answer: 'DeliveryAttempt[]',
      refusals: ['delivery_not_found'],
      method: 'GET',
      path: '/admin/v1/deliveries/:id/attempts',
      params: { id: 'The delivery: its `dlv_` id.' },
      scope: 'admin',
      query: z.object({ limit: limitField(), cursor: cursorField }),
      async handle({ caller, params, query }) {
        const delivery = await deliveryOf(deps, caller, params);
        const name = `attempts ${delivery.id}`;
        const [after = 0] = query.cursor === undefined ? [] : decodeCursor(name, query.cursor, 1);
        const rows = await readAttempts(deps.engine, delivery, after, query.limit + 1);
        const page = rows.slice(0, query.limit);
        const last = rows.length > page.length ? page.at(-1) : undefined;
        return list(page.map(attemptBody), last ? encodeCursor(name, [last.attempt]) : null);
      },
    }),
    route({
      name: 'resendDelivery',
      summary: 'Sends a delivery again, whatever had become of it.',
      description: 'It keeps its id, and its attempts are counted on.',
      answer: 'Delivery',
      refusals: ['delivery_not_found', 'webhook_inactive'],
      method: 'POST',
      path: '/admin/v1/deliveries/:id/resend',
      params: { id: 'The delivery: its `dlv_` id.' },
      scope: 'admin',
      body: z.object({}),
      async handle({ caller, params, ticket }) {
        const delivery = await deliveryOf(deps, caller, params);
        if (!delivery.isWebhookActive) throw webhookInactive();
        const now = deps.clock.now();
        const answer = deliveryBody(resentDelivery(delivery, now));
        const { webhookRef, eventSeq } = delivery;
        const result = await deps.writer.write(resendDelivery, { webhookRef, eventSeq, now }, ticket(answer));
        if (result === 'inactive') throw webhookInactive();
        if (result === 'not_found') throw deliveryNotFound();
        return answer;
      },
    }),
  ];
}

/** As the write leaves it. */
function resentDelivery(delivery: WholeDelivery, now: number): WholeDelivery {
  const isWaiting = delivery.state === 'new' || delivery.state === 'retry';
  return {
    ...delivery,
    state: delivery.state === 'new' ? 'new' : 'retry',
    dueAt: isWaiting ? Math.min(delivery.dueAt, now) : now,
    resentAt: now,
  };
}

function resendSinceRoute(deps: DeliveryDeps): Route {
  return route({
    name: 'resendDeliveries',
    summary: 'Sends the deliveries of a webhook again that were made since some time.',
    description: 'Without `state` those that did not arrive: failed and dropped ones.',
    answer: 'Resent',
    refusals: ['webhook_not_found', 'webhook_inactive'],
    method: 'POST',
    path: '/admin/v1/webhooks/:id/resend',
    params: { id: 'The webhook: its `wh_` id.' },
    scope: 'admin',
    isElsewhere: true,
    body: z.object({
      since: z.number().int().min(0).describe('What was made then or later, in Unix milliseconds.'),
      state: z
        .enum(['failed', 'dropped', 'delivered', 'all'])
        .optional()
        .describe('Only those in this state. All: what waits for a retry too. Left out: `failed` and `dropped`.'),
    }),
    async handle({ caller, params, body }) {
      const { id, ref, isActive } = await findVisibleWebhook(deps, caller, params['id'] ?? '', 'id');
      if (!isActive) throw webhookInactive();
      const { since } = body;
      const { count, isWhole } = await resendSince(deps, { webhookRef: ref, since, states: statesOf(body.state) });
      if (!isWhole) throw webhookInactive();
      return { webhook_id: id, resent: count };
    },
  });
}

function statesOf(state: Resendable | 'all' | undefined): readonly Resendable[] {
  if (state === undefined) return STATES_DEFAULT;
  return state === 'all' ? RESENDABLE : [state];
}

async function deliveryOf(
  { engine, registry }: DeliveryDeps,
  caller: Caller,
  params: Readonly<Record<string, string>>,
): Promise<WholeDelivery> {
  const id = params['id'] ?? '';
  // No database can look for a NUL, and nothing has one in its id.
  const isId = hasPrefix('delivery', id) && !id.includes('\0');
  const delivery = isId ? await findDelivery(engine, caller.accountRef, id) : null;
  if (!delivery || !mayUseRef(registry, caller, delivery.lineRef)) throw deliveryNotFound();
  return delivery;
}

function deliveryNotFound(): ApiError {
  return new ApiError('delivery_not_found', { param: 'id' });
}

function webhookInactive(): ApiError {
  return new ApiError('webhook_inactive', { param: 'id' });
}
