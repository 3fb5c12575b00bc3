/** The rows of `/admin/v1/webhooks` and `/admin/v1/deliveries` in the access table. */
import { ADMIN_WEBHOOK_KEYS, ATTEMPT_KEYS, DELIVERY_KEYS, LIST_KEYS } from './answer-keys.ts';
import { type AccessRow, always, holds, namesLine, namesObject, type Variant } from './matrix-row.ts';
import { HOOK, type Place, QUIET_EVENTS, type Scene } from './matrix-scene.ts';

const NO_WEBHOOK = namesObject('webhook_not_found', 'id');
const NO_DELIVERY = namesObject('delivery_not_found', 'id');
const hasWebhook: Variant['shows'] = (body, { webhookId }) => holds(body, 'id', webhookId);
const hasDelivery: Variant['shows'] = (body, { deliveryId }) => holds(body, 'id', deliveryId);

const WEBHOOKS: readonly AccessRow[] = [
  {
    route: 'GET /admin/v1/webhooks',
    scope: 'admin',
    status: 200,
    keys: LIST_KEYS,
    itemKeys: ADMIN_WEBHOOK_KEYS,
    variants: [
      {
        by: 'nothing',
        request: () => ({ path: '/admin/v1/webhooks', query: { limit: '100' } }),
        outcome: always,
        shows: hasWebhook,
      },
      {
        by: "the line's handle",
        request: ({ line }) => ({ path: '/admin/v1/webhooks', query: { line: line.handle } }),
        outcome: namesLine('line'),
        shows: hasWebhook,
      },
    ],
  },
  {
    route: 'GET /admin/v1/webhooks/:id',
    scope: 'admin',
    status: 200,
    keys: ADMIN_WEBHOOK_KEYS,
    variants: [
      { by: 'id', request: ({ webhookId }) => ({ path: `/admin/v1/webhooks/${webhookId}` }), outcome: NO_WEBHOOK },
    ],
  },
  {
    route: 'PATCH /admin/v1/webhooks/:id',
    scope: 'admin',
    status: 200,
    keys: ADMIN_WEBHOOK_KEYS,
    variants: [
      {
        by: 'id',
        request: async (place, scene) => ({
          path: await spareWebhook(place, scene),
          body: { is_active: true, url: HOOK, events: QUIET_EVENTS },
        }),
        outcome: NO_WEBHOOK,
      },
    ],
  },
  {
    route: 'POST /admin/v1/webhooks/:id/rotate',
    scope: 'admin',
    status: 200,
    keys: [...ADMIN_WEBHOOK_KEYS, 'secret'],
    variants: [
      {
        by: 'id',
        request: async (place, scene) => ({
          path: `${await spareWebhook(place, scene)}/rotate`,
          body: { overlap_hours: 1 },
        }),
        outcome: NO_WEBHOOK,
      },
    ],
  },
];

const DELIVERIES: readonly AccessRow[] = [
  {
    route: 'GET /admin/v1/deliveries',
    scope: 'admin',
    status: 200,
    keys: LIST_KEYS,
    itemKeys: DELIVERY_KEYS,
    variants: [
      {
        by: 'nothing',
        request: () => ({ path: '/admin/v1/deliveries', query: { limit: '100' } }),
        outcome: always,
        shows: hasDelivery,
      },
      {
        by: "the webhook's id",
        request: ({ webhookId }) => ({
          path: '/admin/v1/deliveries',
          query: { webhook: webhookId, since: '0', limit: '100' },
        }),
        outcome: namesObject('webhook_not_found', 'webhook'),
        shows: hasDelivery,
      },
    ],
  },
  {
    route: 'GET /admin/v1/deliveries/:id',
    scope: 'admin',
    status: 200,
    keys: [...DELIVERY_KEYS, 'body'],
    variants: [
      { by: 'id', request: ({ deliveryId }) => ({ path: `/admin/v1/deliveries/${deliveryId}` }), outcome: NO_DELIVERY },
    ],
  },
  {
    route: 'GET /admin/v1/deliveries/:id/attempts',
    scope: 'admin',
    status: 200,
    keys: LIST_KEYS,
    itemKeys: ATTEMPT_KEYS,
    variants: [
      {
        by: 'id',
        request: ({ deliveryId }) => ({ path: `/admin/v1/deliveries/${deliveryId}/attempts` }),
        outcome: NO_DELIVERY,
      },
    ],
  },
  {
    route: 'POST /admin/v1/deliveries/:id/resend',
    scope: 'admin',
    status: 200,
    keys: DELIVERY_KEYS,
    variants: [
      {
        by: 'id',
        request: ({ deliveryId }) => ({ path: `/admin/v1/deliveries/${deliveryId}/resend`, body: {} }),
        outcome: NO_DELIVERY,
      },
    ],
  },
  {
    route: 'POST /admin/v1/webhooks/:id/resend',
    scope: 'admin',
    status: 200,
    keys: ['webhook_id', 'resent'],
    variants: [
      {
        by: 'id',
        request: ({ webhookId }) => ({
          path: `/admin/v1/webhooks/${webhookId}/resend`,
          body: { since: 0, state: 'failed' },
        }),
        outcome: NO_WEBHOOK,
      },
    ],
  },
];

export const ADMIN_WEBHOOKS: readonly AccessRow[] = [...WEBHOOKS, ...DELIVERIES];

async function spareWebhook(place: Place, scene: Scene): Promise<string> {
  return `/admin/v1/webhooks/${await scene.spareWebhook(place)}`;
}
