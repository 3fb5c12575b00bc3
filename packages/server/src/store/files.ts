/** Files as rows. Their bytes are blobs of the same name, stored before the row and never changed after it. */
import type { StoredFile } from '../domain/file.ts';
import { type Engine, insertInto, type Row, statement, type Tx } from './database.ts';
import type { Write } from './writer.ts';

export interface NewFile {
  readonly id: string;
  readonly accountRef: number;
  readonly filename: string | null;
  /** As it was claimed. */
  readonly mimeType: string;
  /** As its first bytes show it. */
  readonly contentType: string | null;
  readonly size: number;
  /** Where on a line it came from, so that it is stored once; null for an upload. */
  readonly source: string | null;
  readonly now: number;
}

/** The file that is there now: with a source that came before, the one that was first. */
export interface CreatedFile {
  readonly id: string;
  readonly isNew: boolean;
}

const insertFile = insertInto(
  'files',
  {
    id: 'text',
    account_ref: 'int',
    filename: 'text',
    mime_type: 'text',
    content_type: 'text',
    size: 'int',
    source: 'text',
    created_at: 'int',
  },
  'on conflict (source) do nothing returning id',
);
const fileBySource = statement(
  { source: 'text' },
  'select f.id, f.source from files f{, items} where f.source = i.source',
);
const fileOfSource = statement({ source: 'text' }, 'select f.* from files f where f.source = i.source');
const fileById = statement({ id: 'text' }, 'select f.* from files f{, items} where f.id = i.id');

/** A second file of the same source is not made: whoever brought it is told of the first, and drops its blob. */
export const createFiles: Write<NewFile, CreatedFile> = {
  name: 'create_files',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx }, items) {
    const made = await tx.each(insertFile, items.map(fileRow));
    const ids = new Set(made.map((row) => row['id']));
    const repeated = items.flatMap(({ id, source }) => (ids.has(id) || source === null ? [] : [{ source }]));
    const first = new Map(
      (await tx.each(fileBySource, repeated)).map((row) => [String(row['source']), String(row['id'])]),
    );
    return items.map(({ id, source }) => ({ id: first.get(source ?? '') ?? id, isNew: ids.has(id) }));
  },
};

/** Files of no source, each of which is new. */
export async function insertFiles(tx: Tx, files: readonly NewFile[]): Promise<void> {
  await tx.each(insertFile, files.map(fileRow));
}

/** Whoever asks must say on whose behalf; a link, which was signed for this file, is asked for by `findAnyFile`. */
export async function findFile(engine: Engine, accountRef: number, id: string): Promise<StoredFile | null> {
  const file = await findAnyFile(engine, id);
  return file?.accountRef === accountRef ? file : null;
}

export async function findAnyFile(engine: Engine, id: string): Promise<StoredFile | null> {
  const [row] = await engine.read(fileById, { id });
  return row ? fileFromRow(row) : null;
}

/** The file that came from there, if any has. */
export async function findFileOfSource(engine: Engine, source: string): Promise<StoredFile | null> {
  const [row] = await engine.read(fileOfSource, { source });
  return row ? fileFromRow(row) : null;
}

/** Those of the names that are files. */
export async function findKnownFiles(engine: Engine, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await engine.readEach(
    fileById,
    ids.map((id) => ({ id })),
  );
  return new Set(rows.map((row) => String(row['id'])));
}

function fileRow(file: NewFile): Row {
  return {
    id: file.id,
    account_ref: file.accountRef,
    filename: file.filename,
    mime_type: file.mimeType,
    content_type: file.contentType,
    size: file.size,
    source: file.source,
    created_at: file.now,
  };
}

function fileFromRow(row: Row): StoredFile {
  const textOrNull = (name: string) => (row[name] === null ? null : String(row[name]));
  return {
    ref: Number(row['ref']),
    id: String(row['id']),
    accountRef: Number(row['account_ref']),
    filename: textOrNull('filename'),
    mimeType: String(row['mime_type']),
    contentType: textOrNull('content_type'),
    size: Number(row['size']),
    createdAt: Number(row['created_at']),
  };
}
