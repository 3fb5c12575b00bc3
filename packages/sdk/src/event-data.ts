/**
 * The data of every event, as the client gives it. Times are Unix milliseconds, and null says that there is no
 * value. Made by `npm run generate` from `openapi/v1.json`: what stands here is changed in the server's schemas.
 */
import type { Line, Message, Reaction, ReadReceipt, TypingIndicator } from './resources.ts';
import type { StoredOutboxItem } from './stored-outbox-item.ts';

/** The data of `message.received` and `message.sent`. */
export interface MessageEventData extends Message {
  /** The line's handle. */
  lineHandle: string;
}

/** The data of `message.delivered`. */
export interface MessageDeliveredEventData extends MessageEventData {
  /** When it arrived. Unix milliseconds. */
  deliveredAt: number;
}

/** The data of `message.read`. */
export interface MessageReadEventData extends MessageEventData {
  /** When it was read. Unix milliseconds. */
  readAt: number;
}

/** The data of `message.failed`. */
export interface MessageFailedEventData extends Omit<StoredOutboxItem, 'requestId'> {
  /** The line's handle. */
  lineHandle: string;
  /** The chat that it was for (`cht_…`). Null: there is none yet. */
  chatId: string | null;
  /** Null: it was not seen on the line. */
  message: Message | null;
}

/** The data of `message.edited`. */
export interface MessageEditedEventData extends MessageEventData {
  /** When it was changed. Unix milliseconds. */
  editedAt: number;
}

/** The data of `message.unsent`. */
export interface MessageUnsentEventData extends MessageEventData {
  /** When it was taken back. Unix milliseconds. */
  unsentAt: number;
}

/** The data of `reaction.added` and `reaction.removed`. */
export interface ReactionEventData extends Reaction {
  /** The chat of the message (`cht_…`). */
  chatId: string;
  /** The line's handle. */
  lineHandle: string;
}

/** The data of `typing.started` and `typing.stopped`. */
export interface TypingEventData extends TypingIndicator {
  /** The line's handle. */
  lineHandle: string;
}

/** The data of `receipt.read`. */
export interface ReceiptReadEventData extends ReadReceipt {
  /** The line's handle. */
  lineHandle: string;
}

/** The data of `line.status`. */
export interface LineStatusEventData extends Line {
  /** How the line is. */
  health: {
    /** How it is now. */
    state: 'online' | 'degraded' | 'offline';
    /** Why, in a sentence. Null: nothing is wrong. */
    reason: string | null;
    /** Since when. Unix milliseconds. */
    since: number;
  };
}

/** The data of each event by its name. */
export interface EventDataMap {
  /** The message that came in. */
  'message.received': MessageEventData;
  /** The own message that was seen going out: sent by the API (`outboxId`) or typed by a person. */
  'message.sent': MessageEventData;
  /** The own message that arrived. */
  'message.delivered': MessageDeliveredEventData;
  /** The own message that was read. */
  'message.read': MessageReadEventData;
  /** The item of the message that failed; `error` says why. */
  'message.failed': MessageFailedEventData;
  /** The message with its new text. */
  'message.edited': MessageEditedEventData;
  /** The message that was taken back: its text and files are gone. */
  'message.unsent': MessageUnsentEventData;
  /** The reaction that was made, by whoever. */
  'reaction.added': ReactionEventData;
  /** The reaction that was taken back: `added` is false. */
  'reaction.removed': ReactionEventData;
  /** Who began to type. */
  'typing.started': TypingEventData;
  /** Who ceased to type. */
  'typing.stopped': TypingEventData;
  /** Who has read the chat. */
  'receipt.read': ReceiptReadEventData;
  /** The line whose health changed. */
  'line.status': LineStatusEventData;
}
