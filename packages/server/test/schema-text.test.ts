/** The checked-in schema is the one that the migrations give, and every table and column has its sentence. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, inject, it } from 'vitest';
import type { Engine, EngineKind } from '../src/store/database.ts';
import { openPostgres } from '../src/store/dialects/postgres.ts';
import { openSqlite } from '../src/store/dialects/sqlite.ts';
import { SCHEMA_SENTENCES } from '../src/store/schema-sentences.ts';
import { schemaFile, withMigrated } from './generated-files.ts';
import { ENGINES } from './harness.ts';
import { createTestDatabase } from './postgres-database.ts';
import { schemaText } from './schema-text.ts';

describe.each(ENGINES)('the schema on %s', (kind) => {
  const withDatabase = <T>(work: (engine: Engine) => Promise<T>) =>
    withMigrated(kind, inject('postgresUrl'), (databases) => work(databases));

  it('is the one that is checked in: after a migration, `npm run generate`', async () => {
    expect(await withDatabase(schemaText)).toBe(readFileSync(schemaFile(kind), 'utf8'));
  });

  it('comes out the same from a database that was made from the file', async () => {
    const text = readFileSync(schemaFile(kind), 'utf8');
    expect(await withEmpty(kind, (engine) => runScript(engine, text))).toBe(text);
  });

  it('shows a column, an index and a table that nobody wrote down', async () => {
    await withDatabase(async (engine) => {
      const stored = readFileSync(schemaFile(kind), 'utf8');
      await sql.raw('drop index chats_by_activity').execute(engine.query);
      expect(await schemaText(engine)).not.toBe(stored);
      await sql.raw('alter table chats add column colour text').execute(engine.query);
      await sql.raw('create table colours (name text primary key)').execute(engine.query);
      await expect(schemaText(engine)).rejects.toThrow(
        /^(?=.*chats\.colour has no sentence\.)(?=.*colours has no sentence\.)/s,
      );
    });
  });

  it('refuses a sentence of what is not there', async () => {
    const sentences = {
      ...SCHEMA_SENTENCES,
      leases: { ...SCHEMA_SENTENCES.leases, columns: { ...SCHEMA_SENTENCES.leases.columns, colour: 'Blue.' } },
    };
    await expect(withDatabase((engine) => schemaText(engine, sentences))).rejects.toThrow(
      'The sentence of leases.colour has nothing to speak of.',
    );
  });
});

it('has a sentence for every table and column that is one', () => {
  const all = Object.values(SCHEMA_SENTENCES).flatMap(({ table, columns }) => [
    table,
    ...Object.values<string>(columns),
  ]);
  expect(all.length).toBeGreaterThan(100);
  expect(all.filter((sentence) => !/^[A-Za-z].+[^.]\.$/.test(sentence))).toEqual([]);
});

/** Runs the statements in an empty database and gives its schema. */
async function runScript(engine: Engine, text: string): Promise<string> {
  for (const statement of text.split(/;\n/)) {
    if (/^\s*create/m.test(statement)) await sql.raw(statement).execute(engine.query);
  }
  return schemaText(engine);
}

async function withEmpty<T>(kind: EngineKind, work: (engine: Engine) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
  const database = kind === 'postgres' ? await createTestDatabase(inject('postgresUrl')) : null;
  const engine = database
    ? await openPostgres({ url: database.url, schema: 'trunkline' })
    : openSqlite({ file: join(folder, 'empty.sqlite') });
  try {
    return await work(engine);
  } finally {
    await engine.close();
    await database?.drop();
    await rm(folder, { recursive: true, force: true });
  }
}
