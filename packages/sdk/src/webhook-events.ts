/** The events that your server is told of, and those that the event stream shows besides. */
import type { Line, Message, Reaction, ReadReceipt, StoredOutboxItem, TypingIndicator } from './resources.ts';

/** The events that every webhook can have. */
export const WEBHOOK_EVENT_NAMES = [
  'message.received',
  'message.sent',
  'reaction.added',
  'reaction.removed',
] as const satisfies readonly WebhookEventName[];

/** The events that a webhook gets only where it names them. */
export const EXTENDED_WEBHOOK_EVENT_NAMES = [
  'message.failed',
  'message.delivered',
  'message.read',
  'message.edited',
  'message.unsent',
  'line.status',
] as const satisfies readonly ExtendedWebhookEventName[];

/** The data of `message.received` and `message.sent`. */
export interface MessageEventData extends Message {
  /** The handle of the line that it was seen on. */
  lineHandle: string;
}

/** The data of `reaction.added` and `reaction.removed`. */
export interface ReactionEventData extends Reaction {
  /** The chat of the message that it is on. */
  chatId: string;
  /** The handle of the line that it was seen on. */
  lineHandle: string;
}

/** The data of `message.failed`: the outbox item that was not sent. */
export interface MessageFailedEventData extends Omit<StoredOutboxItem, 'requestId'> {
  lineHandle: string;
  /** The chat that it was for; null where there is none yet. */
  chatId: string | null;
  /** What was seen of it; null where nothing was. */
  message: Message | null;
}

/** The data of `line.status`. */
export interface LineStatusEventData extends Line {
  /** How the line is, why, and since when. */
  health: { state: 'online' | 'degraded' | 'offline'; reason: string | null; since: number };
}

/** The data of each of the four events. */
export interface WebhookEventDataMap {
  'message.received': MessageEventData;
  'message.sent': MessageEventData;
  'reaction.added': ReactionEventData;
  'reaction.removed': ReactionEventData;
}

/** The data of each event that a webhook gets only where it names it. */
export interface ExtendedWebhookEventDataMap {
  'message.failed': MessageFailedEventData;
  'message.delivered': MessageEventData & { deliveredAt: number };
  'message.read': MessageEventData & { readAt: number };
  'message.edited': MessageEventData & { editedAt: number };
  'message.unsent': MessageEventData & { unsentAt: number };
  'line.status': LineStatusEventData;
}

/** The data of each event that is on the stream alone. */
export interface StreamOnlyEventDataMap {
  'typing.started': TypingIndicator & { lineHandle: string };
  'typing.stopped': TypingIndicator & { lineHandle: string };
  'receipt.read': ReadReceipt & { lineHandle: string };
}

export type WebhookEventName = keyof WebhookEventDataMap;
export type ExtendedWebhookEventName = keyof ExtendedWebhookEventDataMap;
export type StreamedEventName = WebhookEventName | ExtendedWebhookEventName | keyof StreamOnlyEventDataMap;

/** The data of one event: `WebhookEventDataFor<'message.sent'>`. */
export type WebhookEventDataFor<Name extends WebhookEventName | ExtendedWebhookEventName> = (WebhookEventDataMap &
  ExtendedWebhookEventDataMap)[Name];

interface Delivered<Name, Data> {
  event: Name;
  data: Data;
  /** When this attempt was made. */
  timestamp: number;
  /** The same over all attempts: use it to recognise a repeat. */
  deliveryId: string;
}

type Union<DataMap> = { [Name in keyof DataMap]: Delivered<Name, DataMap[Name]> }[keyof DataMap];

/** What `verifyWebhook` gives; `event` tells its kinds apart. */
export type WebhookEvent = Union<WebhookEventDataMap>;
/** What a webhook gets that names events beyond the four: `verifyWebhook<AnyWebhookEvent>(…)`. */
export type AnyWebhookEvent = WebhookEvent | Union<ExtendedWebhookEventDataMap>;
export type MessageReceivedEvent = Extract<WebhookEvent, { event: 'message.received' }>;
export type MessageSentEvent = Extract<WebhookEvent, { event: 'message.sent' }>;
export type ReactionAddedEvent = Extract<WebhookEvent, { event: 'reaction.added' }>;
export type ReactionRemovedEvent = Extract<WebhookEvent, { event: 'reaction.removed' }>;

type StreamedDataMap = WebhookEventDataMap & ExtendedWebhookEventDataMap & StreamOnlyEventDataMap;

/** One event of the stream. */
export type StreamedEvent = {
  [Name in keyof StreamedDataMap]: {
    event: Name;
    data: StreamedDataMap[Name];
    /** When it was written to the log. */
    timestamp: number;
    /** Its place: give it as `after` to go on behind it, in another process too. */
    cursor: string;
  };
}[keyof StreamedDataMap];
