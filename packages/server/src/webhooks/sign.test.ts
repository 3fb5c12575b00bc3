import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { readySecret, signatureHeaders, signDelivery } from './sign.ts';

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

describe('the headers of a delivery', () => {
  const OLDER = 'whsec_b2xkZXIgc2VjcmV0IG9mIHRoaXMgd2ViaG9vaywgMzI=';
  const delivery = { id: 'dlv_1', timestamp: Date.now(), body: '{"a":"é😀\u2028"}' };
  const verifies = (secret: string, headers: Record<string, string>) => {
    try {
      new Webhook(secret).verify(delivery.body, headers);
      return true;
    } catch {
      return false;
    }
  };

  it('verify by our own rule and by the reference library of Standard Webhooks', () => {
    const headers = signatureHeaders({ current: readySecret(SECRET), previous: null }, delivery);
    expect(headers['x-webhook-signature']).toBe(signDelivery(SECRET, delivery.timestamp, delivery.body));
    expect(headers['webhook-id']).toBe(delivery.id);
    expect(headers['webhook-timestamp']).toBe(String(Math.floor(delivery.timestamp / 1_000)));
    expect(verifies(SECRET, headers)).toBe(true);
    expect(verifies(OLDER, headers)).toBe(false);
    expect(headers).not.toHaveProperty('x-webhook-signature-previous');
  });

  it('verify with both secrets until the previous one ends, to the millisecond', () => {
    const whose = (endsAt: number) => {
      const previous = { secret: readySecret(OLDER), endsAt };
      return signatureHeaders({ current: readySecret(SECRET), previous }, delivery);
    };
    const during = whose(delivery.timestamp + 1);
    expect(during['x-webhook-signature']).toBe(signDelivery(SECRET, delivery.timestamp, delivery.body));
    expect(during['x-webhook-signature-previous']).toBe(signDelivery(OLDER, delivery.timestamp, delivery.body));
    expect(during['webhook-signature']).toMatch(/^v1,\S{44} v1,\S{44}$/);
    expect([SECRET, OLDER].map((secret) => verifies(secret, during))).toEqual([true, true]);
    const after = whose(delivery.timestamp);
    expect(after).not.toHaveProperty('x-webhook-signature-previous');
    expect([SECRET, OLDER].map((secret) => verifies(secret, after))).toEqual([true, false]);
  });
});
