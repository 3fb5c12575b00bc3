/** The server's files as a line's driver has them: what goes out is read, and what came in is kept, once for its name. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { DriverFiles } from '@trunkline/drivers';
import type { Clock } from '../clock.ts';
import type { StoredFile } from '../domain/file.ts';
import type { Ids } from '../domain/ids.ts';
import type { Line } from '../domain/line.ts';
import type { Log } from '../log.ts';
import { CommitInDoubtError, type Engine } from '../store/database.ts';
import { createFiles, findFileOfSource } from '../store/files.ts';
import type { Writer } from '../store/writer.ts';
import type { Blobs } from './blobs.ts';
import { sniffContentType } from './content-type.ts';
import { cleanFilename } from './filename.ts';
import { holdFile, mimeTypeOf } from './received-file.ts';

const BYTES_PER_MB = 1024 * 1024;

export interface LineFileDeps {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly blobs: Blobs;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  readonly fileLimitMb: number;
}

/** What a line says of a file that it brought. */
export interface LineFileClaims {
  /** Names it among all that the line brings, for ever. */
  readonly name: string;
  readonly filename: string | null;
  readonly mimeType: string | null;
}

export function createLineFiles(deps: LineFileDeps): (line: Line) => DriverFiles {
  return (line) => ({
    async read({ file }) {
      const bytes = await deps.blobs.open(file, null);
      if (bytes === null) throw new Error(`The bytes of ${file} are not there.`);
      return bytes;
    },
    write: ({ path, ...claims }) => keepLineFile(deps, line, claims, () => createReadStream(path)),
  });
}

/** Gives the file's id: that of the first one where the line has brought this name before. */
export async function keepLineFile(
  { engine, writer, blobs, ids, clock, log, fileLimitMb }: LineFileDeps,
  line: Pick<Line, 'ref' | 'accountRef'>,
  claims: LineFileClaims,
  open: () => Readable,
): Promise<string> {
  const source = sourceOf(line, claims.name);
  const known = await findFileOfSource(engine, source);
  if (known) return known.id;
  const id = ids.make('file');
  const { head, size, hash } = await blobs.put(id, open(), fileLimitMb * BYTES_PER_MB);
  const facts = {
    id,
    size,
    hash,
    filename: claims.filename === null ? null : cleanFilename(claims.filename),
    mimeType: mimeTypeOf(claims.mimeType ?? undefined),
    contentType: await sniffContentType(head),
  };
  const file = holdFile({ blobs, log }, facts);
  try {
    const { filename, mimeType, contentType } = facts;
    const row = { id, accountRef: line.accountRef, filename, mimeType, contentType, size, source, now: clock.now() };
    const kept = await writer.write(createFiles, row);
    if (kept.isNew) await file.keep();
    return kept.id;
  } catch (error) {
    if (error instanceof CommitInDoubtError) file.leave();
    throw error;
  } finally {
    await file.release();
  }
}

/** The file that a line has brought under this name. */
export function findLineFile(engine: Engine, lineRef: number, name: string): Promise<StoredFile | null> {
  return findFileOfSource(engine, sourceOf({ ref: lineRef }, name));
}

function sourceOf({ ref }: Pick<Line, 'ref'>, name: string): string {
  return `line ${ref} ${name}`;
}
