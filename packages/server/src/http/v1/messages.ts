/** Messages: where a send enters the server, and where they are read. */

import { z } from 'zod';
import type { Ids } from '../../domain/ids.ts';
import type { LineRegistry } from '../../lines/registry.ts';
import { resolveLine } from '../../lines/resolve.ts';
import type { EnqueueDeps } from '../../outbox/enqueue.ts';
import { effectFor, repliedGuid, requireFiles } from '../../outbox/preconditions.ts';
import { requirePairedContact, requirePhone } from '../../sandbox/view.ts';
import type { Engine } from '../../store/database.ts';
import { NEWEST, pageOfMessages } from '../../store/messages.ts';
import { type LinkFile, messageBody } from '../../wire/v1.ts';
import {
  cursorField,
  limitField,
  lineField,
  nameField,
  recipientField,
  sendStyleField,
  TEXT_MAX,
  textField,
} from '../input.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import { list, type Route, route } from '../route.ts';
import { acceptSend } from './accept-send.ts';
import { resolveChat, resolveMessage } from './addressed.ts';
import { recipientOf } from './recipient.ts';

export interface MessageDeps extends EnqueueDeps {
  readonly engine: Engine;
  readonly ids: Ids;
  readonly registry: LineRegistry;
  readonly linkFile: LinkFile;
}

const sendBody = z.object({
  from: lineField,
  to: recipientField,
  text: textField(TEXT_MAX).optional().describe('What it says. Required unless `attachments` is there.'),
  attachments: z
    .array(nameField.regex(/^file_/, 'must be file_ ids'))
    .max(1, 'takes one file at most')
    .optional()
    .describe('The id of an uploaded file, one at most. Required unless `text` is there.'),
  reply_to: nameField.optional().describe('The message of the same chat to reply to: its `msg_` id or its GUID.'),
  send_style: sendStyleField.describe(
    'The effect to send it with, an extension of this server. On a line that has none it goes without.',
  ),
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
        'sandbox_contact_mismatch',
        'sandbox_quota_exceeded',
        'chat_not_found',
        'contact_has_not_messaged',
        'recipient_opted_out',
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
        const { accountRef } = caller;
        const { attachments, reply_to: replyTo, send_style: style } = body;
        const files = attachments && (await requireFiles(deps.engine, accountRef, attachments, 'attachments'));
        requirePairedContact(await requirePhone(deps, accountRef, line), to);
        const guid = replyTo === undefined ? null : await repliedGuid(deps.engine, { accountRef, line, to }, replyTo);
        const effect = effectFor(line, style);
        const details = { ...(files && { files }), ...(guid !== null && { guid }), ...(effect && { effect }) };
        const payload = { kind: 'message' as const, ...body };
        const needed = Object.keys(details).length > 0 ? { details } : {};
        return acceptSend(deps, { caller, ticket }, { line, to, payload, ...needed });
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
      query: z.object({ from: lineField, to: recipientField, limit: limitField(), cursor: cursorField }),
      async handle({ caller, query }) {
        const { chat } = await resolveChat(deps, caller, query);
        const name = `messages ${chat.id}`;
        const [sentAt = 0, ref = 0] = query.cursor === undefined ? [] : decodeCursor(name, query.cursor, 2);
        const before = query.cursor === undefined ? NEWEST : { sentAt, ref };
        const rows = await pageOfMessages(deps.engine, chat.ref, before, query.limit + 1);
        const page = rows.slice(0, query.limit);
        const last = rows.length > page.length ? page.at(-1) : undefined;
        const bodies = page.map((message) => messageBody(message, deps.linkFile));
        return list(bodies, last ? encodeCursor(name, [last.sentAt, last.ref]) : null);
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
    params: { id: 'The message: its `msg_` id or its GUID.' },
    query: z.object({ from: lineField.optional() }),
    async handle({ caller, params, query }) {
      const named = { name: params['id'] ?? '', from: query.from, param: 'id' };
      return messageBody(await resolveMessage(deps, caller, named), deps.linkFile);
    },
  });
}
