/** Where the time of a request went, for its `Server-Timing` header: the wait for a commit, the commit, the whole. */
import type { FastifyReply } from 'fastify';
import type { Clock } from '../clock.ts';

export interface Timing {
  /** The request's write joins the queue. */
  queued(): void;
  /** Its batch begins. */
  begun(): void;
  /** Gives the milliseconds since it joined the queue. */
  committed(): number;
  /** As the header has it, in milliseconds. */
  text(): string;
}

export function startTiming(clock: Clock): Timing {
  const startedAt = clock.monotonic();
  let queuedAt = 0;
  let begunAt = 0;
  let committedAt = 0;
  return {
    queued: () => {
      queuedAt = clock.monotonic();
    },
    begun: () => {
      begunAt = clock.monotonic();
    },
    committed: () => {
      committedAt = clock.monotonic();
      return committedAt - queuedAt;
    },
    text() {
      const total = `total;dur=${(clock.monotonic() - startedAt).toFixed(1)}`;
      if (committedAt === 0) return total;
      const wait = `wait;dur=${(begunAt - queuedAt).toFixed(1)}`;
      return `${wait}, commit;dur=${(committedAt - begunAt).toFixed(1)}, ${total}`;
    },
  };
}

/** Every answer to a row says where its time went, refusals too. */
export function showTiming(reply: FastifyReply): void {
  const { timing } = reply.request;
  if (timing) reply.header('server-timing', timing.text());
}
