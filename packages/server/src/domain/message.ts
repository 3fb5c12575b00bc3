import type { Service } from '@trunkline/drivers';

export type MessageState = 'received' | 'sent' | 'delivered' | 'read';

/** A message seen on a line, inbound or our own. */
export interface Message {
  readonly id: string;
  readonly lineId: string;
  readonly chatId: string;
  readonly guid: string;
  readonly sender: string;
  readonly text: string | null;
  readonly service: Service;
  readonly isFromMe: boolean;
  /** Unix milliseconds, by the sender's clock. */
  readonly sentAt: number;
  /** Unix milliseconds: when it was stored here. */
  readonly syncedAt: number;
  readonly outboxId: string | null;
  readonly replyToGuid: string | null;
}
