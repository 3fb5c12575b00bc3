/** The events that your server is told of, and those that the event stream shows besides. */
import type { EventDataMap } from './event-data.ts';

/** The events that every webhook can have. */
export const WEBHOOK_EVENT_NAMES = [
  'message.received',
  'message.sent',
  'reaction.added',
  'reaction.removed',
] as const satisfies readonly (keyof EventDataMap)[];

/** The events that a webhook gets only where it names them. */
export const EXTENDED_WEBHOOK_EVENT_NAMES = [
  'message.failed',
  'message.delivered',
  'message.read',
  'message.edited',
  'message.unsent',
  'line.status',
] as const satisfies readonly (keyof EventDataMap)[];

/** The data of each of the four events. */
export type WebhookEventDataMap = Pick<EventDataMap, (typeof WEBHOOK_EVENT_NAMES)[number]>;

/** The data of each event that a webhook gets only where it names it. */
export type ExtendedWebhookEventDataMap = Pick<EventDataMap, (typeof EXTENDED_WEBHOOK_EVENT_NAMES)[number]>;

/** The data of each event that is on the stream alone. */
export type StreamOnlyEventDataMap = Omit<EventDataMap, WebhookEventName | ExtendedWebhookEventName>;

export type WebhookEventName = keyof WebhookEventDataMap;
export type ExtendedWebhookEventName = keyof ExtendedWebhookEventDataMap;
export type StreamedEventName = keyof EventDataMap;

/** The data of one event: `WebhookEventDataFor<'message.sent'>`. */
export type WebhookEventDataFor<Name extends WebhookEventName | ExtendedWebhookEventName> = EventDataMap[Name];

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

/** One event of the stream. */
export type StreamedEvent = {
  [Name in keyof EventDataMap]: {
    event: Name;
    data: EventDataMap[Name];
    /** When it was written to the log. */
    timestamp: number;
    /** Its place: give it as `after` to go on behind it, in another process too. */
    cursor: string;
  };
}[keyof EventDataMap];
