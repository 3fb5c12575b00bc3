/** The part of the access table that is about the Sendblue dialect. Its refusals name no field. */
import { UNSERVED } from '../src/http/sendblue/unserved.ts';
import { SENDBLUE_MESSAGE_KEYS } from './answer-keys.ts';
import { expectStatus } from './harness.ts';
import {
  type AccessRow,
  always,
  type Cell,
  holds,
  namesObjectOnOwnLine as inOwn,
  namesLine,
  namesObject,
  type Outcome,
  type Variant,
  withoutParam,
} from './matrix-row.ts';
import { HOOK, type Scene } from './matrix-scene.ts';

const ofOwn = ({ places }: Scene) => places.own.line.handle;
const LINE = withoutParam(namesLine('from_number'));
const MESSAGE = withoutParam(namesObject('message_not_found', 'message_handle'));
const NO_CHAT = withoutParam(inOwn('chat_not_found', 'number'));
/** Only where a message answers another one. */
const REPLY_KEYS = ['reply_to', 'thread_originator'];
const MEDIA_KEYS = ['status', 'message', 'mediaObjectId', 'media_url'];
const NOBODY = '+15550106667';

const hasMessage: NonNullable<Variant['shows']> = (body, { handle }) => holds(body, 'message_handle', handle);

/** A number on a line whose chat must be there. */
function chatVariants(path: string): readonly [Variant, ...Variant[]] {
  return [
    {
      by: 'line and number',
      request: ({ line, peer }) => ({ path, body: { number: peer, from_number: line.handle } }),
      outcome: LINE,
    },
    {
      by: "the own line and the other's number",
      request: ({ peer }, scene) => ({ path, body: { number: peer, from_number: ofOwn(scene) } }),
      outcome: NO_CHAT,
    },
  ];
}

/** The oldest first: what the other rows have sent meanwhile does not push the message off the page. */
function listBy(by: string, query: (place: Parameters<Variant['request']>[0]) => Record<string, string>): Variant {
  return {
    by,
    request: (place) => ({
      path: '/api/v2/messages',
      query: { ...query(place), is_outbound: 'false', order_direction: 'asc' },
    }),
    outcome: always,
    shows: hasMessage,
  };
}

const SERVED: readonly AccessRow[] = [
  {
    route: 'POST /api/send-message',
    scope: 'messages:write',
    status: 202,
    keys: SENDBLUE_MESSAGE_KEYS,
    echoedKeys: REPLY_KEYS,
    variants: [
      {
        by: 'line and number',
        request: ({ line, peer }) => ({
          path: '/api/send-message',
          body: { number: peer, from_number: line.handle, content: 'Hi' },
        }),
        outcome: LINE,
      },
      {
        by: "the own line and the other's number",
        request: ({ peer }, scene) => ({
          path: '/api/send-message',
          body: { number: peer, from_number: ofOwn(scene), content: 'Hi' },
        }),
        outcome: withoutParam(inOwn('contact_has_not_messaged', 'number')),
      },
      {
        by: "the own chat and the other's message",
        request: ({ handle }, scene) => ({
          path: '/api/send-message',
          body: {
            number: scene.places.own.peer,
            from_number: ofOwn(scene),
            content: 'Hi',
            reply_to: { message_handle: handle },
          },
        }),
        outcome: withoutParam(inOwn('message_not_found', 'reply_to')),
      },
    ],
  },
  {
    route: 'POST /api/send-group-message',
    scope: 'messages:write',
    status: 202,
    keys: SENDBLUE_MESSAGE_KEYS,
    echoedKeys: REPLY_KEYS,
    variants: [
      {
        by: 'line and group',
        request: ({ line, groupId }) => ({
          path: '/api/send-group-message',
          body: { group_id: groupId, from_number: line.handle, content: 'Hi' },
        }),
        outcome: LINE,
      },
      {
        by: "the own line and the other's group",
        request: ({ groupId }, scene) => ({
          path: '/api/send-group-message',
          body: { group_id: groupId, from_number: ofOwn(scene), content: 'Hi' },
        }),
        outcome: NO_CHAT,
      },
    ],
  },
  {
    route: 'GET /api/v2/messages',
    scope: 'messages:read',
    status: 200,
    keys: ['status', 'data', 'pagination'],
    itemKeys: SENDBLUE_MESSAGE_KEYS,
    echoedKeys: REPLY_KEYS,
    variants: [
      listBy("the line's number", ({ line }) => ({ sendblue_number: line.handle })),
      listBy("the line's number on either side", ({ line }) => ({ number: line.handle })),
      listBy('the number', ({ peer }) => ({ number: peer })),
      listBy('nothing', () => ({})),
    ],
  },
  {
    route: 'GET /api/v2/messages/:message_handle',
    scope: 'messages:read',
    status: 200,
    keys: ['status', 'data'],
    variants: [
      { by: 'handle', request: ({ handle }) => ({ path: `/api/v2/messages/${handle}` }), outcome: MESSAGE },
      { by: 'GUID', request: ({ guid }) => ({ path: `/api/v2/messages/${guid}` }), outcome: MESSAGE },
    ],
  },
  {
    route: 'GET /api/status',
    scope: 'messages:read',
    status: 200,
    keys: SENDBLUE_MESSAGE_KEYS,
    echoedKeys: REPLY_KEYS,
    variants: [
      { by: 'handle', request: ({ handle }) => ({ path: '/api/status', query: { handle } }), outcome: MESSAGE },
    ],
  },
  {
    route: 'POST /api/send-typing-indicator',
    scope: 'typing:write',
    status: 200,
    keys: ['number', 'status', 'error_message'],
    variants: chatVariants('/api/send-typing-indicator'),
  },
  {
    route: 'POST /api/mark-read',
    scope: 'receipts:write',
    status: 200,
    keys: ['status', 'message', 'number'],
    variants: chatVariants('/api/mark-read'),
  },
  {
    route: 'POST /api/send-reaction',
    scope: 'reactions:write',
    status: 200,
    keys: ['status', 'message', 'message_handle', 'reaction'],
    variants: [
      {
        by: 'line and message',
        request: ({ line, handle }) => ({
          path: '/api/send-reaction',
          body: { from_number: line.handle, message_handle: handle, reaction: 'love' },
        }),
        outcome: LINE,
      },
      {
        by: "the own line and the other's message",
        request: ({ handle }, scene) => ({
          path: '/api/send-reaction',
          body: { from_number: ofOwn(scene), message_handle: handle, reaction: 'like' },
        }),
        outcome: withoutParam(inOwn('message_not_found', 'message_handle')),
      },
    ],
  },
  {
    route: 'GET /api/lines',
    scope: 'lines:read',
    status: 200,
    keys: ['numbers'],
    variants: [
      {
        by: 'nothing',
        request: () => ({ path: '/api/lines' }),
        outcome: always,
        shows: ({ numbers }, { line }) => Array.isArray(numbers) && numbers.includes(line.handle),
      },
    ],
  },
  {
    route: 'GET /api/evaluate-service',
    scope: 'messages:read',
    status: 200,
    keys: ['number', 'service'],
    variants: [
      {
        by: 'number',
        request: ({ peer }) => ({ path: '/api/evaluate-service', query: { number: peer } }),
        outcome: always,
      },
    ],
  },
  {
    // Of the key's own account, whoever has written to whom. Nobody of the other rows is written to.
    route: 'POST /api/v2/contacts/opt-out',
    scope: 'messages:write',
    status: 200,
    keys: ['status', 'number', 'opted_out'],
    variants: [
      {
        by: 'number',
        request: () => ({ path: '/api/v2/contacts/opt-out', body: { number: NOBODY, opted_out: true } }),
        outcome: always,
      },
    ],
  },
];

/** Its webhooks hear all of an account, and are not for keys that may not. */
const ofWholeAccount = ({ isLimited }: Cell): Outcome => (isLimited ? ['line_not_accessible'] : 'ok');

/** An account that kept them would deliver whatever the other rows cause. */
async function emptyLists({ test, places }: Scene): Promise<void> {
  for (const { ownerKey, ownerKeyId } of [places.own, places.foreign]) {
    const headers = { 'sb-api-key-id': ownerKeyId, 'sb-api-secret-key': String(ownerKey) };
    const body = { webhooks: { receive: [], outbound: [] } };
    expectStatus(200, await test.call('PUT', '/api/account/webhooks', body, { key: null, headers }));
  }
}

function webhookRows(path: string): readonly AccessRow[] {
  const row = (method: string, keys: readonly string[], body?: Record<string, unknown>): AccessRow => ({
    route: `${method} ${path}`,
    scope: method === 'GET' ? 'webhooks:read' : 'webhooks:write',
    status: 200,
    keys,
    variants: [
      {
        by: 'nothing',
        request: () => ({ path, ...(body && { body }) }),
        outcome: ofWholeAccount,
        ...(method !== 'GET' && { restore: emptyLists }),
      },
    ],
  });
  return [
    row('GET', ['status', 'webhooks']),
    row('POST', ['status', 'message', 'webhooks'], { webhooks: [HOOK], type: 'outbound' }),
    row('PUT', ['status', 'message', 'webhooks'], { webhooks: { receive: [HOOK] } }),
    row('DELETE', ['status', 'message'], { webhooks: [HOOK] }),
  ];
}

/** A form as a browser writes it. */
const FORM = [
  '--part',
  'Content-Disposition: form-data; name="file"; filename="note.txt"',
  'Content-Type: text/plain',
  '',
  'Some bytes',
  '--part--',
  '',
].join('\r\n');

const UPLOADS: readonly AccessRow[] = [
  {
    route: 'POST /api/upload-file',
    scope: 'files:write',
    status: 201,
    keys: MEDIA_KEYS,
    variants: [
      {
        by: 'nothing',
        request: () => ({ path: '/api/upload-file', bytes: FORM, type: 'multipart/form-data; boundary=part' }),
        outcome: always,
      },
    ],
  },
  {
    route: 'POST /api/upload-media-object',
    scope: 'files:write',
    status: 201,
    keys: MEDIA_KEYS,
    variants: [
      {
        by: 'nothing',
        request: (_place, { address }) => ({
          path: '/api/upload-media-object',
          body: { media_url: `${address}/healthz` },
        }),
        outcome: always,
      },
    ],
  },
];

const WEBHOOKS = ['/api/account/webhooks', '/api/v2/account/webhooks'].flatMap(webhookRows);

const NOT_SERVED = UNSERVED.map(
  ([method, path]): AccessRow => ({
    route: `${method} ${path}`,
    scope: method === 'GET' ? 'messages:read' : 'messages:write',
    status: 200,
    keys: [],
    variants: [
      {
        by: 'nothing',
        request: () => ({ path: path.replaceAll(/:\w+/g, 'x') }),
        outcome: () => ['not_implemented'],
      },
    ],
  }),
);

export const SENDBLUE: readonly AccessRow[] = [...SERVED, ...UPLOADS, ...WEBHOOKS, ...NOT_SERVED];
