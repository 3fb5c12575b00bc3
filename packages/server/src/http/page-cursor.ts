/** Cursors of pages: opaque to clients, bound to the list they come from, and checked, so that a bent one is refused. */
import { createHash } from 'node:crypto';
import { ApiError } from '../domain/errors.ts';

const CHECK_CHARACTERS = 8;

/** `list` names the list and what it is filtered by; the numbers are the place after which the next page begins. */
export function encodeCursor(list: string, place: readonly number[]): string {
  return sealCursor(list, place.join('.'));
}

/** Throws `invalid_parameter_value` with param `cursor` where the cursor is not one of this list. */
export function decodeCursor(list: string, cursor: string, places: number): readonly number[] {
  const numbers = openCursor(list, cursor).split('.').map(Number);
  if (numbers.length !== places || !numbers.every(Number.isSafeInteger)) throw notOurs();
  return numbers;
}

/** For a place that only somebody else can read: any ASCII text. */
export function sealCursor(list: string, place: string): string {
  return Buffer.from(`${place}.${check(list, place)}`).toString('base64url');
}

/** Throws like `decodeCursor`. */
export function openCursor(list: string, cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  const place = text.slice(0, -(CHECK_CHARACTERS + 1));
  if (text !== `${place}.${check(list, place)}`) throw notOurs();
  return place;
}

function notOurs(): ApiError {
  const message = "The 'cursor' field is not a cursor of this list.";
  return new ApiError('invalid_parameter_value', { param: 'cursor', message });
}

function check(list: string, text: string): string {
  return createHash('sha256').update(`${list} ${text}`).digest('base64url').slice(0, CHECK_CHARACTERS);
}
