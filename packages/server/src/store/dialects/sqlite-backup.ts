/** Copies a SQLite database of which another process may be writing, as it is at one moment. */
import Sqlite from 'better-sqlite3';

const BUSY_TIMEOUT_MS = 5_000;
/** All at once: SQLite begins a copy anew whenever another process has written, so one in pieces might never end. */
const PAGES_PER_STEP = 0x7fff_ffff;

/** The copy has everything that was committed when this was called. Nobody who writes is held up by it. */
export async function copySqlite(from: string, to: string): Promise<void> {
  const source = new Sqlite(from, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  try {
    await source.backup(to, { progress: () => PAGES_PER_STEP });
  } finally {
    source.close();
  }
}

/** The ids of a copy's files; none where it is older than they are. */
export function readFileIds(file: string): string[] {
  const copy = new Sqlite(file, { readonly: true, fileMustExist: true });
  try {
    const hasFiles = copy.prepare("select 1 from sqlite_master where type = 'table' and name = 'files'").get();
    return hasFiles === undefined ? [] : copy.prepare('select id from files').pluck().all().map(String);
  } finally {
    copy.close();
  }
}

/** Changes a copy, leaves it as a single file, and throws a sentence where it is not sound. */
export function finishCopy(file: string, statements: readonly string[]): void {
  const copy = new Sqlite(file, { fileMustExist: true });
  try {
    copy.pragma('journal_mode = delete');
    copy.pragma('synchronous = FULL');
    copy.transaction(() => {
      for (const text of statements) copy.exec(text);
    })();
    const found = copy.pragma('integrity_check', { simple: true });
    if (found !== 'ok')
      throw new Error(`The copy ${file} is not sound: ${String(found)}. The database itself may be damaged.`);
  } finally {
    copy.close();
  }
}
