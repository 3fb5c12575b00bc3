/** Where an installation under test keeps its data, on either engine, and how to look at what a crash left there. */
import { copyFileSync, existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { inject } from 'vitest';
import type { Engine, EngineKind } from '../packages/server/src/store/database.ts';
import { openPostgres } from '../packages/server/src/store/dialects/postgres.ts';
import { openSqlite } from '../packages/server/src/store/dialects/sqlite.ts';
import { findViolations } from '../packages/server/src/store/invariants.ts';
import { createMigratedDatabase } from '../packages/server/test/postgres-database.ts';
import { KEY } from './client.ts';
import { type Oracle, postgresOracle, sqliteOracle } from './oracle.ts';

const SQLITE_FILES = ['trunkline.sqlite', 'simulator.sqlite'] as const;

export interface World {
  readonly engine: EngineKind;
  /** The settings with which a server finds it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly oracle: Oracle;
  /** What is broken: nothing, on a sound database. On SQLite no server may be running. */
  inspect(): Promise<readonly string[]>;
  /**
   * Ends the leases of a process that is dead. Nothing of a killed process runs on, so waiting for the leases to run
   * out would show the same later; `freeze.test.ts` waits.
   */
  bury(holder: string): Promise<void>;
  remove(): Promise<void>;
}

export function createWorld(engine: EngineKind): Promise<World> {
  return engine === 'sqlite' ? Promise.resolve(sqliteWorld(makeFolder())) : postgresWorld(inject('postgresUrl'));
}

/** A fresh folder, by its real path: that is how SQLite opens its files. */
export function makeFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'trunkline-outside-')));
}

export function sqliteWorld(folder: string): World {
  const oracle = sqliteOracle(folder);
  return {
    engine: 'sqlite',
    environment: { TRUNKLINE_DATA_DIR: folder, TRUNKLINE_BOOTSTRAP_API_KEY: KEY },
    oracle,
    inspect: () => inspectFolder(folder),
    // The next server on the folder has its lock, and knows by that that nobody else is alive.
    bury: async () => undefined,
    async remove() {
      await oracle.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Looks at a copy, so that recovering from the crash stays the server's own work. */
async function inspectFolder(folder: string): Promise<readonly string[]> {
  const copy = makeFolder();
  try {
    for (const name of SQLITE_FILES) {
      for (const file of [name, `${name}-wal`]) {
        if (existsSync(join(folder, file))) copyFileSync(join(folder, file), join(copy, file));
      }
    }
    const engine = openSqlite({ file: join(copy, 'trunkline.sqlite') });
    const broken = await violationsIn(engine).finally(() => engine.close());
    return [...SQLITE_FILES.flatMap((name) => corruptionIn(join(copy, name))), ...broken];
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function corruptionIn(file: string): string[] {
  const connection = new Sqlite(file);
  try {
    const found = connection.pragma('integrity_check', { simple: true });
    return found === 'ok' ? [] : [`${file}: ${String(found)}`];
  } finally {
    connection.close();
  }
}

/** A fresh database of that PostgreSQL. */
export async function postgresWorld(adminUrl: string): Promise<World> {
  const database = await createMigratedDatabase(adminUrl);
  const oracle = postgresOracle(database.url);
  let engine: Engine | null = null;
  return {
    engine: 'postgres',
    environment: { TRUNKLINE_DATABASE_URL: database.url, TRUNKLINE_BOOTSTRAP_API_KEY: KEY },
    oracle,
    async inspect() {
      engine ??= await openPostgres({ url: database.url, schema: 'trunkline' });
      return violationsIn(engine);
    },
    async bury(holder) {
      await oracle.store.rows(`update leases set expires_at = 0 where holder = '${holder}'`);
    },
    async remove() {
      await engine?.close();
      await oracle.close();
      await database.drop();
    },
  };
}

async function violationsIn(engine: Engine): Promise<readonly string[]> {
  const violations = await findViolations(engine);
  return violations.map(({ invariant, rows }) => `${invariant}: ${JSON.stringify(rows)}`);
}
