/** Why a SQLite file cannot be used, in a sentence that says what to do. */
import Sqlite from 'better-sqlite3';

const SENTENCES: readonly (readonly [code: RegExp, sentence: (file: string) => string])[] = [
  [/^SQLITE_BUSY/, (file) => `Another process uses the database ${file}. Stop it and start again.`],
  [/^SQLITE_FULL/, (file) => `The disk has no room for the database ${file}. Make room and start again.`],
  [
    /^SQLITE_(NOTADB|CORRUPT)/,
    (file) => `${file} is not a database, or is damaged. Restore it from a backup, or move it away to begin anew.`,
  ],
  [
    /^SQLITE_(CANTOPEN|READONLY|IOERR|PERM|AUTH)/,
    (file) =>
      `The database ${file} cannot be opened for writing. Check its folder's owner, and that its disk is not read-only.`,
  ],
];

/** The error to throw at the start: a sentence where one is known, else the error itself. */
export function startFailure(file: string, error: unknown): unknown {
  if (!(error instanceof Sqlite.SqliteError)) return error;
  const sentence = SENTENCES.find(([code]) => code.test(error.code))?.[1];
  return sentence === undefined ? error : new Error(sentence(file), { cause: error });
}
