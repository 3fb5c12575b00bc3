/** Takes in a raw body as it comes, into the blobs, before anything of it is written down. */
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../domain/errors.ts';
import type { Ids } from '../domain/ids.ts';
import { type Blobs, BlobTooLargeError, BrokenUploadError } from '../files/blobs.ts';
import { sniffContentType } from '../files/content-type.ts';
import { filenameFrom } from '../files/filename.ts';
import type { Log } from '../log.ts';

const BYTES_PER_MB = 1024 * 1024;
const TYPE_DEFAULT = 'application/octet-stream';
const TYPE_MAX = 255;
const TYPE = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/;

/** The bytes are safe, and nobody knows of them yet. Whoever has it calls `release` in the end. */
export interface ReceivedFile {
  /** The file's id that is to be, and the name of its blob. */
  readonly id: string;
  readonly filename: string | null;
  readonly mimeType: string;
  readonly contentType: string | null;
  readonly size: number;
  /** SHA-256, in hex: what makes two uploads the same. */
  readonly hash: string;
  /** The file's row is committed. */
  keep(): Promise<void>;
  /** Whether there is a row will be known at the next start. */
  leave(): void;
  /** Removes the bytes of a file that was neither kept nor left. */
  release(): Promise<void>;
}

export interface ReceiveFileDeps {
  readonly blobs: Blobs;
  readonly ids: Ids;
  readonly log: Log;
  readonly fileLimitMb: number;
}

export type ReceiveFile = (request: FastifyRequest, claimedType: string | undefined) => Promise<ReceivedFile>;

export function createReceiveFile({ blobs, ids, log, fileLimitMb }: ReceiveFileDeps): ReceiveFile {
  const maxBytes = fileLimitMb * BYTES_PER_MB;
  const tooLarge = () => new ApiError('file_too_large', { message: `A file may have ${fileLimitMb} MB at most.` });

  return async (request, claimedType) => {
    // What is said to be too long is not waited for.
    if (Number(request.headers['content-length']) > maxBytes) throw tooLarge();
    const id = ids.make('file');
    const { head, ...received } = await blobs.put(id, request.raw, maxBytes).catch((error: unknown) => {
      if (error instanceof BlobTooLargeError) throw tooLarge();
      // Nobody is there to hear of it.
      if (error instanceof BrokenUploadError) throw new ApiError('bad_request', { message: 'The body broke off.' });
      throw error;
    });
    let isSettled = false;
    const file: ReceivedFile = {
      id,
      ...received,
      filename: filenameFrom(request.headers['x-filename']?.toString()),
      mimeType: mimeTypeOf(claimedType),
      contentType: await sniffContentType(head),
      async keep() {
        isSettled = true;
        // The row is there: a blob that is still in the spool is read from there, and moved at the next start.
        await blobs.keep(id).catch((error: unknown) => log.warn({ err: error, file: id }, 'a file stays in the spool'));
      },
      leave() {
        isSettled = true;
      },
      async release() {
        if (isSettled) return;
        await blobs.delete(id).catch((error: unknown) => log.warn({ err: error }, 'an upload could not be removed'));
      },
    };
    if (file.size > 0) return file;
    await file.release();
    throw new ApiError('empty_file');
  };
}

/** The claim without its parameters. */
function mimeTypeOf(claimed: string | undefined): string {
  const essence = claimed?.split(';')[0]?.trim().toLowerCase() ?? '';
  return essence.length <= TYPE_MAX && TYPE.test(essence) ? essence : TYPE_DEFAULT;
}
