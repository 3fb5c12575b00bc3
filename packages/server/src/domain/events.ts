/** The events that the log carries, with the scope that reading each needs. */
import type { Scope } from './scopes.ts';

export const EVENTS = {
  'message.received': { scope: 'messages:read', sentence: 'An inbound message was stored.' },
  'message.sent': { scope: 'messages:read', sentence: 'An own message was seen going out on the line.' },
  'message.delivered': { scope: 'messages:read', sentence: 'An own message reached its recipient.' },
  'message.read': { scope: 'messages:read', sentence: 'An own message was read.' },
  'message.failed': { scope: 'messages:read', sentence: 'An accepted message failed; the item says why.' },
  'message.edited': { scope: 'messages:read', sentence: 'The sender of a message changed its text.' },
  'message.unsent': { scope: 'messages:read', sentence: 'The sender of a message took it back.' },
  'reaction.added': { scope: 'reactions:read', sentence: 'A reaction was put on a message.' },
  'reaction.removed': { scope: 'reactions:read', sentence: 'A reaction was taken off a message.' },
  'typing.started': { scope: 'typing:read', sentence: 'Somebody began to type in a chat.' },
  'typing.stopped': { scope: 'typing:read', sentence: 'Somebody ceased to type in a chat.' },
  'receipt.read': { scope: 'receipts:read', sentence: 'Somebody has read a chat.' },
  'line.status': { scope: 'lines:read', sentence: 'A line went online, offline, or runs with trouble.' },
} as const satisfies Record<string, { scope: Scope; sentence: string }>;
export type EventType = keyof typeof EVENTS;

/**
 * What is told of an account's items, each as a whole in the form of the dialect that asks for it. It is in the log only
 * where somebody asked, for the webhooks of accounts and for callbacks: neither a stream nor a line's webhook shows it.
 */
export const ITEM_EVENTS = {
  'item.received': { sentence: 'An inbound message was stored.' },
  'item.status': { sentence: 'The status of an own message changed.' },
} as const satisfies Record<string, { sentence: string }>;
export type ItemEventType = keyof typeof ITEM_EVENTS;

/** What happens too often, and matters too little later, to be delivered: it is on the stream alone. */
const ON_THE_STREAM_ALONE: ReadonlySet<string> = new Set<EventType>([
  'typing.started',
  'typing.stopped',
  'receipt.read',
]);

export function isEventType(text: string): text is EventType {
  return Object.hasOwn(EVENTS, text);
}

/** Whether the log can have it. */
export function isLoggedType(text: string): text is EventType | ItemEventType {
  return isEventType(text) || isItemEvent(text);
}

export function isItemEvent(text: string): text is ItemEventType {
  return Object.hasOwn(ITEM_EVENTS, text);
}

/** The names that a webhook may subscribe to. */
export const WEBHOOK_EVENTS: readonly EventType[] = Object.keys(EVENTS)
  .filter(isEventType)
  .filter((name) => !ON_THE_STREAM_ALONE.has(name));

export function isWebhookEvent(text: string): text is EventType {
  return isEventType(text) && !ON_THE_STREAM_ALONE.has(text);
}
