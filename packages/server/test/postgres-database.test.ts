import { once } from 'node:events';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { removeLeftDatabase } from '../../../test/left-databases.ts';
import { clearDatabase, fingerprintOf } from './postgres-clear.ts';
import { createMigratedDatabase, createTestDatabase, type TestDatabase } from './postgres-database.ts';

const LEFT_ONES = `select datname from pg_database where datname like 'left\\_%'`;

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
    await expect(connect(other.url)).rejects.toThrow('does not exist');
    const admin = await connect(inject('postgresUrl'));
    const { rows: before } = await admin.query<{ datname: string }>(LEFT_ONES);
    // Whoever runs PostgreSQL does it by itself, and may be at it now.
    while (await removeLeftDatabase(admin));
    const { rows: after } = await admin.query<{ datname: string }>(LEFT_ONES);
    await admin.end();
    const names = before.map(({ datname }) => datname);
    expect(after.filter(({ datname }) => names.includes(datname))).toEqual([]);
  });
});

describe('a database that a server has opened before', () => {
  const use = async (run: (client: pg.Client, url: string) => Promise<void>) => {
    const { url, drop } = await createMigratedDatabase(inject('postgresUrl'));
    const client = await connect(url);
    await run(client, url);
    await client.end();
    await drop();
    await expect(connect(url)).rejects.toThrow('does not exist');
  };
  const ADD = `insert into trunkline.accounts (id, owner_email, created_at) values ('acc_1', 'a@example.com', 1) returning ref`;
  const count = async (client: pg.Client) =>
    (await client.query('select count(*)::int as n from trunkline.accounts')).rows[0].n;

  it('is empty, and again once it was cleared, with its numbers at their beginning', async () => {
    await use(async (client) => {
      const asMade = await fingerprintOf(client);
      for (let round = 0; round < 2; round += 1) {
        expect(await count(client)).toBe(0);
        expect((await client.query(ADD)).rows).toEqual([{ ref: '1' }]);
        await client.query(`insert into simulator.lines (line, head) values ('+15550100001', 7)`);
        await client.query('analyze');
        await clearDatabase(client);
        expect((await client.query('select * from simulator.lines')).rows).toEqual([]);
        const learnt = `select reltuples from pg_class where oid = 'trunkline.accounts'::regclass
          union all select 1 from pg_stats where schemaname = 'trunkline' and tablename = 'accounts'`;
        expect((await client.query(learnt)).rows).toEqual([{ reltuples: -1 }]);
      }
      const { rows } = await client.query('select name from trunkline.kysely_migration');
      expect(rows.length).toBeGreaterThan(10);
      expect(await fingerprintOf(client)).toBe(asMade);
    });
  });

  it.each([
    ['a table', 'create table trunkline.more (id int)'],
    ['a column', 'alter table trunkline.accounts add column more int'],
    ['an index', 'drop index trunkline.devices_by_account'],
    [
      'a trigger',
      `create function trunkline.no() returns trigger language plpgsql as 'begin return null; end';
       create trigger no before insert on trunkline.accounts for each row execute function trunkline.no()`,
    ],
    ['a rule', `alter table trunkline.accounts add constraint more check (ref > 0)`],
    ['a setting', `do $$ begin execute format('alter database %I set work_mem = 64', current_database()); end $$`],
  ])('that was given or robbed of %s is told from the others', async (_what, change) => {
    await use(async (client) => {
      const asMade = await fingerprintOf(client);
      await client.query(change);
      expect(await fingerprintOf(client)).not.toBe(asMade);
    });
  });

  it('is used again, and nobody gets one that another has', async () => {
    const urls = new Set<string>();
    const databases = new Set<string>();
    const rounds = 8;
    const atOnce = 4;
    for (let round = 0; round < rounds; round += 1) {
      const adminUrl = inject('postgresUrl');
      const taken = await Promise.all(Array.from({ length: atOnce }, () => createMigratedDatabase(adminUrl)));
      for (const { url } of taken) {
        urls.add(url);
        const client = await connect(url);
        const { rows } = await client.query('select oid from pg_database where datname = current_database()');
        databases.add(rows[0].oid);
        expect(await count(client)).toBe(0);
        await client.query(ADD);
        await client.end();
      }
      await Promise.all(taken.map(({ drop }) => drop()));
    }
    expect(urls.size).toBe(rounds * atOnce);
    expect(databases.size).toBeLessThan(rounds * atOnce);
  });
});

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}
