/** The folder into which bytes are written as they come: flushed, measured and bounded on their way. */
import { createHash } from 'node:crypto';
import { chmod, type FileHandle, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { blobPath } from '../store/blob-names.ts';
import { BlobsUnavailableError, BlobTooLargeError, BrokenUploadError, type Received } from './blobs.ts';

const PRIVATE_FOLDER = 0o700;
const PRIVATE_FILE = 0o600;
/** Enough for every type that is told by its beginning. */
const HEAD_BYTES = 4_100;

export interface Spool {
  path(name: string): string;
  /** Resolves when the file and its name are on disk; leaves nothing where that fails. */
  write(name: string, source: Readable, maxBytes: number): Promise<Received>;
  remove(name: string): Promise<void>;
  /** The names of files that were last touched before then, in Unix milliseconds. */
  list(before: number): Promise<readonly string[]>;
}

export function createSpool(folder: string): Spool {
  const path = (name: string) => join(folder, checked(name));
  return {
    path,
    async write(name, source, maxBytes) {
      const file = path(name);
      try {
        await makeFolder(folder);
        const handle = await open(file, 'wx', PRIVATE_FILE);
        const received = await fill(handle, source, maxBytes).finally(() => handle.close());
        await flushFolder(folder);
        return received;
      } catch (error) {
        await rm(file, { force: true }).catch(unavailable);
        if (error instanceof BlobTooLargeError || error instanceof BrokenUploadError) throw error;
        throw new BlobsUnavailableError(error);
      }
    },
    remove: (name) => rm(path(name), { force: true }),
    async list(before) {
      const names: string[] = [];
      for (const name of await readdir(folder).catch(noneWhereNoFolder)) {
        const found = await stat(join(folder, name)).catch(nullWhereNone);
        if (found?.isFile() && found.mtimeMs <= before) names.push(name);
      }
      return names;
    },
  };
}

function unavailable(error: unknown): never {
  throw new BlobsUnavailableError(error);
}

export async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
  if (made !== undefined) await chmod(folder, PRIVATE_FOLDER);
}

/** Resolves when the folder's list of files would outlast a power cut. */
export async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What a missing file or folder means where it may be missing. */
export function nullWhereNone(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
  throw error;
}

function noneWhereNoFolder(error: unknown): string[] {
  return nullWhereNone(error) ?? [];
}

/** One chunk at a time: the source waits while the disk writes. */
async function fill(handle: FileHandle, source: Readable, maxBytes: number): Promise<Received> {
  const hash = createHash('sha256');
  const head = Buffer.alloc(HEAD_BYTES);
  let size = 0;
  await readEach(source, async (chunk) => {
    if (size < HEAD_BYTES) head.set(chunk.subarray(0, HEAD_BYTES - size), size);
    size += chunk.length;
    if (size > maxBytes) throw new BlobTooLargeError(maxBytes);
    hash.update(chunk);
    await writeWhole(handle, chunk);
  });
  await handle.sync();
  return { size, hash: hash.digest('hex'), head: head.subarray(0, size) };
}

/**
 * By events, and not by iteration, which would join chunks and destroy the source of a refusal, that is the connection on
 * which it is to be answered.
 */
function readEach(source: Readable, take: (chunk: Buffer) => Promise<void>): Promise<void> {
  const isFromSocket = source instanceof IncomingMessage && source.socket instanceof Socket;
  let onData: (chunk: Buffer) => void = () => undefined;
  const reading = new Promise<void>((resolve, reject) => {
    /** The chunk that came last: the source may end while it is being written. */
    let taking = Promise.resolve();
    const breakOff = (cause?: unknown) => reject(new BrokenUploadError(cause));
    onData = (chunk) => {
      source.pause();
      taking = take(chunk).then(() => {
        if (isFromSocket) freeChunk(chunk);
        source.resume();
      });
      taking.catch(reject);
    };
    source.once('end', () => {
      source.off('close', breakOff);
      taking.then(resolve, reject);
    });
    source.once('error', breakOff).once('close', breakOff);
    if (source.destroyed) breakOff();
    else source.on('data', onData);
  });
  return reading.finally(() => source.off('data', onData).pause());
}

/** The file system may take less than it is given. */
async function writeWhole(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    written += (await handle.write(chunk, written, chunk.length - written)).bytesWritten;
  }
}

/**
 * Gives back the memory of a chunk that nobody else has, at once: a hundred uploads would otherwise leave a hundred
 * megabytes lying until the next collection.
 */
function freeChunk({ buffer, byteOffset, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && byteOffset === 0 && byteLength === buffer.byteLength) buffer.transfer(0);
}

function checked(name: string): string {
  blobPath(name);
  return name;
}
