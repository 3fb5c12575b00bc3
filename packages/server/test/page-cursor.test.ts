/** Cursors of pages: opaque, of one list, and refused when they were bent. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../src/domain/errors.ts';
import { decodeCursor, encodeCursor } from '../src/http/page-cursor.ts';

const place = fc.array(fc.maxSafeInteger(), { minLength: 1, maxLength: 3 });

function refusal(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error instanceof ApiError ? { code: error.code, param: error.param } : error;
  }
}
const REFUSED = { code: 'invalid_parameter_value', param: 'cursor' };

describe('a page cursor', () => {
  it('gives back its place, and is fit for a URL', () => {
    fc.assert(
      fc.property(fc.string(), place, (list, numbers) => {
        const cursor = encodeCursor(list, numbers);
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
        expect(decodeCursor(list, cursor, numbers.length)).toEqual(numbers.map((number) => number + 0));
      }),
    );
  });

  it('of another list is refused', () => {
    const cursor = encodeCursor('messages cht_a', [1, 2]);
    expect(refusal(() => decodeCursor('messages cht_b', cursor, 2))).toEqual(REFUSED);
    expect(refusal(() => decodeCursor('chats cht_a', cursor, 2))).toEqual(REFUSED);
    expect(refusal(() => decodeCursor('messages cht_a', cursor, 1))).toEqual(REFUSED);
  });

  it('that was bent is refused, or means what it meant', () => {
    const list = 'messages cht_a';
    const cursor = encodeCursor(list, [1_750_000_000_000, 42]);
    fc.assert(
      fc.property(fc.nat(cursor.length - 1), fc.constantFrom(...'AZaz09_-.=% \0é'), (at, character) => {
        const bent = cursor.slice(0, at) + character + cursor.slice(at + 1);
        const result = refusal(() => decodeCursor(list, bent, 2));
        if (Array.isArray(result)) expect(result).toEqual([1_750_000_000_000, 42]);
        else expect(result).toEqual(REFUSED);
      }),
    );
  });

  it('that is anything at all is refused and never a crash', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(refusal(() => decodeCursor('chats ln_1', text, 2))).toEqual(REFUSED);
      }),
    );
  });
});
