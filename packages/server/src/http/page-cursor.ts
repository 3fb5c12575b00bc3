/** Cursors of pages: opaque to clients, bound to the list they come from, and checked, so that a bent one is refused. */
import { createHash } from 'node:crypto';
import { ApiError } from '../domain/errors.ts';

const CHECK_CHARACTERS = 8;

/** `list` names the list and what it is filtered by; the numbers are the place after which the next page begins. */
export function encodeCursor(list: string, place: readonly number[]): string {
  const text = place.join('.');
  return Buffer.from(`${text}.${check(list, text)}`).toString('base64url');
}

/** Throws `invalid_parameter_value` with param `cursor` where the cursor is not one of this list. */
export function decodeCursor(list: string, cursor: string, places: number): readonly number[] {
  const parts = Buffer.from(cursor, 'base64url').toString('latin1').split('.');
  const sum = parts.pop();
  const numbers = parts.map(Number);
  const isOurs = parts.length === places && numbers.every(Number.isSafeInteger) && sum === check(list, parts.join('.'));
  if (!isOurs) {
    const message = "The 'cursor' field is not a cursor of this list.";
    throw new ApiError('invalid_parameter_value', { param: 'cursor', message });
  }
  return numbers;
}

function check(list: string, text: string): string {
  return createHash('sha256').update(`${list} ${text}`).digest('base64url').slice(0, CHECK_CHARACTERS);
}
