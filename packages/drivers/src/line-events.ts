/** What a driver tells the server of its line. Every event carries the driver's cursor. */
import type { SendStyle } from './effect.ts';
import type { ChatAddress } from './line-driver.ts';
import type { Service } from './service.ts';
import type { Tapback } from './tapback.ts';

/** A chat as the line describes it. `participants` are the other parties' handles, never the line's own. */
export interface ObservedChat extends ChatAddress {
  readonly name: string | null;
  readonly participants: readonly string[];
  readonly service: Service;
}

/** A file that came with a message. Its bytes are in the server's store before the message is reported. */
export interface SeenAttachment {
  /** The server's id of the file (`file_...`), or null while its bytes are not there. */
  readonly file: string | null;
  readonly filename: string | null;
  readonly mimeType: string | null;
  /** Bytes. */
  readonly size: number | null;
  /** What the line made out of a voice memo, where it is ready. */
  readonly transcription: string | null;
}

/** A message seen on the line, inbound or our own. The same GUID may be reported any number of times. */
export interface MessageSeen {
  readonly kind: 'message';
  readonly cursor: string;
  readonly guid: string;
  readonly chat: ObservedChat;
  readonly isFromMe: boolean;
  /** The peer's handle; for an own message the line's. */
  readonly sender: string;
  readonly text: string | null;
  readonly attachments: readonly SeenAttachment[];
  readonly isAudioMessage: boolean;
  readonly service: Service;
  /** Unix milliseconds, by the sender's clock. */
  readonly sentAt: number;
  readonly replyToGuid: string | null;
  /** Null where it has none, or one that has no name here. */
  readonly effect: SendStyle | null;
  /** The outbox item that this row is the echo of, where the driver knows. */
  readonly reference: string | null;
  /** Which of the item's messages it is, from 0, where the item went out as several. */
  readonly itemPart: number;
  /** False: the item went out as several messages, and others of them have not been seen. It is not sent yet. */
  readonly isWholeItem: boolean;
  /** It is from long before it was seen, as what a restore brings in: it is stored and not announced. */
  readonly isOld: boolean;
  /** Unix milliseconds, own messages only. */
  readonly deliveredAt: number | null;
  readonly readAt: number | null;
  /** More of this message is expected until `until` (Unix ms): the server holds the announcement, never the row. */
  readonly awaits: { readonly what: 'preview' | 'attachment'; readonly until: number } | null;
}

/** A later piece of a message already reported: it completes it and is no message of its own. */
export interface PartSeen {
  readonly kind: 'part';
  readonly cursor: string;
  /** The GUID of the row that carries the piece. */
  readonly guid: string;
  /** The GUID of the message that it belongs to. */
  readonly partOf: string;
}

/** The bytes of an attachment came after its message was reported. */
export interface AttachmentSeen {
  readonly kind: 'attachment';
  readonly cursor: string;
  /** The GUID of its message. */
  readonly guid: string;
  /** Its place among the message's attachments, from 0. */
  readonly place: number;
  readonly attachment: SeenAttachment;
}

/** A reaction was put on a message, or taken off it. */
export interface ReactionSeen {
  readonly kind: 'reaction';
  readonly cursor: string;
  /** The GUID of the message that it is for. */
  readonly target: string;
  readonly type: Tapback;
  readonly added: boolean;
  readonly isFromMe: boolean;
  /** The peer's handle; for an own reaction the line's. */
  readonly sender: string;
  /** Unix milliseconds, by the sender's clock. */
  readonly at: number;
  /** The outbox item that this is the echo of, where the driver knows. */
  readonly reference: string | null;
}

/** A peer began or ceased to type. */
export interface TypingSeen {
  readonly kind: 'typing';
  readonly cursor: string;
  readonly chat: ObservedChat;
  readonly handle: string;
  readonly isTyping: boolean;
  /** Unix milliseconds. */
  readonly at: number;
}

/** A peer has read a chat up to its newest message. */
export interface ReadSeen {
  readonly kind: 'read';
  readonly cursor: string;
  readonly chat: ObservedChat;
  readonly handle: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** The sender of a message changed its text. */
export interface EditSeen {
  readonly kind: 'edited';
  readonly cursor: string;
  readonly guid: string;
  readonly text: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** The sender of a message took it back. */
export interface UnsendSeen {
  readonly kind: 'unsent';
  readonly cursor: string;
  readonly guid: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** What the line made out of a voice memo that was reported without it. */
export interface TranscriptionSeen {
  readonly kind: 'transcription';
  readonly cursor: string;
  readonly guid: string;
  readonly transcription: string;
}

/** An own message was delivered to, or read by, its recipient. */
export interface ReceiptSeen {
  readonly kind: 'receipt';
  readonly cursor: string;
  readonly receipt: 'delivered' | 'read';
  readonly guid: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** A chat came to be, was renamed, or changed its members. */
export interface ChatSeen {
  readonly kind: 'chat';
  readonly cursor: string;
  readonly chat: ObservedChat;
}

/** A command that was handed over turned out to have failed. */
export interface FailureSeen {
  readonly kind: 'failure';
  readonly cursor: string;
  readonly reference: string;
  /** A sentence for a person. */
  readonly reason: string;
}

/** The next position in the driver's own order, with nothing to tell (entries it skipped on purpose). */
export interface CursorMoved {
  readonly kind: 'cursor';
  readonly cursor: string;
}

export type LineEvent =
  | MessageSeen
  | PartSeen
  | AttachmentSeen
  | ReactionSeen
  | TypingSeen
  | ReadSeen
  | EditSeen
  | UnsendSeen
  | TranscriptionSeen
  | ReceiptSeen
  | ChatSeen
  | FailureSeen
  | CursorMoved;
