/**
 * The port to where files' bytes are kept. A blob is written once under its file's id, never changed, and belongs to the
 * row of that id. Between the two there is always a file in the spool, so that a crash leaves nothing that nobody knows:
 * `put` ends with the bytes safe and the spool's file there, `keep` follows the row's commit and removes it, and `sweep`
 * settles at the start what was in between.
 */
import type { Readable } from 'node:stream';

/** What was learnt of the bytes on their way. */
export interface Received {
  readonly size: number;
  /** SHA-256, in hex. */
  readonly hash: string;
  /** The first bytes, by which a type is told. */
  readonly head: Uint8Array;
}

/** Both ends are within. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface Blobs {
  /**
   * Resolves when the bytes would outlast a power cut. Rejects with `BlobTooLargeError` as soon as there are more than
   * the limit, with `BrokenUploadError` where the source breaks off, with `BlobsUnavailableError` where they cannot be
   * stored; then nothing of them is left.
   */
  put(name: string, source: Readable, maxBytes: number): Promise<Received>;
  /** The blob's row is committed. */
  keep(name: string): Promise<void>;
  /** Null where there is none. */
  open(name: string, range: ByteRange | null): Promise<Readable | null>;
  exists(name: string): Promise<boolean>;
  /** No error where there is none. */
  delete(name: string): Promise<void>;
  /** Settles what was put and not kept: removed, unless its row is there. */
  sweep(options: SweepOptions): Promise<void>;
}

export interface SweepOptions {
  /** Those of the names that have a row. */
  readonly known: (names: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Unix milliseconds; what was touched after it may be another process's, and is left alone. */
  readonly before: number;
}

export class BlobTooLargeError extends Error {
  constructor(maxBytes: number) {
    super(`There are more than ${maxBytes} bytes.`);
    this.name = 'BlobTooLargeError';
  }
}

/** Whoever sends the bytes has gone. */
export class BrokenUploadError extends Error {
  constructor(cause: unknown) {
    super('The bytes broke off.', { cause });
    this.name = 'BrokenUploadError';
  }
}

/** The disk or the bucket cannot be used now. */
export class BlobsUnavailableError extends Error {
  constructor(cause: unknown) {
    super('Files cannot be stored or read now.', { cause });
    this.name = 'BlobsUnavailableError';
  }
}
