/** One attempt at one delivery: render, sign, post, decide what comes next, write it down. */
import type { Clock } from '../clock.ts';
import type { ReachFailpoint } from '../domain/failpoint.ts';
import { type DueDelivery, recordAttempts } from '../store/deliveries.ts';
import { disableWebhooks } from '../store/webhooks.ts';
import type { Writer } from '../store/writer.ts';
import { eventBody } from '../wire/v1.ts';
import type { Answer } from './post.ts';
import { nextWaitMs } from './retry-schedule.ts';
import { signatureHeaders } from './sign.ts';
import type { Target } from './target.ts';

const GONE = 410;

export interface AttemptDeps {
  readonly writer: Writer;
  readonly clock: Clock;
  readonly random: () => number;
  readonly failpoint: ReachFailpoint;
  /** Aborted when attempts under way are cut off: an attempt that we broke off ourselves says nothing of its receiver. */
  readonly cutOff: AbortSignal;
}

/**
 * Resolves when the attempt's outcome is committed, and says whether it succeeded. `answered` is called before that, when
 * the receiver is free again.
 */
export async function attemptOnce(
  deps: AttemptDeps,
  target: Target,
  delivery: DueDelivery,
  answered: () => void = () => undefined,
): Promise<boolean> {
  const { clock } = deps;
  const startedAt = clock.now();
  await deps.failpoint('delivery.before_post');
  const answer = await post(target, delivery, startedAt);
  answered();
  if (answer.error !== null && deps.cutOff.aborted) return false;
  await deps.failpoint('delivery.answered');
  const attempt = delivery.attempts + 1;
  const wait = answer.error === null ? null : nextWaitMs({ ...answer, attempt }, deps.random());
  const isGone = answer.status === GONE;
  await deps.writer.write(recordAttempts, {
    webhookRef: delivery.webhookRef,
    eventSeq: delivery.eventSeq,
    attempt,
    isRetry: delivery.isRetry,
    startedAt,
    durationMs: answer.durationMs,
    status: answer.status,
    error: answer.error,
    answer: answer.answer,
    dueAt: wait === null || isGone ? null : clock.now() + wait,
  });
  await deps.failpoint('delivery.recorded');
  // What is gone of a callback is one address of many at its origin.
  if (isGone && delivery.url === null) {
    const { ref, url } = target.webhook;
    await deps.writer.write(disableWebhooks, { ref, url, reason: 'The receiver answered 410 Gone.' });
  }
  return answer.error === null;
}

function post({ proof, receiver }: Target, delivery: DueDelivery, timestamp: number): Promise<Answer> {
  const { id, type, data, url } = delivery;
  const common = { 'content-type': 'application/json', 'user-agent': 'Trunkline-Webhooks/1' };
  if (proof.kind === 'signatures') {
    const body = eventBody(type, data, timestamp, id);
    return receiver.post({ ...common, ...signatureHeaders(proof.secrets, { id, timestamp, body }) }, body, url);
  }
  const secret = proof.secret === null ? {} : { 'sb-signing-secret': proof.secret };
  return receiver.post({ ...common, 'x-webhook-delivery-id': id, ...secret }, data, url);
}
