/** One process per data folder: a lock that the operating system drops with the process, however it ends. */
import Sqlite from 'better-sqlite3';
import { startFailure } from './sqlite-failure.ts';

export interface FolderLock {
  release(): void;
}

/** Throws a sentence while another process has the folder. */
export function lockFolder(file: string): FolderLock {
  try {
    return lockFile(file);
  } catch (error) {
    if (!(error instanceof Sqlite.SqliteError) || !error.code.startsWith('SQLITE_BUSY'))
      throw startFailure(file, error);
    throw new Error(
      'Another Trunkline uses this data folder. Stop it, or give this one its own with TRUNKLINE_DATA_DIR.',
      { cause: error },
    );
  }
}

function lockFile(file: string): FolderLock {
  const connection = new Sqlite(file, { timeout: 0 });
  try {
    connection.pragma('journal_mode = delete');
    connection.exec('begin exclusive');
  } catch (error) {
    connection.close();
    throw error;
  }
  return { release: () => connection.close() };
}
