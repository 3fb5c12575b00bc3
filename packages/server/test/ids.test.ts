/** Public ids: a prefix that says what they name, and an order that is the order of their time. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createIds, hasPrefix, ID_PREFIXES, type IdKind } from '../src/domain/ids.ts';

const KINDS = Object.keys(ID_PREFIXES) as IdKind[];
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** The 128 bits behind an id's prefix, in hex, decoded with nothing of ours. */
function uuidOf(id: string): string {
  let bits = 0n;
  for (const character of id.slice(id.indexOf('_') + 1)) bits = bits * 32n + BigInt(ALPHABET.indexOf(character));
  return bits.toString(16).padStart(32, '0');
}

describe('a public id', () => {
  it.each(KINDS)('of kind %s has its prefix and 26 characters of Crockford base32', (kind) => {
    const id = createIds(() => 1_750_000_000_000, randomBytes).make(kind);
    expect(id).toMatch(new RegExp(`^${ID_PREFIXES[kind]}_[0-7][0-9a-hjkmnp-tv-z]{25}$`));
    expect(KINDS.filter((other) => hasPrefix(other, id))).toEqual([kind]);
  });

  it('is a UUIDv7 with its time in front', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (at) => {
        const uuid = uuidOf(createIds(() => at, randomBytes).make('message'));
        expect(Number.parseInt(uuid.slice(0, 12), 16)).toBe(at);
        expect(uuid[12]).toBe('7');
        expect('89ab').toContain(uuid[16] ?? '-');
      }),
    );
  });

  it('sorts by the time at which it was made', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 2 ** 48 - 1 }), { minLength: 2 }), (times) => {
        let at = 0;
        const ids = createIds(() => at, randomBytes);
        const made = times.map((time) => {
          at = time;
          return { time, id: ids.make('event') };
        });
        const byId = made.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map(({ time }) => time);
        expect(byId).toEqual(times.toSorted((a, b) => a - b));
      }),
    );
  });

  it('is never made twice, within one millisecond or beyond the drawn randomness', () => {
    const ids = createIds(() => 1_750_000_000_000, randomBytes);
    const made = new Set(Array.from({ length: 5_000 }, () => ids.make('outbox')));
    expect(made.size).toBe(5_000);
  });

  it('has a sibling without a prefix: a UUIDv7 in lower case', () => {
    let at = 1_750_000_000_000;
    const ids = createIds(() => at++, randomBytes);
    const uuids = Array.from({ length: 1_000 }, () => ids.uuid());
    for (const uuid of uuids) {
      expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
    expect(uuids.toSorted()).toEqual(uuids);
  });
});
