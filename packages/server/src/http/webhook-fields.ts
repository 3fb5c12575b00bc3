/** What is checked of a webhook wherever it is made or changed. */
import { z } from 'zod';
import { isWebhookEvent, WEBHOOK_EVENTS } from '../domain/events.ts';
import type { NetworkGuard } from '../network/guard.ts';
import { invalidValue, textField } from './input.ts';

const URL_MAX = 2_048;
const SECRET_BYTES = 32;

const NAMES = WEBHOOK_EVENTS.map((name) => `\`${name}\``).join(', ');

export const webhookUrlField = textField(URL_MAX).describe('Where deliveries are posted to: https.');
export const webhookEventsField = z.array(z.string()).describe(`What it is to hear of: one or more of ${NAMES}.`);

/** Throws `invalid_parameter_value` where the server may not call it, as far as can be told now. */
export async function refuseBadUrl(guard: NetworkGuard, url: string): Promise<void> {
  const refusal = await guard.refuseUrl(url);
  if (refusal) throw invalidValue('url', refusal);
}

/** Each once. Throws `invalid_parameter_value` where there is none, or one that no webhook can have. */
export function webhookEventNames(events: readonly string[]): string[] {
  const known = `one or more of ${WEBHOOK_EVENTS.join(', ')}`;
  if (events.length === 0) throw invalidValue('events', `must name ${known}`);
  const unknown = events.find((name) => !isWebhookEvent(name));
  if (unknown !== undefined) throw invalidValue('events', `names an event that no webhook can have; it takes ${known}`);
  return [...new Set(events)];
}

export function makeWebhookSecret(randomBytes: (size: number) => Uint8Array): string {
  return `whsec_${Buffer.from(randomBytes(SECRET_BYTES)).toString('base64')}`;
}
