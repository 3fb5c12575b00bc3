/** A forwarded event in the form of a webhook delivery, so that a receiver cannot tell one from the other. */
import { createHash, createHmac } from 'node:crypto';
import type { StreamedEvent } from './event-stream.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const ID_CHARACTERS = 26;
const TIME_BITS = 80n;
const VERSION_7 = 0x70;
const VARIANT = 0x80;
const SECRET_PREFIX = 'whsec_';

export interface SignedPost {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Forwarded {
  readonly event: StreamedEvent;
  readonly deliveryId: string;
}

/** Signed anew for each attempt: the timestamp is that of the attempt, and part of what is signed. */
export function signPost({ event, deliveryId }: Forwarded, secret: string, timestamp: number): SignedPost {
  const body = JSON.stringify({ event: event.type, data: event.data, timestamp, delivery_id: deliveryId });
  const seconds = Math.floor(timestamp / 1_000);
  const standard = createHmac('sha256', standardKeyOf(secret)).update(`${deliveryId}.${seconds}.${body}`);
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'trunkline-listen',
      'x-webhook-timestamp': String(timestamp),
      'x-webhook-delivery-id': deliveryId,
      'x-webhook-signature': createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex'),
      'webhook-id': deliveryId,
      'webhook-timestamp': String(seconds),
      'webhook-signature': `v1,${standard.digest('base64')}`,
    },
  };
}

/** The key of a Standard Webhooks signature is what the secret says in base64. */
function standardKeyOf(secret: string): Buffer {
  return Buffer.from(secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : secret, 'base64');
}

/**
 * The same event has the same id whenever and by whomever it is forwarded: the time of the event, as in every id, and
 * bits of its cursor's hash where others have random ones.
 */
export function deliveryIdOf(cursor: string, event: StreamedEvent): string {
  const bits = createHash('sha256').update(cursor).digest().subarray(0, 10);
  bits[0] = VERSION_7 | ((bits[0] ?? 0) & 0x0f);
  bits[2] = VARIANT | ((bits[2] ?? 0) & 0x3f);
  let number = (BigInt(event.timestamp) << TIME_BITS) | BigInt(`0x${bits.toString('hex')}`);
  let text = '';
  for (let index = 0; index < ID_CHARACTERS; index++) {
    text = ALPHABET[Number(number & 31n)] + text;
    number >>= 5n;
  }
  return `dlv_${text}`;
}
