/** What a party of a chat does besides writing. */

export interface TypingIndicator {
  readonly id: string;
  readonly chatId: string;
  readonly handle: string;
  readonly isTyping: boolean;
  /** Unix milliseconds. */
  readonly updatedAt: number;
}

export interface ReadReceipt {
  readonly id: string;
  readonly chatId: string;
  /** Who has read the chat. */
  readonly handle: string;
  /** Unix milliseconds, by the line's clock. */
  readonly lastReadAt: number;
  /** Unix milliseconds: when it was stored here. */
  readonly syncedAt: number;
}

/** Typing that nobody ends is over after this time: as long as a phone believes it. */
export const TYPING_EXPIRES_MS = 60_000;
