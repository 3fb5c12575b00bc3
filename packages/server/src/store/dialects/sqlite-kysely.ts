/** Kysely on better-sqlite3 with prepared statements kept: stock Kysely prepares every query anew. */
import type Sqlite from 'better-sqlite3';
import {
  CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';

const STATEMENTS_MAX = 200;

export class SqliteDialect implements Dialect {
  readonly #reader: Sqlite.Database;
  readonly #writer: Sqlite.Database;

  /** What reads goes to `reader`; what writes (the migrations) to `writer`. */
  constructor(reader: Sqlite.Database, writer: Sqlite.Database) {
    this.#reader = reader;
    this.#writer = writer;
  }

  createDriver(): Driver {
    return new SqliteDriver(this.#reader, this.#writer);
  }
  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler();
  }
  createAdapter(): DialectAdapter {
    return new TransactionalSqliteAdapter();
  }
  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new SqliteIntrospector(db);
  }
}

/** SQLite rolls DDL back like anything else: a migration that is cut short leaves nothing behind. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class SqliteDriver implements Driver {
  readonly #connection: SqliteConnection;

  constructor(reader: Sqlite.Database, writer: Sqlite.Database) {
    this.#connection = new SqliteConnection(reader, writer);
  }
  async init(): Promise<void> {
    // The connections are open already.
  }
  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection;
  }
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
    this.#connection.inTransaction = true;
  }
  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
    this.#connection.inTransaction = false;
  }
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback'));
    this.#connection.inTransaction = false;
  }
  async releaseConnection(): Promise<void> {
    // There is one connection and it stays.
  }
  async destroy(): Promise<void> {
    // The engine closes what it opened.
  }
}

class SqliteConnection implements DatabaseConnection {
  inTransaction = false;
  readonly #reader: Sqlite.Database;
  readonly #writer: Sqlite.Database;
  readonly #prepared = new Map<string, Sqlite.Statement>();

  constructor(reader: Sqlite.Database, writer: Sqlite.Database) {
    this.#reader = reader;
    this.#writer = writer;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const reads = query.query.kind === 'SelectQueryNode' && !this.inTransaction;
    const prepared = reads ? this.#read(query.sql) : this.#writer.prepare(query.sql);
    if (prepared.reader) return { rows: prepared.all(query.parameters) as R[] };
    const { changes } = prepared.run(query.parameters);
    return { rows: [], numAffectedRows: BigInt(changes) };
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Queries are not streamed on SQLite: read pages.');
  }

  #read(sql: string): Sqlite.Statement {
    const known = this.#prepared.get(sql);
    if (known) return known;
    if (this.#prepared.size >= STATEMENTS_MAX) this.#prepared.clear();
    const made = this.#reader.prepare(sql);
    this.#prepared.set(sql, made);
    return made;
  }
}
