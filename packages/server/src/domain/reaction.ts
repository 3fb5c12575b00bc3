import type { Tapback } from '@trunkline/drivers';

/** A reaction to a message; one that was taken off is the same reaction. */
export interface Reaction {
  readonly id: string;
  readonly messageId: string;
  readonly type: Tapback;
  /** The peer's handle; for an own reaction the line's. */
  readonly sender: string;
  readonly isFromMe: boolean;
  /** Whether it is on the message now. */
  readonly added: boolean;
  /** Unix milliseconds, by the sender's clock: when it was put on or taken off. */
  readonly sentAt: number;
  /** Unix milliseconds: when that was stored here. */
  readonly syncedAt: number;
}
