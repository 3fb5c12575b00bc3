/** A receiver of a line's events. */
export interface Webhook {
  readonly id: string;
  readonly lineId: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly isActive: boolean;
}

/** A webhook without one success for this long is disabled. */
export const DISABLE_AFTER_MS = 5 * 24 * 60 * 60_000;

export function webhookLane(webhookRef: number): string {
  return `webhook ${webhookRef}`;
}

/** Left by the commit after which nothing more may be sent to the webhook. */
export function webhookGoneTopic(webhookRef: number): string {
  return `webhook-gone ${webhookRef}`;
}
