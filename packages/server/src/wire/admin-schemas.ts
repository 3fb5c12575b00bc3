/** The resources of the admin API as schemas: what `admin.ts` renders, each field with its sentence. */
import { z } from 'zod';
import { SCOPES } from '../domain/scopes.ts';
import type { StepName } from '../domain/walk.ts';
import { countOf, flagOf, idOf, momentOf, textOf } from './schema-parts.ts';
import { lineHealthSchema, lineSchema, messageSchema, outboxItemSchema } from './v1-schemas.ts';

const STEPS = [
  'accepted',
  'claimed',
  'handed_over',
  'sent',
  'received',
  'stored',
  'failed',
  'event',
  'attempt',
  'delivered',
  'read',
] as const satisfies readonly StepName[];

export const apiKeySchema = z
  .strictObject({
    id: idOf('key', "The key's id."),
    name: textOf('What its maker calls it.'),
    prefix: textOf('How the key begins, to recognise it by.'),
    scopes: z.array(z.enum(SCOPES)).describe('What it may do.'),
    line_ids: z.array(z.string()).describe('The lines that it is limited to. Null: all of the account.').nullable(),
    rate_limit_per_hour: countOf('How many requests an hour it may make.'),
    expires_at: momentOf('When it stops working. Null: never.').nullable(),
    last_used_at: momentOf('When it was last used. Null: never.').nullable(),
    revoked_at: momentOf('When it was revoked. Null: it was not.').nullable(),
    created_at: momentOf('When it was made.'),
  })
  .describe('An API key, without what opens the door.');

export const apiKeyWithSecretSchema = apiKeySchema
  .extend({
    key: z
      .string()
      .regex(/^sk_live_/)
      .describe('What opens the door. Shown this once.'),
  })
  .describe('A new API key, with what opens the door.');

export const deviceSchema = z
  .strictObject({
    id: idOf('dev', "The device's id."),
    name: textOf('What its maker calls it.'),
    prefix: textOf('How its token begins, to recognise it by.'),
    line_ids: z.array(z.string()).describe('The lines that it may serve, without those that were removed.'),
    agent: z
      .strictObject({
        version: textOf('Its version.'),
        platform: textOf('What it runs on.'),
      })
      .describe('What its agent last said of itself. Null: it never connected.')
      .nullable(),
    clock_offset_ms: z
      .int()
      .describe("How far its clock is ahead of the server's, in milliseconds. Null: not measured yet.")
      .nullable(),
    is_connected: z.boolean().describe('Whether its agent is connected now.'),
    connected_at: momentOf('When its newest connection began. Null: it never connected.').nullable(),
    disconnected_at: momentOf(
      'When that connection ended. Null: it is there, there was none, or its server was ended without a word.',
    ).nullable(),
    revoked_at: momentOf('When it was revoked. Null: it was not.').nullable(),
    created_at: momentOf('When it was made.'),
  })
  .describe('A computer whose agent may dial in for some lines, without its token.');

export const deviceWithTokenSchema = deviceSchema
  .extend({
    token: z.string().regex(/^dtk_/).describe('What its agent shows when it dials in. Shown this once.'),
  })
  .describe('A new device, with its token.');

export const adminLineSchema = lineSchema
  .extend({
    driver: z.enum(['simulator', 'remote']).describe('What reaches it: `remote`, an agent that dials in.'),
    is_sandbox: flagOf('Whether it is the sandbox line, which all accounts share.'),
    settings: z
      .strictObject({
        contact_first: flagOf('Whether a contact must have written before it may be written to.'),
        opt_out_keywords: flagOf('Whether a phone opts out by texting STOP, and in again by START.'),
        pace_ms: countOf('The least time between two hand-overs, in milliseconds. 0: none.'),
      })
      .describe('What the operator has set.'),
    health: lineHealthSchema,
    created_at: momentOf('When it was added.'),
    removed_at: momentOf('When it was removed. Null: it was not.').nullable(),
  })
  .describe('A line as its operator sees it.');

export const walkSchema = z
  .strictObject({
    outbox_item: outboxItemSchema.nullable().describe('Null: the API did not send it.'),
    message: messageSchema.nullable().describe('Null: it was not seen on the line yet.'),
    walk: z
      .array(
        z.strictObject({
          step: z.enum(STEPS).describe('What happened.'),
          at: momentOf('When.'),
          took_ms: z.int().describe('Since the step before, in milliseconds. Null: it is the first.').nullable(),
          detail: textOf('What else there is to say. Null: nothing.').nullable(),
        }),
      )
      .describe('The steps that happened, in the order of time.'),
  })
  .describe("Where an outbox item's or a message's time went.");
