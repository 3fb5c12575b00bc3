/**
 * The port to an iMessage line: commands go out, events come in.
 *
 * A driver connects one line to one way of reaching it. It stores nothing of the server's, retries nothing and
 * decides nothing: it hands a command over once, says how certain it is of the outcome, and reports what it sees.
 */

import type { SendStyle } from './effect.ts';
import type { LineEvent } from './line-events.ts';
import type { Tapback } from './tapback.ts';

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

/** A file of the server's that goes out. */
export interface OutgoingFile {
  /** The server's id of it (`file_...`). */
  readonly file: string;
  readonly filename: string | null;
  readonly mimeType: string;
  /** Bytes. */
  readonly size: number;
}

interface HandedOver {
  /** The outbox item's id (`obx_...`): the name under which the far end remembers this hand-over. */
  readonly reference: string;
  /** Counts the hand-overs of this reference, from 1. `find` names the attempt that it asks about. */
  readonly attempt: number;
  readonly chat: ChatAddress;
}

/** Hand one message over to the line, once. Where the line cannot reply or has no effects, it goes without. */
export interface SendMessage extends HandedOver {
  readonly kind: 'message';
  /** Null where there are attachments alone. */
  readonly text: string | null;
  readonly attachments: readonly OutgoingFile[];
  /** The GUID of the message that this one answers. */
  readonly replyToGuid: string | null;
  readonly effect: SendStyle | null;
}

/** A voice memo: a CAF with Opus, as iMessage plays it. */
export interface SendAudioMessage extends HandedOver {
  readonly kind: 'audio_message';
  readonly audio: OutgoingFile;
  readonly replyToGuid: string | null;
}

/** The reaction is our own; one that is there already stays. */
export interface SendReaction extends HandedOver {
  readonly kind: 'reaction';
  /** The GUID of the message that it is for. */
  readonly target: string;
  readonly type: Tapback;
}

/** Typing that nobody ends is ended by the line itself after a while. */
export interface SendTyping extends HandedOver {
  readonly kind: 'typing';
  readonly isTyping: boolean;
}

/** Marks the chat as read. */
export interface SendReceipt extends HandedOver {
  readonly kind: 'receipt';
}

export type Command = SendMessage | SendAudioMessage | SendReaction | SendTyping | SendReceipt;

/** How certain the driver is of what became of a command. */
export type Disposition =
  /** Seen on the line under this GUID. The echo is reported as a message event all the same. */
  | { readonly state: 'sent'; readonly guid: string }
  /** Handed over; the echo will tell. */
  | { readonly state: 'accepted' }
  /** Carried out, and nothing will be seen of it on the line: typing and receipts have no echo. */
  | { readonly state: 'done' }
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
  /** It was carried out, and has no echo. */
  | { readonly state: 'done' }
  | { readonly state: 'not_started' }
  | { readonly state: 'unknown' };

export type HealthState = 'online' | 'degraded' | 'offline';

/** A file that a line brought, as it lies on the driver's own disk. */
export interface ReceivedFile {
  /** Names it among all that this line brings, for ever: kept twice under one name, it is one file. */
  readonly name: string;
  readonly path: string;
  readonly filename: string | null;
  readonly mimeType: string | null;
  /** Bytes. */
  readonly size: number;
}

/** The server's files, for drivers that move bytes themselves. */
export interface DriverFiles {
  /** The bytes of a file that goes out. Rejects where they cannot be had. */
  read(file: OutgoingFile): Promise<AsyncIterable<Uint8Array>>;
  /** Hands over a file that came in, and gives the server's id of it (`file_...`). Rejects where it is not taken now. */
  write(file: ReceivedFile): Promise<string>;
}

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
  /** Tells how the line is, also where its capabilities changed. While it is `offline` the server hands nothing over. */
  health(state: HealthState, reason: string | null): void;
  readonly files: DriverFiles;
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
