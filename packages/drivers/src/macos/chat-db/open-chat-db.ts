/**
 * The message database of a Mac, opened for reading alone.
 *
 * Never with `immutable`, which would not see the log, where messages may lie for days. Every read is a transaction of
 * its own that ends before the call returns: a snapshot that stays open sees nothing new and hinders the owner's writes.
 */
import { createHash } from 'node:crypto';
import { type BigIntStats, statSync } from 'node:fs';
import Database from 'better-sqlite3';

/** A read waits this long for a checkpoint; nothing else of this process happens meanwhile. */
const BUSY_WAIT_MS = 1_000;
/** The file may be exchanged between a look at it and its opening. */
const OPEN_TRIES = 3;
/** What is looked at is new; pages of years ago need not be kept. */
const CACHE_KIB = 2_000;
const TABLES = ['message', 'chat', 'attachment'] as const;

const NO_ACCESS =
  'The message database of this Mac may not be read: give the program that runs this bridge Full Disk Access in System Settings, Privacy & Security, and start it again.';
const NOT_THERE =
  'There is no message database on this Mac: open Messages and sign in, as the user whom this bridge runs as.';
const NO_ACCESS_CODES = new Set(['SQLITE_CANTOPEN', 'SQLITE_AUTH', 'SQLITE_PERM', 'EPERM', 'EACCES']);

export type Value = string | number | bigint | Uint8Array | null;
export type Row = Readonly<Record<string, unknown>>;
type Columns = ReadonlySet<string>;

/** The database cannot be read now. The message is a sentence for a person. */
export class ChatDbUnreadableError extends Error {
  override readonly name = 'ChatDbUnreadableError';
}

export interface ChatDbPlace {
  readonly path: string;
  /** The home folder that `~` stands for in it. */
  readonly home: string;
}

export interface OpenChatDb {
  readonly home: string;
  /** Names the file itself: another one under the same path has another name. */
  readonly file: string;
  /** Which columns this release of macOS has. */
  readonly columns: Readonly<Record<(typeof TABLES)[number], Columns>>;
  all(sql: string, ...values: Value[]): Row[];
  /** Changes when another process has committed. */
  dataVersion(): number;
  close(): void;
}

export function openChatDb({ path, home }: ChatDbPlace): OpenChatDb {
  for (let tries = 1; ; tries += 1) {
    const file = identifyFile(path);
    const database = readable(() => new Database(path, { readonly: true, fileMustExist: true, timeout: BUSY_WAIT_MS }));
    try {
      if (identifyFile(path) === file || tries === OPEN_TRIES) return readable(() => wrap(database, file, home));
    } catch (error) {
      database.close();
      throw error;
    }
    database.close();
  }
}

export function identifyFile(path: string): string {
  const { dev, ino, birthtimeNs } = readable((): BigIntStats => statSync(path, { bigint: true }));
  return createHash('sha256').update(`${dev}:${ino}:${birthtimeNs}`).digest('hex').slice(0, 12);
}

function wrap(database: Database.Database, file: string, home: string): OpenChatDb {
  database.pragma(`cache_size = -${CACHE_KIB}`);
  const statements = new Map<string, Database.Statement<Value[], Row>>();
  const all = (sql: string, ...values: Value[]): Row[] =>
    readable(() => {
      const statement = statements.get(sql) ?? database.prepare<Value[], Row>(sql);
      statements.set(sql, statement);
      return statement.all(...values);
    });
  const columnsOf = (table: string): Columns =>
    new Set(all('SELECT name FROM pragma_table_info(?)', table).map(({ name }) => String(name)));
  return {
    home,
    file,
    columns: { message: columnsOf('message'), chat: columnsOf('chat'), attachment: columnsOf('attachment') },
    all,
    dataVersion: () => Number(all('PRAGMA data_version')[0]?.['data_version']),
    close: () => database.close(),
  };
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const code = codeOf(error);
    if (code === null) throw error;
    throw new ChatDbUnreadableError(sentenceOf(code), { cause: error });
  }
}

/** Null for what is no refusal of the file or of SQLite: a mistake of ours. */
function codeOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  const isMistake = error.code === 'SQLITE_ERROR' && /no such column|syntax/.test(error.message);
  return isMistake || !/^(SQLITE_|E[A-Z]+$)/.test(error.code) ? null : error.code;
}

function sentenceOf(code: string): string {
  if (code === 'ENOENT') return NOT_THERE;
  if ([...NO_ACCESS_CODES].some((one) => code.startsWith(one))) return NO_ACCESS;
  return `The message database of this Mac could not be read (${code}).`;
}
