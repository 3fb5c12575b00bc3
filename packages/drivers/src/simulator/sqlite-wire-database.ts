/** The simulator's database where no server brings one: SQLite of its own, for an agent, and in memory for tests. */
import Database from 'better-sqlite3';
import type { WireDatabase, WireRow, WireStatement, WireTransaction, WireValue } from './wire-database.ts';

const MARKER = /\{from items\}|\{, items\}/g;
const ITEM_COLUMN = /\bi\.(\w+)/g;

/** The path of a file, or `:memory:`. */
export async function openSqliteWireDatabase(
  path: string,
): Promise<{ readonly database: WireDatabase; close(): Promise<void> }> {
  const sqlite = new Database(path);
  sqlite.pragma('journal_mode = wal');
  sqlite.pragma('synchronous = full');
  const listeners = new Set<(topic: string) => void>();
  const runAlone = createTurns();

  const each = async (statement: WireStatement, items: readonly WireRow[]): Promise<WireRow[]> => {
    // A real engine answers later, so that everything that could happen meanwhile does.
    await new Promise(setImmediate);
    const prepared = sqlite.prepare<WireRow[]>(statement.sql.replace(MARKER, '').replace(ITEM_COLUMN, '@$1'));
    return items.flatMap((item, ord) => {
      const parameters = { ...pick(item, statement), ord };
      if (!prepared.reader) {
        prepared.run(parameters);
        return [];
      }
      return prepared.all(parameters).map(toRow);
    });
  };
  const tx: WireTransaction = { each };

  const database: WireDatabase = {
    define: (statements) =>
      runAlone(async () => {
        sqlite.exec(statements.join(';'));
      }),
    // There is one connection, and a read in the middle of a transaction would see what is not committed.
    read: (statement, items) => runAlone(() => each(statement, items)),
    transaction: (run) =>
      runAlone(async () => {
        sqlite.exec('begin immediate');
        try {
          const value = await run(tx);
          sqlite.exec('commit');
          return value;
        } catch (error) {
          sqlite.exec('rollback');
          throw error;
        }
      }),
    wake(topic) {
      for (const listener of listeners) listener(topic);
    },
    onWake(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const close = async (): Promise<void> => {
    sqlite.close();
  };
  return { database, close };
}

/** One after another, whether the one before succeeded or not. */
function createTurns(): <T>(run: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const turn = last.then(run, run);
    last = turn.catch(() => undefined);
    return turn;
  };
}

/** The declared columns and no more: on PostgreSQL there are no others either. */
function pick(item: WireRow, statement: WireStatement): Record<string, WireValue> {
  return Object.fromEntries(
    Object.keys(statement.columns).map((column) => {
      const value = item[column];
      if (value === undefined) throw new Error(`The item has no column ${column}: ${statement.sql}`);
      return [column, value];
    }),
  );
}

function toRow(row: unknown): WireRow {
  if (typeof row !== 'object' || row === null) throw new TypeError('SQLite gave something that is no row.');
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, toValue(value)]));
}

function toValue(value: unknown): WireValue {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  throw new TypeError(`SQLite gave a ${typeof value}, which the wire does not hold.`);
}
