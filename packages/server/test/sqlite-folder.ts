/** A data folder whose databases a server has opened before: with all of their tables and nothing in them. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteFolder, SERVER_FILE, SIMULATOR_FILE } from '../src/store/open.ts';
import { makeSimulatorTables } from './simulator-tables.ts';

interface Template {
  readonly file: string;
  readonly bytes: Buffer;
}

let template: Promise<readonly Template[]> | null = null;

/** Writing the bytes takes a tenth of the time of making each table. */
export async function fillFolder(folder: string): Promise<void> {
  template ??= makeTemplate();
  for (const { file, bytes } of await template) await writeFile(join(folder, file), bytes);
}

async function makeTemplate(): Promise<readonly Template[]> {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
  const databases = await openSqliteFolder((name) => join(folder, name));
  await makeSimulatorTables(databases.simulator);
  await databases.close();
  const files = [SERVER_FILE, SIMULATOR_FILE].map(async (file) => ({
    file,
    bytes: await readFile(join(folder, file)),
  }));
  const read = await Promise.all(files);
  await rm(folder, { recursive: true });
  return read;
}
