/** One attempt at one delivery: render, sign, post, decide what comes next, write it down. */
import type { Clock } from '../clock.ts';
import type { ReachFailpoint } from '../domain/failpoint.ts';
import { type DueDelivery, recordAttempts } from '../store/deliveries.ts';
import { disableWebhooks, markFailing, type StoredWebhook } from '../store/webhooks.ts';
import type { Writer } from '../store/writer.ts';
import { eventBody } from '../wire/v1.ts';
import type { Answer, Receiver } from './post.ts';
import { nextWaitMs } from './retry-schedule.ts';
import { signDelivery } from './sign.ts';

/** A webhook without one success for this long is disabled. */
export const DISABLE_AFTER_MS = 5 * 24 * 60 * 60_000;
const GONE = 410;

export interface AttemptDeps {
  readonly writer: Writer;
  readonly clock: Clock;
  readonly random: () => number;
  readonly failpoint: ReachFailpoint;
}

/** A webhook as its deliverer holds it, with what its attempts have shown. */
export interface Target {
  readonly webhook: StoredWebhook;
  readonly receiver: Receiver;
  /** Since when nothing has succeeded, or null. Unix milliseconds. */
  failingSince: number | null;
}

/** Resolves when the attempt's outcome is committed. Says whether it succeeded. */
export async function attemptOnce(deps: AttemptDeps, target: Target, delivery: DueDelivery): Promise<boolean> {
  const { clock } = deps;
  const startedAt = clock.now();
  await deps.failpoint('delivery.before_post');
  const answer = await post(target, delivery, startedAt);
  await deps.failpoint('delivery.answered');
  const attempt = delivery.attempts + 1;
  const wait = answer.error === null ? null : nextWaitMs({ ...answer, attempt }, deps.random());
  const isGone = answer.status === GONE;
  await deps.writer.write(recordAttempts, {
    webhookRef: delivery.webhookRef,
    eventSeq: delivery.eventSeq,
    attempt,
    startedAt,
    durationMs: answer.durationMs,
    status: answer.status,
    error: answer.error,
    answer: answer.answer,
    dueAt: wait === null || isGone ? null : clock.now() + wait,
  });
  await deps.failpoint('delivery.recorded');
  await noteHealth(deps, target, answer);
  return answer.error === null;
}

function post(target: Target, delivery: DueDelivery, timestamp: number): Promise<Answer> {
  const body = eventBody(delivery.type, delivery.data, timestamp, delivery.id);
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Trunkline-Webhooks/1',
    'x-webhook-timestamp': String(timestamp),
    'x-webhook-delivery-id': delivery.id,
    'x-webhook-signature': signDelivery(target.webhook.secret, timestamp, body),
  };
  return target.receiver.post(headers, body);
}

/** The clock of a webhook's failing starts with its first failure and ends with any success. */
async function noteHealth(deps: AttemptDeps, target: Target, answer: Answer): Promise<void> {
  const { ref } = target.webhook;
  const now = deps.clock.now();
  if (answer.error === null) {
    if (target.failingSince === null) return;
    target.failingSince = null;
    await deps.writer.write(markFailing, { ref, failingSince: null });
    return;
  }
  if (answer.status === GONE) {
    await deps.writer.write(disableWebhooks, { ref, reason: 'The receiver answered 410 Gone.' });
  } else if (target.failingSince === null) {
    target.failingSince = now;
    await deps.writer.write(markFailing, { ref, failingSince: now });
  } else if (now - target.failingSince >= DISABLE_AFTER_MS) {
    await deps.writer.write(disableWebhooks, { ref, reason: 'Nothing was delivered for five days.' });
  }
}
