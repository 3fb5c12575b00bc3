/** Opens the server's database and the simulated network's, which is another world with commits of its own. */
import type { Engine } from './database.ts';
import { openSqlite } from './dialects/sqlite.ts';
import { lockFolder } from './dialects/sqlite-lock.ts';
import { expireLeases } from './leases.ts';
import { migrate } from './migrate.ts';

export interface Databases {
  readonly server: Engine;
  readonly simulator: Engine;
  /** Resolves when a database can no longer be trusted and only a new start helps. */
  readonly broken: Promise<Error>;
  close(): Promise<void>;
}

/** The databases' files in a data folder. */
export const SERVER_FILE = 'trunkline.sqlite';
export const SIMULATOR_FILE = 'simulator.sqlite';
/** Where the folder's secret key is, unless the operator gives one. */
export const SECRET_KEY_FILE = 'secret.key';

const SERVER_SCHEMA = 'trunkline';
const SIMULATOR_SCHEMA = 'simulator';
const SERVER_CACHE_KIB = 16_000;

/** SQLite files in a data folder, whose lock is held until the databases are closed. */
export async function openSqliteFolder(file: (name: string) => string): Promise<Databases> {
  const lock = lockFolder(file('lock'));
  let onBroken: (error: Error) => void = () => undefined;
  const broken = new Promise<Error>((resolve) => {
    onBroken = resolve;
  });
  const server = openSqlite({ file: file(SERVER_FILE), cacheKib: SERVER_CACHE_KIB, onBroken });
  const simulator = openSqlite({ file: file(SIMULATOR_FILE), onBroken });
  await migrate(server);
  // With the lock in hand, whoever held a lease is gone: its lanes are ours at once.
  await expireLeases(server);
  return {
    server,
    simulator,
    broken,
    async close() {
      await server.close();
      await simulator.close();
      lock.release();
    },
  };
}

export async function openPostgresDatabases(url: string): Promise<Databases> {
  // Loaded only where it is used: most installations have no PostgreSQL, and its client costs start-up time and memory.
  const { openPostgres } = await import('./dialects/postgres.ts');
  const server = await openPostgres({ url, schema: SERVER_SCHEMA });
  const simulator = await openPostgres({ url, schema: SIMULATOR_SCHEMA });
  await migrate(server);
  return {
    server,
    simulator,
    // PostgreSQL answers for its own disk.
    broken: new Promise(() => undefined),
    async close() {
      await server.close();
      await simulator.close();
    },
  };
}
