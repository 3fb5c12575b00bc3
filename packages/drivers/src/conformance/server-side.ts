/** The server's part in the tests: it commits reports, keeps the cursor, and starts drivers from there. */
import { vi } from 'vitest';
import type { DriverContext, HealthState, LineDriver } from '../line-driver.ts';
import type { LineEvent, MessageSeen } from '../line-events.ts';
import type { LineHarness } from './line-harness.ts';

const WAIT_MAX_MS = 5_000;
const WAIT_STEP_MS = 2;

export interface Running {
  readonly driver: LineDriver;
  /** As when the process loses its lease. */
  abort(): void;
}

export class ServerSide {
  /** Every event that was committed, in order. */
  readonly events: LineEvent[] = [];
  /** Every report that was made, refused ones included. */
  readonly reports: (readonly LineEvent[])[] = [];
  readonly health: HealthState[] = [];
  cursor: string | null = null;
  /** How many more reports are refused. */
  refusals = 0;
  /** Reports wait for this before they are committed. */
  gate: Promise<void> = Promise.resolve();
  /** The most reports that were ever under way at once. */
  reportsAtOnceMax = 0;

  readonly #harness: LineHarness;
  readonly #running: Running[] = [];
  #reportsUnderWay = 0;

  constructor(harness: LineHarness) {
    this.#harness = harness;
  }

  /** Starts a new driver from the committed cursor. */
  async start(): Promise<Running> {
    const stopper = new AbortController();
    const driver = this.#harness.createDriver(this.#createContext(stopper.signal));
    const running = { driver, abort: () => stopper.abort() };
    this.#running.push(running);
    await driver.start(this.cursor);
    return running;
  }

  async close(): Promise<void> {
    for (const { driver } of this.#running) await driver.stop();
    await this.#harness.close();
  }

  messages(): MessageSeen[] {
    return this.events.filter((event) => event.kind === 'message');
  }

  /** The messages in the order of their first sighting. */
  guids(isFromMe: boolean): string[] {
    const seen = this.messages().filter((message) => message.isFromMe === isFromMe);
    return [...new Set(seen.map((message) => message.guid))];
  }

  async message(guid: string): Promise<MessageSeen> {
    return eventually(() => {
      const found = this.messages().find((message) => message.guid === guid);
      if (found === undefined) throw new Error(`The message ${guid} was not reported.`);
      return found;
    });
  }

  #createContext(signal: AbortSignal): DriverContext {
    return {
      now: () => this.#harness.now(),
      random: () => this.#harness.random(),
      log: () => undefined,
      report: (events) => this.#commit(events),
      health: (state) => this.health.push(state),
      files: this.#harness.files,
      signal,
    };
  }

  async #commit(events: readonly LineEvent[]): Promise<void> {
    // That a driver knows where it begins is news of nothing, and is committed as it comes.
    if (events.every(({ kind }) => kind === 'cursor')) {
      this.cursor = events.at(-1)?.cursor ?? this.cursor;
      return;
    }
    this.reports.push(events);
    this.#reportsUnderWay += 1;
    this.reportsAtOnceMax = Math.max(this.reportsAtOnceMax, this.#reportsUnderWay);
    await this.gate;
    this.#reportsUnderWay -= 1;
    if (this.refusals > 0) {
      this.refusals -= 1;
      throw new Error('The store refuses.');
    }
    this.events.push(...events);
    this.cursor = events.at(-1)?.cursor ?? this.cursor;
  }
}

/** Waits until the check no longer throws, and returns what it returns. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: WAIT_MAX_MS, interval: WAIT_STEP_MS });
}
