/**
 * What the Mac's side remembers over crashes: one SQLite file of the agent's own. Which hand-overs were begun and what
 * became of them, and how far the message database has been read. Every commit is on the disk before it returns.
 */
import Database from 'better-sqlite3';

export type JournalDatabase = Database.Database;

export interface Journal {
  readonly database: JournalDatabase;
  close(): void;
}

/** `tables` are statements that make what is missing (`create table if not exists ...`). */
export function openJournal(path: string, tables: readonly string[]): Journal {
  const database = new Database(path);
  database.pragma('journal_mode = wal');
  database.pragma('synchronous = full');
  // Without it a Mac's disk acknowledges what it has not written.
  database.pragma('fullfsync = 1');
  database.pragma('checkpoint_fullfsync = 1');
  for (const table of tables) database.exec(table);
  return { database, close: () => database.close() };
}
