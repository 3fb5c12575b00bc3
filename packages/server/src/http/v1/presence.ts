/** Typing and read receipts. */

import { z } from 'zod';
import { readReceipts, readTyping } from '../../store/presence.ts';
import { readReceiptBody, typingBody } from '../../wire/v1.ts';
import { lineField, recipientField } from '../input.ts';
import { list, type Route, route } from '../route.ts';
import { acceptSend } from './accept-send.ts';
import { resolveChat, resolveChatFor } from './addressed.ts';
import type { MessageDeps } from './messages.ts';

const STATES = ['on', 'off'] as const;
const inChat = { from: lineField, to: recipientField };

export function presenceRoutes(deps: MessageDeps): Route[] {
  return [...typingRoutes(deps), ...receiptRoutes(deps)];
}

function typingRoutes(deps: MessageDeps): Route[] {
  return [
    route({
      name: 'sendTyping',
      summary: 'Shows that the line is typing, or no longer.',
      description: 'Typing that nobody ends is over after a minute.',
      answer: 'OutboxReceipt',
      refusals: [
        'line_not_found',
        'line_not_accessible',
        'sandbox_not_activated',
        'advanced_features_required',
        'sandbox_contact_mismatch',
        'chat_not_found',
      ],
      method: 'POST',
      path: '/v1/typing',
      scope: 'typing:write',
      status: 201,
      body: z.object({
        ...inChat,
        state: z
          .enum(STATES, `must be one of ${STATES.join(', ')}`)
          .default('on')
          .describe('Left out: `on`.'),
      }),
      async handle({ caller, body, ticket }) {
        const { line, to } = await resolveChatFor('typing', deps, caller, body);
        const payload = { kind: 'typing' as const, ...body };
        return acceptSend(deps, { caller, ticket }, { line, to, payload });
      },
    }),
    route({
      name: 'listTypingIndicators',
      summary: 'Lists who types in a chat.',
      answer: 'TypingIndicator[]',
      refusals: ['line_not_found', 'line_not_accessible', 'sandbox_not_activated', 'chat_not_found'],
      method: 'GET',
      path: '/v1/typing',
      scope: 'typing:read',
      query: z.object(inChat),
      async handle({ caller, query }) {
        const { chat } = await resolveChat(deps, caller, query);
        return list((await readTyping(deps.engine, chat.ref)).map(typingBody));
      },
    }),
  ];
}

function receiptRoutes(deps: MessageDeps): Route[] {
  return [
    route({
      name: 'sendReadReceipt',
      summary: 'Marks a chat as read.',
      answer: 'OutboxReceipt',
      refusals: [
        'line_not_found',
        'line_not_accessible',
        'sandbox_not_activated',
        'advanced_features_required',
        'sandbox_contact_mismatch',
        'chat_not_found',
      ],
      method: 'POST',
      path: '/v1/receipts',
      scope: 'receipts:write',
      status: 201,
      body: z.object(inChat),
      async handle({ caller, body, ticket }) {
        const { line, to } = await resolveChatFor('receipts', deps, caller, body);
        const payload = { kind: 'receipt' as const, ...body };
        return acceptSend(deps, { caller, ticket }, { line, to, payload });
      },
    }),
    route({
      name: 'listReadReceipts',
      summary: 'Lists how far the parties of a chat have read it.',
      answer: 'ReadReceipt[]',
      refusals: ['line_not_found', 'line_not_accessible', 'sandbox_not_activated', 'chat_not_found'],
      method: 'GET',
      path: '/v1/receipts',
      scope: 'receipts:read',
      query: z.object(inChat),
      async handle({ caller, query }) {
        const { chat } = await resolveChat(deps, caller, query);
        return list((await readReceipts(deps.engine, chat.ref)).map(readReceiptBody));
      },
    }),
  ];
}
