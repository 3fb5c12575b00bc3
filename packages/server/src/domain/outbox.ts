/** The ledger of an outbox item, and what of it a client sees. */

/**
 * `fetching` waits for its file, which comes from a URL, and holds up its chat; `pending` waits its turn; `waiting` will be
 * tried again and holds up its chat; `sending` was committed before the
 * hand-over and never returns to `pending` by inference; `handed_over` and `unknown` wait for their echo.
 */
const OUTBOX_STATES = [
  'fetching',
  'pending',
  'waiting',
  'sending',
  'handed_over',
  'unknown',
  'sent',
  'failed',
] as const;
export type OutboxState = (typeof OUTBOX_STATES)[number];

/** What an item asks of the line. */
export const OUTBOX_KINDS = ['message', 'audio_message', 'reaction', 'typing', 'receipt'] as const;
export type OutboxKind = (typeof OUTBOX_KINDS)[number];

export type OutboxStatus = 'pending' | 'claimed' | 'sent' | 'failed';

export const OUTBOX_STATUS: Readonly<Record<OutboxState, OutboxStatus>> = {
  fetching: 'pending',
  pending: 'pending',
  waiting: 'pending',
  sending: 'claimed',
  handed_over: 'claimed',
  unknown: 'claimed',
  sent: 'sent',
  failed: 'failed',
};

export const ATTEMPTS_MAX = 3;
/** How long an item waits for its echo before it fails with a sentence. */
export const ECHO_LIMIT_MS = 10 * 60_000;
/** The wait before another try of what was proven not to have started, by the number of attempts made. */
export const RETRY_DELAYS_MS = [1_000, 3_000] as const;

export const SENTENCES = {
  noEcho:
    'The message was handed over, but was not seen on the line within 10 minutes. It may have arrived: look at the phone before you send it again.',
  lineRemoved: 'The line was removed before this was sent.',
  notFetched: (reason: string) => `The file could not be fetched: ${reason}.`,
  exhausted: (reason: string) => `It could not be handed over, and nothing was sent. Last reason: ${reason}`,
} as const;
