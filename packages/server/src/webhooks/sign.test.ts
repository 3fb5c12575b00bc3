import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signDelivery } from './sign.ts';

const SECRET = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';

describe('a signature', () => {
  it('is the HMAC of timestamp, dot and body, keyed with the secret as it is shown', () => {
    const expected = createHmac('sha256', Buffer.from(SECRET, 'utf8'))
      .update('1750000000000.{"a":"é😀"}')
      .digest('hex');
    expect(signDelivery(SECRET, 1_750_000_000_000, '{"a":"é😀"}')).toBe(expected);
    expect(expected).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is this one, whatever else changes', () => {
    expect(signDelivery('whsec_test', 1, '{}')).toBe(
      '7500d5d4be4b3ef07af1fe56f7d522d135cdaa7530de557e67cc1049c52de094',
    );
  });

  it('changes with each of its parts', () => {
    const all = [
      signDelivery('a', 1, 'x'),
      signDelivery('b', 1, 'x'),
      signDelivery('a', 2, 'x'),
      signDelivery('a', 1, 'y'),
    ];
    expect(new Set(all).size).toBe(4);
  });
});
