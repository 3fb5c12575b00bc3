/** What must be true before a database is used: durable, of a known version, and nobody else's. */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, inject, it } from 'vitest';
import { openDataFolder } from '../src/store/data-folder.ts';
import type { Engine, EngineKind } from '../src/store/database.ts';
import { openPostgres } from '../src/store/dialects/postgres.ts';
import { openSqlite } from '../src/store/dialects/sqlite.ts';
import { migrate } from '../src/store/migrate.ts';
import { durablePath } from '../src/store/migrations/0001-durable-path.ts';
import type { MigrationText } from '../src/store/migrations/migration.ts';
import { createHome, ENGINES, type Home, startTestServer } from './harness.ts';
import { createTestDatabase } from './postgres-database.ts';
import { openHome } from './stage.ts';

const second: MigrationText = {
  name: '0002-second',
  statements: () => [
    'create table second (ref bigint primary key)',
    'insert into second (ref) values (1)',
    'alter table lines add column colour text',
  ],
};
const broken: MigrationText = {
  name: '0002-second',
  statements: (words) => [...second.statements(words), 'this is no statement'],
};

async function openEngine(home: Home): Promise<Engine> {
  const url = home.environment['TRUNKLINE_DATABASE_URL'];
  if (url !== undefined) return openPostgres({ url, schema: 'trunkline' });
  return openSqlite({ file: join(home.environment['TRUNKLINE_DATA_DIR'] ?? '', 'trunkline.sqlite') });
}

async function withEngine<T>(kind: EngineKind, run: (engine: Engine, home: Home) => Promise<T>): Promise<T> {
  const home = await createHome(kind, 'none');
  const engine = await openEngine(home);
  try {
    return await run(engine, home);
  } finally {
    await engine.close();
    await home.remove();
  }
}

/** The schema in the engine's own words. */
async function schemaOf(engine: Engine): Promise<unknown> {
  const text =
    engine.kind === 'sqlite'
      ? "select type, name, sql from sqlite_schema where name not like 'sqlite_%' order by type, name"
      : `select table_name, column_name, data_type, is_nullable, column_default from information_schema.columns
         where table_schema = 'trunkline' union all
         select tablename, indexname, indexdef, '', '' from pg_indexes where schemaname = 'trunkline' order by 1, 2`;
  return (await sql.raw(text).execute(engine.query)).rows;
}

describe.each(ENGINES)('migrations on %s', (kind) => {
  it('give a database that was brought up in steps the schema of a fresh one', async () => {
    const fresh = await withEngine(kind, async (engine) => {
      await migrate(engine, [durablePath, second]);
      return schemaOf(engine);
    });
    const stepped = await withEngine(kind, async (engine) => {
      await migrate(engine, [durablePath]);
      await migrate(engine, [durablePath]);
      await migrate(engine, [durablePath, second]);
      return schemaOf(engine);
    });
    expect(stepped).toEqual(fresh);
  });

  it('are done whole or not at all, so that the start after a failed one completes it', async () => {
    await withEngine(kind, async (engine) => {
      await migrate(engine, [durablePath]);
      const before = await schemaOf(engine);
      await expect(migrate(engine, [durablePath, broken])).rejects.toThrow(/syntax error/);
      expect(await schemaOf(engine)).toEqual(before);
      await migrate(engine, [durablePath, second]);
      expect(
        (await sql.raw('select ref, colour from second, (select null as colour) as t').execute(engine.query)).rows,
      ).toEqual([{ ref: 1, colour: null }]);
    });
    await withEngine(kind, async (engine) => {
      const first = {
        ...durablePath,
        statements: (words: Parameters<typeof durablePath.statements>[0]) => [
          ...durablePath.statements(words),
          'this is no statement',
        ],
      };
      await expect(migrate(engine, [first])).rejects.toThrow(/syntax error/);
      await migrate(engine, [durablePath]);
    });
  });

  it('refuse the database of a newer version, with a sentence that says what to do', async () => {
    await withEngine(kind, async (engine) => {
      await migrate(engine, [durablePath, second]);
      await expect(migrate(engine)).rejects.toThrow(
        'This database was written by a newer Trunkline (it has 0002-second). Start that version, or a newer one.',
      );
    });
  });
});

describe('PostgreSQL at the start', () => {
  it('is migrated once by any number of processes that start at once', async () => {
    const home = await createHome('postgres', 'none');
    const all = await Promise.all([1, 2, 3, 4].map(() => openHome(home)));
    const [first] = all;
    const rows = await first?.server.query.selectFrom('installation').selectAll().execute();
    expect(rows).toEqual([]);
    for (const databases of all) await databases.close();
    await home.remove();
  });

  it('gives any number of servers that start at once one account, one key and one set of lines', async () => {
    const home = await createHome('postgres', 'none');
    const servers = await Promise.all([1, 2, 3].map(() => startTestServer('postgres', { home })));
    const { query } = servers[0]?.server.engine ?? {};
    expect(await query?.selectFrom('accounts').selectAll().execute()).toHaveLength(1);
    expect(await query?.selectFrom('api_keys').selectAll().execute()).toHaveLength(1);
    expect(await query?.selectFrom('lines').selectAll().execute()).toHaveLength(2);
    for (const server of servers) await server.stop();
    await home.remove();
  });

  it('is refused when it may lose acknowledged rows', async () => {
    const { url, drop } = await createTestDatabase(inject('postgresUrl'));
    const engine = await openPostgres({ url, schema: 'trunkline' });
    const name = new URL(url).pathname.slice(1);
    await sql.raw(`alter database ${name} set synchronous_commit = off`).execute(engine.query);
    await engine.close();
    await expect(openPostgres({ url, schema: 'trunkline' })).rejects.toThrow(
      'PostgreSQL runs with synchronous_commit=off, which loses acknowledged rows in a crash. Turn it on.',
    );
    await drop();
  });

  it('is given an answer within seconds when nobody is there', async () => {
    const startedAt = performance.now();
    await expect(openPostgres({ url: 'postgres://nobody@127.0.0.1:1/none', schema: 'trunkline' })).rejects.toThrow();
    expect(performance.now() - startedAt).toBeLessThan(6_000);
  });
});

describe('SQLite at the start', () => {
  it('writes through to the disk at each commit, with a write-ahead log', async () => {
    await withEngine('sqlite', async (engine) => {
      const pragma = async (name: string) =>
        Object.values(
          (await sql.raw<Record<string, unknown>>(`pragma ${name}`).execute(engine.query)).rows[0] ?? {},
        )[0];
      expect(await pragma('synchronous')).toBe(2);
      expect(await pragma('journal_mode')).toBe('wal');
      expect(await pragma('wal_autocheckpoint')).toBe(1_000);
      expect(await pragma('fullfsync')).toBe(1);
    });
  });

  it('has its folder for itself: a second process is told what to do', async () => {
    const home = await createHome('sqlite');
    const first = await startTestServer('sqlite', { home });
    await expect(startTestServer('sqlite', { home })).rejects.toThrow(
      'Another Trunkline uses this data folder. Stop it, or give this one its own with TRUNKLINE_DATA_DIR.',
    );
    await first.stop();
    const next = await startTestServer('sqlite', { home });
    await next.stop();
    await home.remove();
  });

  it('keeps its folder private, and says so when it cannot be used', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
    const { path } = openDataFolder(join(parent, 'a', 'b'));
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    await writeFile(join(parent, 'file'), '');
    expect(() => openDataFolder(join(parent, 'file'))).toThrow(/cannot be used. Set TRUNKLINE_DATA_DIR to a folder/);
    await rm(parent, { recursive: true });
  });
});
