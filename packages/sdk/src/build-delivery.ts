/** Deliveries of your own making, signed as the server signs them: for the tests of a handler. */
import { toSnakeCaseKeys } from './key-case.ts';
import type { ExtendedWebhookEventName, WebhookEventDataFor, WebhookEventName } from './webhook-events.ts';
import { ownSignature, standardSignature, toBase64, toHex } from './webhook-signature.ts';

export interface BuildWebhookDeliveryOptions {
  /** When the delivery says that it was made, in Unix milliseconds; now by default. */
  readonly timestamp?: number | undefined;
  /** A new `dlv_…` by default. */
  readonly deliveryId?: string | undefined;
}

export interface WebhookDelivery {
  /** Exactly these characters are signed. */
  body: string;
  /** In lower case, as Node gives them to a handler. */
  headers: Record<string, string>;
}

/** The signature of a delivery: lower-case hex HMAC-SHA256 of `<timestampMs>.<rawBody>`. */
export async function signWebhook(secret: string, timestampMs: number, rawBody: string | Uint8Array): Promise<string> {
  const bytes = typeof rawBody === 'string' ? new TextEncoder().encode(rawBody) : rawBody;
  return toHex(await ownSignature(secret, String(timestampMs), bytes));
}

/** What a server would post for this event. `verifyWebhook` takes it, and so does any other verifier. */
export async function buildWebhookDelivery<Name extends WebhookEventName | ExtendedWebhookEventName>(
  event: Name,
  data: WebhookEventDataFor<Name>,
  secret: string,
  { timestamp = Date.now(), deliveryId = newDeliveryId() }: BuildWebhookDeliveryOptions = {},
): Promise<WebhookDelivery> {
  const body = JSON.stringify({ event, data: toSnakeCaseKeys(data), timestamp, delivery_id: deliveryId });
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'x-webhook-timestamp': String(timestamp),
    'x-webhook-delivery-id': deliveryId,
    'x-webhook-signature': await signWebhook(secret, timestamp, body),
  };
  return { body, headers: { ...headers, ...(await standardHeaders(secret, deliveryId, timestamp, body)) } };
}

/** None where the secret is a word of your own and no base64. */
async function standardHeaders(
  secret: string,
  id: string,
  timestamp: number,
  body: string,
): Promise<Record<string, string>> {
  const seconds = String(Math.floor(timestamp / 1_000));
  const signature = await standardSignature(secret, id, seconds, new TextEncoder().encode(body));
  if (!signature) return {};
  return { 'webhook-id': id, 'webhook-timestamp': seconds, 'webhook-signature': `v1,${toBase64(signature)}` };
}

function newDeliveryId(): string {
  const letters = '0123456789abcdefghjkmnpqrstvwxyz';
  const random = Array.from(crypto.getRandomValues(new Uint8Array(26)), (byte) => letters.charAt(byte % 32));
  return `dlv_${random.join('')}`;
}
