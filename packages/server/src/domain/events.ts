/** The events that the log carries, with the scope that reading each needs. */
import type { Scope } from './scopes.ts';

export const EVENTS = {
  'message.received': { scope: 'messages:read', sentence: 'An inbound message was stored.' },
  'message.sent': { scope: 'messages:read', sentence: 'An own message was seen going out on the line.' },
} as const satisfies Record<string, { scope: Scope; sentence: string }>;
export type EventType = keyof typeof EVENTS;

/** The names a webhook may subscribe to today; the reactions' events are born with the reactions. */
export const WEBHOOK_EVENTS = ['message.received', 'message.sent', 'reaction.added', 'reaction.removed'] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

export function isEventType(text: string): text is EventType {
  return Object.hasOwn(EVENTS, text);
}

export function isWebhookEvent(text: string): text is WebhookEvent {
  return (WEBHOOK_EVENTS as readonly string[]).includes(text);
}
