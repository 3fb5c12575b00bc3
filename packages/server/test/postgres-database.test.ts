import { once } from 'node:events';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { removeLeftDatabase } from '../../../test/left-databases.ts';
import { createTestDatabase, type TestDatabase } from './postgres-database.ts';

/** Shut, on its way out, or gone. */
const SHUT = /not currently accepting connections|invalid database|does not exist/;

describe('the PostgreSQL of a test run', () => {
  let database: TestDatabase;
  let client: pg.Client;

  beforeAll(async () => {
    database = await createTestDatabase(inject('postgresUrl'));
    client = await connect(database.url);
  });

  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  it('is durable: fsync and synchronous_commit are on', async () => {
    expect((await client.query('show fsync')).rows).toEqual([{ fsync: 'on' }]);
    expect((await client.query('show synchronous_commit')).rows).toEqual([{ synchronous_commit: 'on' }]);
  });

  it('wakes a listener when a transaction has committed', async () => {
    const listener = await connect(database.url);
    await listener.query('listen outbox');
    const woken = once(listener, 'notification');
    await client.query("begin; select pg_notify('outbox', 'line 1'); commit");
    expect((await woken)[0]).toMatchObject({ channel: 'outbox', payload: 'line 1' });
    await listener.end();
  });

  it('gives each caller an empty database of its own and removes it', async () => {
    const other = await createTestDatabase(inject('postgresUrl'));
    const inOther = await connect(other.url);
    await inOther.query('create table only_here (id int)');
    expect((await client.query("select to_regclass('only_here') as found")).rows).toEqual([{ found: null }]);
    await inOther.end();
    await other.drop();
    await expect(connect(other.url)).rejects.toThrow(SHUT);
    const admin = await connect(inject('postgresUrl'));
    // Whoever runs PostgreSQL does it by itself, and may have many to remove before this one.
    await removeLeftDatabase(admin, new URL(other.url).pathname.slice(1));
    await admin.end();
    await expect(connect(other.url)).rejects.toThrow('does not exist');
  });
});

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}
