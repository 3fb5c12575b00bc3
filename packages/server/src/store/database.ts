/**
 * The joint between the store and its engines.
 *
 * A statement is one SQL text for both engines. `i.<column>` names a column of the item that it is run for. Run with
 * `each`, a statement is run for many items: in a loop over one prepared statement on SQLite, once for the whole set on
 * PostgreSQL, where the markers `{from items}`, `{, items}`, `{using items}` (for a delete) and
 * `{values}` (all columns, for an insert) become the set. Run with `one` it has a single item and
 * no markers. Rows come back flat and in no promised order: select what tells them apart (`i.ord` is the item's index;
 * an INSERT ... RETURNING cannot name it). `{now}` is the database's clock in Unix milliseconds, `{for share of <table>}` and
 * `{skip locked}` lock rows where there is anybody to lock out, `{next ref of messages}` draws a row's integer.
 */
import type { Kysely } from 'kysely';
import type { Schema } from './schema.ts';

export type Column = 'text' | 'int' | 'real';
export type Value = string | number | null;
export type Row = Readonly<Record<string, Value>>;

export interface Statement {
  readonly sql: string;
  readonly columns: Readonly<Record<string, Column>>;
}

export function statement(columns: Readonly<Record<string, Column>>, sql: string): Statement {
  return { sql, columns };
}

/** An insert of whole items, column by column; `tail` is what follows, such as ON CONFLICT or RETURNING. */
export function insertInto(table: string, columns: Readonly<Record<string, Column>>, tail = ''): Statement {
  return { sql: `insert into ${table} (${Object.keys(columns).join(', ')}) {values} ${tail}`, columns };
}

export interface Tx {
  each(statement: Statement, items: readonly Row[]): Promise<Row[]>;
  one(statement: Statement, item: Row): Promise<Row[]>;
  /** How many rows it changed, for all items together: on SQLite much cheaper than to have them returned. */
  changed(statement: Statement, items: readonly Row[]): Promise<number>;
  /** Inserts with the commit, which on PostgreSQL saves a round trip. */
  atCommit(statement: Statement, items: readonly Row[]): void;
  /** Names this process in rows that only it may finish. */
  readonly process: string;
  /** Whether the process of that name is still there. */
  isAlive(process: string): Promise<boolean>;
}

/** One event for the log, with the deliveries that it is due. Sequenced in the commit itself. */
export interface LogEntry {
  readonly event: Row;
  readonly deliveries: readonly Row[];
}

/** What a batch leaves for the commit: the log's entries, and the topics whose listeners wake. */
export interface Commit<T> {
  readonly value: T;
  readonly log: readonly LogEntry[];
  readonly topics: readonly string[];
}

export type EngineKind = 'sqlite' | 'postgres';

export interface Engine {
  readonly kind: EngineKind;
  /** The query builder, for reads with filters and for migrations. Sees what is committed. */
  readonly query: Kysely<Schema>;
  read(statement: Statement, item: Row): Promise<Row[]>;
  /** A read for many items, as `each` runs it. */
  readEach(statement: Statement, items: readonly Row[]): Promise<Row[]>;
  /** Runs the batch and commits it, the log's entries last. Rejects with nothing written. */
  commit<T>(run: (tx: Tx) => Promise<Commit<T>>): Promise<T>;
  /** Calls the listener, in every process, after a commit that left the topic. */
  onWake(listener: (topic: string) => void): () => void;
  /** Wakes the listeners of a topic without a commit. */
  wake(topic: string): void;
  /** Fails when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** A failure of the disk or the connection: the whole batch is refused, nobody in it is to blame. */
export class StorageUnavailableError extends Error {
  constructor(cause: unknown) {
    super('The database cannot take writes now.', { cause });
    this.name = 'StorageUnavailableError';
  }
}

/** Another batch came in this one's way, such as by waiting for its rows: it is undone, and can be run again as it is. */
export class CollidedError extends StorageUnavailableError {
  constructor(cause: unknown) {
    super(cause);
    this.name = 'CollidedError';
  }
}

/** The connection was lost while the batch was being committed, and what became of it could not be learnt in time. */
export class CommitInDoubtError extends StorageUnavailableError {
  constructor(cause: unknown) {
    super(cause);
    this.name = 'CommitInDoubtError';
    this.message = 'The database went away during a commit, which may have been done.';
  }
}
