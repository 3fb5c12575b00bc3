/** Reads the message database of a Mac for one line, and reports what it finds. */
import { dirname } from 'node:path';
import { type Bell, createBell } from '../../bell.ts';
import type { DriverContext } from '../../line-driver.ts';
import type { Journal } from '../journal.ts';
import type { OwnRows } from '../own-rows.ts';
import { type FolderHints, watchFolder } from './folder-hints.ts';
import { ChatDbUnreadableError } from './open-chat-db.ts';
import { type Orphan, ReaderMemory } from './reader-memory.ts';
import { Reading, ReportRefusedError } from './reading.ts';

/** How soon a row that is held for a moment is looked at again. */
const HELD_POLL_MS = 50;
/** How many orphans the diagnostics name. */
const ORPHANS_SHOWN = 20;

export interface ReaderTimings {
  /** Looks whether something was written this often, whatever file events say. */
  readonly pollMs: number;
  /** Looks as if something was written this often. */
  readonly fullLookMs: number;
  /** How long a report that was refused is left alone. */
  readonly reportRetryMs: number;
  /** How long a database that cannot be read is left alone. */
  readonly unreadableRetryMs: number;
}

const READER_TIMINGS: ReaderTimings = {
  pollMs: 1_000,
  fullLookMs: 30_000,
  reportRetryMs: 1_000,
  unreadableRetryMs: 5_000,
};

export interface ChatDbReaderOptions {
  /** The path of the message database. */
  readonly chatDb: string;
  /** The home folder of the user whose Messages it belongs to. */
  readonly home: string;
  /** The line's handle. */
  readonly line: string;
  readonly journal: Journal;
  readonly ownRows: OwnRows;
  readonly context: DriverContext;
  readonly timings?: Partial<ReaderTimings>;
}

export interface ReaderDiagnostics {
  /** Null before the database was first opened. */
  readonly epoch: string | null;
  readonly frontier: number | null;
  /** How many numbers of rows lie between what was read and the newest; null while the database cannot be read. */
  readonly lag: number | null;
  readonly caughtUpAt: number | null;
  /** When a look was last finished. Unix milliseconds. */
  readonly lookedAt: number | null;
  readonly waiting: number;
  readonly attachments: number;
  readonly orphans: number;
  /** The newest of them. */
  readonly newestOrphans: readonly Orphan[];
}

export interface ChatDbReader {
  /** Begins to read; where nothing was read before, from the present on. */
  start(cursor: string | null): void;
  /** Looks at once. */
  poke(): void;
  diagnostics(): ReaderDiagnostics;
  /** Ends reading and waits for the look that is under way. */
  stop(): Promise<void>;
  /** Resolves when reading has ended: with the error that ended it, or null after `stop`. */
  readonly stopped: Promise<Error | null>;
}

export function createChatDbReader(options: ChatDbReaderOptions): ChatDbReader {
  return new Reader(options);
}

class Reader implements ChatDbReader {
  readonly stopped: Promise<Error | null>;

  readonly #options: ChatDbReaderOptions;
  readonly #timings: ReaderTimings;
  readonly #memory: ReaderMemory;
  readonly #ended = Promise.withResolvers<Error | null>();
  readonly #bell: Bell = createBell();
  #reading: Reading | null = null;
  #hints: FolderHints | null = null;
  #health: string | null | undefined;
  #fullLookAt: number | null = null;
  #lookedAt: number | null = null;
  #isEnding = false;

  constructor(options: ChatDbReaderOptions) {
    this.#options = options;
    this.#timings = { ...READER_TIMINGS, ...options.timings };
    this.#memory = new ReaderMemory(options.journal.database, options.line);
    this.stopped = this.#ended.promise;
  }

  start(cursor: string | null): void {
    const { chatDb, home, line, ownRows, context } = this.#options;
    const place = { path: chatDb, home };
    const onArrival = (): void => this.#bell.ring();
    this.#reading = new Reading({ place, line, memory: this.#memory, ownRows, context, cursor, onArrival });
    context.signal.addEventListener('abort', () => this.#end(), { once: true });
    if (context.signal.aborted) this.#end();
    this.#loop(this.#reading).then(
      () => this.#ended.resolve(null),
      (error: unknown) => this.#ended.resolve(error instanceof Error ? error : new Error(String(error))),
    );
  }

  poke(): void {
    this.#bell.ring();
  }

  diagnostics(): ReaderDiagnostics {
    const position = this.#reading?.position ?? null;
    const { waiting, orphans, attachments } = this.#memory.counts();
    return {
      epoch: position?.epoch ?? null,
      frontier: position?.frontier ?? null,
      lag: this.#lag(),
      caughtUpAt: position?.caughtUpAt ?? null,
      lookedAt: this.#lookedAt,
      waiting,
      attachments,
      orphans,
      newestOrphans: this.#memory.newestOrphans(ORPHANS_SHOWN),
    };
  }

  async stop(): Promise<void> {
    if (this.#reading === null) this.#ended.resolve(null);
    this.#end();
    await this.stopped;
  }

  #end(): void {
    this.#isEnding = true;
    this.#bell.close();
  }

  async #loop(reading: Reading): Promise<void> {
    const { chatDb, context } = this.#options;
    // From here on what is written is new, so this is done before anything is waited for.
    this.#tryToOpen(reading);
    this.#hints = watchFolder(
      dirname(chatDb),
      () => this.#bell.ring(),
      (error) => context.log('debug', 'There are no file events of the message database.', { error: error.message }),
    );
    try {
      while (!this.#isEnding) await this.#bell.wait(await this.#lookOnce(reading));
    } finally {
      this.#hints.close();
      reading.close();
    }
  }

  /** Gives how long to wait for the next look. */
  async #lookOnce(reading: Reading): Promise<number> {
    const { context } = this.#options;
    const hasPaused = this.#hasPaused(context.now());
    const isFull = hasPaused || this.#isFullLookDue(context.now());
    try {
      if (hasPaused) reading.wake();
      await reading.lookOnce(isFull);
    } catch (error) {
      if (error instanceof ChatDbUnreadableError) return this.#leaveAlone(reading, error);
      if (!(error instanceof ReportRefusedError)) throw error;
      context.log('warn', 'The report was refused and will be made again.', { error: error.message });
      return this.#timings.reportRetryMs;
    }
    this.#lookedAt = context.now();
    if (isFull) {
      this.#fullLookAt = this.#lookedAt;
      this.#hints?.renew();
    }
    this.#tellHealth(null);
    return reading.isHolding ? Math.min(HELD_POLL_MS, this.#timings.pollMs) : this.#timings.pollMs;
  }

  #isFullLookDue(now: number): boolean {
    return this.#fullLookAt === null || now - this.#fullLookAt >= this.#timings.fullLookMs;
  }

  /** The clock says that this Mac has slept, or that its clock was set. */
  #hasPaused(now: number): boolean {
    if (this.#lookedAt === null) return false;
    const pause = now - this.#lookedAt;
    return pause < 0 || pause > this.#timings.pollMs * 3;
  }

  #tryToOpen(reading: Reading): void {
    try {
      reading.open();
    } catch (error) {
      if (!(error instanceof ChatDbUnreadableError)) throw error;
      this.#leaveAlone(reading, error);
    }
  }

  #leaveAlone(reading: Reading, error: ChatDbUnreadableError): number {
    reading.closeDatabase();
    this.#tellHealth(error.message);
    return this.#timings.unreadableRetryMs;
  }

  #tellHealth(reason: string | null): void {
    if (this.#health === reason) return;
    this.#health = reason;
    this.#options.context.health(reason === null ? 'online' : 'offline', reason);
  }

  #lag(): number | null {
    try {
      const newest = this.#reading?.newest() ?? null;
      return newest === null ? null : Math.max(0, newest - (this.#reading?.position?.frontier ?? 0));
    } catch (error) {
      if (error instanceof ChatDbUnreadableError) return null;
      throw error;
    }
  }
}
