/**
 * The first step of items that name a file by its URL: the file is fetched, kept as a file of the account, and its item
 * takes its turn. Runs where the line's lease is held. A crash before the commit leaves the item as it was, and whoever
 * holds the lease next fetches the file again; nothing is handed over before it is there.
 */
import type { LineDriver } from '@trunkline/drivers';
import type { Clock } from '../clock.ts';
import type { ReachFailpoint } from '../domain/failpoint.ts';
import type { Line } from '../domain/line.ts';
import { BlobsUnavailableError } from '../files/blobs.ts';
import { type Fetcher, FetchStoppedError } from '../files/fetcher.ts';
import { FetchError } from '../files/open-url.ts';
import type { HeldLease } from '../leases/held-lease.ts';
import type { Log } from '../log.ts';
import { CommitInDoubtError, type Engine } from '../store/database.ts';
import { type FetchingItem, type FetchOutcome, fetchingItems, settleFetches } from '../store/fetches.ts';
import { fetchTopic } from '../store/outbox.ts';
import type { Writer } from '../store/writer.ts';
import { type PrepareDeps, type Prepared, prepareFile } from './prepare-file.ts';
import { createSleeper, type Sleeper } from './sleeper.ts';

const FETCHES_MAX = 4;
/** From the first look-up of a name to the last byte. */
const FETCH_MS = 30_000;
/** The poll behind the wake-ups. */
const POLL_MS = 5_000;
/** Where files cannot be stored, nothing is fetched for as long as this. */
const STORAGE_PAUSE_MS = 5_000;
/** Fetches are broken off at once; what is written then may take as long as this. */
const FINISH_WITHIN_MS = 5_000;

export interface FetchLaneDeps extends PrepareDeps {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly clock: Clock;
  readonly log: Log;
  readonly failpoint: ReachFailpoint;
  readonly fetcher: Fetcher;
}

export interface RunningFetches {
  /** Breaks off what is under way: it stays as it was, for the next start. */
  stop(): Promise<void>;
  /** Resolves when it has ended: with what the store threw, or null. */
  readonly ended: Promise<Error | null>;
}

export function startFetchLane(deps: FetchLaneDeps, line: Line, lease: HeldLease, driver: LineDriver): RunningFetches {
  const lane = new FetchLane(deps, line, lease, driver);
  const ended = lane.run();
  return {
    ended,
    async stop() {
      lane.stop();
      await ended;
    },
  };
}

class FetchLane {
  readonly #deps: FetchLaneDeps;
  readonly #line: Line;
  readonly #lease: HeldLease;
  readonly #driver: LineDriver;
  readonly #underWay = new Map<number, Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #sleeper: Sleeper;
  #failure: Error | null = null;
  #pausedUntil = Number.NEGATIVE_INFINITY;

  constructor(deps: FetchLaneDeps, line: Line, lease: HeldLease, driver: LineDriver) {
    this.#deps = deps;
    this.#line = line;
    this.#lease = lease;
    this.#driver = driver;
    this.#sleeper = createSleeper(deps.clock);
  }

  stop(): void {
    this.#stopping.abort();
    this.#sleeper.wake();
  }

  async run(): Promise<Error | null> {
    const { engine, clock } = this.#deps;
    const stopListening = engine.onWake((topic) => {
      if (topic === fetchTopic(this.#line.ref)) this.#sleeper.wake();
    });
    void this.#lease.ended.then(() => this.stop());
    try {
      while (!this.#stopping.signal.aborted) await this.#startOnce();
    } catch (error) {
      this.#fail(error);
    }
    stopListening();
    let cancel: () => void = () => undefined;
    const tooLong = new Promise<void>((resolve) => {
      cancel = clock.after(FINISH_WITHIN_MS, resolve);
    });
    await Promise.race([Promise.all(this.#underWay.values()), tooLong]);
    cancel();
    return this.#failure;
  }

  /** Starts what there is room for, the oldest first, and sleeps until there may be more. */
  async #startOnce(): Promise<void> {
    const sleep = this.#sleeper.prepare();
    const { engine, clock } = this.#deps;
    const pauseMs = this.#pausedUntil - clock.monotonic();
    const room = FETCHES_MAX - this.#underWay.size;
    if (room > 0 && pauseMs <= 0 && this.#lease.isHeld()) {
      const items = await fetchingItems(engine, this.#line.ref, FETCHES_MAX + this.#underWay.size);
      const fresh = items.filter(({ ref }) => !this.#underWay.has(ref));
      for (const item of fresh.slice(0, room)) this.#begin(item);
    }
    if (!this.#stopping.signal.aborted) await sleep(pauseMs > 0 ? Math.min(pauseMs, POLL_MS) : POLL_MS);
  }

  #begin(item: FetchingItem): void {
    const work = this.#fetch(item)
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#underWay.delete(item.ref);
        this.#sleeper.wake();
      });
    this.#underWay.set(item.ref, work);
  }

  async #fetch(item: FetchingItem): Promise<void> {
    try {
      await this.#fetchAndSettle(item);
    } catch (error) {
      if (error instanceof FetchError) await this.#settle(item, { state: 'failed', reason: error.why });
      else if (error instanceof FetchStoppedError) this.stop();
      else if (error instanceof BlobsUnavailableError) this.#pauseFor(error);
      else throw error;
    }
  }

  async #fetchAndSettle(item: FetchingItem): Promise<void> {
    const { fetcher, clock } = this.#deps;
    const signal = this.#stopping.signal;
    const fetched = await fetcher.fetch(item.url, { maxMs: FETCH_MS, signal });
    let prepared: Prepared = { kind: 'message', file: fetched };
    try {
      prepared = await prepareFile(this.#deps, { item, line: this.#line, driver: this.#driver, fetched, signal });
      const { id, filename, mimeType, contentType, size } = prepared.file;
      const { accountRef } = item;
      const file = { id, accountRef, filename, mimeType, contentType, size, source: null, now: clock.now() };
      const files = [{ file: id, filename, mimeType, size }];
      const details = JSON.stringify({ ...(item.details === null ? {} : JSON.parse(item.details)), files });
      const result = await this.#settle(item, { state: 'fetched', kind: prepared.kind, details, file });
      if (result !== 'settled') return;
      prepared.file.leave();
      await this.#deps.failpoint('fetch.committed');
      await prepared.file.keep();
    } catch (error) {
      // Whether the row is there will be known at the next start, and so whether its bytes are wanted.
      if (error instanceof CommitInDoubtError) prepared.file.leave();
      throw error;
    } finally {
      await prepared.file.release();
      if (prepared.file !== fetched) await fetched.release();
    }
  }

  async #settle(item: FetchingItem, outcome: FetchOutcome): Promise<'settled' | 'gone' | 'fenced'> {
    const { writer, clock, failpoint } = this.#deps;
    await failpoint('fetch.before_commit');
    const { claim } = this.#lease;
    const settlement = { claim, lineRef: this.#line.ref, ref: item.ref, outcome, now: clock.now() };
    const result = await writer.write(settleFetches, settlement);
    if (result === 'fenced') this.#lease.lose();
    return result;
  }

  /** The item is not to blame, and waits until files can be stored again. */
  #pauseFor(error: BlobsUnavailableError): void {
    const { clock, log } = this.#deps;
    this.#pausedUntil = clock.monotonic() + STORAGE_PAUSE_MS;
    log.warn({ line: this.#line.id, err: error }, 'a fetched file could not be stored, and is fetched again');
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    this.stop();
  }
}
