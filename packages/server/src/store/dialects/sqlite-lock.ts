/** One process per data folder: a lock that the operating system drops with the process, however it ends. */
import Sqlite from 'better-sqlite3';

export interface FolderLock {
  release(): void;
}

/** Throws a sentence while another process has the folder. */
export function lockFolder(file: string): FolderLock {
  const connection = new Sqlite(file, { timeout: 0 });
  try {
    connection.pragma('journal_mode = delete');
    connection.exec('begin exclusive');
  } catch (error) {
    connection.close();
    throw new Error(
      'Another Trunkline uses this data folder. Stop it, or give this one its own with TRUNKLINE_DATA_DIR.',
      { cause: error },
    );
  }
  return { release: () => connection.close() };
}
