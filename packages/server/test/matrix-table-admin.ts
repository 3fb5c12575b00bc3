/** The rows of `/admin/v1` in the access table. */
import { ADMIN_LINE_KEYS, API_KEY_KEYS, DEVICE_KEYS, LIST_KEYS } from './answer-keys.ts';
import { type AccessRow, always, holds, namesAccountsObject, namesLine, namesObject } from './matrix-row.ts';
import type { Place, Scene } from './matrix-scene.ts';
import { ADMIN_WEBHOOKS } from './matrix-table-webhooks.ts';

const NO_LINE = namesObject('line_not_found', 'id');
const NO_DEVICE = namesObject('device_not_found', 'id');
const NO_KEY = namesAccountsObject('key_not_found', 'id');
const WALK_KEYS = ['outbox_item', 'message', 'walk'];

const KEYS: readonly AccessRow[] = [
  {
    route: 'GET /admin/v1/keys',
    scope: 'admin',
    status: 200,
    keys: LIST_KEYS,
    itemKeys: API_KEY_KEYS,
    variants: [
      {
        by: 'nothing',
        request: async (place, scene) => ({
          path: '/admin/v1/keys',
          query: { limit: '2' },
          id: await scene.makeKey(place),
        }),
        outcome: always,
        shows: (body, _place, { id = '' }) => holds(body, 'id', id),
        isShown: ({ isSameAccount }) => isSameAccount,
      },
    ],
  },
  {
    route: 'POST /admin/v1/keys',
    scope: 'admin',
    status: 201,
    keys: [...API_KEY_KEYS, 'key'],
    variants: [
      {
        by: "the line's id",
        request: ({ line }) => ({
          path: '/admin/v1/keys',
          body: { name: 'Made', scopes: ['admin'], line_ids: [line.id] },
        }),
        outcome: namesLine('line_ids'),
      },
    ],
  },
  {
    route: 'GET /admin/v1/keys/:id',
    scope: 'admin',
    status: 200,
    keys: API_KEY_KEYS,
    variants: [{ by: 'id', request: ({ keyId }) => ({ path: `/admin/v1/keys/${keyId}` }), outcome: NO_KEY }],
  },
  {
    route: 'DELETE /admin/v1/keys/:id',
    scope: 'admin',
    status: 200,
    keys: ['id', 'deleted'],
    variants: [
      {
        by: 'id',
        request: async (place, scene) => ({ path: `/admin/v1/keys/${await scene.makeKey(place)}` }),
        outcome: NO_KEY,
      },
    ],
  },
];

const DEVICES: readonly AccessRow[] = [
  {
    route: 'GET /admin/v1/devices',
    scope: 'admin',
    status: 200,
    keys: LIST_KEYS,
    itemKeys: DEVICE_KEYS,
    variants: [
      {
        by: 'nothing',
        request: async (place, scene) => ({
          path: '/admin/v1/devices',
          query: { limit: '2' },
          id: await scene.makeDevice(place),
        }),
        outcome: always,
        shows: (body, _place, { id = '' }) => holds(body, 'id', id),
      },
    ],
  },
  {
    route: 'POST /admin/v1/devices',
    scope: 'admin',
    status: 201,
    keys: [...DEVICE_KEYS, 'token'],
    variants: [
      {
        by: "the line's id",
        request: ({ remote }) => ({ path: '/admin/v1/devices', body: { name: 'Made', lines: [remote.id] } }),
        outcome: namesLine('lines'),
      },
      {
        by: "the line's handle",
        request: ({ remote }) => ({ path: '/admin/v1/devices', body: { name: 'Made', lines: [remote.handle] } }),
        outcome: namesLine('lines'),
      },
    ],
  },
  {
    route: 'GET /admin/v1/devices/:id',
    scope: 'admin',
    status: 200,
    keys: DEVICE_KEYS,
    variants: [
      { by: 'id', request: ({ deviceId }) => ({ path: `/admin/v1/devices/${deviceId}` }), outcome: NO_DEVICE },
    ],
  },
  {
    route: 'DELETE /admin/v1/devices/:id',
    scope: 'admin',
    status: 200,
    keys: ['id', 'deleted'],
    variants: [
      {
        by: 'id',
        request: async (place, scene) => ({ path: `/admin/v1/devices/${await scene.makeDevice(place)}` }),
        outcome: NO_DEVICE,
      },
    ],
  },
];

const LINES: readonly AccessRow[] = [
  {
    route: 'GET /admin/v1/lines',
    scope: 'admin',
    status: 200,
    keys: LIST_KEYS,
    itemKeys: ADMIN_LINE_KEYS,
    variants: [
      {
        by: 'nothing',
        request: () => ({ path: '/admin/v1/lines', query: { removed: 'true' } }),
        outcome: always,
        shows: (body, { line }) => holds(body, 'id', line.id),
      },
    ],
  },
  {
    // A handle belongs to one line of the installation, so that whoever asks for one hears that it is taken.
    route: 'POST /admin/v1/lines',
    scope: 'admin',
    status: 201,
    keys: ADMIN_LINE_KEYS,
    variants: [
      {
        by: 'a handle that nobody has',
        request: (_place, scene) => ({
          path: '/admin/v1/lines',
          body: { handle: scene.freshHandle(), driver: 'simulator' },
        }),
        outcome: ({ isLimited }) => (isLimited ? ['line_not_accessible', 'handle'] : 'ok'),
        restore: removeMade,
      },
      {
        by: "the line's handle",
        request: ({ line }, scene) => ({
          path: '/admin/v1/lines',
          body: { handle: line.ref === 0 ? scene.freshHandle() : line.handle, driver: 'simulator' },
        }),
        outcome: ({ isLimited, owner }) => {
          if (isLimited) return ['line_not_accessible', 'handle'];
          return owner === 'absent' ? 'ok' : ['invalid_parameter_value', 'handle'];
        },
        restore: removeMade,
      },
    ],
  },
  {
    route: 'GET /admin/v1/lines/:id',
    scope: 'admin',
    status: 200,
    keys: ADMIN_LINE_KEYS,
    variants: [
      { by: 'id', request: ({ line }) => ({ path: `/admin/v1/lines/${line.id}` }), outcome: NO_LINE },
      { by: 'handle', request: ({ line }) => ({ path: pathOf(line.handle) }), outcome: NO_LINE },
    ],
  },
  {
    route: 'PATCH /admin/v1/lines/:id',
    scope: 'admin',
    status: 200,
    keys: ADMIN_LINE_KEYS,
    variants: [
      {
        by: 'id',
        request: ({ spare }) => ({ path: `/admin/v1/lines/${spare.id}`, body: { label: 'Spare' } }),
        outcome: NO_LINE,
      },
      {
        by: 'handle',
        request: ({ spare }) => ({ path: pathOf(spare.handle), body: { settings: { pace_ms: 0 } } }),
        outcome: NO_LINE,
      },
    ],
  },
  {
    route: 'DELETE /admin/v1/lines/:id',
    scope: 'admin',
    status: 200,
    keys: ['id', 'deleted'],
    variants: [
      {
        by: 'id',
        request: ({ spare }) => ({ path: `/admin/v1/lines/${spare.id}` }),
        outcome: NO_LINE,
        restore: reviveSpare,
      },
      {
        by: 'handle',
        request: ({ spare }) => ({ path: pathOf(spare.handle) }),
        outcome: NO_LINE,
        restore: reviveSpare,
      },
    ],
  },
];

const WALKS: readonly AccessRow[] = [
  {
    route: 'GET /admin/v1/outbox/:id',
    scope: 'admin',
    status: 200,
    keys: WALK_KEYS,
    variants: [
      {
        by: 'id',
        request: ({ outboxId }) => ({ path: `/admin/v1/outbox/${outboxId}` }),
        outcome: namesObject('outbox_item_not_found', 'id'),
      },
    ],
  },
  {
    route: 'GET /admin/v1/messages/:id',
    scope: 'admin',
    status: 200,
    keys: WALK_KEYS,
    variants: [
      {
        by: 'id',
        request: ({ messageId }) => ({ path: `/admin/v1/messages/${messageId}` }),
        outcome: namesObject('message_not_found', 'id'),
      },
    ],
  },
];

export const ADMIN: readonly AccessRow[] = [...KEYS, ...DEVICES, ...LINES, ...ADMIN_WEBHOOKS, ...WALKS];

function pathOf(handle: string): string {
  return `/admin/v1/lines/${encodeURIComponent(handle)}`;
}

/** Brings a removed line back. */
async function reviveSpare({ test }: Scene, { spare, ownerKey }: Place): Promise<void> {
  await test.call('POST', '/admin/v1/lines', { handle: spare.handle, driver: 'simulator' }, { key: ownerKey });
}

/** Whoever made the line, the database takes it away: the test's own keys need not see it. */
async function removeMade({ test }: Scene, _place: Place, { id }: Readonly<Record<string, unknown>>): Promise<void> {
  const lines = test.server.engine.query.updateTable('lines').set({ is_active: 0, removed_at: Date.now() });
  await lines.where('id', '=', String(id)).execute();
  test.server.engine.wake('lines');
}
