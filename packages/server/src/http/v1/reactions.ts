import { TAPBACKS } from '@trunkline/drivers';
import { z } from 'zod';
import { requireMessage } from '../../outbox/preconditions.ts';
import { readReactions } from '../../store/reactions.ts';
import { reactionBody } from '../../wire/v1.ts';
import { lineField, messageField, recipientField } from '../input.ts';
import { list, type Route, route } from '../route.ts';
import { acceptSend } from './accept-send.ts';
import { resolveChatFor, resolveMessage } from './addressed.ts';
import type { MessageDeps } from './messages.ts';

export function reactionRoutes(deps: MessageDeps): Route[] {
  return [
    route({
      name: 'sendReaction',
      summary: 'Reacts to a message.',
      description: 'A reaction of our own that is there already stays; another type takes its place.',
      answer: 'OutboxReceipt',
      refusals: [
        'line_not_found',
        'line_not_accessible',
        'sandbox_not_activated',
        'advanced_features_required',
        'sandbox_contact_mismatch',
        'chat_not_found',
        'message_not_found',
      ],
      method: 'POST',
      path: '/v1/reactions',
      scope: 'reactions:write',
      status: 201,
      body: z.object({
        from: lineField,
        to: recipientField,
        message_id: messageField,
        type: z.enum(TAPBACKS, `must be one of ${TAPBACKS.join(', ')}`).describe('Which tapback.'),
      }),
      async handle({ caller, body, ticket }) {
        const { line, to, chat } = await resolveChatFor('reaction', deps, caller, body);
        const { guid } = await requireMessage(deps.engine, caller.accountRef, chat, body.message_id, 'message_id');
        const payload = { kind: 'reaction' as const, ...body };
        return acceptSend(deps, { caller, ticket }, { line, to, payload, details: { guid } });
      },
    }),
    route({
      name: 'listReactions',
      summary: 'Lists the reactions to a message, oldest first.',
      description:
        'Those that were taken off are listed with `added: false`. A GUID is unique on its line only: `from` says which line is meant.',
      answer: 'Reaction[]',
      refusals: ['line_not_found', 'line_not_accessible', 'sandbox_not_activated', 'message_not_found'],
      method: 'GET',
      path: '/v1/reactions',
      scope: 'reactions:read',
      query: z.object({ message_id: messageField, from: lineField.optional() }),
      async handle({ caller, query }) {
        const named = { name: query.message_id, from: query.from, param: 'message_id' };
        const message = await resolveMessage(deps, caller, named);
        return list((await readReactions(deps.engine, message.ref)).map(reactionBody));
      },
    }),
  ];
}
