/** PostgreSQL ends sessions: a restart, a failover, a transaction that idled too long. The process must live on. */
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type Engine, StorageUnavailableError } from '../../packages/server/src/store/database.ts';
import { openPostgres } from '../../packages/server/src/store/dialects/postgres.ts';
import { createTestDatabase, type TestDatabase } from '../../packages/server/test/postgres-database.ts';

let database: TestDatabase;
let engine: Engine;

beforeAll(async () => {
  database = await createTestDatabase(inject('postgresUrl'));
  engine = await openPostgres({ url: database.url, schema: 'trunkline' });
});
afterAll(async () => {
  await engine.close();
  await database.drop();
});

it('a session that is ended within a transaction refuses that transaction and nothing else', async () => {
  const refused = engine.commit(async () => {
    await endOpenTransactions(database.url);
    // The news arrives while no query is under way.
    await new Promise((resolve) => setTimeout(resolve, 200));
    return { value: null, log: [], topics: [] };
  });
  await expect(refused).rejects.toBeInstanceOf(StorageUnavailableError);
  expect(await engine.commit(async () => ({ value: 'done', log: [], topics: [] }))).toBe('done');
});

async function endOpenTransactions(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and state = 'idle in transaction'`,
  );
  await client.end();
}
