/** When a delivery that failed is tried again. The schedule is a promise of the v1 API (section 6 of its contract). */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The waits after the first, second, ... failed attempt: twelve attempts over about 76 hours. */
export const RETRY_WAITS_MS = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
] as const;

export const JITTER = 0.2;
/** A receiver that is slow or asks for mercy gets at least this. */
const BUSY_WAIT_MS = MINUTE;
const BUSY_STATUSES: ReadonlySet<number> = new Set([429, 502, 504]);
/** A receiver's own wish is followed up to twice the wait, and always up to this. */
const RETRY_AFTER_ALWAYS_MS = 2 * MINUTE;
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? .*\d{2}:\d{2}:\d{2}/;

export interface FailedAttempt {
  /** Which attempt failed, from 1. */
  readonly attempt: number;
  readonly status: number | null;
  readonly timedOut: boolean;
  /** The answer's `Retry-After` in milliseconds. */
  readonly retryAfterMs: number | null;
}

/** The wait before the next attempt in milliseconds, or null when there is none. `random` is in [0, 1). */
export function nextWaitMs(failed: FailedAttempt, random: number): number | null {
  const planned = RETRY_WAITS_MS[failed.attempt - 1];
  if (planned === undefined) return null;
  const jittered = planned * (1 - JITTER + 2 * JITTER * random);
  const isBusy = failed.timedOut || (failed.status !== null && BUSY_STATUSES.has(failed.status));
  const wait = isBusy ? Math.max(jittered, BUSY_WAIT_MS) : jittered;
  const wish = Math.min(failed.retryAfterMs ?? 0, Math.max(2 * wait, RETRY_AFTER_ALWAYS_MS));
  return Math.round(Math.max(wait, wish));
}

/** Seconds or an HTTP date; anything else counts as absent. */
export function parseRetryAfter(header: string | undefined, now: number): number | null {
  if (header === undefined) return null;
  if (/^\d+$/.test(header)) return Number(header) * SECOND;
  // `Date.parse` alone finds a date in almost anything.
  const at = HTTP_DATE.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
