import type { SendStyle } from '../effect.ts';
import type { ChatAddress, DriverContext, DriverFiles, LineDriver } from '../line-driver.ts';
import type { SeenAttachment } from '../line-events.ts';
import type { Tapback } from '../tapback.ts';

/** What a driver may be unable to do, or its fake of the other side unable to show. */
export const FEATURES = [
  'groups',
  /** `find` knows what became of a lost hand-over, and can void one. Without it every answer is `unknown`. */
  'arbiter',
  /** Messages of which a later piece comes as a row of its own. */
  'parts',
  'offline',
  'crash',
  'failed',
  'unknown',
  'not_started',
  'attachments',
  'replies',
  'effects',
  'audio',
  'reactions',
  'typing',
  'receipts',
  /** Messages that their sender changes or takes back. */
  'edits',
] as const;
export type Feature = (typeof FEATURES)[number];

export type ArrangedOutcome = 'failed' | 'unknown' | 'not_started' | 'crash';

/** A message of the line's, as a phone has it. */
export interface Received {
  readonly guid: string;
  readonly text: string | null;
  readonly attachments: readonly { readonly file: string | null }[];
  readonly isAudioMessage: boolean;
  readonly replyToGuid: string | null;
  readonly effect: SendStyle | null;
  readonly reactions: readonly { readonly type: Tapback; readonly sender: string }[];
}

/** The phones at the other end of the line, real or fake. */
export interface FarSide {
  /** Two handles that take messages and write some. */
  readonly peer: string;
  readonly otherPeer: string;
  /** A peer writes to the line, or into a group with it; returns the message's GUID. */
  text(from: string, text: string, group?: string): Promise<string>;
  /** A peer writes a message that a later row completes. */
  textInParts(from: string): Promise<string>;
  textWithEffect(from: string, text: string, effect: SendStyle): Promise<string>;
  /** A peer sends a file, or a voice memo whose transcription comes later. */
  sendFile(from: string, file: SeenAttachment): Promise<string>;
  sendVoiceMemo(from: string, file: SeenAttachment, transcription: string): Promise<string>;
  /** A peer does something about a message, its own or the line's. */
  react(from: string, guid: string, type: Tapback, added: boolean): Promise<void>;
  edit(from: string, guid: string, text: string): Promise<void>;
  unsend(from: string, guid: string): Promise<void>;
  showTyping(from: string, isTyping: boolean): Promise<void>;
  markRead(from: string): Promise<void>;
  /** Whether the peer sees the line typing. */
  seesTyping(peer: string): Promise<boolean>;
  createGroup(participants: readonly string[], name: string): Promise<string>;
  /** The line's messages that this chat has got, oldest first. */
  received(chat: ChatAddress): Promise<readonly Received[]>;
  /** The peer's messages that the line has marked as read. */
  readByLine(peer: string): Promise<readonly string[]>;
  setOffline(isOffline: boolean): Promise<void>;
  /** Sees to it that the next message to the returned chat ends this way. */
  arrange(outcome: ArrangedOutcome): Promise<ChatAddress>;
}

/** A driver with a fake of its other side. Each test gets a fresh one. */
export interface LineHarness {
  /** The line's handle. */
  readonly line: string;
  readonly far: FarSide;
  /** The server's files, where the driver moves bytes. */
  readonly files: DriverFiles;
  now(): number;
  random(): number;
  /** A new instance on the same far side, as after a restart of the process. */
  createDriver(context: DriverContext): LineDriver;
  close(): Promise<void>;
}
