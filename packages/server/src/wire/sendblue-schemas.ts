/** The answers of the Sendblue dialect as schemas: what `sendblue.ts` renders, each field with its sentence. */
import { TAPBACKS } from '@trunkline/drivers';
import { z } from 'zod';
import { ITEM_STATUSES } from '../domain/listed-item.ts';
import { countOf, flagOf, textOf } from './schema-parts.ts';

const time = (sentence: string) => z.iso.datetime({ precision: 3 }).describe(`${sentence} ISO 8601, UTC.`);

export const sendblueMessageSchema = z
  .strictObject({
    accountEmail: textOf("The address of the account's owner."),
    account_email: textOf('The same.'),
    content: textOf('What it says; empty where there is media alone.'),
    date_created: time('When it was accepted, or sent by the clock of the line.'),
    date_sent: time('The same.'),
    date_updated: time('When anything of it last changed.'),
    error_code: countOf('The code 10001 for a message that failed. Null: it did not.').nullable(),
    error_detail: textOf('Why it failed, in a sentence. Null: it did not.').nullable(),
    error_message: textOf('The same.').nullable(),
    error_reason: textOf('Always null.').nullable(),
    from_number: textOf('Whoever sent it.'),
    group_display_name: textOf("The group's name. Null: it has none, or this is no group.").nullable(),
    group_id: textOf('The group: the `cht_` id of its chat. Empty: this is no group.'),
    is_outbound: flagOf('Whether it goes out.'),
    media_url: textOf('Where its file is. Empty: it has none.'),
    message_handle: textOf('Names the message, for good: a UUID in upper case.'),
    message_type: z.enum(['message', 'group']).describe('One-to-one, or to a group.'),
    number: textOf('The other party; empty for what goes to a group.'),
    opted_out: flagOf('Whether the other party wants no more messages.'),
    participants: z.array(z.string()).describe('Of a group: the line and all the others. Empty otherwise.'),
    plan: z.literal('self-hosted').describe('Nobody charges for this.'),
    reply_to: z
      .strictObject({
        message_handle: textOf('The message.'),
        part_index: countOf('Which part of it, from 0.'),
      })
      .optional()
      .describe('The message that it answers. Left out: none.'),
    send_style: textOf('The effect that it goes with; empty for none.'),
    sendblue_number: textOf('The line.'),
    service: z.enum(['iMessage', 'SMS', 'RCS']).describe('What carried it, or what the line sends by.'),
    status: z.enum(ITEM_STATUSES).describe('How far it has come.'),
    thread_originator: z
      .strictObject({ message_handle: textOf('The message.') })
      .optional()
      .describe('The message whose thread it is in. Left out: none.'),
    to_number: textOf('Whoever it goes to; empty for a group.'),
    was_downgraded: flagOf('Whether it went by less than iMessage. Null: not known yet, or inbound.').nullable(),
  })
  .describe('A message, as Sendblue shows one.');

export const sendblueAnswerSchema = z
  .strictObject({ status: z.literal('OK').describe('It went well.'), data: sendblueMessageSchema })
  .describe('One message.');

export const sendblueListSchema = z
  .strictObject({
    status: z.literal('OK').describe('It went well.'),
    data: z.array(sendblueMessageSchema).describe('The page.'),
    pagination: z
      .strictObject({
        hasMore: flagOf('Whether there are more behind this page.'),
        limit: countOf('How many a page has at most.'),
        offset: countOf('How many were passed over.'),
        total: countOf('How many there are in all: exact up to 5,000.'),
      })
      .describe('Where the page is in the list.'),
  })
  .describe('A page of messages.');

export const sendblueTypingSchema = z
  .strictObject({
    number: textOf('The other party.'),
    status: z.literal('SENT').describe('It was accepted.'),
    error_message: z.null().describe('Always null: what cannot be done is refused.'),
  })
  .describe('Typing that was accepted.');

export const sendblueMarkedReadSchema = z
  .strictObject({
    status: z.literal('OK').describe('It was accepted.'),
    message: textOf('The same in a sentence.'),
    number: textOf('The other party.'),
  })
  .describe('A read receipt that was accepted.');

export const sendblueReactionSchema = z
  .strictObject({
    status: z.literal('OK').describe('It was accepted.'),
    message: textOf('The same in a sentence.'),
    message_handle: textOf('The message that is reacted to.'),
    reaction: z.enum(TAPBACKS).describe('Which tapback.'),
  })
  .describe('A reaction that was accepted.');

export const sendblueLinesSchema = z
  .strictObject({ numbers: z.array(z.string()).describe('Each in E.164, or an Apple ID.') })
  .describe('The lines of a key.');

export const sendblueServiceSchema = z
  .strictObject({
    number: textOf('The number that was asked for.'),
    service: z.enum(['iMessage', 'SMS', 'RCS']).describe('What reaches it.'),
  })
  .describe('By which service a number is reached.');

export const sendblueOptOutSchema = z
  .strictObject({
    status: z.literal('OK').describe('It is noted.'),
    number: textOf('The contact.'),
    opted_out: flagOf('Whether it wants no more messages.'),
  })
  .describe('What a contact wants.');

export const sendblueMediaObjectSchema = z
  .strictObject({
    status: z.literal('OK').describe('It went well.'),
    message: textOf('That in a sentence.'),
    mediaObjectId: textOf('The file: its `file_` id.'),
    media_url: textOf('Where it is, for 30 days: goes into a `media_url` as it is.'),
  })
  .describe('A file that was uploaded.');

export const sendblueErrorSchema = z
  .strictObject({
    status: z.literal('ERROR').describe('It did not go well.'),
    message: textOf('What was wrong, in a sentence.'),
    error_message: textOf('The same.'),
    error_code: z
      .union([z.literal(4_000), z.literal(4_001), z.literal(5_000)])
      .describe('The code 4000, 4001 for too many requests, 5000 for our own fault.'),
    error_reason: textOf('The refusal itself, for programs.'),
  })
  .describe('A refusal, in the manner of Sendblue.');

const entrySchema = z.union([
  textOf('The address.'),
  z.strictObject({
    url: textOf('The address.'),
    secret: textOf('Comes in the header `sb-signing-secret` of every post.').optional(),
    sendblue_numbers: z.array(z.string()).optional().describe('The lines that it is limited to.'),
  }),
]);

const webhookListsSchema = z
  .strictObject({
    receive: z.array(entrySchema).describe('Hear of inbound messages.'),
    outbound: z.array(entrySchema).describe('Hear of every change of the status of own messages.'),
    globalSecret: textOf('For entries that have no secret of their own. Left out: none.').optional(),
  })
  .describe('The webhooks of the account, each as it was given.');

const ok = z.literal('OK').describe('It went well.');

export const sendblueWebhooksSchema = z
  .strictObject({ status: ok, webhooks: webhookListsSchema })
  .describe('The webhooks of the account.');

export const sendblueWebhooksSetSchema = z
  .strictObject({ status: ok, message: textOf('What was done.'), webhooks: webhookListsSchema })
  .describe('The webhooks of the account, as they are now.');

export const sendblueDoneSchema = z
  .strictObject({ status: ok, message: textOf('What was done.') })
  .describe('That it was done.');
