/** What the dialect's clients send: the same fields in many requests, and the spellings that are understood. */
import { normaliseHandle } from '@trunkline/drivers';
import { z } from 'zod';
import { invalidValue, nameField } from '../input.ts';

export const numberField = nameField.describe('The other party: a number in E.164, or an Apple ID.');
export const fromNumberField = nameField.describe('The line: its number in E.164, or its Apple ID.');
export const handleField = nameField.describe("The message: its `message_handle`, or Apple's GUID.");

/** A `+` that was not encoded in a query arrives as a space. Throws `invalid_parameter_value`. */
export function handleOf(text: string, param: string): string {
  const handle = normaliseHandle(text.replace(/^ +(?=\d)/, '+'));
  if (handle === null) throw invalidValue(param, 'must be a number in E.164 or an Apple ID');
  return handle;
}

const ISO_TIME = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/i;

/** ISO 8601; without a zone it is UTC. Gives Unix milliseconds. */
export function timeField(sentence: string) {
  return z
    .string()
    .transform((text, context) => {
      // In a query the `+` of a zone may have become a space.
      const at = ISO_TIME.test(text.replace(/ (?=\d{2}:?\d{2}$)/, '+')) ? momentOf(text) : Number.NaN;
      if (!Number.isNaN(at)) return at;
      context.addIssue({ code: 'custom', message: 'must be a time in ISO 8601' });
      return z.NEVER;
    })
    .optional()
    .meta({ type: 'string', format: 'date-time', description: sentence });
}

function momentOf(text: string): number {
  const whole = text.replace(/ (?=\d{2}:?\d{2}$)/, '+').replace(' ', 'T');
  const hasZone = whole.length <= 'YYYY-MM-DD'.length || /(?:Z|[+-]\d{2}:?\d{2})$/i.test(whole);
  return Date.parse(hasZone ? whole : `${whole}Z`);
}

export function flagField(sentence: string) {
  return z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional()
    .meta({ type: 'boolean', description: sentence });
}

const WHOLE_NUMBER = /^\d{1,15}$/;

export function offsetField() {
  return z
    .string()
    .regex(WHOLE_NUMBER, 'must be a whole number')
    .optional()
    .transform((text) => Number(text ?? 0))
    .meta({ type: 'integer', description: 'How many to pass over. Left out: 0.' });
}
