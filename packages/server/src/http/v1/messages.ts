/** Messages: where a send enters the server, and where they are read. */
import { normaliseHandle } from '@trunkline/drivers';
import { z } from 'zod';
import type { Caller } from '../../access/authenticate.ts';
import { ApiError } from '../../domain/errors.ts';
import { hasPrefix, type Ids } from '../../domain/ids.ts';
import type { Line } from '../../domain/line.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import { mayUseRef, refuseUnpairedSandbox, resolveLine } from '../../lines/resolve.ts';
import { type EnqueueDeps, enqueue } from '../../outbox/enqueue.ts';
import { findChat, type StoredChat } from '../../store/chat-pages.ts';
import type { Engine } from '../../store/database.ts';
import { findMessages, NEWEST, pageOfMessages } from '../../store/messages.ts';
import type { Recipient } from '../../store/outbox.ts';
import { messageBody } from '../../wire/v1.ts';
import { invalidValue, limitField, nameField, TEXT_MAX, textField } from '../input.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import { list, type Route, route } from '../route.ts';

export interface MessageDeps extends EnqueueDeps {
  readonly engine: Engine;
  readonly ids: Ids;
  readonly registry: LineRegistry;
}

const sendBody = z.object({
  from: nameField,
  to: nameField,
  text: textField(TEXT_MAX).optional(),
  attachments: z
    .array(nameField.regex(/^file_/, 'must be file_ ids'))
    .max(1, 'takes one file at most')
    .optional(),
  reply_to: nameField.optional(),
});

export function messageRoutes(deps: MessageDeps): Route[] {
  return [
    route({
      name: 'sendMessage',
      summary: 'Sends a message.',
      description:
        "Takes `text`, or one file in `attachments`, or both. The 201 means that it is on disk and will be handed over in the order of its line; follow it by `message.sent` or by `GET /v1/outbox`. A contact or group must have written to the line first, unless the line's settings say otherwise.",
      answer: 'OutboxReceipt',
      refusals: [
        'line_not_found',
        'line_not_accessible',
        'sandbox_not_activated',
        'chat_not_found',
        'contact_has_not_messaged',
        'message_not_found',
        'file_not_found',
      ],
      method: 'POST',
      path: '/v1/messages',
      scope: 'messages:write',
      status: 201,
      body: sendBody,
      anyOf: ['text', 'attachments'],
      async handle({ caller, body, ticket }) {
        const to = recipientOf(body.to);
        const line = await resolveLine(deps.registry, caller, body.from);
        // No file can have been uploaded yet, so none can be named.
        if (body.attachments !== undefined) throw new ApiError('file_not_found', { param: 'attachments' });
        refuseUnpairedSandbox(line);
        if (body.reply_to !== undefined) await checkReply(deps.engine, caller, line, to, body.reply_to);
        const payload = { kind: 'message' as const, ...body };
        const answer = { id: deps.ids.make('outbox'), status: 'pending' };
        const { accountRef } = caller;
        await enqueue(deps, { id: answer.id, accountRef, line, to, payload, ticket: ticket(answer) });
        return answer;
      },
    }),
    route({
      name: 'listMessages',
      summary: 'Lists the messages of a chat, the newest first.',
      answer: 'Message[]',
      refusals: ['line_not_found', 'line_not_accessible', 'sandbox_not_activated', 'chat_not_found'],
      method: 'GET',
      path: '/v1/messages',
      scope: 'messages:read',
      query: z.object({ from: nameField, to: nameField, limit: limitField(), cursor: nameField.optional() }),
      async handle({ caller, query }) {
        const to = recipientOf(query.to);
        const line = await resolveLine(deps.registry, caller, query.from);
        refuseUnpairedSandbox(line);
        const chat = await chatOf(deps.engine, caller, line, to);
        if (!chat) throw new ApiError('chat_not_found', { param: 'to' });
        const name = `messages ${chat.id}`;
        const [sentAt = 0, ref = 0] = query.cursor === undefined ? [] : decodeCursor(name, query.cursor, 2);
        const before = query.cursor === undefined ? NEWEST : { sentAt, ref };
        const rows = await pageOfMessages(deps.engine, chat.ref, before, query.limit + 1);
        const page = rows.slice(0, query.limit);
        const last = rows.length > page.length ? page.at(-1) : undefined;
        return list(page.map(messageBody), last ? encodeCursor(name, [last.sentAt, last.ref]) : null);
      },
    }),
    oneMessageRoute(deps),
  ];
}

function oneMessageRoute(deps: MessageDeps): Route {
  return route({
    name: 'getMessage',
    summary: 'Gives one message.',
    description:
      'By its `msg_` id or by its GUID. A GUID is unique on its line only: without `from`, the newest on a line that the key may use is meant.',
    answer: 'Message',
    refusals: ['line_not_found', 'line_not_accessible', 'sandbox_not_activated', 'message_not_found'],
    method: 'GET',
    path: '/v1/messages/:id',
    scope: 'messages:read',
    query: z.object({ from: nameField.optional() }),
    async handle({ caller, params, query }) {
      const line = query.from === undefined ? null : await resolveLine(deps.registry, caller, query.from);
      if (line) refuseUnpairedSandbox(line);
      const id = params['id'] ?? '';
      // No database can look for a NUL, and no message has one in its name.
      const found = id.includes('\0') ? [] : await findMessages(deps.engine, caller.accountRef, id);
      const message = found.find(
        ({ lineRef }) => (line === null || lineRef === line.ref) && mayUseRef(deps.registry, caller, lineRef),
      );
      if (!message) throw new ApiError('message_not_found', { param: 'id' });
      return messageBody(message);
    },
  });
}

/** A chat by its id, or whoever has that handle. Throws `invalid_parameter_value`. */
function recipientOf(to: string): Recipient {
  if (hasPrefix('chat', to)) return { kind: 'chat', id: to };
  const handle = normaliseHandle(to);
  if (handle === null) throw invalidValue('to', 'must be a handle (E.164 or e-mail) or a cht_ id');
  return { kind: 'handle', handle };
}

function chatOf(engine: Engine, caller: Caller, line: Line, to: Recipient): Promise<StoredChat | null> {
  const by = to.kind === 'chat' ? { id: to.id } : { identifier: to.handle };
  return findChat(engine, caller.accountRef, line.ref, by);
}

/** A reply needs its message in the same chat. What is wrong with the chat itself is said when the send is accepted. */
async function checkReply(engine: Engine, caller: Caller, line: Line, to: Recipient, replyTo: string): Promise<void> {
  const chat = await chatOf(engine, caller, line, to);
  if (!chat || (line.contactFirst && !chat.hasReceivedInbound)) return;
  const found = await findMessages(engine, caller.accountRef, replyTo);
  if (!found.some((message) => message.chatId === chat.id)) {
    throw new ApiError('message_not_found', { param: 'reply_to' });
  }
}
