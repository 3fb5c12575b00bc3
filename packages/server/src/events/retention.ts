/**
 * Keeps the database from growing for ever: events and deliveries go after the retention, with what requests left
 * behind. In small steps with pauses, so that nobody waits for it. Messages stay, and so does what is still due.
 */
import type { Clock } from '../clock.ts';
import { WRONG_CODES_WITHIN_MS } from '../domain/sandbox.ts';
import type { Log } from '../log.ts';
import type { Engine } from '../store/database.ts';
import {
  type AgedRows,
  findAgedEvents,
  pruneDeliveries,
  pruneEvents,
  pruneKeptAnswers,
  pruneLostAnswers,
  pruneRequestCounts,
  pruneSandboxPhones,
  pruneUnanswered,
  pruneWebhooks,
} from '../store/pruning.ts';
import type { Write, Writer } from '../store/writer.ts';

const EVERY_MS = 60_000;
const STEP_ROWS_MAX = 500;
const PAUSE_MS = 50;
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** An answer that was lost on its way is asked for again within seconds. */
const UNANSWERED_KEPT_MS = 120_000;

export interface RetentionDeps {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Retention {
  stop(): Promise<void>;
}

export function startRetention(deps: RetentionDeps, retentionDays: number): Retention {
  const retention = new RunningRetention(deps, retentionDays * DAY_MS);
  const ended = retention.run();
  return {
    async stop() {
      retention.end();
      await ended;
    },
  };
}

class RunningRetention {
  readonly #deps: RetentionDeps;
  readonly #keptMs: number;
  #isEnding = false;
  #wake: () => void = () => undefined;

  constructor(deps: RetentionDeps, keptMs: number) {
    this.#deps = deps;
    this.#keptMs = keptMs;
  }

  end(): void {
    this.#isEnding = true;
    this.#wake();
  }

  async run(): Promise<void> {
    await this.#pause(EVERY_MS);
    while (!this.#isEnding) {
      try {
        await this.#pruneOnce();
      } catch (error) {
        this.#deps.log.error({ err: error }, 'old rows could not be removed; it is tried again');
      }
      await this.#pause(EVERY_MS);
    }
  }

  async #pruneOnce(): Promise<void> {
    const now = this.#deps.clock.now();
    const before = now - this.#keptMs;
    await this.#pruneLog(before);
    await this.#pruneRows(pruneWebhooks, before);
    await this.#pruneRows(pruneKeptAnswers, now);
    await this.#pruneRows(pruneUnanswered, now - UNANSWERED_KEPT_MS);
    await this.#pruneRows(pruneLostAnswers, now - UNANSWERED_KEPT_MS);
    // The hour that has just ended stays, for a process whose count of it comes late.
    await this.#pruneRows(pruneRequestCounts, now - (now % HOUR_MS) - HOUR_MS);
    await this.#pruneRows(pruneSandboxPhones, now - WRONG_CODES_WITHIN_MS);
  }

  async #pruneRows(write: Write<AgedRows, number>, before: number): Promise<void> {
    await this.#repeat(() => this.#deps.writer.write(write, { before, max: STEP_ROWS_MAX }));
  }

  /** From the log's beginning to the first events that are young enough. */
  async #pruneLog(before: number): Promise<void> {
    const { engine, writer } = this.#deps;
    let after = 0;
    while (!this.#isEnding) {
      const through = await findAgedEvents(engine, after, before, STEP_ROWS_MAX);
      if (through === null) return;
      const part = { after, through, before };
      await this.#repeat(() => writer.write(pruneDeliveries, { ...part, max: STEP_ROWS_MAX }));
      await writer.write(pruneEvents, part);
      after = through;
      await this.#pause(PAUSE_MS);
    }
  }

  /** As long as a step finds as much as it may take. */
  async #repeat(step: () => Promise<number>): Promise<void> {
    while ((await step()) >= STEP_ROWS_MAX && !this.#isEnding) await this.#pause(PAUSE_MS);
  }

  /** Ends early when the retention does. */
  #pause(ms: number): Promise<void> {
    if (this.#isEnding) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#deps.clock.after(ms, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
