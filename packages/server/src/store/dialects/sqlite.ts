/** SQLite in process: one writer connection, one for reads, and a lock on the data folder. */
import { randomUUID } from 'node:crypto';
import Sqlite from 'better-sqlite3';
import { Kysely } from 'kysely';
import {
  type Commit,
  type Engine,
  type LogEntry,
  type Row,
  type Statement,
  StorageUnavailableError,
  type Tx,
} from '../database.ts';
import { insertDeliveries, insertEvent } from '../log-rows.ts';
import type { Schema } from '../schema.ts';
import { SqliteDialect } from './sqlite-kysely.ts';
import { sqliteText } from './statement-text.ts';

/** Of each connection, where nothing else is said. */
const CACHE_KIB = 4_000;
const BUSY_TIMEOUT_MS = 5_000;
const WAL_AUTOCHECKPOINT_PAGES = 1_000;
const SYNCHRONOUS_FULL = 2;
/** Prepared statements kept per connection; the hot ones number a few dozen. */
const STATEMENTS_MAX = 500;

/** Codes of a disk or file that fails, as opposed to a statement that is wrong. */
const UNAVAILABLE = /^SQLITE_(FULL|IOERR|BUSY|READONLY|CANTOPEN|NOMEM)/;

export interface SqliteOptions {
  readonly file: string;
  /** Pages that each of the two connections keeps in memory. */
  readonly cacheKib?: number;
}

export function openSqlite(options: SqliteOptions): Engine {
  const writer = openConnection(options, false);
  const reader = openConnection(options, true);
  const listeners = new Set<(topic: string) => void>();
  const write = statementCache(writer);
  const readStatements = statementCache(reader);
  let last: Promise<unknown> = Promise.resolve();

  const process = randomUUID();
  const tx: Tx = {
    process,
    // One process at a time holds the folder's lock: whoever was here before is gone.
    isAlive: async (name) => name === process,
    each: (statement, items) => settle(() => runEach(write(statement), items)),
    one: (statement, item) => settle(() => runOne(write(statement), item)),
  };

  async function commitNow<T>(run: (tx: Tx) => Promise<Commit<T>>): Promise<Commit<T>> {
    try {
      writer.exec('begin immediate');
    } catch (error) {
      throw asUnavailable(error);
    }
    try {
      const commit = await run(tx);
      appendLog(write, commit.log);
      writer.exec('commit');
      return commit;
    } catch (error) {
      if (writer.inTransaction) writer.exec('rollback');
      throw asUnavailable(error);
    }
  }

  function wake(topic: string): void {
    for (const listener of listeners) listener(topic);
  }

  return {
    kind: 'sqlite',
    query: new Kysely<Schema>({ dialect: new SqliteDialect(reader, writer) }),
    read: (statement, item) => settle(() => runOne(readStatements(statement), item)),
    readEach: (statement, items) => settle(() => runEach(readStatements(statement), items)),
    async commit(run) {
      const mine = last.then(() => commitNow(run));
      last = mine.catch(() => undefined);
      const commit = await mine;
      for (const topic of new Set(commit.topics)) wake(topic);
      return commit.value;
    },
    wake,
    onWake(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    ping: () => settle(() => void reader.prepare('select 1').get()),
    async close() {
      await last;
      reader.close();
      writer.close();
    },
  };
}

type Prepared = Sqlite.Statement<[Row], Row>;

/** Keeps prepared statements by their text's owner: preparing one costs more than running it. */
function statementCache(connection: Sqlite.Database): (statement: Statement) => Prepared {
  const prepared = new Map<Statement, Prepared>();
  return (statement) => {
    const known = prepared.get(statement);
    if (known) return known;
    if (prepared.size >= STATEMENTS_MAX) prepared.clear();
    const made = connection.prepare<[Row], Row>(sqliteText(statement));
    prepared.set(statement, made);
    return made;
  };
}

function runOne(prepared: Prepared, item: Row): Row[] {
  if (prepared.reader) return prepared.all(item);
  prepared.run(item);
  return [];
}

function runEach(prepared: Prepared, items: readonly Row[]): Row[] {
  const namesOrd = prepared.source.includes('@ord');
  const rows: Row[] = [];
  for (let ord = 0; ord < items.length; ord++) {
    const item = items[ord];
    if (item === undefined) continue;
    const bound = namesOrd ? { ...item, ord } : item;
    if (prepared.reader) rows.push(...prepared.all(bound));
    else prepared.run(bound);
  }
  return rows;
}

/** The log's last step on SQLite, where there is one writer: AUTOINCREMENT numbers the events in commit order. */
function appendLog(write: (statement: Statement) => Prepared, log: readonly LogEntry[]): void {
  if (log.length === 0) return;
  const event = write(insertEvent);
  const delivery = write(insertDeliveries);
  for (const entry of log) {
    const seq = Number(event.run(entry.event).lastInsertRowid);
    for (const row of entry.deliveries) delivery.run({ ...row, event_seq: seq });
  }
}

function openConnection({ file, cacheKib = CACHE_KIB }: SqliteOptions, readonly: boolean): Sqlite.Database {
  const connection = new Sqlite(file, { readonly, timeout: BUSY_TIMEOUT_MS });
  connection.pragma(`cache_size = -${cacheKib}`);
  connection.pragma('temp_store = memory');
  if (readonly) return connection;
  connection.pragma('journal_mode = wal');
  connection.pragma('synchronous = FULL');
  connection.pragma(`wal_autocheckpoint = ${WAL_AUTOCHECKPOINT_PAGES}`);
  connection.pragma('fullfsync = 1');
  connection.pragma('checkpoint_fullfsync = 1');
  const synchronous = connection.pragma('synchronous', { simple: true });
  if (synchronous !== SYNCHRONOUS_FULL) {
    throw new Error(`SQLite runs with synchronous=${synchronous}, which loses acknowledged rows in a power cut.`);
  }
  return connection;
}

function asUnavailable(error: unknown): unknown {
  if (error instanceof Sqlite.SqliteError && UNAVAILABLE.test(error.code)) return new StorageUnavailableError(error);
  return error;
}

/** better-sqlite3 answers at once; the port is asynchronous because PostgreSQL is not. */
async function settle<T>(work: () => T): Promise<T> {
  return work();
}
