/** How a receiver knows that a delivery comes from here: two families of headers over the same body, each whole by itself. */
import { createHmac } from 'node:crypto';

const STANDARD_PREFIX = 'whsec_';

/** A webhook's secret, ready to sign with. */
export interface SigningSecret {
  /** As it is shown: its UTF-8 bytes are the key of our own signature. */
  readonly text: string;
  /** What the part after `whsec_` says in base64: the key of a Standard Webhooks signature. */
  readonly standardKey: Buffer;
}

/** What a webhook is signed with: its secret, and for a while after a rotation the one before. */
export interface SigningSecrets {
  readonly current: SigningSecret;
  /** `endsAt` in Unix milliseconds. */
  readonly previous: { readonly secret: SigningSecret; readonly endsAt: number } | null;
}

export interface SignedDelivery {
  readonly id: string;
  /** Of the attempt, in Unix milliseconds. */
  readonly timestamp: number;
  readonly body: string;
}

export function readySecret(text: string): SigningSecret {
  const encoded = text.startsWith(STANDARD_PREFIX) ? text.slice(STANDARD_PREFIX.length) : text;
  return { text, standardKey: Buffer.from(encoded, 'base64') };
}

/**
 * The previous secret has a header of its own in our family, whose verifiers compare a whole header with one signature;
 * Standard Webhooks has a list.
 */
export function signatureHeaders(secrets: SigningSecrets, delivery: SignedDelivery): Record<string, string> {
  const { id, timestamp, body } = delivery;
  const previous = secrets.previous !== null && timestamp < secrets.previous.endsAt ? secrets.previous.secret : null;
  const valid = previous === null ? [secrets.current] : [secrets.current, previous];
  return {
    'x-webhook-timestamp': String(timestamp),
    'x-webhook-delivery-id': id,
    'x-webhook-signature': signDelivery(secrets.current.text, timestamp, body),
    ...(previous === null ? {} : { 'x-webhook-signature-previous': signDelivery(previous.text, timestamp, body) }),
    'webhook-id': id,
    'webhook-timestamp': String(secondsOf(timestamp)),
    'webhook-signature': valid.map((secret) => signStandard(secret, delivery)).join(' '),
  };
}

/**
 * `X-Webhook-Signature`: HMAC-SHA256 over `<timestamp>.<body>` in lower-case hex. The key is the secret as it is shown,
 * `whsec_` and all, in UTF-8.
 */
export function signDelivery(secret: string, timestamp: number, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
}

/** One entry of `webhook-signature`: HMAC-SHA256 over `<id>.<seconds>.<body>` in base64, with the decoded secret. */
function signStandard({ standardKey }: SigningSecret, { id, timestamp, body }: SignedDelivery): string {
  const signed = `${id}.${secondsOf(timestamp)}.${body}`;
  return `v1,${createHmac('sha256', standardKey).update(signed).digest('base64')}`;
}

function secondsOf(timestamp: number): number {
  return Math.floor(timestamp / 1_000);
}
