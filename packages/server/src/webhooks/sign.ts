import { createHmac } from 'node:crypto';

/**
 * `X-Webhook-Signature`: HMAC-SHA256 over `<timestamp>.<body>` in lower-case hex. The key is the secret as it is shown,
 * `whsec_` and all, in UTF-8.
 */
export function signDelivery(secret: string, timestamp: number, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
}
