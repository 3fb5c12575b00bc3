/** A fresh database in the run's PostgreSQL for each test that asks for one. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { LEFT } from '../../../test/left-databases.ts';
import { openPostgresDatabases } from '../src/store/open.ts';
import { clearDatabase, fingerprintOf } from './postgres-clear.ts';
import { makeSimulatorTables } from './simulator-tables.ts';

export interface TestDatabase {
  readonly url: string;
  /** Ends whatever is still connected, and nobody comes in by this URL again. */
  drop(): Promise<void>;
}

/** What a server has opened before, with all of its tables and nothing in them. */
const MIGRATED = 'migrated';
const MIGRATED_LOCK = 4_711;
const END_MS = 5_000;
/** Of a database that was used and cleared, for the next test that wants one with tables. */
const SPARE = 'spare';
/** Another test may have taken the spare one that was just found. */
const TAKE_TRIES = 5;

/** `adminUrl` is `inject('postgresUrl')`, which `test/postgres.ts` provides. */
export async function createTestDatabase(adminUrl: string): Promise<TestDatabase> {
  return asAdmin(adminUrl, async (client) => {
    const name = newName('test');
    await client.query(`create database ${name}`);
    return { url: urlOf(adminUrl, name), drop: () => asAdmin(adminUrl, (admin) => leave(admin, name)) };
  });
}

/**
 * One that a server has opened before. To make and to remove a database, PostgreSQL writes hundreds of files, so one that
 * was used is cleared and used again, under another name, unless its tables are not what they were.
 */
export async function createMigratedDatabase(adminUrl: string): Promise<TestDatabase> {
  return asAdmin(adminUrl, async (client) => {
    const name = (await takeSpare(client)) ?? (await copyMigrated(adminUrl, client));
    return { url: urlOf(adminUrl, name), drop: () => asAdmin(adminUrl, (admin) => giveBack(adminUrl, admin, name)) };
  });
}

async function takeSpare(client: pg.Client): Promise<string | null> {
  const find = 'select datname from pg_database where datname like $1 order by random() limit 1';
  for (let tries = 0; tries < TAKE_TRIES; tries += 1) {
    const [spare] = (await client.query<{ datname: string }>(find, [`${SPARE}\\_%`])).rows;
    if (spare === undefined) return null;
    const name = newName('test');
    if (await rename(client, spare.datname, name)) return name;
  }
  return null;
}

async function copyMigrated(adminUrl: string, client: pg.Client): Promise<string> {
  await makeMigrated(adminUrl, client);
  const name = newName('test');
  await client.query(`create database ${name} template ${MIGRATED}`);
  return name;
}

async function giveBack(adminUrl: string, admin: pg.Client, name: string): Promise<void> {
  await shut(admin, name);
  const away = newName('used');
  await admin.query(`alter database ${name} rename to ${away}`);
  await admin.query(`alter database ${away} allow_connections true`);
  const [fingerprint, asMade] = await asAdmin(urlOf(adminUrl, away), async (client) => {
    await clearDatabase(client);
    return [await fingerprintOf(client), await commentOf(client, MIGRATED)] as const;
  });
  if (fingerprint !== asMade) return leave(admin, away);
  await admin.query(`alter database ${away} rename to ${newName(SPARE)}`);
}

/** Does not wait for the removal, for which PostgreSQL makes a checkpoint of the whole server: `test/left-databases.ts`. */
async function leave(client: pg.Client, name: string): Promise<void> {
  await shut(client, name);
  await client.query(`alter database ${name} rename to ${newName(LEFT)}`);
}

async function shut(client: pg.Client, name: string): Promise<void> {
  await client.query(`alter database ${name} allow_connections false`);
  await client.query('select pg_terminate_backend(pid, $2) from pg_stat_activity where datname = $1', [name, END_MS]);
}

/** False where somebody else was faster. */
async function rename(client: pg.Client, from: string, to: string): Promise<boolean> {
  try {
    await client.query(`alter database ${from} rename to ${to}`);
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError && /does not exist|concurrently/.test(error.message)) return false;
    throw error;
  }
}

/** Once in a run, by whichever test file comes first; a run has a PostgreSQL of its own, so it is never an old one. */
async function makeMigrated(adminUrl: string, client: pg.Client): Promise<void> {
  await client.query('select pg_advisory_lock($1)', [MIGRATED_LOCK]);
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [MIGRATED]);
  if (rowCount === 1) return;
  const making = `${MIGRATED}_in_the_making`;
  await client.query(`create database ${making}`);
  const databases = await openPostgresDatabases(urlOf(adminUrl, making));
  await makeSimulatorTables(databases.simulator);
  await databases.close();
  const fingerprint = await asAdmin(urlOf(adminUrl, making), fingerprintOf);
  await client.query(`comment on database ${making} is '${fingerprint}'`);
  await client.query(`alter database ${making} rename to ${MIGRATED}`);
}

async function commentOf(client: pg.Client, database: string): Promise<string | null> {
  const text = "select shobj_description(oid, 'pg_database') as comment from pg_database where datname = $1";
  return (await client.query<{ comment: string | null }>(text, [database])).rows[0]?.comment ?? null;
}

function newName(kind: string): string {
  return `${kind}_${randomBytes(8).toString('hex')}`;
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
