/** Webhooks and deliveries as `/admin/v1` gives and takes them. Times are Unix milliseconds. */
import type { Webhook } from './resources.ts';
import type { AnyWebhookEvent, ExtendedWebhookEventName, WebhookEventName } from './webhook-events.ts';

/** `new` was not tried yet; `retry` is due again; `dropped` was due when its webhook ended. */
export type DeliveryState = 'new' | 'retry' | 'delivered' | 'failed' | 'dropped';

/**
 * `v1` is of a line; `account` of the account's messages on all lines; `callback` of the sends that name an address at
 * this origin.
 */
export type WebhookKind = 'v1' | 'account' | 'callback';

/** What came of the last attempt. */
export interface LastAttempt {
  /** Null: there was none. */
  lastAttemptAt: number | null;
  /** The HTTP status. Null: there was no answer. */
  lastStatus: number | null;
  /** Why it failed, in a sentence. Null: it did not. */
  lastError: string | null;
}

/** What became of a webhook's newest delivery. */
export interface NewestDelivery extends LastAttempt {
  /** `dlv_…` */
  id: string;
  state: DeliveryState;
}

/** A webhook, with what only an operator sees of it. */
export interface AdminWebhook extends Omit<Webhook, 'secret'> {
  kind: WebhookKind;
  /** Null: it is of all lines. */
  lineHandle: string | null;
  /** Why it is not active, in a sentence. Null: it is. */
  disabledReason: string | null;
  /** Since when nothing has arrived. Null: deliveries arrive. */
  failingSince: number | null;
  /** Until when two secrets count. Null: one does. */
  previousSecretEndsAt: number | null;
  newestDelivery: NewestDelivery | null;
  createdAt: number;
}

/** One event on its way to one webhook. */
export interface Delivery extends LastAttempt {
  /** `dlv_…`, the same over all attempts. */
  id: string;
  webhookId: string;
  kind: WebhookKind;
  /** Where it is posted to. */
  url: string;
  /** The name of the event. */
  event: string;
  /** `evt_…` */
  eventId: string;
  state: DeliveryState;
  attempts: number;
  /** Null: none is due. */
  nextAttemptAt: number | null;
  lastDurationMs: number | null;
  /** When it was last asked for again. */
  resentAt: number | null;
  createdAt: number;
}

/** A delivery with what is posted, which has the client's keys here. */
export interface DeliveryWithBody extends Delivery {
  /** With the timestamp of the last attempt. What is posted to webhooks of an account and to callbacks is the message alone. */
  body: AnyWebhookEvent | Record<string, unknown>;
}

export interface DeliveryAttempt {
  /** From 1. */
  attempt: number;
  startedAt: number;
  durationMs: number;
  /** The HTTP status. Null: there was no answer. */
  status: number | null;
  /** Why it failed, in a sentence. Null: it did not. */
  error: string | null;
  /** The beginning of what came back. Of a success nothing is kept. */
  answer: string | null;
}

export interface ListAdminWebhooksParams {
  /** Only those of this line: its handle or `ln_` id. */
  line?: string | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

export interface UpdateWebhookParams {
  id: string;
  /** Switched off, what is due to it is dropped. */
  isActive?: boolean | undefined;
  url?: string | undefined;
  events?: readonly (WebhookEventName | ExtendedWebhookEventName)[] | undefined;
}

export interface RotateSecretParams {
  id: string;
  /** How long the old secret counts beside the new one: 0 to 168; 24 by default. */
  overlapHours?: number | undefined;
}

export interface ListDeliveriesParams {
  /** Only those to this webhook. */
  webhook?: string | undefined;
  state?: DeliveryState | undefined;
  /** Only those of this event. */
  event?: WebhookEventName | ExtendedWebhookEventName | 'item.received' | 'item.status' | undefined;
  /** Only those that were made then or later. */
  since?: number | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
}

export interface ResendDeliveriesParams {
  /** The webhook. */
  id: string;
  /** Those that were made then or later. */
  since: number;
  /** By default what did not arrive: `failed` and `dropped`. With `all` also what waits for a retry. */
  state?: 'failed' | 'dropped' | 'delivered' | 'all' | undefined;
}

export interface ListAttemptsParams {
  /** The delivery. */
  id: string;
  limit?: number | undefined;
  cursor?: string | undefined;
}
