/** SQLite in process: one writer connection, one for reads, and a lock on the data folder. */
import { randomUUID } from 'node:crypto';
import Sqlite from 'better-sqlite3';
import { Kysely } from 'kysely';
import type { Commit, Engine, LogEntry, Row, Statement, Tx, Value } from '../database.ts';
import { insertDeliveries, insertEvent } from '../log-rows.ts';
import type { Schema } from '../schema.ts';
import { startFailure } from './sqlite-failure.ts';
import { SqliteDialect } from './sqlite-kysely.ts';
import { createTransaction } from './sqlite-transaction.ts';
import { sqliteManyText, sqliteText } from './statement-text.ts';

/** Of each connection, where nothing else is said. */
const CACHE_KIB = 4_000;
/** How long opening waits for a foreign process to let go of the file: the start is to fail soon, with a sentence. */
const BUSY_AT_START_MS = 1_500;
const WAL_AUTOCHECKPOINT_PAGES = 1_000;
const SYNCHRONOUS_FULL = 2;
/** Prepared statements kept per connection; the hot ones number a few dozen. */
const STATEMENTS_MAX = 500;
/** Of a set that is only counted. */
const ITEMS_AT_ONCE = 8;

export interface SqliteOptions {
  readonly file: string;
  /** Pages that each of the two connections keeps in memory. */
  readonly cacheKib?: number;
  /** Told once when the disk has failed a sync. From then on every commit is refused; only a new start helps. */
  readonly onBroken?: (error: Error) => void;
}

export function openSqlite(options: SqliteOptions): Engine {
  const { writer, reader } = openConnections(options);
  const transaction = createTransaction(writer, options);
  const listeners = new Set<(topic: string) => void>();
  const write = statementCache((statement) => writer.prepare<[Row], Row>(sqliteText(statement)));
  const writeMany = statementCache((statement) =>
    writer.prepare<[Value[]], Row>(sqliteManyText(statement, ITEMS_AT_ONCE)),
  );
  const readStatements = statementCache((statement) => reader.prepare<[Row], Row>(sqliteText(statement)));
  let last: Promise<unknown> = Promise.resolve();

  const process = randomUUID();
  const tx: Tx = {
    process,
    // One process at a time holds the folder's lock: whoever was here before is gone.
    isAlive: async (name) => name === process,
    each: (statement, items) => settle(() => runEach(write(statement), items)),
    one: (statement, item) => settle(() => runOne(write(statement), item)),
    changed: (statement, items) => settle(() => runCounted(write, writeMany, statement, items)),
    atCommit: (statement, items) => void runEach(write(statement), items),
  };

  async function commitNow<T>(run: (tx: Tx) => Promise<Commit<T>>): Promise<Commit<T>> {
    await transaction.begin();
    try {
      const commit = await run(tx);
      appendLog(write, commit.log);
      writer.exec('commit');
      return commit;
    } catch (error) {
      throw transaction.undo(error);
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

type PreparedMany = Sqlite.Statement<[Value[]], Row>;

/** Keeps prepared statements by their text's owner: preparing one costs more than running it. */
function statementCache<Made>(prepare: (statement: Statement) => Made): (statement: Statement) => Made {
  const prepared = new Map<Statement, Made>();
  return (statement) => {
    const known = prepared.get(statement);
    if (known) return known;
    if (prepared.size >= STATEMENTS_MAX) prepared.clear();
    const made = prepare(statement);
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

/** Some at a time, for each run of a statement has a cost of its own; what is left over goes one by one. */
function runCounted(
  one: (statement: Statement) => Prepared,
  many: (statement: Statement) => PreparedMany,
  statement: Statement,
  items: readonly Row[],
): number {
  const names = Object.keys(statement.columns);
  let changes = 0;
  let done = 0;
  for (; items.length - done >= ITEMS_AT_ONCE; done += ITEMS_AT_ONCE) {
    const values = items.slice(done, done + ITEMS_AT_ONCE).flatMap((item) => names.map((name) => item[name] ?? null));
    changes += many(statement).run(values).changes;
  }
  for (const item of items.slice(done)) changes += one(statement).run(item).changes;
  return changes;
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

function openConnections(options: SqliteOptions): { writer: Sqlite.Database; reader: Sqlite.Database } {
  try {
    const writer = openConnection(options, false);
    emptyWal(writer);
    const reader = openConnection(options, true);
    writer.pragma('busy_timeout = 0');
    return { writer, reader };
  } catch (error) {
    throw startFailure(options.file, error);
  }
}

function openConnection({ file, cacheKib = CACHE_KIB }: SqliteOptions, readonly: boolean): Sqlite.Database {
  const connection = new Sqlite(file, { readonly, timeout: BUSY_AT_START_MS });
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

/**
 * What a predecessor left in the log may be in the system's memory and not on the disk, where a sync had failed. It
 * goes into the database and is synced there; behind a hole in the log, later commits could be lost.
 */
function emptyWal(writer: Sqlite.Database): void {
  const [row] = writer.pragma('wal_checkpoint(truncate)') as { busy: number }[];
  if (row?.busy !== 0) throw new Error('Another process reads or writes the database and keeps it from being started.');
}

/** better-sqlite3 answers at once; the port is asynchronous because PostgreSQL is not. */
async function settle<T>(work: () => T): Promise<T> {
  return work();
}
