/** When a request is worth repeating, and how long to wait before that. */

/** A server that asks for more is not asked again within the call: the caller is told, and decides. */
export const RETRY_AFTER_MAX_MS = 60_000;
const BACK_OFF_FIRST_MS = 250;
const BACK_OFF_MAX_MS = 8_000;
/** Statuses of which the same request may be rid later. 408 is the server that waited for the request. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

export function isPassing(status: number, code: string): boolean {
  return PASSING_STATUSES.has(status) || (status === 409 && code === 'idempotency_key_in_progress');
}

/** Grows with each attempt, and differs between clients that failed at the same moment. `attempt` begins at 0. */
export function backOffMs(attempt: number): number {
  const whole = Math.min(BACK_OFF_MAX_MS, BACK_OFF_FIRST_MS * 2 ** attempt);
  return whole / 2 + Math.random() * (whole / 2);
}

/** `Retry-After` in seconds or as a date; undefined where it is absent or says nothing. */
export function readRetryAfterMs(headers: Headers): number | undefined {
  const text = headers.get('retry-after')?.trim();
  if (text === undefined || text === '') return undefined;
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1_000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

/** Rejects with the signal's reason as soon as it is aborted. */
export function waitFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
