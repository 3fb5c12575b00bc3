/**
 * What a test knows without asking the server: it reads the simulated network and the server's tables from a process of
 * its own, with SQL of its own. The network's `messages` has a row for each message that reached the air, its
 * `acts` one for each reaction, typing or receipt.
 */
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import pg from 'pg';

export type OracleRow = Readonly<Record<string, unknown>>;

/** Reads one of the two worlds. */
export interface Reader {
  rows(sql: string): Promise<readonly OracleRow[]>;
  close(): Promise<void>;
}

export interface Oracle {
  /** The simulated phone network. */
  readonly wire: Reader;
  /** The server's own tables. */
  readonly store: Reader;
  close(): Promise<void>;
}

export function sqliteOracle(folder: string): Oracle {
  return oracleOf(sqliteReader(join(folder, 'simulator.sqlite')), sqliteReader(join(folder, 'trunkline.sqlite')));
}

export function postgresOracle(url: string): Oracle {
  return oracleOf(postgresReader(url, 'simulator'), postgresReader(url, 'trunkline'));
}

function oracleOf(wire: Reader, store: Reader): Oracle {
  return {
    wire,
    store,
    async close() {
      await wire.close();
      await store.close();
    },
  };
}

/** Opened for each question, so that nothing is held while the server is killed and started again. */
function sqliteReader(file: string): Reader {
  return {
    async rows(sql) {
      const connection = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: 5_000 });
      try {
        return connection.prepare<[], OracleRow>(sql).all();
      } finally {
        connection.close();
      }
    },
    close: async () => undefined,
  };
}

function postgresReader(url: string, schema: string): Reader {
  const pool = new pg.Pool({ connectionString: url, max: 2, options: `-c search_path=${schema}` });
  // Some tests end the database under it.
  pool.on('error', () => undefined);
  return {
    rows: async (sql) => (await pool.query<OracleRow>(sql)).rows,
    close: () => pool.end(),
  };
}

/** How often each outbox item reached the air, by its id. */
export async function airCounts(wire: Reader): Promise<ReadonlyMap<string, number>> {
  const sql = `select reference, count(*) as times from (
    select reference from messages where from_line = 1 union all select reference from acts) as sent group by reference`;
  return countsOf(await wire.rows(sql), 'reference');
}

/** The GUIDs of the texts that phones have sent to lines. */
export async function phoneTexts(wire: Reader): Promise<ReadonlySet<string>> {
  return new Set((await wire.rows('select guid from messages where from_line = 0')).map((row) => String(row['guid'])));
}

/** How often each message is stored, by its GUID. */
export async function storedCounts(store: Reader): Promise<ReadonlyMap<string, number>> {
  return countsOf(await store.rows('select guid, count(*) as times from messages group by guid'), 'guid');
}

export interface LedgerItem {
  readonly state: string;
  readonly error: string | null;
}

/** Every outbox item, by its id. */
export async function ledger(store: Reader): Promise<ReadonlyMap<string, LedgerItem>> {
  const rows = await store.rows('select id, state, error from outbox');
  return new Map(
    rows.map((row) => [
      String(row['id']),
      { state: String(row['state']), error: row['error'] === null ? null : String(row['error']) },
    ]),
  );
}

export interface LoggedEvent {
  readonly seq: number;
  readonly type: string;
  /** The message that it tells of. */
  readonly messageId: string;
}

/** The log behind a number, in order. */
export async function eventsAfter(store: Reader, seq: number): Promise<readonly LoggedEvent[]> {
  const rows = await store.rows(`select seq, type, data from events where seq > ${seq} order by seq`);
  return rows.map((row) => {
    const data: { readonly id: string } = JSON.parse(String(row['data']));
    return { seq: Number(row['seq']), type: String(row['type']), messageId: data.id };
  });
}

/** The first column of the first row as a number. */
export async function numberFrom(reader: Reader, sql: string): Promise<number> {
  const [row] = await reader.rows(sql);
  return Number(Object.values(row ?? {})[0] ?? 0);
}

function countsOf(rows: readonly OracleRow[], name: string): ReadonlyMap<string, number> {
  return new Map(rows.map((row) => [String(row[name]), Number(row['times'])]));
}
