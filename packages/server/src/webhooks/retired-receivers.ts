/** The sockets to where a webhook was posted before its URL changed: attempts under way end there, and no other begins. */
import type { Clock } from '../clock.ts';
import type { Receiver } from './post.ts';

/** Longer than any attempt that had begun. */
const ENDS_WITHIN_MS = 30_000;

export class RetiredReceivers {
  readonly #clock: Clock;
  readonly #receivers = new Map<Receiver, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(receiver: Receiver): void {
    const cancel = this.#clock.after(ENDS_WITHIN_MS, () => {
      this.#receivers.delete(receiver);
      void receiver.close();
    });
    this.#receivers.set(receiver, cancel);
  }

  /** Cuts off what is under way. */
  async close(): Promise<void> {
    const receivers = [...this.#receivers.keys()];
    for (const cancel of this.#receivers.values()) cancel();
    this.#receivers.clear();
    await Promise.all(receivers.map((receiver) => receiver.close()));
  }
}
