/** The resources of the v1 API as schemas: what `v1.ts` renders, each field with its sentence. Strict, so that a test sees a key too many. */
import { SEND_STYLES } from '@trunkline/drivers';
import { z } from 'zod';
import { WEBHOOK_EVENTS } from '../domain/events.ts';
import { addressOf, countOf, flagOf, idOf, momentOf, textOf } from './schema-parts.ts';

const handle = 'E.164 or a lower-case e-mail.';
const service = z.enum(['imessage', 'sms', 'rcs']);
const sendStyle = z.enum(SEND_STYLES);
const tapback = z.enum(['love', 'like', 'dislike', 'laugh', 'emphasize', 'question']);

export const lineSchema = z
  .strictObject({
    id: idOf('ln', "The line's id."),
    handle: textOf(`The handle that its messages come from: ${handle}`),
    label: textOf('What the operator calls it. Null: it has no name.').nullable(),
    service: z.enum(['imessage', 'sms', 'auto']).describe('How it sends; `auto` decides by the recipient.'),
    is_active: flagOf('Whether it sends and receives.'),
  })
  .describe('One handle through which messages leave and arrive.');

export const lineHealthSchema = z
  .strictObject({
    state: z.enum(['online', 'degraded', 'offline', 'unknown']).describe('As its driver says.'),
    reason: textOf('Why, in a sentence. Null: there is nothing to say.').nullable(),
    since: momentOf('Since when. Null: nobody knows.').nullable(),
  })
  .describe('How the line is.');

export const chatSchema = z
  .strictObject({
    id: idOf('cht', "The chat's id."),
    line_id: idOf('ln', 'The line that it is on.'),
    identifier: textOf("The peer's handle; of a group its own identifier."),
    service: service.describe('How its messages travel.'),
    name: textOf("The group's name. Null: it has none.").nullable(),
    is_group: flagOf('Whether it is a group.'),
    participants: z.array(z.string()).describe("The other parties' handles, never the line's own."),
    has_received_inbound: flagOf('Whether the contact, or somebody in the group, has written to the line.'),
    last_message_at: momentOf('When its newest message was sent. Null: it has none.').nullable(),
  })
  .describe('A conversation on a line, with one peer or with a group.');

export const attachmentSchema = z
  .strictObject({
    filename: textOf('Its name. Null: it came without one.').nullable(),
    mime_type: textOf('Its media type; `audio/x-caf` for a voice memo. Null: unknown.').nullable(),
    size: countOf('In bytes. Null: unknown.').nullable(),
    url: addressOf('Where to fetch it without a key, for 30 days. Null: it is not here yet.').nullable(),
    transcription: textOf("The phone's own transcription of a voice memo. Null: there is none, or not yet.").nullable(),
  })
  .describe('A file that came or went with a message.');

export const messageSchema = z
  .strictObject({
    id: idOf('msg', "The message's id."),
    line_id: idOf('ln', 'The line that it was seen on.'),
    chat_id: idOf('cht', 'The chat that it is in.'),
    guid: textOf('The name that iMessage gave it, unique on its line.'),
    sender: textOf("The sender's handle; of an own message the line's."),
    text: textOf('What it says. Null: it has no text.').nullable(),
    attachments: z.array(attachmentSchema).describe('Its files; mostly none.'),
    service: service.describe('How it travelled. Null: unknown.').nullable(),
    is_from_me: flagOf('Whether the line sent it, through the API or by hand.'),
    is_audio_message: flagOf('Whether it is a voice memo. Null: unknown.').nullable(),
    sent_at: momentOf("When it was sent, by the sender's clock."),
    synced_at: momentOf('When it was stored here.'),
    outbox_id: idOf('obx', 'The outbox item that it came from. Null: the API did not send it.').nullable(),
    reply_to_guid: textOf('The GUID of the message that it replies to. Null: it is no reply.').nullable(),
    send_style: sendStyle
      .nullable()
      .optional()
      .describe(
        'The effect that it was sent with, an extension of this server. Null: none. Events from before there were effects leave it out.',
      ),
  })
  .describe('A message seen on a line, inbound or own.');

export const reactionSchema = z
  .strictObject({
    id: idOf('rxn', "The reaction's id."),
    message_id: idOf('msg', 'The message that it is about.'),
    type: tapback.describe('Which tapback.'),
    sender: textOf("The handle of whoever reacted; of an own reaction the line's."),
    is_from_me: flagOf('Whether the line reacted.'),
    added: flagOf('False once it was taken back.'),
    sent_at: momentOf('When it was made or taken back.'),
    synced_at: momentOf('When that was stored here.'),
  })
  .describe('A tapback on a message. Taking it back is the same reaction with `added: false`.');

export const typingIndicatorSchema = z
  .strictObject({
    id: idOf('ind', "The indicator's id."),
    chat_id: idOf('cht', 'The chat that it is in.'),
    handle: textOf('Who types.'),
    is_typing: flagOf('Whether they are typing now.'),
    updated_at: momentOf('When that was last heard.'),
  })
  .describe('Whether somebody in a chat is typing.');

export const readReceiptSchema = z
  .strictObject({
    id: idOf('rcp', "The receipt's id."),
    chat_id: idOf('cht', 'The chat that was read.'),
    handle: textOf('Who read it.'),
    last_read_at: momentOf('How far it was read.'),
    synced_at: momentOf('When that was stored here.'),
  })
  .describe('How far somebody has read a chat.');

export const outboxReceiptSchema = z
  .strictObject({
    id: idOf('obx', 'The outbox item; `GET /v1/outbox` says what became of it.'),
    status: z.literal('pending').describe('It is on disk and waits for its turn.'),
  })
  .describe('What an accepted write answers: it will be done, and its outcome can be followed.');

export const outboxItemSchema = z
  .strictObject({
    id: idOf('obx', "The item's id."),
    line_id: idOf('ln', 'The line that it goes through.'),
    status: z
      .enum(['pending', 'claimed', 'sent', 'failed'])
      .describe('`claimed` is under way; `sent` was seen going out on the line.'),
    payload: z
      .strictObject({
        kind: z.enum(['message', 'audio_message', 'reaction', 'typing', 'receipt']).describe('What was asked for.'),
        from: textOf('As the request named the line.'),
        to: textOf('As the request named the recipient.'),
        text: textOf('Of a message: its text.').optional(),
        attachments: z.array(z.string()).optional().describe('Of a message: the ids of its files.'),
        audio_message: textOf('Of a voice memo: the id of its file.').optional(),
        reply_to: textOf('Of a message or a voice memo: what it replies to.').optional(),
        send_style: sendStyle.optional().describe('Of a message: the effect that was asked for.'),
        message_id: textOf('Of a reaction: the message that it is on.').optional(),
        type: tapback.optional().describe('Of a reaction: which tapback.'),
        state: z.enum(['on', 'off']).optional().describe('Of typing: whether it begins or ends.'),
      })
      .describe('The request as it was accepted.'),
    completed_at: momentOf('When it was sent or failed. Null: it is neither yet.').nullable(),
    error: textOf('Why it failed, in a sentence to act on. Null: it has not failed.').nullable(),
    attempts: countOf('How often it was handed over.'),
    max_attempts: countOf('How often it may be handed over where it is certain that nothing was sent.'),
    created_at: momentOf('When it was accepted.'),
  })
  .describe('Something that was accepted to be sent, and what became of it.');

export const fileSchema = z
  .strictObject({
    id: idOf('file', "The file's id; messages name it by this, as often as they like."),
    url: addressOf('Where to fetch it without a key, for 30 days. Null: it cannot be fetched.').nullable(),
    filename: textOf('Its name. Null: it has none.').nullable(),
    mime_type: textOf('Its media type, as it was claimed when it was uploaded.'),
    size: countOf('In bytes.'),
  })
  .describe('An uploaded file.');

export const webhookSchema = z
  .strictObject({
    id: idOf('wh', "The webhook's id."),
    line_ids: z.array(z.string()).describe('The lines whose events it gets.'),
    url: addressOf('Where deliveries are posted to.'),
    events: z.array(z.enum(WEBHOOK_EVENTS)).describe('The events that it asked for.'),
    is_active: flagOf('Whether it is delivered to; one that kept failing is disabled.'),
  })
  .describe("A receiver of a line's events.");

export const webhookWithSecretSchema = webhookSchema
  .extend({
    secret: z
      .string()
      .regex(/^whsec_/)
      .describe('Signs its deliveries. Shown this once.'),
  })
  .describe('A new webhook, with the secret that is shown once.');

export const sandboxStateSchema = z
  .strictObject({
    status: z.enum(['missing', 'pending', 'active']).describe('Whether a phone is paired, or may be by its code.'),
    activation_code: textOf('What to text to the sandbox line. Null: there is no code now.').nullable(),
    sandbox_line_handle: textOf("The sandbox line's handle."),
    contact_identifier: textOf("The paired phone's handle. Null: none is paired.").nullable(),
    activated_at: momentOf('When it was paired. Null: it is not.').nullable(),
    usage: z
      .strictObject({
        used: countOf('How many messages were accepted today.'),
        limit: countOf('How many a day takes.'),
        remaining: countOf('How many are left.'),
        resets_at: momentOf('When the next day begins.'),
      })
      .describe("The account's day on the sandbox line."),
  })
  .describe("The account's pairing with the sandbox line.");

export const deletedSchema = z
  .strictObject({ id: textOf('What was deleted.'), deleted: z.literal(true).describe('Always true.') })
  .describe('It is gone.');
