import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseHandle } from './handle.ts';

describe('normaliseHandle', () => {
  it.each([
    ['+15550100400', '+15550100400'],
    ['+1 (555) 010-0400', '+15550100400'],
    ['  +1 555 010 0400 ', '+15550100400'],
    ['+442071838750', '+442071838750'],
    ['+44 (0)20 7183 8750', '+442071838750'],
    ['+4407911123456', '+447911123456'],
    ['+390612345678', '+390612345678'],
  ])('reads the phone number %s as %s', (raw, handle) => {
    expect(normaliseHandle(raw)).toBe(handle);
  });

  it('takes a leading space for the plus sign that a query string swallowed', () => {
    expect(normaliseHandle(' 15550100400')).toBe('+15550100400');
    expect(normaliseHandle(' 442071838750')).toBe('+442071838750');
  });

  it.each([
    ['Ann.Lee@Example.COM', 'ann.lee@example.com'],
    [' ann+trunkline@example.co.uk ', 'ann+trunkline@example.co.uk'],
  ])('reads the e-mail %s as %s', (raw, handle) => {
    expect(normaliseHandle(raw)).toBe(handle);
  });

  it.each([
    '',
    ' ',
    '+',
    '15550100400',
    '5550100400',
    '+1555010',
    '+155501004001',
    '+15550100400 ext 5',
    'call +15550100400',
    '+1-800-FLOWERS',
    '+15550100400,+15550100401',
    'ann@',
    '@example.com',
    'ann@localhost',
    'Ann <ann@example.com>',
    'ann@example.com, bob@example.com',
    'chat123456789012345678',
    '+62000000000',
    `${'a'.repeat(260)}@example.com`,
  ])('refuses %j', (raw) => {
    expect(normaliseHandle(raw)).toBeNull();
  });

  it('leaves what it has normalised alone, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.emailAddress(), fc.stringMatching(/^\+\d{5,16}$/)), (raw) => {
        const handle = normaliseHandle(raw);
        expect(handle === null || normaliseHandle(handle) === handle).toBe(true);
      }),
    );
  });

  it('gives the same answer when it is asked again', () => {
    for (let round = 0; round < 3; round += 1) {
      expect(normaliseHandle('+44 20 7183 8750')).toBe('+442071838750');
      expect(normaliseHandle('+44 20')).toBeNull();
    }
  });
});
