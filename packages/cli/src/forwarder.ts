/** Posts events to a receiver in order, one at a time, each until the receiver takes it. */
import { reasonOf } from './api.ts';
import type { Place, StreamedEvent } from './event-stream.ts';
import { deliveryIdOf, signPost } from './webhook-signature.ts';

const ANSWER_WITHIN_MS = 15_000;
const BACK_OFF_FIRST_MS = 500;
const BACK_OFF_MAX_MS = 15_000;

export interface ForwarderOptions {
  readonly url: string;
  readonly secret: string;
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
  /** Hears of every attempt that the receiver did not take. */
  readonly note: (line: string) => void;
}

export interface Forwarding {
  readonly deliveryId: string;
  readonly status: number;
  readonly attempts: number;
  readonly tookMs: number;
}

/** Resolves when the receiver has answered 2xx, and not before: the next event waits for this one. */
export async function forwardEvent(
  options: ForwarderOptions,
  cursor: Place['cursor'],
  event: StreamedEvent,
): Promise<Forwarding> {
  const deliveryId = deliveryIdOf(cursor, event);
  let backOffMs = BACK_OFF_FIRST_MS;
  for (let attempts = 1; ; attempts++) {
    const startedAt = options.now();
    const answer = await post(options, event, deliveryId, startedAt);
    const isTaken = answer.status !== null && answer.status >= 200 && answer.status < 300;
    if (isTaken && answer.status !== null) {
      return { deliveryId, status: answer.status, attempts, tookMs: options.now() - startedAt };
    }
    const reason = answer.status === null ? `cannot be reached (${answer.reason})` : `answered ${answer.status}`;
    options.note(`${options.url} ${reason}; ${deliveryId} is tried again in ${backOffMs / 1_000} s.`);
    await options.wait(backOffMs);
    backOffMs = Math.min(BACK_OFF_MAX_MS, backOffMs * 2);
  }
}

async function post(
  options: ForwarderOptions,
  event: StreamedEvent,
  deliveryId: string,
  timestamp: number,
): Promise<{ readonly status: number | null; readonly reason: string }> {
  const { headers, body } = signPost({ event, deliveryId }, options.secret, timestamp);
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  try {
    const response = await fetch(options.url, { method: 'POST', headers, body, signal, redirect: 'manual' });
    await response.body?.cancel();
    return { status: response.status, reason: '' };
  } catch (error) {
    return { status: null, reason: reasonOf(error) };
  }
}
