/** The part of the access table that is about chats, reactions, typing and receipts, and what phones do of the kind. */
import { CHAT_KEYS, LIST_KEYS, REACTION_KEYS } from './answer-keys.ts';
import {
  type AccessRow,
  always,
  type Cell,
  namesObjectOnOwnLine as inOwn,
  namesLine,
  namesObject,
  type Outcome,
  type Variant,
} from './matrix-row.ts';
import type { Scene } from './matrix-scene.ts';

const NO_CHAT = inOwn('chat_not_found', 'to');
/** A file belongs to an account and to none of its lines. */
const namesFileOnOwnLine = ({ ownRelation, isSameAccount }: Cell): Outcome => {
  if (ownRelation === 'restricted') return ['line_not_accessible', 'from'];
  if (ownRelation === 'unseen') return ['line_not_found', 'from'];
  return isSameAccount ? 'ok' : ['file_not_found', 'audio_message'];
};
const ofOwn = ({ places }: Scene) => places.own.line.handle;

/** The ways in which a line's chat is named, by a query or by a body. */
function chatVariants(path: string, part: 'query' | 'body'): readonly [Variant, ...Variant[]] {
  const asked = (from: string, to: string) => ({ path, [part]: { from, to } });
  return [
    { by: 'line and chat', request: ({ line, chatId }) => asked(line.handle, chatId), outcome: namesLine('from') },
    { by: "line and peer's handle", request: ({ line, peer }) => asked(line.id, peer), outcome: namesLine('from') },
    {
      by: "the own line and the other's chat",
      request: ({ chatId }, scene) => asked(ofOwn(scene), chatId),
      outcome: NO_CHAT,
    },
    {
      by: "the own line and the other's peer",
      request: ({ peer }, scene) => asked(ofOwn(scene), peer),
      outcome: NO_CHAT,
    },
  ];
}

/** What a phone does to a line or in a group. */
function phoneVariants(path: string): readonly [Variant, ...Variant[]] {
  return [
    {
      by: "the line's handle",
      request: ({ line, peer }) => ({ path, body: { from: peer, to: line.handle } }),
      outcome: namesObject('line_not_found', 'to'),
    },
    {
      by: "the group's id",
      request: ({ groupId, peer }) => ({ path, body: { from: peer, to: groupId } }),
      outcome: namesObject('chat_not_found', 'to'),
    },
  ];
}

/** What a phone does about a message. */
function messageVariants(path: string, fields: object): readonly [Variant, ...Variant[]] {
  return [
    {
      by: "the message's id",
      request: ({ messageId, peer }) => ({ path, body: { from: peer, message_id: messageId, ...fields } }),
      outcome: namesObject('message_not_found', 'message_id'),
    },
    {
      by: "the message's GUID",
      request: ({ guid, peer }) => ({ path, body: { from: peer, message_id: guid, ...fields } }),
      outcome: namesObject('message_not_found', 'message_id'),
    },
  ];
}

/** Of the key's own account, whoever's object is meant. */
const ofAccount: readonly [Variant, ...Variant[]] = [
  { by: 'nothing', request: () => ({ path: '/v1/sandbox' }), outcome: always },
];
const SANDBOX_KEYS = [
  'status',
  'activation_code',
  'sandbox_line_handle',
  'contact_identifier',
  'activated_at',
  'usage',
];

export const CONVERSATIONS: readonly AccessRow[] = [
  {
    route: 'GET /v1/chats/:id',
    scope: 'chats:read',
    status: 200,
    keys: CHAT_KEYS,
    variants: [
      {
        by: 'id',
        request: ({ chatId }) => ({ path: `/v1/chats/${chatId}` }),
        outcome: namesObject('chat_not_found', 'id'),
      },
    ],
  },
  {
    route: 'POST /v1/audio-messages',
    scope: 'messages:write',
    status: 201,
    keys: ['id', 'status'],
    variants: [
      {
        by: 'line, chat and file',
        request: ({ line, chatId, audioId }) => ({
          path: '/v1/audio-messages',
          body: { from: line.handle, to: chatId, audio_message: audioId },
        }),
        outcome: namesLine('from'),
      },
      {
        by: "the own chat and the other's file",
        request: ({ audioId }, scene) => ({
          path: '/v1/audio-messages',
          body: { from: ofOwn(scene), to: scene.places.own.chatId, audio_message: audioId },
        }),
        outcome: namesFileOnOwnLine,
      },
      {
        by: "the own line and the other's chat",
        request: ({ chatId }, scene) => ({
          path: '/v1/audio-messages',
          body: { from: ofOwn(scene), to: chatId, audio_message: scene.places.own.audioId },
        }),
        outcome: NO_CHAT,
      },
    ],
  },
  {
    route: 'POST /v1/reactions',
    scope: 'reactions:write',
    status: 201,
    keys: ['id', 'status'],
    variants: [
      {
        by: 'line, chat and message',
        request: ({ line, chatId, messageId }) => ({
          path: '/v1/reactions',
          body: { from: line.handle, to: chatId, message_id: messageId, type: 'love' },
        }),
        outcome: namesLine('from'),
      },
      {
        by: "line, peer's handle and GUID",
        request: ({ line, peer, guid }) => ({
          path: '/v1/reactions',
          body: { from: line.id, to: peer, message_id: guid, type: 'like' },
        }),
        outcome: namesLine('from'),
      },
      {
        by: "the own chat and the other's message",
        request: ({ messageId }, scene) => ({
          path: '/v1/reactions',
          body: { from: ofOwn(scene), to: scene.places.own.chatId, message_id: messageId, type: 'love' },
        }),
        outcome: inOwn('message_not_found', 'message_id'),
      },
      {
        by: "the own line and the other's chat",
        request: ({ chatId, messageId }, scene) => ({
          path: '/v1/reactions',
          body: { from: ofOwn(scene), to: chatId, message_id: messageId, type: 'love' },
        }),
        outcome: NO_CHAT,
      },
    ],
  },
  {
    route: 'GET /v1/reactions',
    scope: 'reactions:read',
    status: 200,
    keys: LIST_KEYS,
    itemKeys: REACTION_KEYS,
    variants: [
      {
        by: 'id',
        request: ({ messageId }) => ({ path: '/v1/reactions', query: { message_id: messageId } }),
        outcome: namesObject('message_not_found', 'message_id'),
      },
      {
        by: 'GUID',
        request: ({ guid }) => ({ path: '/v1/reactions', query: { message_id: guid } }),
        outcome: namesObject('message_not_found', 'message_id'),
      },
      {
        by: 'GUID and the own line',
        request: ({ guid }, scene) => ({ path: '/v1/reactions', query: { message_id: guid, from: ofOwn(scene) } }),
        outcome: inOwn('message_not_found', 'message_id'),
      },
    ],
  },
  {
    route: 'POST /v1/typing',
    scope: 'typing:write',
    status: 201,
    keys: ['id', 'status'],
    variants: chatVariants('/v1/typing', 'body'),
  },
  {
    route: 'GET /v1/typing',
    scope: 'typing:read',
    status: 200,
    keys: LIST_KEYS,
    itemKeys: ['id', 'chat_id', 'handle', 'is_typing', 'updated_at'],
    variants: chatVariants('/v1/typing', 'query'),
  },
  {
    route: 'POST /v1/receipts',
    scope: 'receipts:write',
    status: 201,
    keys: ['id', 'status'],
    variants: chatVariants('/v1/receipts', 'body'),
  },
  {
    route: 'GET /v1/receipts',
    scope: 'receipts:read',
    status: 200,
    keys: LIST_KEYS,
    itemKeys: ['id', 'chat_id', 'handle', 'last_read_at', 'synced_at'],
    variants: chatVariants('/v1/receipts', 'query'),
  },
  { route: 'GET /v1/sandbox', scope: 'lines:read', status: 200, keys: SANDBOX_KEYS, variants: ofAccount },
  { route: 'POST /v1/sandbox', scope: 'messages:write', status: 200, keys: SANDBOX_KEYS, variants: ofAccount },
  { route: 'DELETE /v1/sandbox', scope: 'messages:write', status: 200, keys: SANDBOX_KEYS, variants: ofAccount },
  {
    route: 'POST /simulator/v1/reactions',
    scope: 'simulator:write',
    status: 201,
    keys: ['guid', 'chat_id'],
    variants: messageVariants('/simulator/v1/reactions', { type: 'laugh' }),
  },
  {
    route: 'POST /simulator/v1/typing',
    scope: 'simulator:write',
    status: 201,
    keys: ['chat_id'],
    variants: phoneVariants('/simulator/v1/typing'),
  },
  {
    route: 'POST /simulator/v1/reads',
    scope: 'simulator:write',
    status: 201,
    keys: ['chat_id'],
    variants: phoneVariants('/simulator/v1/reads'),
  },
  {
    route: 'POST /simulator/v1/edits',
    scope: 'simulator:write',
    status: 201,
    keys: ['guid', 'chat_id'],
    variants: messageVariants('/simulator/v1/edits', { text: 'Changed' }),
  },
  {
    route: 'POST /simulator/v1/unsends',
    scope: 'simulator:write',
    status: 201,
    keys: ['guid', 'chat_id'],
    variants: [
      {
        by: "the message's id",
        request: async (place, scene) => ({
          path: '/simulator/v1/unsends',
          body: { from: place.peer, message_id: await scene.spareMessage(place) },
        }),
        outcome: namesObject('message_not_found', 'message_id'),
        restore: async (scene, place) => scene.forgetSpareMessage(place),
      },
    ],
  },
  {
    route: 'GET /simulator/v1/phones/:handle/typing',
    scope: 'simulator:write',
    status: 200,
    keys: LIST_KEYS,
    itemKeys: ['line', 'chat_id', 'until'],
    variants: [
      {
        by: 'the phone',
        request: ({ peer }) => ({ path: `/simulator/v1/phones/${encodeURIComponent(peer)}/typing` }),
        outcome: always,
      },
    ],
  },
];
