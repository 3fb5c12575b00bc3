import { TAPBACKS } from '@trunkline/drivers';
import { z } from 'zod';
import { ApiError } from '../../domain/errors.ts';
import { mayUseRef, resolveLine } from '../../lines/resolve.ts';
import { enqueue } from '../../outbox/enqueue.ts';
import { requireMessage } from '../../outbox/preconditions.ts';
import { leaveShown, requirePhone } from '../../sandbox/view.ts';
import { findMessages } from '../../store/messages.ts';
import { readReactions } from '../../store/reactions.ts';
import { reactionBody } from '../../wire/v1.ts';
import { lineField, messageField, recipientField } from '../input.ts';
import { list, type Route, route } from '../route.ts';
import { resolveChatFor } from './addressed.ts';
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
        const { accountRef } = caller;
        const { guid } = await requireMessage(deps.engine, accountRef, chat, body.message_id, 'message_id');
        const payload = { kind: 'reaction' as const, ...body };
        const answer = { id: deps.ids.make('outbox'), status: 'pending' };
        const details = { guid };
        await enqueue(deps, { id: answer.id, accountRef, line, to, payload, details, ticket: ticket(answer) });
        return answer;
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
        const line = query.from === undefined ? null : await resolveLine(deps.registry, caller, query.from);
        if (line) await requirePhone(deps, caller.accountRef, line);
        const found = await findMessages(deps.engine, caller.accountRef, query.message_id);
        const shown = await leaveShown(deps, caller.accountRef, found);
        const message = shown.find(
          ({ lineRef }) => (line === null || lineRef === line.ref) && mayUseRef(deps.registry, caller, lineRef),
        );
        if (!message) throw new ApiError('message_not_found', { param: 'message_id' });
        return list((await readReactions(deps.engine, message.ref)).map(reactionBody));
      },
    }),
  ];
}
