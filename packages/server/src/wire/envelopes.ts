/** What is round a resource in an answer, as schemas. */
import { z } from 'zod';
import { idOf, textOf } from './schema-parts.ts';

const requestId = idOf('req', 'The request, for whoever asks for help. Also in the header `X-Request-Id`.');

export const requestIdSchema = z.strictObject({ request_id: requestId }).describe('In every answer.');

export function listSchemaOf(item: z.ZodObject) {
  return z
    .strictObject({
      data: z.array(item).describe('The page, in the order that the operation says.'),
      has_more: z.boolean().describe('Whether there is another page.'),
      next_cursor: textOf('What to give as `cursor` for the next page. Null: this is the last.').nullable(),
      request_id: requestId,
    })
    .describe('A page of a list.');
}

export const errorResponseSchema = z
  .strictObject({
    error: z
      .strictObject({
        type: z
          .enum([
            'authentication_error',
            'authorization_error',
            'invalid_request_error',
            'not_found_error',
            'rate_limit_error',
            'api_error',
          ])
          .describe('The kind of refusal.'),
        code: textOf('The refusal itself, for programs.'),
        message: textOf('The refusal in a sentence that says what to do, for people.'),
        param: z.string().optional().describe('The field that is to blame. Left out where there is none.'),
      })
      .describe('What was wrong.'),
    request_id: requestId,
  })
  .describe('A refusal.');
