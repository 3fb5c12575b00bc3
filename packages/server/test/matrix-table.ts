/**
 * Who may do what: every route with its scope, the ways in which it names an object, and what each caller is told. The
 * cells of the access matrix and the fuzzer's requests are made from it.
 */
import {
  CHAT_KEYS,
  FILE_KEYS,
  LINE_KEYS,
  LIST_KEYS,
  MESSAGE_KEYS,
  OUTBOX_KEYS,
  PHONE_MESSAGE_KEYS,
  WEBHOOK_KEYS,
} from './answer-keys.ts';
import {
  type AccessRow,
  always,
  holds,
  namesObjectOnOwnLine as inOwn,
  namesAccountsObject,
  namesLine,
  namesObject,
  type Outcome,
  type Variant,
} from './matrix-row.ts';
import { HOOK, type Place, QUIET_EVENTS, type Scene } from './matrix-scene.ts';
import { ADMIN } from './matrix-table-admin.ts';
import { CONVERSATIONS } from './matrix-table-conversations.ts';
import { SENDBLUE } from './matrix-table-sendblue.ts';

const LIMIT = '100';
const NOBODYS_PHONE = '+15550106666';
const NO_CHAT = inOwn('chat_not_found', 'to');
const NO_MESSAGE = inOwn('message_not_found', 'id');
const NO_LINE_OF_THAT_NAME = namesObject('line_not_found', 'line');
const FAULT_KEYS = [
  'latency_ms',
  'jitter_ms',
  'fail_rate',
  'drop_echo_rate',
  'duplicate_rate',
  'reorder',
  'offline',
] as const;

const hasChat: Variant['shows'] = (body, { chatId }) => holds(body, 'id', chatId);
const ofOwn = ({ places }: Scene) => places.own.line.handle;

/** A line that kept every webhook of a long run would be slower with each. */
async function deleteMade({ test }: Scene, { ownerKey }: Place, { id }: Readonly<Record<string, unknown>>) {
  await test.call('DELETE', '/v1/webhooks', { id }, { key: ownerKey });
}

const V1: readonly AccessRow[] = [
  {
    route: 'GET /v1/lines',
    scope: 'lines:read',
    status: 200,
    keys: LIST_KEYS,
    itemKeys: LINE_KEYS,
    variants: [
      {
        by: 'nothing',
        request: () => ({ path: '/v1/lines' }),
        outcome: always,
        shows: (body, { line }) => holds(body, 'id', line.id),
      },
    ],
  },
  {
    route: 'GET /v1/chats',
    scope: 'chats:read',
    status: 200,
    keys: LIST_KEYS,
    itemKeys: CHAT_KEYS,
    variants: [
      {
        by: "the line's handle",
        request: ({ line }) => ({ path: '/v1/chats', query: { from: line.handle, limit: LIMIT } }),
        outcome: namesLine('from'),
        shows: hasChat,
      },
      {
        by: "the line's id",
        request: ({ line }) => ({ path: '/v1/chats', query: { from: line.id } }),
        outcome: namesLine('from'),
        shows: hasChat,
      },
    ],
  },
  {
    route: 'GET /v1/messages',
    scope: 'messages:read',
    status: 200,
    keys: LIST_KEYS,
    itemKeys: MESSAGE_KEYS,
    variants: [
      {
        by: 'line and chat',
        request: ({ line, chatId }) => ({
          path: '/v1/messages',
          query: { from: line.handle, to: chatId, limit: LIMIT },
        }),
        outcome: namesLine('from'),
      },
      {
        by: "line and peer's handle",
        request: ({ line, peer }) => ({ path: '/v1/messages', query: { from: line.id, to: peer } }),
        outcome: namesLine('from'),
      },
      {
        by: "the own line and the other's chat",
        request: ({ chatId }, scene) => ({ path: '/v1/messages', query: { from: ofOwn(scene), to: chatId } }),
        outcome: NO_CHAT,
      },
      {
        by: "the own line and the other's peer",
        request: ({ peer }, scene) => ({ path: '/v1/messages', query: { from: ofOwn(scene), to: peer } }),
        outcome: NO_CHAT,
      },
    ],
  },
  {
    route: 'POST /v1/messages',
    scope: 'messages:write',
    status: 201,
    keys: ['id', 'status'],
    variants: [
      {
        by: 'line and chat',
        request: ({ line, chatId }) => ({
          path: '/v1/messages',
          body: { from: line.handle, to: chatId, text: 'Hi' },
        }),
        outcome: namesLine('from'),
      },
      {
        by: "line and peer's handle",
        request: ({ line, peer }) => ({ path: '/v1/messages', body: { from: line.id, to: peer, text: 'Hi' } }),
        outcome: namesLine('from'),
      },
      {
        by: "the own line and the other's chat",
        request: ({ chatId }, scene) => ({
          path: '/v1/messages',
          body: { from: ofOwn(scene), to: chatId, text: 'Hi' },
        }),
        outcome: NO_CHAT,
      },
      {
        by: "the own line and the other's peer",
        request: ({ peer }, scene) => ({ path: '/v1/messages', body: { from: ofOwn(scene), to: peer, text: 'Hi' } }),
        outcome: inOwn('contact_has_not_messaged', 'to'),
      },
      {
        by: "the own chat and the other's message to reply to",
        request: ({ messageId }, scene) => ({
          path: '/v1/messages',
          body: { from: ofOwn(scene), to: scene.places.own.chatId, text: 'Hi', reply_to: messageId },
        }),
        outcome: inOwn('message_not_found', 'reply_to'),
      },
      {
        by: 'line, chat and a file that is not there',
        request: ({ line, chatId }) => ({
          path: '/v1/messages',
          body: { from: line.handle, to: chatId, attachments: ['file_01k0q3v5x8f9q2t7m4n6p8r0sa'] },
        }),
        outcome: (cell) => {
          const outcome: Outcome = namesLine('from')(cell);
          return outcome === 'ok' ? ['file_not_found', 'attachments'] : outcome;
        },
      },
    ],
  },
  {
    route: 'GET /v1/messages/:id',
    scope: 'messages:read',
    status: 200,
    keys: MESSAGE_KEYS,
    variants: [
      {
        by: 'id',
        request: ({ messageId }) => ({ path: `/v1/messages/${messageId}` }),
        outcome: namesObject('message_not_found', 'id'),
      },
      {
        by: 'GUID',
        request: ({ guid }) => ({ path: `/v1/messages/${guid}` }),
        outcome: namesObject('message_not_found', 'id'),
      },
      {
        by: 'id and line',
        request: ({ messageId, line }) => ({ path: `/v1/messages/${messageId}`, query: { from: line.handle } }),
        outcome: namesLine('from'),
      },
      {
        by: 'GUID and the own line',
        request: ({ guid }, scene) => ({ path: `/v1/messages/${guid}`, query: { from: ofOwn(scene) } }),
        outcome: NO_MESSAGE,
      },
    ],
  },
  {
    route: 'GET /v1/outbox',
    scope: 'outbox:read',
    status: 200,
    keys: OUTBOX_KEYS,
    variants: [
      {
        by: 'id',
        request: ({ outboxId }) => ({ path: '/v1/outbox', query: { id: outboxId } }),
        outcome: namesObject('outbox_item_not_found', 'id'),
      },
    ],
  },
  {
    route: 'POST /v1/files',
    scope: 'files:write',
    status: 201,
    keys: FILE_KEYS,
    variants: [{ by: 'nothing', request: () => ({ path: '/v1/files', bytes: 'Some bytes' }), outcome: always }],
  },
  {
    route: 'GET /v1/files',
    scope: 'files:read',
    status: 302,
    keys: [],
    variants: [
      {
        by: 'id',
        request: ({ fileId }) => ({ path: '/v1/files', query: { id: fileId } }),
        outcome: namesAccountsObject('file_not_found', 'id'),
      },
    ],
  },
  {
    route: 'GET /v1/files/:id',
    scope: 'files:read',
    status: 200,
    keys: FILE_KEYS,
    variants: [
      {
        by: 'id',
        request: ({ fileId }) => ({ path: `/v1/files/${fileId}` }),
        outcome: namesAccountsObject('file_not_found', 'id'),
        shows: (body, { fileId }) => body['id'] === fileId,
        isShown: ({ isSameAccount }) => isSameAccount,
      },
    ],
  },
  {
    route: 'POST /v1/webhooks',
    scope: 'webhooks:write',
    status: 201,
    keys: [...WEBHOOK_KEYS, 'secret'],
    variants: [
      {
        by: "the line's handle",
        request: ({ line }) => ({
          path: '/v1/webhooks',
          body: { from: line.handle, url: HOOK, events: QUIET_EVENTS },
        }),
        outcome: namesLine('from'),
        restore: deleteMade,
      },
    ],
  },
  {
    route: 'GET /v1/webhooks',
    scope: 'webhooks:read',
    status: 200,
    keys: LIST_KEYS,
    itemKeys: WEBHOOK_KEYS,
    variants: [
      {
        by: "the line's handle",
        request: ({ line }) => ({ path: '/v1/webhooks', query: { from: line.handle } }),
        outcome: namesLine('from'),
        shows: (body, { webhookId }) => holds(body, 'id', webhookId),
      },
    ],
  },
  {
    route: 'DELETE /v1/webhooks',
    scope: 'webhooks:write',
    status: 200,
    keys: ['id', 'deleted'],
    variants: [
      {
        by: 'id',
        request: async (place, scene) => ({ path: '/v1/webhooks', body: { id: await scene.spareWebhook(place) } }),
        outcome: namesObject('webhook_not_found', 'id'),
        restore: async (scene, place) => scene.forgetSpareWebhook(place),
      },
    ],
  },
  {
    route: 'GET /v1/events',
    scope: 'messages:read',
    alsoBy: ['reactions:read', 'typing:read', 'receipts:read', 'lines:read'],
    status: 200,
    keys: [],
    isStream: true,
    variants: [
      {
        by: "the line's handle",
        request: ({ line }) => ({ path: '/v1/events', query: { from: line.handle } }),
        outcome: namesLine('from'),
      },
      { by: 'nothing', request: () => ({ path: '/v1/events' }), outcome: always },
    ],
  },
];

const SIMULATOR: readonly AccessRow[] = [
  {
    route: 'POST /simulator/v1/messages',
    scope: 'simulator:write',
    status: 201,
    keys: ['guid', 'chat_id'],
    variants: [
      {
        by: "the line's handle",
        request: ({ line, peer }) => ({
          path: '/simulator/v1/messages',
          body: { from: peer, to: line.handle, text: 'Hi' },
        }),
        outcome: namesObject('line_not_found', 'to'),
      },
      {
        by: "the group's id",
        request: ({ groupId, peer }) => ({
          path: '/simulator/v1/messages',
          body: { from: peer, to: groupId, text: 'Hi' },
        }),
        outcome: namesObject('chat_not_found', 'to'),
      },
    ],
  },
  {
    route: 'POST /simulator/v1/groups',
    scope: 'simulator:write',
    status: 201,
    keys: ['chat_id'],
    variants: [
      {
        by: "the line's handle",
        request: ({ line, peer }) => ({
          path: '/simulator/v1/groups',
          body: { line: line.handle, participants: [peer], name: 'Some' },
        }),
        outcome: NO_LINE_OF_THAT_NAME,
      },
    ],
  },
  {
    route: 'GET /simulator/v1/phones/:handle/messages',
    scope: 'simulator:write',
    status: 200,
    keys: LIST_KEYS,
    itemKeys: PHONE_MESSAGE_KEYS,
    variants: [
      {
        by: "the line's handle",
        request: ({ line, peer }) => ({
          path: `/simulator/v1/phones/${encodeURIComponent(peer)}/messages`,
          query: { line: line.handle, limit: LIMIT },
        }),
        outcome: NO_LINE_OF_THAT_NAME,
        shows: (body, { line }) => holds(body, 'line', line.handle),
      },
      {
        by: 'the phone alone',
        request: ({ peer }) => ({ path: `/simulator/v1/phones/${encodeURIComponent(peer)}/messages` }),
        outcome: always,
        shows: (body, { line }) => holds(body, 'line', line.handle),
      },
    ],
  },
  {
    route: 'POST /simulator/v1/faults',
    scope: 'simulator:write',
    status: 201,
    keys: ['line'],
    echoedKeys: FAULT_KEYS,
    variants: [
      {
        by: "the line's handle",
        request: ({ spare }) => ({
          path: '/simulator/v1/faults',
          body: { line: spare.handle, latency_ms: 0, jitter_ms: 0, fail_rate: 0, reorder: false, offline: false },
        }),
        outcome: NO_LINE_OF_THAT_NAME,
      },
    ],
  },
  {
    route: 'DELETE /simulator/v1/faults',
    scope: 'simulator:write',
    status: 200,
    keys: ['line', 'cleared'],
    variants: [
      {
        by: "the line's handle",
        request: ({ spare }) => ({ path: '/simulator/v1/faults', body: { line: spare.handle } }),
        outcome: NO_LINE_OF_THAT_NAME,
      },
    ],
  },
  {
    // A phone is nobody's: it answers whoever writes to it.
    route: 'POST /simulator/v1/autoreply',
    scope: 'simulator:write',
    status: 201,
    keys: ['phone', 'text', 'echo'],
    variants: [
      {
        by: 'nothing',
        request: () => ({ path: '/simulator/v1/autoreply', body: { phone: NOBODYS_PHONE, echo: false } }),
        outcome: always,
      },
    ],
  },
];

export const ACCESS_TABLE: readonly AccessRow[] = [...V1, ...CONVERSATIONS, ...SENDBLUE, ...SIMULATOR, ...ADMIN];
