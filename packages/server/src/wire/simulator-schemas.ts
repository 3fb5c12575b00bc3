/** What the simulator API answers, as schemas. */
import { SEND_STYLES } from '@trunkline/drivers';
import { z } from 'zod';
import { flagOf, idOf, momentOf, textOf } from './schema-parts.ts';
import { attachmentSchema, reactionSchema } from './v1-schemas.ts';

const chatId = idOf('cht', 'The chat that it is in. Null: the line has not heard of it yet.').nullable();
const milliseconds = (sentence: string) => z.int().min(0).optional().describe(sentence);
const share = (sentence: string) => z.number().min(0).max(1).optional().describe(`${sentence} 0 to 1.`);

export const phoneMessageSchema = z
  .strictObject({
    guid: textOf('The name that iMessage gave it.'),
    chat_id: chatId,
    line: textOf("The line's handle."),
    from_me: flagOf('Whether this phone wrote it.'),
    sender: textOf("The sender's handle."),
    text: textOf('What it says. Null: it has no text.').nullable(),
    attachments: z.array(attachmentSchema).describe('Its files.'),
    is_audio_message: flagOf('Whether it is a voice memo.'),
    reply_to_guid: textOf('The message that it replies to. Null: none.').nullable(),
    effect: z.enum(SEND_STYLES).nullable().describe('The effect that it was sent with. Null: none.'),
    reactions: z
      .array(
        z.strictObject({
          type: reactionSchema.shape.type,
          sender: textOf('The handle of whoever reacted.'),
          sent_at: momentOf('When.'),
        }),
      )
      .describe('The tapbacks on it, oldest first.'),
    state: z.enum(['received', 'sent', 'delivered', 'read']).describe('How far it came.'),
    edited: flagOf('Whether it was edited.'),
    unsent: flagOf('Whether it was unsent.'),
    sent_at: momentOf('When it was sent.'),
  })
  .describe('A message as a simulated phone shows it.');

export const phoneTextSchema = z
  .strictObject({ guid: textOf('The name that iMessage gave the message.'), chat_id: chatId })
  .describe('A text that a phone has sent.');

export const phoneTypingSchema = z
  .strictObject({
    line: textOf("The line's handle."),
    chat_id: chatId,
    until: momentOf('When it is over without another word.'),
  })
  .describe('A line that a phone sees typing.');

export const phoneGroupSchema = z.strictObject({ chat_id: chatId }).describe('A chat of a phone with a line.');

export const faultsSchema = z
  .strictObject({
    line: textOf("The line's handle."),
    latency_ms: milliseconds('How long a hand-over takes to be answered, in milliseconds.'),
    jitter_ms: milliseconds('Up to so much more, at random, in milliseconds.'),
    fail_rate: share('How many sends fail for good.'),
    drop_echo_rate: share('How many sends go out without the line ever saying so.'),
    duplicate_rate: share('How many reports come twice.'),
    reorder: z.boolean().optional().describe('Whether neighbours of different chats change places.'),
    offline: z.boolean().optional().describe('Whether the line cannot be reached.'),
  })
  .describe('The faults that a line has now: those that were named.');

export const faultsClearedSchema = z
  .strictObject({ line: textOf("The line's handle."), cleared: z.literal(true).describe('Always true.') })
  .describe('The line has no faults any more.');

export const autoreplySchema = z
  .strictObject({
    phone: textOf("The phone's handle."),
    text: textOf('What it answers. Null: no text of its own.').nullable(),
    echo: flagOf('Whether it says back what it was told.'),
  })
  .describe('How a phone answers whoever writes to it.');
