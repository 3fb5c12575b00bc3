/** A receiver of events: of one line (`v1`), of an account's items (`account`), or of a single send's (`callback`). */
export const WEBHOOK_KINDS = ['v1', 'account', 'callback'] as const;
export type WebhookKind = (typeof WEBHOOK_KINDS)[number];

export interface Webhook {
  readonly id: string;
  /** Null for one of all lines of its account. */
  readonly lineId: string | null;
  readonly url: string;
  readonly events: readonly string[];
  readonly isActive: boolean;
}

/** A webhook without one success for this long is disabled. */
export const DISABLE_AFTER_MS = 5 * 24 * 60 * 60_000;

/** Why a webhook is off where an operator wanted that: nothing but an operator switches it on again. */
export const SWITCHED_OFF = 'It was switched off.';

/** In the place of a line, where a webhook is of all lines. */
export const NO_LINE = 0;

export function isWebhookKind(text: unknown): text is WebhookKind {
  return WEBHOOK_KINDS.some((kind) => kind === text);
}

/** What the callbacks to one receiver have in common, or null where the text is no URL that could be posted to. */
export function originOf(url: string): string | null {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  return parsed && (parsed.protocol === 'https:' || parsed.protocol === 'http:') ? parsed.origin : null;
}

export function webhookLane(webhookRef: number): string {
  return `webhook ${webhookRef}`;
}

/** Left by the commit after which nothing more may be sent to the webhook. */
export function webhookGoneTopic(webhookRef: number): string {
  return `webhook-gone ${webhookRef}`;
}
