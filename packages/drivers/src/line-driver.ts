/**
 * The port to an iMessage line: commands go out, events come in.
 *
 * A driver connects one line to one way of reaching it. It stores nothing of the server's, retries nothing and
 * decides nothing: it hands a command over once, says how certain it is of the outcome, and reports what it sees.
 */

import type { Service } from './service.ts';

/** What a line can do. May change at run time, so the server asks before each use. */
export const CAPABILITIES = [
  'text',
  'attachments',
  'groups',
  'reply',
  'reaction',
  'customReaction',
  'typing',
  'receipts',
  'audio',
  'effects',
  'edit',
  'unsend',
  'deliveryStatus',
  'readStatus',
  'typingEvents',
  'serviceLookup',
] as const;
export type Capability = (typeof CAPABILITIES)[number];
export type Capabilities = Readonly<Record<Capability, boolean>>;

/** Where a message goes: a peer's normalised handle, or a group's own identifier. */
export interface ChatAddress {
  readonly identifier: string;
  readonly isGroup: boolean;
}

/** Hand one text over to the line, once. */
export interface SendMessage {
  readonly kind: 'message';
  /** The outbox item's id (`obx_...`): the name under which the far end remembers this hand-over. */
  readonly reference: string;
  /** Counts the hand-overs of this reference, from 1. `find` names the attempt that it asks about. */
  readonly attempt: number;
  readonly chat: ChatAddress;
  readonly text: string;
}
export type Command = SendMessage;

/** How certain the driver is of what became of a command. */
export type Disposition =
  /** Seen on the line under this GUID. The echo is reported as a message event all the same. */
  | { readonly state: 'sent'; readonly guid: string }
  /** Handed over; the echo will tell. */
  | { readonly state: 'accepted' }
  /** Proven that nothing went out: the server may try again. */
  | { readonly state: 'not_started'; readonly reason: string }
  /** Final: it did not go out and never will. `reason` is a sentence for a person. */
  | { readonly state: 'failed'; readonly reason: string }
  /** It may have gone out: never tried again; the echo or a time limit decides. */
  | { readonly state: 'unknown'; readonly reason: string };

/** One hand-over whose outcome was lost in a crash. */
export interface HandOver {
  readonly reference: string;
  readonly attempt: number;
}

/**
 * What the far end knows of a lost hand-over. `not_started` is a promise: from now on the far end refuses that
 * attempt, however late it comes. A driver that cannot promise this answers `unknown`.
 */
export type LookUp =
  | { readonly state: 'found'; readonly guid: string }
  | { readonly state: 'not_started' }
  | { readonly state: 'unknown' };

/** A chat as the line describes it. `participants` are the other parties' handles, never the line's own. */
export interface ObservedChat extends ChatAddress {
  readonly name: string | null;
  readonly participants: readonly string[];
  readonly service: Service;
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
  readonly service: Service;
  /** Unix milliseconds, by the sender's clock. */
  readonly sentAt: number;
  readonly replyToGuid: string | null;
  /** The outbox item that this row is the echo of, where the driver knows. */
  readonly reference: string | null;
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

export type LineEvent = MessageSeen | PartSeen | ReceiptSeen | ChatSeen | FailureSeen | CursorMoved;

export type HealthState = 'online' | 'degraded' | 'offline';

/** What a driver is given. It touches the world through nothing else. */
export interface DriverContext {
  /** Unix milliseconds. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>): void;
  /**
   * Resolves when the server has committed the events, in their order, with the last one's cursor. Until then the
   * driver's cursor stays. Rejects when the line was taken over or the store refuses: the driver then stops reading
   * and reports from the same cursor later.
   */
  report(events: readonly LineEvent[]): Promise<void>;
  /** Tells how the line is. While it is `offline` the server hands nothing over. */
  health(state: HealthState, reason: string | null): void;
  /** Aborted when the driver must stop. */
  readonly signal: AbortSignal;
}

export interface LineDriver {
  /** How many sends may be under way at once. A real Mac takes 1. */
  readonly inFlight: number;
  capabilities(): Capabilities;
  /** Starts reading after `cursor` (null: the line's first start). Resolves when `send` and `find` may be called. */
  start(cursor: string | null): Promise<void>;
  /**
   * Hands one command over, once. What cannot be classified is `unknown`. Rejects only where the driver ends by the same
   * error: its next start is asked what became of the command.
   */
  send(command: Command): Promise<Disposition>;
  /** Asks the far end about hand-overs whose outcome was lost; answers for every one of them, by reference. */
  find(lost: readonly HandOver[]): Promise<ReadonlyMap<string, LookUp>>;
  /** Ends reading and waits for what is under way. */
  stop(): Promise<void>;
  /** Resolves when the driver is no longer running: with the error that ended it, or null after `stop`. */
  readonly stopped: Promise<Error | null>;
}
