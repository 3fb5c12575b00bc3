/** What each event tells, as schemas: the `data` of a delivery and of a streamed event. */
import type { z } from 'zod';
import type { EventType, WebhookEvent } from '../domain/events.ts';
import { idOf, textOf } from './schema-parts.ts';
import { messageSchema, reactionSchema } from './v1-schemas.ts';

const lineHandle = { line_handle: textOf("The line's handle.") };
const messageOf = (sentence: string) => messageSchema.extend(lineHandle).describe(sentence);
const reactionOf = (sentence: string) =>
  reactionSchema.extend({ chat_id: idOf('cht', 'The chat of the message.'), ...lineHandle }).describe(sentence);

export const EVENT_DATA = {
  'message.received': messageOf('The message that came in.'),
  'message.sent': messageOf(
    'The own message that was seen going out: sent by the API (`outbox_id`) or typed by a person.',
  ),
  'reaction.added': reactionOf('The reaction that was made, by whoever.'),
  'reaction.removed': reactionOf('The reaction that was taken back: `added` is false.'),
} as const satisfies Record<EventType | WebhookEvent, z.ZodObject>;
