/** The writer's one transaction: how it waits for others to begin, and what a disk that fails makes of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { CommitInDoubtError, StorageUnavailableError } from '../database.ts';

/**
 * How a commit waits for a foreign process that holds the write lock: by trying again, for SQLite's own waiting would
 * stop the whole process. 5 s in all.
 */
const BUSY_TRY_EVERY_MS = 20;
const BUSY_TRIES_MAX = 250;

/** Codes of a disk or file that fails, as opposed to a statement that is wrong. */
const UNAVAILABLE = /^SQLITE_(FULL|IOERR|BUSY|READONLY|CANTOPEN|NOMEM)/;
/** After these nobody knows what is on the disk: the system may have dropped what it could not write. */
const UNSYNCED = /^SQLITE_IOERR_(FSYNC|DIR_FSYNC)$/;

export interface Transaction {
  begin(): Promise<void>;
  /** Undoes it after an error, and gives the error that its batch is to be told. */
  undo(error: unknown): unknown;
}

export interface TransactionOptions {
  readonly file: string;
  /** Told once when the disk has failed a sync. From then on every commit is refused; only a new start helps. */
  readonly onBroken?: (error: Error) => void;
}

/** The disk failed a sync: a further one that succeeds would prove nothing about what was written before. */
class UnsyncedError extends Error {
  constructor(file: string, cause: unknown) {
    super(
      `The disk could not sync ${file}, so that nobody knows what is on it. Check the disk, then start again: what was acknowledged is written anew.`,
      { cause },
    );
    this.name = 'UnsyncedError';
  }
}

export function createTransaction(writer: Sqlite.Database, { file, onBroken }: TransactionOptions): Transaction {
  let broken: UnsyncedError | null = null;
  let busyTriesLeft = BUSY_TRIES_MAX;

  /** Gives the error that it met, if any: a disk that failed the commit may fail this too. */
  function rollback(): unknown {
    try {
      if (writer.inTransaction) writer.exec('rollback');
      return null;
    } catch (error) {
      return asUnavailable(error);
    }
  }

  return {
    /** Once one commit has waited in vain, those behind it do not wait again: each tries once until one succeeds. */
    async begin() {
      for (;;) {
        if (broken) throw new StorageUnavailableError(broken);
        try {
          writer.exec('begin immediate');
          busyTriesLeft = BUSY_TRIES_MAX;
          return;
        } catch (error) {
          if (!isBusy(error) || busyTriesLeft <= 0) throw asUnavailable(error);
          busyTriesLeft--;
        }
        await sleep(BUSY_TRY_EVERY_MS);
      }
    },
    undo(error) {
      if (!broken && error instanceof Sqlite.SqliteError && UNSYNCED.test(error.code)) {
        broken = new UnsyncedError(file, error);
        onBroken?.(broken);
        // What the system still has in memory may be found at the next start: nobody can say that nothing was done.
        return rollback() ?? new CommitInDoubtError(error);
      }
      return rollback() ?? asUnavailable(error);
    },
  };
}

function asUnavailable(error: unknown): unknown {
  if (error instanceof Sqlite.SqliteError && UNAVAILABLE.test(error.code)) return new StorageUnavailableError(error);
  return error;
}

function isBusy(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY');
}
