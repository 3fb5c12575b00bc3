/** The simulator on the databases that the server gives it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeSimulator } from '@trunkline/drivers/conformance';
import { inject } from 'vitest';
import { openPostgres } from '../src/store/dialects/postgres.ts';
import { openSqlite } from '../src/store/dialects/sqlite.ts';
import { asWireDatabase } from '../src/store/wire-database.ts';
import { createMigratedDatabase } from './postgres-database.ts';

describeSimulator("The simulator on the server's SQLite", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
  const engine = openSqlite({ file: join(folder, 'simulator.sqlite') });
  return {
    database: asWireDatabase(engine),
    async close() {
      await engine.close();
      await rm(folder, { recursive: true });
    },
  };
});

describeSimulator("The simulator on the server's PostgreSQL", async () => {
  const { url, drop } = await createMigratedDatabase(inject('postgresUrl'));
  const engine = await openPostgres({ url, schema: 'simulator' });
  return {
    database: asWireDatabase(engine),
    async close() {
      await engine.close();
      await drop();
    },
  };
});
