/** Pieces of a file that an agent brings: each is a blob of its own until all of the file is there. */
import { type Engine, insertInto, type Row, statement } from './database.ts';
import type { Write } from './writer.ts';

export interface UploadPart {
  readonly lineRef: number;
  /** The file's name among all that the line brings. */
  readonly name: string;
  /** Its first byte's place in the file. */
  readonly start: number;
  /** Bytes. */
  readonly size: number;
  readonly blob: string;
}

const insertPart = insertInto(
  'upload_parts',
  { line_ref: 'int', name: 'text', start: 'int', size: 'int', blob: 'text', created_at: 'int' },
  'on conflict (line_ref, name, start) do nothing returning blob',
);
const selectParts = statement(
  { line_ref: 'int', name: 'text' },
  'select * from upload_parts where line_ref = i.line_ref and name = i.name order by start',
);
const deleteParts = statement(
  { line_ref: 'int', name: 'text' },
  'delete from upload_parts where line_ref = i.line_ref and name = i.name returning blob',
);
const selectOld = statement(
  { before: 'int' },
  'select upload_parts.blob from upload_parts{, items} where upload_parts.created_at < i.before',
);
const deleteOld = statement({ before: 'int' }, 'delete from upload_parts where created_at < i.before returning blob');
const partByBlob = statement(
  { blob: 'text' },
  'select upload_parts.blob from upload_parts{, items} where upload_parts.blob = i.blob',
);

/** Says for each whether it was new: of two that begin at one place the first counts. */
export const addUploadParts: Write<UploadPart & { readonly now: number }, boolean> = {
  name: 'add_upload_parts',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx }, items) {
    const rows = items.map(({ lineRef, name, start, size, blob, now }) => {
      return { line_ref: lineRef, name, start, size, blob, created_at: now };
    });
    const made = new Set((await tx.each(insertPart, rows)).map((row) => row['blob']));
    return items.map(({ blob }) => made.has(blob));
  },
};

/** Gives the blobs that are nobody's any more. */
export const dropUploadParts: Write<{ lineRef: number; name: string }, readonly string[]> = {
  name: 'drop_upload_parts',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx }, items) {
    const dropped: (readonly string[])[] = [];
    for (const { lineRef, name } of items) {
      dropped.push(blobsOf(await tx.one(deleteParts, { line_ref: lineRef, name })));
    }
    return dropped;
  },
};

/** Of files whose agent never came back with the rest. Gives their blobs. */
export const dropOldUploadParts: Write<{ before: number }, readonly string[]> = {
  name: 'drop_old_upload_parts',
  kind: 'outcome',
  concurrency: 1,
  async run({ tx }, items) {
    const dropped: (readonly string[])[] = [];
    for (const { before } of items) dropped.push(blobsOf(await tx.one(deleteOld, { before })));
    return dropped;
  },
};

/** By their place in the file. */
export async function readUploadParts(engine: Engine, lineRef: number, name: string): Promise<readonly UploadPart[]> {
  return (await engine.read(selectParts, { line_ref: lineRef, name })).map(partFromRow);
}

/** The blobs of files whose agent never came back with the rest. */
export async function readOldUploadBlobs(engine: Engine, before: number): Promise<readonly string[]> {
  return blobsOf(await engine.read(selectOld, { before }));
}

/** Those of the names that are pieces. */
export async function findKnownParts(engine: Engine, names: readonly string[]): Promise<ReadonlySet<string>> {
  if (names.length === 0) return new Set();
  const rows = await engine.readEach(
    partByBlob,
    names.map((blob) => ({ blob })),
  );
  return new Set(blobsOf(rows));
}

function blobsOf(rows: readonly Row[]): string[] {
  return rows.map((row) => String(row['blob']));
}

function partFromRow(row: Row): UploadPart {
  return {
    lineRef: Number(row['line_ref']),
    name: String(row['name']),
    start: Number(row['start']),
    size: Number(row['size']),
    blob: String(row['blob']),
  };
}
