/** PostgreSQL: a pool, set-based statements, and a commit that sequences the log in its last round trip. */
import { randomUUID } from 'node:crypto';
import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from 'kysely';
import pg from 'pg';
import {
  CollidedError,
  type Commit,
  type Engine,
  type Row,
  type Statement,
  StorageUnavailableError,
  type Tx,
  type Value,
} from '../database.ts';
import type { Schema } from '../schema.ts';
import { type CommitMark, createCommitMarks, marksTableText, markText } from './postgres-doubt.ts';
import { createListener } from './postgres-listener.ts';
import { postgresLiteralText } from './postgres-literals.ts';
import { logText, notifyText } from './postgres-log.ts';
import { postgresOneText, postgresSetText } from './statement-text.ts';

const CONNECTIONS_MAX = 12;
const IDLE_IN_TRANSACTION_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 15_000;
const LOCK_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** A server that is there ends its statements before this: who says nothing for so long is gone. */
const ANSWER_TIMEOUT_MS = 20_000;
const INT8 = 20;
/** The server ended the connection itself, or the network did. */
const LOST = /^(08|57P0[1-3])/;
/** "Create if not exists" races with itself between processes. */
const DDL_LOCK = 7_215_002;

/** SQLSTATE classes in which nobody's data is to blame: connection, resources, shutdown, disk, lock, time and cancel. */
const UNAVAILABLE = /^(08|53|57|58|55P03|25P03|40)/;
/** A deadlock, or a row that could not be seen as it was: the transaction is undone and may be run again. */
const COLLIDED = /^40(001|P01)/;

export interface PostgresOptions {
  readonly url: string;
  /** The schema that the tables live in, made when it is missing. */
  readonly schema: string;
}

function createPool(options: PostgresOptions, identity: string): pg.Pool {
  return new pg.Pool({
    application_name: sessionName(identity),
    connectionString: options.url,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    keepAlive: true,
    pipeline: true,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    options: `-c search_path=${options.schema}`,
    types: { getTypeParser },
  });
}

export async function openPostgres(options: PostgresOptions): Promise<Engine> {
  const identity = randomUUID();
  const pool = createPool(options, identity);
  // A broken idle connection is dropped by the pool; of one in use, the next query tells the caller.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  await requireDurability(pool);
  await pool.query(
    `select pg_advisory_xact_lock(${DDL_LOCK}); create schema if not exists ${pg.escapeIdentifier(options.schema)};
    ${marksTableText(options.schema)}`,
  );
  const listener = await createListener(pool, options.schema, identity);
  const marks = createCommitMarks(identity, options.schema);

  async function commitNow<T>(run: (tx: Tx) => Promise<Commit<T>>): Promise<Commit<T>> {
    const client = await pool.connect();
    const mark = marks.next(client);
    let broken = true;
    let committing: Commit<T> | null = null;
    try {
      // In one trip with the first statement. What ends BEGIN ends the connection too, and all that is behind it.
      const begun = client.query('begin');
      begun.catch(() => undefined);
      const inserts: string[] = [];
      const commit = await run(transactionOn(client, identity, inserts));
      await begun;
      committing = commit;
      await client.query(`${inserts.join('')}${lastTrip(commit, mark, identity, options.schema)}`);
      broken = false;
      return commit;
    } catch (error) {
      if (!isLost(error)) broken = await rollback(client);
      else if (committing && (await marks.isCommitted(pool, mark))) return committing;
      throw error;
    } finally {
      client.release(broken);
    }
  }

  return {
    kind: 'postgres',
    query: new Kysely<Schema>({ dialect: new PostgresDialect({ pool: withoutLost(pool) }) }),
    read: (statement, item) => asUnavailable(runOne(pool, statement, item)),
    readEach: (statement, items) => asUnavailable(runEach(pool, statement, items)),
    wake(topic) {
      listener.wakeHere([topic]);
      // A wake-up that is lost costs its hearers one poll.
      pool.query(notifyText([topic], identity, options.schema)).catch(() => undefined);
    },
    async commit(run) {
      const commit = await asUnavailable(commitNow(run));
      listener.wakeHere(commit.topics);
      return commit.value;
    },
    onWake: listener.onWake,
    ping: async () => void (await asUnavailable(pool.query('select 1'))),
    async close() {
      await listener.close();
      await pool.end();
    },
  };
}

/**
 * Everything that must not be parted by a round trip goes as one simple query: the log's lock, its rows, the wake-up,
 * the commit's mark and COMMIT. A process that freezes cannot freeze in between.
 */
function lastTrip(commit: Commit<unknown>, mark: CommitMark, identity: string, schema: string): string {
  return `${logText(commit.log)}${notifyText(commit.topics, identity, schema)}${markText(mark, schema)}commit`;
}

/** The name of this process's sessions: they end with it, whatever ends it, and the others see them gone. */
function sessionName(process: string): string {
  return `trunkline ${process}`;
}

const LIVE_SESSION = 'select 1 from pg_stat_activity where application_name = $1 limit 1';

/** `inserts` gathers what goes with the last trip. */
function transactionOn(client: pg.PoolClient, process: string, inserts: string[]): Tx {
  return {
    process,
    async isAlive(name) {
      if (name === process) return true;
      return (await client.query(LIVE_SESSION, [sessionName(name)])).rows.length > 0;
    },
    each: (statement, items) => runEach(client, statement, items),
    one: (statement, item) => runOne(client, statement, item),
    changed: async (statement, items) =>
      items.length === 0 ? 0 : ((await runSet(client, statement, items)).rowCount ?? 0),
    atCommit: (statement, items) => void inserts.push(postgresLiteralText(statement, items)),
  };
}

async function runEach(client: pg.Pool | pg.PoolClient, statement: Statement, items: readonly Row[]): Promise<Row[]> {
  return items.length === 0 ? [] : (await runSet(client, statement, items)).rows;
}

function runSet(client: pg.Pool | pg.PoolClient, statement: Statement, items: readonly Row[]) {
  const names = Object.keys(statement.columns);
  const values: unknown[] = names.map((name) => items.map((item) => item[name] ?? null));
  values.push(items.map((_item, ord) => ord));
  const text = setText(statement);
  return client.query<Row>({ name: text.name, text: text.sql, values });
}

async function runOne(client: pg.Pool | pg.PoolClient, statement: Statement, item: Row): Promise<Row[]> {
  const values: Value[] = Object.keys(statement.columns).map((name) => item[name] ?? null);
  const text = oneText(statement);
  const { rows } = await client.query<Row>({ name: text.name, text: text.sql, values });
  return rows;
}

interface NamedText {
  readonly name: string;
  readonly sql: string;
}
const setText = namedTexts('set', postgresSetText);
const oneText = namedTexts('one', postgresOneText);

/** A statement's text and the name under which each connection prepares it once. */
function namedTexts(kind: string, render: (statement: Statement) => string): (statement: Statement) => NamedText {
  const known = new Map<Statement, NamedText>();
  return (statement) => {
    const text = known.get(statement) ?? { name: `${kind}_${known.size}`, sql: render(statement) };
    known.set(statement, text);
    return text;
  };
}

async function rollback(client: pg.PoolClient): Promise<boolean> {
  try {
    await client.query('rollback');
    return false;
  } catch {
    return true;
  }
}

async function requireDurability(pool: pg.Pool): Promise<void> {
  for (const name of ['fsync', 'synchronous_commit']) {
    const { rows } = await pool.query<Record<string, string>>(`show ${name}`);
    if (rows[0]?.[name] === 'off') {
      throw new Error(`PostgreSQL runs with ${name}=off, which loses acknowledged rows in a crash. Turn it on.`);
    }
  }
}

async function asUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof pg.DatabaseError && COLLIDED.test(error.code ?? '')) throw new CollidedError(error);
    if (isLost(error) || (error instanceof pg.DatabaseError && UNAVAILABLE.test(error.code ?? ''))) {
      throw new StorageUnavailableError(error);
    }
    throw error;
  }
}

/** Whether the connection went away, so that an answer may have been lost with it. */
function isLost(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return LOST.test(error.code ?? '');
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return /^E[A-Z]+$/.test(code) || /connection|timeout|not queryable/i.test(error.message);
}

/** Kysely gives every connection back as good: one on which an answer was lost must not be used again. */
function withoutLost(pool: pg.Pool): PostgresPool {
  return {
    async connect() {
      const client = await asUnavailable(pool.connect());
      let isBroken = false;
      const query = async (text: unknown, values?: readonly unknown[]): Promise<unknown> => {
        try {
          return await asUnavailable(client.query(String(text), [...(values ?? [])]));
        } catch (error) {
          isBroken ||= error instanceof StorageUnavailableError;
          throw error;
        }
      };
      // Kysely's second form of `query` takes a cursor, and queries are not streamed here.
      return { query: query as PostgresPoolClient['query'], release: () => client.release(isBroken) };
    },
    end: () => pool.end(),
    options: pool.options,
  };
}

function getTypeParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  if (oid === INT8) return Number;
  return format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid, 'text');
}
