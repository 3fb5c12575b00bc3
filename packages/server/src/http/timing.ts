/** Where the time of a request went, for its `Server-Timing` header: the wait for a commit, the commit, the whole. */
import type { FastifyReply } from 'fastify';
import type { Clock } from '../clock.ts';

export class Timing {
  readonly #clock: Clock;
  readonly #startedAt: number;
  #queuedAt = 0;
  #begunAt = 0;
  #committedAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.monotonic();
  }

  /** The request's write joins the queue. */
  queued(): void {
    this.#queuedAt = this.#clock.monotonic();
  }

  /** Its batch begins. */
  begun(): void {
    this.#begunAt = this.#clock.monotonic();
  }

  /** Gives the milliseconds since it joined the queue. */
  committed(): number {
    this.#committedAt = this.#clock.monotonic();
    return this.#committedAt - this.#queuedAt;
  }

  /** As the header has it, in milliseconds. */
  text(): string {
    const total = `total;dur=${(this.#clock.monotonic() - this.#startedAt).toFixed(1)}`;
    if (this.#committedAt === 0) return total;
    const wait = `wait;dur=${(this.#begunAt - this.#queuedAt).toFixed(1)}`;
    return `${wait}, commit;dur=${(this.#committedAt - this.#begunAt).toFixed(1)}, ${total}`;
  }
}

/** Every answer to a row says where its time went, refusals too. */
export function showTiming(reply: FastifyReply): void {
  const { timing } = reply.request;
  if (timing) reply.header('server-timing', timing.text());
}
