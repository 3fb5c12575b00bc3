/** A file that an agent brings in pieces, so that what breaks off goes on where it was: kept as one when the last is there. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ApiError } from '../domain/errors.ts';
import type { Line } from '../domain/line.ts';
import {
  addUploadParts,
  dropOldUploadParts,
  dropUploadParts,
  readUploadParts,
  type UploadPart,
} from '../store/upload-parts.ts';
import type { Blobs } from './blobs.ts';
import { findLineFile, keepLineFile, type LineFileClaims, type LineFileDeps } from './line-files.ts';

const BYTES_PER_MB = 1024 * 1024;
/** Of one piece. */
export const PIECE_MAX_BYTES = 8 * BYTES_PER_MB;
/** Whoever has not brought the rest by then begins anew. */
const PARTS_KEPT_MS = 86_400_000;

export interface UploadState {
  /** Bytes that are here. */
  readonly received: number;
  /** The file's id, once it is whole. */
  readonly file: string | null;
}

export interface Piece {
  readonly start: number;
  /** Of the piece. */
  readonly size: number;
  /** Of the whole file. */
  readonly total: number;
}

type UploadLine = Pick<Line, 'ref' | 'accountRef'>;

export async function readUpload({ engine }: LineFileDeps, line: UploadLine, name: string): Promise<UploadState> {
  const file = await findLineFile(engine, line.ref, name);
  if (file) return { received: file.size, file: file.id };
  return { received: endOf(await readUploadParts(engine, line.ref, name)), file: null };
}

/** A piece that does not begin where the others end is not taken: the answer says where that is. */
export async function addPiece(
  deps: LineFileDeps,
  line: UploadLine,
  claims: LineFileClaims,
  { start, size, total }: Piece,
  source: Readable,
): Promise<UploadState> {
  const state = await readUpload(deps, line, claims.name);
  if (state.file !== null || state.received !== start) return skip(source, state);
  if (total > deps.fileLimitMb * BYTES_PER_MB) {
    throw new ApiError('file_too_large', { message: `A file may have ${deps.fileLimitMb} MB at most.` });
  }
  if (start === 0 && size === total) {
    return { received: total, file: await keepLineFile(deps, line, claims, () => source) };
  }
  await keepPiece(deps, line, claims.name, { start, size, total }, source);
  const parts = await readUploadParts(deps.engine, line.ref, claims.name);
  const received = endOf(parts);
  if (received < total) return { received, file: null };
  const file = await keepLineFile(deps, line, claims, () => Readable.from(bytesOf(deps.blobs, parts)));
  await deleteBlobs(deps.blobs, await deps.writer.write(dropUploadParts, { lineRef: line.ref, name: claims.name }));
  return { received, file };
}

/** What was left behind by agents that never came back. */
export async function dropOldPieces({ writer, blobs, clock }: LineFileDeps): Promise<void> {
  await deleteBlobs(blobs, await writer.write(dropOldUploadParts, { before: clock.now() - PARTS_KEPT_MS }));
}

async function keepPiece(
  { blobs, writer, ids, clock }: LineFileDeps,
  line: UploadLine,
  name: string,
  { start, size }: Piece,
  source: Readable,
): Promise<void> {
  const blob = ids.make('file');
  const received = await blobs.put(blob, source, PIECE_MAX_BYTES);
  const isWhole = received.size === size;
  const item = { lineRef: line.ref, name, start, size, blob, now: clock.now() };
  const isNew = isWhole && (await writer.write(addUploadParts, item));
  if (isNew) return blobs.keep(blob);
  await blobs.delete(blob);
  if (!isWhole) throw new ApiError('bad_request', { message: 'The body is not as long as its Content-Range says.' });
}

async function* bytesOf(blobs: Blobs, parts: readonly UploadPart[]): AsyncIterable<Uint8Array> {
  for (const { blob } of parts) {
    const bytes = await blobs.open(blob, null);
    if (bytes === null) throw new Error(`The bytes of the piece ${blob} are not there.`);
    yield* bytes as AsyncIterable<Uint8Array>;
  }
}

async function deleteBlobs(blobs: Blobs, names: readonly string[]): Promise<void> {
  for (const name of names) await blobs.delete(name);
}

/** The body is read to its end, so that its sender hears the answer. */
async function skip(source: Readable, state: UploadState): Promise<UploadState> {
  await pipeline(source, async (pieces: AsyncIterable<Uint8Array>) => {
    for await (const _ of pieces);
  });
  return state;
}

function endOf(parts: readonly UploadPart[]): number {
  return parts.reduce((end, { size }) => end + size, 0);
}
