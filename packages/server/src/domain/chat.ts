import type { Service } from '@trunkline/drivers';

/** A conversation on a line: with one peer, or with a group. */
export interface Chat {
  readonly id: string;
  readonly lineId: string;
  /** The peer's handle, or the group's own identifier. */
  readonly identifier: string;
  readonly service: Service;
  readonly name: string | null;
  readonly isGroup: boolean;
  /** The other parties' handles, never the line's own. */
  readonly participants: readonly string[];
  readonly hasReceivedInbound: boolean;
  /** Unix milliseconds. */
  readonly lastMessageAt: number | null;
}
