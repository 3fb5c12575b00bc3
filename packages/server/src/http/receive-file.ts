/** Takes in a raw body as it comes, into the blobs, before anything of it is written down. */
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../domain/errors.ts';
import type { Ids } from '../domain/ids.ts';
import { type Blobs, BlobTooLargeError, BrokenUploadError } from '../files/blobs.ts';
import { sniffContentType } from '../files/content-type.ts';
import { filenameFrom } from '../files/filename.ts';
import { holdFile, mimeTypeOf, type ReceivedFile } from '../files/received-file.ts';
import type { Log } from '../log.ts';

const BYTES_PER_MB = 1024 * 1024;

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
    const file = holdFile(
      { blobs, log },
      {
        id,
        ...received,
        filename: filenameFrom(request.headers['x-filename']?.toString()),
        mimeType: mimeTypeOf(claimedType),
        contentType: await sniffContentType(head),
      },
    );
    if (file.size > 0) return file;
    await file.release();
    throw new ApiError('empty_file');
  };
}
