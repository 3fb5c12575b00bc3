/** What each event tells, as schemas: the `data` of a delivery and of a streamed event. */
import { z } from 'zod';
import type { EventType } from '../domain/events.ts';
import { idOf, momentOf, textOf } from './schema-parts.ts';
import {
  lineSchema,
  messageSchema,
  outboxItemSchema,
  reactionSchema,
  readReceiptSchema,
  typingIndicatorSchema,
} from './v1-schemas.ts';

const lineHandle = { line_handle: textOf("The line's handle.") };
const messageOf = (sentence: string, times: Readonly<Record<string, z.ZodType>> = {}) =>
  messageSchema.extend({ ...lineHandle, ...times }).describe(sentence);
const reactionOf = (sentence: string) =>
  reactionSchema.extend({ chat_id: idOf('cht', 'The chat of the message.'), ...lineHandle }).describe(sentence);

export const EVENT_DATA = {
  'message.received': messageOf('The message that came in.'),
  'message.sent': messageOf(
    'The own message that was seen going out: sent by the API (`outbox_id`) or typed by a person.',
  ),
  'message.delivered': messageOf('The own message that arrived.', { delivered_at: momentOf('When it arrived.') }),
  'message.read': messageOf('The own message that was read.', { read_at: momentOf('When it was read.') }),
  'message.failed': outboxItemSchema
    .extend({
      ...lineHandle,
      chat_id: idOf('cht', 'The chat that it was for. Null: there is none yet.').nullable(),
      message: messageSchema.nullable().describe('Null: it was not seen on the line.'),
    })
    .describe('The item of the message that failed; `error` says why.'),
  'message.edited': messageOf('The message with its new text.', { edited_at: momentOf('When it was changed.') }),
  'message.unsent': messageOf('The message that was taken back: its text and files are gone.', {
    unsent_at: momentOf('When it was taken back.'),
  }),
  'reaction.added': reactionOf('The reaction that was made, by whoever.'),
  'reaction.removed': reactionOf('The reaction that was taken back: `added` is false.'),
  'typing.started': typingIndicatorSchema.extend(lineHandle).describe('Who began to type.'),
  'typing.stopped': typingIndicatorSchema.extend(lineHandle).describe('Who ceased to type.'),
  'receipt.read': readReceiptSchema.extend(lineHandle).describe('Who has read the chat.'),
  'line.status': lineSchema
    .extend({
      health: z
        .strictObject({
          state: z.enum(['online', 'degraded', 'offline']).describe('How it is now.'),
          reason: textOf('Why, in a sentence. Null: nothing is wrong.').nullable(),
          since: momentOf('Since when.'),
        })
        .describe('How the line is.'),
    })
    .describe('The line whose health changed.'),
} as const satisfies Record<EventType, z.ZodObject>;

/** The body of a delivery and, without its id, of a streamed event. */
export function eventBodySchema(name: EventType) {
  return z.strictObject({
    event: z.literal(name).describe('The name of the event.'),
    data: EVENT_DATA[name],
    timestamp: momentOf('When this attempt was made; on the stream, when it happened.'),
    delivery_id: idOf(
      'dlv',
      'The same over all attempts, to recognise a repeat by. Left out on the stream.',
    ).optional(),
  });
}
