/** The first door: what a client sent, checked field by field in the documented order. */
import { SEND_STYLES } from '@trunkline/drivers';
import { z } from 'zod';
import { ApiError } from '../domain/errors.ts';
import type { Fields } from './route.ts';

export const TEXT_MAX = 20_000;
const NAME_MAX = 512;
const FIELD_NAME = /^[a-z][a-z_]{0,39}$/;
const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 100;

/** Text that can be stored and read back: no NUL, no half of a surrogate pair. */
export function textField(max: number) {
  return z
    .string()
    .max(max)
    .refine((text) => !text.includes('\0') && text.isWellFormed(), 'must not contain NUL or half a surrogate pair');
}

/** A handle, an id, a URL or the like. */
export const nameField = textField(NAME_MAX);

export const lineField = nameField.describe('The line: its handle or its `ln_` id.');
export const messageField = nameField.describe('The message: its `msg_` id or its GUID.');
export const recipientField = nameField.describe('The other side: a handle, or a chat by its `cht_` id.');
export const sendStyleField = z.enum(SEND_STYLES, `must be one of ${SEND_STYLES.join(', ')}`).optional();
export const cursorField = nameField
  .optional()
  .describe('The `next_cursor` of the page before. Left out: the first page.');

/** Clamped into its range; only what is not a number is refused. */
export function limitField(max = LIMIT_MAX, fallback = LIMIT_DEFAULT) {
  return z
    .string()
    .regex(/^[+-]?\d+(\.\d+)?$/, 'must be a number')
    .optional()
    .transform((text) => (text === undefined ? fallback : clamp(Math.trunc(Number(text)), max)))
    .meta({
      type: 'integer',
      description: `How many a page has at most: 1 to ${max}, clamped. Left out: ${fallback}.`,
    });
}

function clamp(value: number, max: number): number {
  return Math.min(Math.max(value, 1), max);
}

export type InputParser = (raw: unknown) => Readonly<Record<string, unknown>>;

/**
 * Made once per route. Throws `missing_required_parameter` for the first required field that is absent, else
 * `invalid_parameter_value` for the first value that is wrong.
 */
export function inputParser(schema: Fields, anyOf: readonly string[] = []): InputParser {
  const fields = Object.entries(schema.shape).map(([name, field]) => ({
    name,
    isOptional: field instanceof z.ZodType && field.safeParse(undefined).success,
  }));
  return (raw) => {
    const input = isRecord(raw) ? raw : {};
    const present: Record<string, unknown> = {};
    for (const { name, isOptional } of fields) {
      const value = Object.hasOwn(input, name) ? input[name] : undefined;
      const isAbsent = isOptional ? isBlank(value) : value === undefined || value === null;
      if (!isAbsent) present[name] = value;
      else if (!isOptional) throw missing(name);
    }
    const [named] = anyOf;
    if (named !== undefined && !anyOf.some((name) => Object.hasOwn(present, name))) throw missing(named);
    const parsed = schema.safeParse(present);
    if (parsed.success) return parsed.data;
    throw invalid(parsed.error);
  };
}

function missing(param: string): ApiError {
  return new ApiError('missing_required_parameter', { param, message: `The '${param}' field is required.` });
}

export function invalidValue(param: string, why: string): ApiError {
  return new ApiError('invalid_parameter_value', { param, message: `The '${param}' field ${why}.` });
}

function invalid(error: z.ZodError): ApiError {
  const issue = error.issues[0];
  const param = String(issue?.path[0] ?? 'body');
  const why = issue?.code === 'unrecognized_keys' ? unknownFields(issue.keys) : issue?.message;
  return invalidValue(param, `is not valid: ${why ?? 'it cannot be used'}`);
}

/** What looks like a field is named; anything else could be what somebody meant to send. */
function unknownFields(names: readonly string[]): string {
  const named = names.find((name) => FIELD_NAME.test(name));
  return named === undefined ? 'it holds a field that is not known' : `the field '${named}' in it is not known`;
}

/** `""`, `[]` and null count as absent where a field may be left out. */
function isBlank(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

function isRecord(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}
