/** What the acts of a fake Mac act upon. It lives in the writer's process. */
import type { Part } from './bodies.ts';
import type { FakeChatDb } from './chat-db.ts';
import type { Oracle } from './oracle.ts';

export interface World {
  readonly db: FakeChatDb;
  readonly oracle: Oracle;
  readonly schedule: Schedule;
  /** What each message consists of, by GUID, for its edits. */
  readonly bodies: Map<string, Body>;
  /** The home folder of the line's user. */
  readonly home: string;
  /** Unix milliseconds. */
  now(): number;
}

export interface Body {
  readonly parts: readonly Part[];
  /** The former texts of each part that was edited, oldest first; the present one is the last. */
  readonly versions: ReadonlyMap<number, readonly { readonly text: string; readonly at: number }[]>;
  readonly retracted: readonly number[];
}

/** What is still to happen by itself. */
export class Schedule {
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #waiting: (() => void)[] = [];

  /** Does it in this tick where nothing is to be waited for. */
  after(ms: number, work: () => void): void {
    if (ms <= 0) {
      work();
      return;
    }
    const timer = setTimeout(() => {
      try {
        work();
      } finally {
        this.#timers.delete(timer);
        if (this.#timers.size === 0) for (const resolve of this.#waiting.splice(0)) resolve();
      }
    }, ms);
    this.#timers.add(timer);
  }

  /** Resolves when nothing is to come any more. */
  async idle(): Promise<void> {
    if (this.#timers.size === 0) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
