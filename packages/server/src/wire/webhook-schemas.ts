/** Webhooks and deliveries of the admin API as schemas: what `admin.ts` renders, each field with its sentence. */
import { z } from 'zod';
import { EVENTS, ITEM_EVENTS, WEBHOOK_EVENTS } from '../domain/events.ts';
import { WEBHOOK_KINDS } from '../domain/webhook.ts';
import { addressOf, countOf, idOf, momentOf, textOf } from './schema-parts.ts';
import { webhookSchema } from './v1-schemas.ts';

const state = z
  .enum(['new', 'retry', 'delivered', 'failed', 'dropped'])
  .describe('New: not tried yet. Retry: tried, or to be sent again. Dropped: its webhook ended while it was due.');
const lastAttempt = {
  last_attempt_at: momentOf('When the last attempt began. Null: there was none.').nullable(),
  last_status: z.int().describe('What it was answered with, as an HTTP status. Null: with nothing.').nullable(),
  last_error: textOf('Why it failed, in a sentence. Null: it did not.').nullable(),
};

const ITEM_TYPES = Object.keys(ITEM_EVENTS);
const kind = z
  .enum(WEBHOOK_KINDS)
  .describe(
    "V1: of a line, made over `/v1`. Account: of the account's messages on all lines. Callback: of the sends that name an address at this origin.",
  );

export const adminWebhookSchema = webhookSchema
  .extend({
    kind,
    line_ids: z.array(z.string()).describe('The line whose events it gets. Empty: it is of all lines.'),
    events: z.array(z.enum([...WEBHOOK_EVENTS, ...ITEM_TYPES])).describe('The events that it asked for.'),
    line_handle: textOf("Its line's handle. Null: it is of all lines.").nullable(),
    disabled_reason: textOf('Why it is not active, in a sentence. Null: it is.').nullable(),
    failing_since: momentOf('Since when nothing has arrived. Null: deliveries arrive.').nullable(),
    previous_secret_ends_at: momentOf('Until when two secrets count. Null: one does.').nullable(),
    newest_delivery: z
      .strictObject({ id: idOf('dlv', "The delivery's id."), state, ...lastAttempt })
      .describe('What became of its newest delivery. Null: there is none.')
      .nullable(),
    created_at: momentOf('When it was made.'),
  })
  .describe('A webhook as its operator sees it.');

export const adminWebhookWithSecretSchema = adminWebhookSchema
  .extend({
    secret: z
      .string()
      .regex(/^whsec_/)
      .describe('Signs its deliveries from now on. Shown this once.'),
  })
  .describe('A webhook with its new secret, which is shown once.');

export const deliverySchema = z
  .strictObject({
    id: idOf('dlv', "The delivery's id, the same over all attempts."),
    webhook_id: idOf('wh', 'Whom it is for.'),
    kind,
    url: addressOf('Where it is posted to.'),
    event: z.enum([...Object.keys(EVENTS), ...ITEM_TYPES]).describe('What it tells of.'),
    event_id: idOf('evt', "The event's id."),
    state,
    attempts: countOf('How many attempts were made.'),
    next_attempt_at: momentOf('When the next one is due. Null: none is.').nullable(),
    last_duration_ms: countOf('How long the last attempt took, in milliseconds. Null: there was none.').nullable(),
    ...lastAttempt,
    resent_at: momentOf('When it was last asked for again. Null: it was not.').nullable(),
    created_at: momentOf('When its event was written down.'),
  })
  .describe('One event on its way to one webhook.');

export const wholeDeliverySchema = deliverySchema
  .extend({
    body: z.record(z.string(), z.unknown()).describe('What is posted, with the timestamp of the last attempt.'),
  })
  .describe('A delivery with its body.');

export const attemptSchema = z
  .strictObject({
    attempt: countOf('Which attempt it was, from 1.'),
    started_at: momentOf('When it began.'),
    duration_ms: countOf('How long it took, in milliseconds.'),
    status: z.int().describe('The HTTP status. Null: there was no answer.').nullable(),
    error: textOf('Why it failed, in a sentence. Null: it did not.').nullable(),
    answer: textOf('The beginning of what came back. Null: nothing is kept.').nullable(),
  })
  .describe('One attempt at a delivery.');

export const resentSchema = z
  .strictObject({
    webhook_id: idOf('wh', 'Whose deliveries they are.'),
    resent: countOf('How many are due now.'),
  })
  .describe('How many deliveries are sent again.');
