/** The checked-in files that are made from a migrated database of each engine. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Engine, EngineKind } from '../src/store/database.ts';
import { openPostgresDatabases, openSqliteFolder } from '../src/store/open.ts';
import { plansText } from './plan-verdict.ts';
import { createTestDatabase } from './postgres-database.ts';
import { explainHotQueries } from './query-plan.ts';
import { schemaText } from './schema-text.ts';

const SERVER = resolve(import.meta.dirname, '..');

export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}

/** `postgresUrl` is an administrator's. */
export async function generateFiles(postgresUrl: string): Promise<readonly GeneratedFile[]> {
  const files: GeneratedFile[] = [];
  for (const kind of ['sqlite', 'postgres'] as const) {
    files.push({ path: schemaFile(kind), text: await withMigrated(kind, postgresUrl, schemaText) });
    const plans = await withMigrated(kind, postgresUrl, explainHotQueries);
    files.push({ path: plansFile(kind), text: plansText(kind, plans) });
  }
  return files;
}

export function schemaFile(kind: EngineKind): string {
  return join(SERVER, 'src/store', `schema.${kind}.sql`);
}

export function plansFile(kind: EngineKind): string {
  return join(SERVER, 'test/plans', `${kind}.txt`);
}

/** A fresh database of the server's, migrated as a start does it, for as long as the work takes. */
export async function withMigrated<T>(
  kind: EngineKind,
  postgresUrl: string,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  if (kind === 'postgres') {
    const database = await createTestDatabase(postgresUrl);
    const { server, close } = await openPostgresDatabases(database.url);
    try {
      return await work(server);
    } finally {
      await close();
      await database.drop();
    }
  }
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
  const { server, close } = await openSqliteFolder((name) => join(folder, name));
  try {
    return await work(server);
  } finally {
    await close();
    await rm(folder, { recursive: true, force: true });
  }
}
