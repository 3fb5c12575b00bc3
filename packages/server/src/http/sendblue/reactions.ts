/** Tapbacks in the manner of Sendblue: on the message behind a handle, whoever sent it. */
import { TAPBACKS } from '@trunkline/drivers';
import { z } from 'zod';
import type { Caller } from '../../access/authenticate.ts';
import { ApiError } from '../../domain/errors.ts';
import type { Ids } from '../../domain/ids.ts';
import type { Line } from '../../domain/line.ts';
import type { ListedItem } from '../../domain/listed-item.ts';
import { resolveLine } from '../../lines/resolve.ts';
import { type EnqueueDeps, enqueue } from '../../outbox/enqueue.ts';
import { findMessages, type StoredMessage } from '../../store/messages.ts';
import type { Recipient } from '../../store/outbox.ts';
import { requireChatFor } from '../chat-for.ts';
import { invalidValue } from '../input.ts';
import { type Route, route } from '../route.ts';
import { fromNumberField, handleField } from './fields.ts';
import { requireItem, type ShownDeps } from './shown.ts';

export interface SendblueReactionDeps extends ShownDeps, EnqueueDeps {
  readonly ids: Ids;
}

export function sendblueReactionRoutes(deps: SendblueReactionDeps): Route[] {
  return [
    route({
      name: 'sendblueSendReaction',
      summary: 'Reacts to a message.',
      description:
        'The answer means that it is on disk and will be handed over in the order of its line. A handle of a further attachment stands for its message.',
      answer: 'SendblueReaction',
      refusals: [
        'line_not_found',
        'line_not_accessible',
        'message_not_found',
        'advanced_features_required',
        'sandbox_not_activated',
        'sandbox_contact_mismatch',
        'chat_not_found',
      ],
      method: 'POST',
      path: '/api/send-reaction',
      scope: 'reactions:write',
      body: z.object({
        from_number: fromNumberField,
        message_handle: handleField,
        reaction: z.enum(TAPBACKS, `must be one of ${TAPBACKS.join(', ')}`).describe('Which tapback.'),
      }),
      async handle({ caller, body, ticket }) {
        const line = await resolveLine(deps.registry, caller, body.from_number, 'from_number');
        const item = await requireItem(deps, caller, body.message_handle, 'message_handle');
        const { guid, chatId } = await requireSeen(deps, caller, line, item);
        const to: Recipient = { kind: 'chat', id: chatId };
        await requireChatFor('reaction', deps, { accountRef: caller.accountRef, line, to });
        const { reaction } = body;
        const answer = {
          status: 'OK',
          message: 'The reaction is on its way.',
          message_handle: item.handle,
          reaction,
        };
        const payload = { kind: 'reaction' as const, from: body.from_number, to: chatId, type: reaction };
        await enqueue(deps, {
          id: deps.ids.make('outbox'),
          accountRef: caller.accountRef,
          line,
          to,
          payload: { ...payload, message_id: item.messageId },
          details: { guid },
          ticket: ticket(answer),
        });
        return answer;
      },
    }),
  ];
}

/** The message on that line, which the phones know only once it was sent. */
async function requireSeen(
  { engine }: SendblueReactionDeps,
  { accountRef }: Caller,
  line: Line,
  { messageId, lineRef }: ListedItem,
): Promise<StoredMessage> {
  if (lineRef !== line.ref) throw new ApiError('message_not_found', { param: 'message_handle' });
  if (messageId === null) throw invalidValue('message_handle', 'names a message that has not been sent yet');
  const [message] = await findMessages(engine, accountRef, messageId);
  if (!message) throw new ApiError('message_not_found', { param: 'message_handle' });
  return message;
}
