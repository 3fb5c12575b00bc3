/** Where a server under measurement keeps its data: a folder of its own, or a database of its own in one PostgreSQL. */
import { rmSync } from 'node:fs';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineKind } from '../packages/server/src/store/database.ts';
import { createTestDatabase } from '../packages/server/test/postgres-database.ts';
import { type PostgresServer, startPostgres } from '../test/postgres.ts';
import { whenEnded } from './programs.ts';

const TMPFS = 0x01021994;
/** Tries again while a server that is just ending still writes its last files. */
const REMOVAL = { recursive: true, force: true, maxRetries: 20, retryDelay: 100 } as const;

export interface Home {
  readonly engine: EngineKind;
  readonly environment: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

export interface Homes {
  create(engine: EngineKind): Promise<Home>;
  /** A folder for whatever else a measurement writes. */
  createFolder(): Promise<string>;
}

/** All of it is removed when the run ends. PostgreSQL starts with the first home that needs it. */
export async function openHomes(): Promise<Homes> {
  const root = await mkdtemp(join(tmpdir(), 'trunkline-bench-'));
  // PostgreSQL's package ends the process by itself after an interrupt, so only this is sure to be done.
  process.once('exit', () => rmSync(root, REMOVAL));
  if ((await statfs(root)).type === TMPFS) {
    console.warn(`${root} lies in memory, where nothing is flushed to a disk. Set TMPDIR to a folder on a disk.\n`);
  }
  let postgres: PostgresServer | null = null;
  const createFolder = () => mkdtemp(join(root, 'home-'));
  return {
    createFolder,
    async create(engine) {
      if (engine === 'sqlite') {
        const folder = await createFolder();
        const remove = () => rm(folder, REMOVAL);
        return { engine, environment: { TRUNKLINE_DATA_DIR: folder }, remove };
      }
      if (!postgres) {
        postgres = await startPostgres();
        whenEnded(postgres.stop);
      }
      return createDatabase(postgres.url);
    },
  };
}

async function createDatabase(adminUrl: string): Promise<Home> {
  const database = await createTestDatabase(adminUrl);
  return { engine: 'postgres', environment: { TRUNKLINE_DATABASE_URL: database.url }, remove: database.drop };
}
