/** A fresh database in the run's PostgreSQL for each test that asks for one. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { openPostgresDatabases } from '../src/store/open.ts';

export interface TestDatabase {
  readonly url: string;
  /** Ends whatever is still connected and lets nobody in again; it is removed soon after. */
  drop(): Promise<void>;
}

const MIGRATED = 'migrated';
const MIGRATED_LOCK = 4_711;
const END_MS = 5_000;

/** `adminUrl` is `inject('postgresUrl')`, which `test/postgres.ts` provides. */
export async function createTestDatabase(adminUrl: string): Promise<TestDatabase> {
  return createFrom(adminUrl, 'template1');
}

/** One that a server has opened before: its tables are copied, which takes half as long as to make them. */
export async function createMigratedDatabase(adminUrl: string): Promise<TestDatabase> {
  await asAdmin(adminUrl, (client) => makeMigrated(adminUrl, client));
  return createFrom(adminUrl, MIGRATED);
}

async function createFrom(adminUrl: string, template: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await asAdmin(adminUrl, (client) => client.query(`create database ${name} template ${template}`));
  return { url: urlOf(adminUrl, name), drop: () => asAdmin(adminUrl, (client) => leave(client, name)) };
}

/** Does not wait for the removal, for which PostgreSQL makes a checkpoint of the whole server: `test/left-databases.ts`. */
async function leave(client: pg.Client, name: string): Promise<void> {
  await client.query(`alter database ${name} allow_connections false`);
  await client.query('select pg_terminate_backend(pid, $2) from pg_stat_activity where datname = $1', [name, END_MS]);
}

/** Once in a run, by whichever test file comes first; a run has a PostgreSQL of its own, so it is never an old one. */
async function makeMigrated(adminUrl: string, client: pg.Client): Promise<void> {
  await client.query('select pg_advisory_lock($1)', [MIGRATED_LOCK]);
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [MIGRATED]);
  if (rowCount === 1) return;
  const making = `${MIGRATED}_in_the_making`;
  await client.query(`create database ${making}`);
  const databases = await openPostgresDatabases(urlOf(adminUrl, making));
  await databases.close();
  await client.query(`alter database ${making} rename to ${MIGRATED}`);
}

function urlOf(adminUrl: string, database: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  return url.href;
}

async function asAdmin<T>(adminUrl: string, run: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}
