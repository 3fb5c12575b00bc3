/**
 * What requests to the API take, as the client takes it. Times are Unix milliseconds, and null says that there is
 * no value. Made by `npm run generate` from `openapi/v1.json`: what stands here is changed in the server's
 * schemas.
 */
import type { ReactionType, SendStyle } from './resources.ts';
import type { ExtendedWebhookEventName, WebhookEventName } from './webhook-events.ts';

/** What `listChats` takes. */
export interface ListChatsParams {
  /** The line: its handle or its `ln_` id. */
  from: string;
  /** How many a page has at most: 1 to 100, clamped. Left out: 50. */
  limit?: number | undefined;
  /** The `nextCursor` of the page before. Left out: the first page. */
  cursor?: string | undefined;
}

/** What `sendMessage` takes. */
export interface SendMessageParams {
  /** The line: its handle or its `ln_` id. */
  from: string;
  /** The other side: a handle, or a chat by its `cht_` id. */
  to: string;
  /** What it says. Required unless `attachments` is there. At most 20,000 characters. */
  text?: string | undefined;
  /** The id of an uploaded file, one at most. Required unless `text` is there. */
  attachments?: readonly string[] | undefined;
  /** The message of the same chat to reply to: its `msg_` id or its GUID. */
  replyTo?: string | undefined;
  /** The effect to send it with, an extension of this server. On a line that has none it goes without. */
  sendStyle?: SendStyle | undefined;
}

/** What `listMessages` takes. */
export interface ListMessagesParams {
  /** The line: its handle or its `ln_` id. */
  from: string;
  /** The other side: a handle, or a chat by its `cht_` id. */
  to: string;
  /** How many a page has at most: 1 to 100, clamped. Left out: 50. */
  limit?: number | undefined;
  /** The `nextCursor` of the page before. Left out: the first page. */
  cursor?: string | undefined;
}

/** What `getMessage` takes. */
export interface GetMessageParams {
  /** The message: its `msg_` id or its GUID. */
  id: string;
  /** The line: its handle or its `ln_` id. */
  from?: string | undefined;
}

/** What `sendAudioMessage` takes. */
export interface SendAudioMessageParams {
  /** The line: its handle or its `ln_` id. */
  from: string;
  /** The other side: a handle, or a chat by its `cht_` id. */
  to: string;
  /** The id of an uploaded file that is sound: m4a, mp3, wav, caf or aiff (`file_…`). */
  audioMessage: string;
  /** The message of the same chat to reply to: its `msg_` id or its GUID. */
  replyTo?: string | undefined;
}

/** What `sendReaction` takes. */
export interface SendReactionParams {
  /** The line: its handle or its `ln_` id. */
  from: string;
  /** The other side: a handle, or a chat by its `cht_` id. */
  to: string;
  /** The message: its `msg_` id or its GUID. */
  messageId: string;
  /** Which tapback. */
  type: ReactionType;
}

/** What `listReactions` takes. */
export interface ListReactionsParams {
  /** The message: its `msg_` id or its GUID. */
  messageId: string;
  /** The line: its handle or its `ln_` id. */
  from?: string | undefined;
}

/** What `sendTyping` takes. */
export interface SendTypingParams {
  /** The line: its handle or its `ln_` id. */
  from: string;
  /** The other side: a handle, or a chat by its `cht_` id. */
  to: string;
  /** Left out: `on`. */
  state?: 'on' | 'off' | undefined;
}

/** What `listTypingIndicators` takes. */
export interface ListTypingIndicatorsParams {
  /** The line: its handle or its `ln_` id. */
  from: string;
  /** The other side: a handle, or a chat by its `cht_` id. */
  to: string;
}

/** What `sendReadReceipt` takes. */
export interface SendReadReceiptParams {
  /** The line: its handle or its `ln_` id. */
  from: string;
  /** The other side: a handle, or a chat by its `cht_` id. */
  to: string;
}

/** What `listReadReceipts` takes. */
export interface ListReadReceiptsParams {
  /** The line: its handle or its `ln_` id. */
  from: string;
  /** The other side: a handle, or a chat by its `cht_` id. */
  to: string;
}

/** What `createWebhook` takes. */
export interface CreateWebhookParams {
  /** The line: its handle or its `ln_` id. */
  from: string;
  /** Where deliveries are posted to: https. At most 2,048 characters. */
  url: string;
  /**
   * What it is to hear of: one or more of `message.received`, `message.sent`, `message.delivered`, `message.read`,
   * `message.failed`, `message.edited`, `message.unsent`, `reaction.added`, `reaction.removed`, `line.status`.
   */
  events: readonly (WebhookEventName | ExtendedWebhookEventName)[];
}

/** What `listWebhooks` takes. */
export interface ListWebhooksParams {
  /** The line: its handle or its `ln_` id. */
  from: string;
}
