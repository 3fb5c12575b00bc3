/** Messages to groups in the manner of Sendblue: to those that are there. None is made here. */
import { z } from 'zod';
import { ApiError } from '../../domain/errors.ts';
import { resolveLine } from '../../lines/resolve.ts';
import { findChat } from '../../store/chat-pages.ts';
import { invalidValue, nameField } from '../input.ts';
import { type Route, route } from '../route.ts';
import { acceptMessage, CONTENTS, messageFields, SEND_REFUSALS, type SendblueSendDeps } from './send.ts';

const NOT_MADE = 'is required: this server makes no groups, give the one of a group that is there';

export function sendblueGroupRoutes(deps: SendblueSendDeps): Route[] {
  return [
    route({
      name: 'sendblueSendGroupMessage',
      summary: 'Sends a message to a group.',
      description:
        'To a group that is there: `group_id` is that of its messages, the `cht_` id of its chat. No group is made of `numbers`.',
      answer: 'SendblueMessage',
      refusals: [...SEND_REFUSALS, 'chat_not_found'],
      method: 'POST',
      path: '/api/send-group-message',
      scope: 'messages:write',
      status: 202,
      body: z.object({
        group_id: nameField.optional().describe('The group. Required: without it a new one would be meant.'),
        numbers: z.unknown().optional().describe('Of whom a new group would be made: ignored beside a `group_id`.'),
        ...messageFields,
      }),
      anyOf: CONTENTS,
      async handle({ caller, body, ticket }) {
        if (body.group_id === undefined) throw invalidValue('group_id', NOT_MADE);
        const line = await resolveLine(deps.registry, caller, body.from_number, 'from_number');
        const chat = await findChat(deps.engine, caller.accountRef, line.ref, { id: body.group_id });
        if (!chat?.isGroup) throw new ApiError('chat_not_found', { param: 'group_id' });
        const { id, name, participants } = chat;
        const group = { id, name, participants };
        const whom = { line, to: { kind: 'chat', id }, name: id, peer: '', group } as const;
        return acceptMessage(deps, { caller, ticket }, whom, body);
      },
    }),
  ];
}
