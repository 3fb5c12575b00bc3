/** A file that an agent brings in pieces, so that what breaks off goes on where it was: kept as one when the last is there. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ApiError } from '../domain/errors.ts';
import type { Line } from '../domain/line.ts';
import { CommitInDoubtError } from '../store/database.ts';
import {
  addUploadParts,
  dropOldUploadParts,
  dropUploadParts,
  readOldUploadBlobs,
  readUploadParts,
  type UploadPart,
} from '../store/upload-parts.ts';
import { type Blobs, BrokenUploadError } from './blobs.ts';
import { findLineFile, keepLineFile, type LineFileClaims, type LineFileDeps } from './line-files.ts';
import { holdFile, mimeTypeOf } from './received-file.ts';

const BYTES_PER_MB = 1024 * 1024;
/** Of one piece. */
export const PIECE_MAX_BYTES = 8 * 1024 * 1024;
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

export async function readUpload(deps: LineFileDeps, line: UploadLine, name: string): Promise<UploadState> {
  const { received, file } = await lookAt(deps, line, name);
  return { received, file };
}

/**
 * A piece that does not begin where the others end is not taken: the answer says where that is. One of no bytes, at the
 * end, asks for the file to be made of what is here.
 */
export async function addPiece(
  deps: LineFileDeps,
  line: UploadLine,
  claims: LineFileClaims,
  piece: Piece,
  source: Readable,
): Promise<UploadState> {
  const { start, size, total } = piece;
  const state = await readUpload(deps, line, claims.name);
  if (state.file !== null || state.received !== start) return skip(source, state);
  if (total > deps.fileLimitMb * BYTES_PER_MB) {
    throw new ApiError('file_too_large', { message: `A file may have ${deps.fileLimitMb} MB at most.` });
  }
  if (size === total) {
    const file = await keepLineFile(deps, line, claims, () => source);
    await dropPieces(deps, line, claims.name, await readUploadParts(deps.engine, line.ref, claims.name));
    return { received: total, file };
  }
  // Whoever begins makes room for what it leaves behind if it never comes back.
  if (start === 0) await dropOldPieces(deps);
  if (size > 0) await keepPiece(deps, line, claims.name, piece, source);
  return finishUpload(deps, line, claims, total);
}

/** What was left behind by agents that never came back. What cannot be removed is there for the next time. */
export async function dropOldPieces({ engine, writer, blobs, clock, log }: LineFileDeps): Promise<void> {
  const before = clock.now() - PARTS_KEPT_MS;
  const old = await readOldUploadBlobs(engine, before);
  if (old.length === 0) return;
  try {
    await deleteBlobs(blobs, old);
  } catch (error) {
    return log.warn({ err: error }, 'old pieces could not be removed');
  }
  // None becomes so old in between: whatever these rows name was removed.
  await writer.write(dropOldUploadParts, { before });
}

interface Looked extends UploadState {
  /** All pieces that are here. */
  readonly parts: readonly UploadPart[];
  /** Those of them that follow each other without a gap from the beginning. */
  readonly joined: readonly UploadPart[];
}

/**
 * The pieces before the file: whoever makes the file drops the pieces after it, so that a piece which was here before
 * there was a file is dropped by its maker.
 */
async function lookAt({ engine }: LineFileDeps, line: UploadLine, name: string): Promise<Looked> {
  const parts = await readUploadParts(engine, line.ref, name);
  const file = await findLineFile(engine, line.ref, name);
  const joined = joinedOf(parts);
  return { received: file?.size ?? endOf(joined), file: file?.id ?? null, parts, joined };
}

async function keepPiece(
  deps: LineFileDeps,
  line: UploadLine,
  name: string,
  { start, size }: Piece,
  source: Readable,
): Promise<void> {
  const { blobs, writer, ids, clock } = deps;
  const id = ids.make('file');
  const received = await blobs.put(id, source, PIECE_MAX_BYTES);
  const facts = { id, size, hash: received.hash, filename: null, mimeType: mimeTypeOf(undefined), contentType: null };
  const blob = holdFile(deps, facts);
  try {
    if (received.size !== size) {
      throw new ApiError('bad_request', { message: 'The body is not as long as its Content-Range says.' });
    }
    const item = { lineRef: line.ref, name, start, size, blob: id, now: clock.now() };
    if (await writer.write(addUploadParts, item)) await blob.keep();
  } catch (error) {
    if (error instanceof CommitInDoubtError) blob.leave();
    throw error;
  } finally {
    await blob.release();
  }
}

/** Whoever sends the same at the same time may be faster at every step: then there is the file, and no piece is needed. */
async function finishUpload(
  deps: LineFileDeps,
  line: UploadLine,
  claims: LineFileClaims,
  total: number,
): Promise<UploadState> {
  const { received, file, parts, joined } = await lookAt(deps, line, claims.name);
  if (file === null && received < total) return { received, file };
  const made = file ?? (await makeFile(deps, line, claims, joined));
  await dropPieces(deps, line, claims.name, parts);
  return { received, file: made };
}

/** The blobs first: a row that names one which is gone does no harm, and a blob that no row names stays for ever. */
async function dropPieces(
  { blobs, writer }: LineFileDeps,
  line: UploadLine,
  name: string,
  parts: readonly UploadPart[],
): Promise<void> {
  if (parts.length === 0) return;
  const gone = parts.map(({ blob }) => blob);
  await deleteBlobs(blobs, gone);
  const dropped = await writer.write(dropUploadParts, { lineRef: line.ref, name });
  const late = dropped.filter((blob) => !gone.includes(blob));
  await deleteBlobs(blobs, late);
}

async function makeFile(
  deps: LineFileDeps,
  line: UploadLine,
  claims: LineFileClaims,
  parts: readonly UploadPart[],
): Promise<string> {
  try {
    return await keepLineFile(deps, line, claims, () => Readable.from(bytesOf(deps.blobs, parts)));
  } catch (error) {
    const known = await findLineFile(deps.engine, line.ref, claims.name);
    if (known) return known.id;
    // What broke off is not the request's body.
    throw error instanceof BrokenUploadError ? new Error('The pieces cannot be read.', { cause: error }) : error;
  }
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

/** What is left of a former try, whose beginning was dropped for its age, may lie between them. */
function joinedOf(parts: readonly UploadPart[]): readonly UploadPart[] {
  let end = 0;
  return parts.filter(({ start, size }) => {
    if (start !== end) return false;
    end += size;
    return true;
  });
}

function endOf(parts: readonly UploadPart[]): number {
  return parts.reduce((end, { size }) => end + size, 0);
}
