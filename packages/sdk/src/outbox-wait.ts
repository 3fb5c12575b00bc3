/** Looks at an outbox item until it is settled. */
import { TimeoutError } from './errors.ts';
import type { WaitForOutboxOptions } from './params.ts';
import { waitFor } from './retry.ts';
import type { StoredOutboxItem } from './stored-outbox-item.ts';

const TIMEOUT_DEFAULT_MS = 60_000;
const POLL_FIRST_MS = 200;
const POLL_MAX_MS = 2_000;
const POLL_GROWTH = 1.5;

export async function waitUntilSettled(
  read: (signal: AbortSignal | undefined) => Promise<StoredOutboxItem>,
  { timeout = TIMEOUT_DEFAULT_MS, signal, pollMs }: WaitForOutboxOptions,
): Promise<StoredOutboxItem> {
  const until = Date.now() + timeout;
  let waitMs = pollMs ?? POLL_FIRST_MS;
  for (;;) {
    const item = await read(signal);
    if (item.status === 'sent' || item.status === 'failed') return item;
    const leftMs = until - Date.now();
    if (leftMs <= 0) throw tooLate(item, timeout);
    await waitFor(Math.min(waitMs, leftMs), signal);
    if (pollMs === undefined) waitMs = Math.min(POLL_MAX_MS, waitMs * POLL_GROWTH);
  }
}

function tooLate({ id, status, requestId }: StoredOutboxItem, ms: number): TimeoutError {
  const message = `${id} is still ${status} after ${ms} ms. It may be sent yet.`;
  return new TimeoutError({ status: 0, type: 'timeout_error', code: 'timeout', requestId, message });
}
