/** Takes in an uploaded file as it comes, into the blobs, before anything of it is written down. */
import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../domain/errors.ts';
import type { Ids } from '../domain/ids.ts';
import { type Blobs, BlobTooLargeError, BrokenUploadError } from '../files/blobs.ts';
import { sniffContentType } from '../files/content-type.ts';
import { filenameFrom } from '../files/filename.ts';
import { holdFile, mimeTypeOf, type ReceivedFile } from '../files/received-file.ts';
import type { Log } from '../log.ts';
import { receiveForm } from './receive-form.ts';

const BYTES_PER_MB = 1024 * 1024;

export interface ReceiveFileDeps {
  readonly blobs: Blobs;
  readonly ids: Ids;
  readonly log: Log;
  readonly fileLimitMb: number;
}

/** What a request says of its file. */
export interface Claims {
  /** As a header has it: a character for each byte. */
  readonly filename: string | undefined;
  readonly type: string | undefined;
}

/** Throws the refusal that applies: then nothing of the file is left. */
export type TakeFile = (source: Readable, claims: Claims) => Promise<ReceivedFile>;

export interface ReceiveFile {
  /** The body as it is. */
  fromBody(request: FastifyRequest): Promise<ReceivedFile>;
  /** The file of the form that the body is. */
  fromForm(request: FastifyRequest): Promise<ReceivedFile>;
}

export function createReceiveFile({ blobs, ids, log, fileLimitMb }: ReceiveFileDeps): ReceiveFile {
  const maxBytes = fileLimitMb * BYTES_PER_MB;
  const tooLarge = () => new ApiError('file_too_large', { message: `A file may have ${fileLimitMb} MB at most.` });

  const take: TakeFile = async (source, claims) => {
    const id = ids.make('file');
    const { head, ...received } = await blobs.put(id, source, maxBytes).catch((error: unknown) => {
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
        filename: filenameFrom(claims.filename),
        mimeType: mimeTypeOf(claims.type),
        contentType: await sniffContentType(head),
      },
    );
    if (file.size > 0) return file;
    await file.release();
    throw new ApiError('empty_file');
  };

  return {
    async fromBody(request) {
      // What is said to be too long is not waited for.
      if (Number(request.headers['content-length']) > maxBytes) throw tooLarge();
      const filename = request.headers['x-filename']?.toString();
      return take(request.raw, { filename, type: request.claimedType });
    },
    fromForm: (request) => receiveForm(request, { take, tooLarge, maxBytes }),
  };
}
