/**
 * Blobs as objects of an S3 bucket. Bytes are spooled to the disk first, so that their length is known and memory stays
 * small, and are sent from there: whole, or in parts where they are many. The spool's file stays until the row is
 * committed, and says after a crash which object may have none.
 */
import { openAsBlob } from 'node:fs';
import { Readable } from 'node:stream';
import { S3mini, S3ServiceError } from 's3mini';
import { blobPath } from '../store/blob-names.ts';
import { type Blobs, BlobsUnavailableError } from './blobs.ts';
import type { BucketAddress } from './bucket-address.ts';
import { createSpool } from './spool.ts';

/** More than this is sent in parts of it, one after the other; S3 takes 10,000 of them. */
const PART_BYTES = 32 * 1024 * 1024;
const OBJECT_TYPE = 'application/octet-stream';
/** A part that is not sent and answered by then has failed, and so has a short request. Reading is as slow as its reader. */
const PART_MS = 120_000;
const SHORT_MS = 10_000;
const NOT_FOUND = 404;

export interface S3BlobsOptions {
  readonly bucket: BucketAddress;
  /** Where bytes wait on their way. */
  readonly spoolFolder: string;
  /** Of an object that is sent in several requests; for tests, which have no gigabytes. */
  readonly partBytes?: number;
}

export function createS3Blobs({ bucket, spoolFolder, partBytes = PART_BYTES }: S3BlobsOptions): Blobs {
  const { accessKeyId, secretAccessKey, region, endpoint, name: bucketName } = bucket;
  const s3 = new S3mini({ accessKeyId, secretAccessKey, region, endpoint: `${endpoint}/${bucketName}`, fetch: call });
  const spool = createSpool(spoolFolder);

  async function send(name: string): Promise<void> {
    const bytes = await openAsBlob(spool.path(name));
    if (bytes.size > partBytes) await sendParts(s3, blobPath(name), bytes, partBytes);
    else await s3.putObject(blobPath(name), bytes, OBJECT_TYPE);
  }

  /** The object first: while the spool has its name, the next start would try again. */
  async function remove(name: string): Promise<void> {
    await s3.deleteObject(blobPath(name)).catch(unavailable);
    await spool.remove(name);
  }

  return {
    async put(name, source, maxBytes) {
      const received = await spool.write(name, source, maxBytes);
      try {
        await send(name);
      } catch (error) {
        // Whether the object is there is not known; where it cannot be removed now, the next start does it.
        await remove(name).catch(() => undefined);
        unavailable(error);
      }
      return received;
    },
    keep: spool.remove,
    async open(name, range) {
      const isWhole = range === null;
      const asking = s3.getObjectRaw(blobPath(name), isWhole, range?.start, range === null ? undefined : range.end + 1);
      const answer = await asking.catch(nullWhereMissing);
      return answer?.body ? Readable.fromWeb(answer.body) : null;
    },
    async exists(name) {
      return (await s3.objectExists(blobPath(name)).catch(unavailable)) === true;
    },
    delete: remove,
    async sweep({ known, before }) {
      const names = await spool.list(before);
      const rows = await known(names);
      for (const name of names) await (rows.has(name) ? spool.remove(name) : remove(name));
    },
  };
}

/** A redirect would be to an address that the signature is not for. */
function call(input: Parameters<typeof fetch>[0], init: RequestInit = {}): Promise<Response> {
  const { method } = init;
  const signal =
    method === 'GET' ? null : AbortSignal.timeout(method === 'PUT' || method === 'POST' ? PART_MS : SHORT_MS);
  return fetch(input, { ...init, signal, redirect: 'error' });
}

async function sendParts(s3: S3mini, key: string, bytes: Blob, partBytes: number): Promise<void> {
  const uploadId = await s3.getMultipartUploadId(key, OBJECT_TYPE);
  try {
    const parts: { partNumber: number; etag: string }[] = [];
    for (let start = 0; start < bytes.size; start += partBytes) {
      parts.push(await s3.uploadPart(key, uploadId, bytes.slice(start, start + partBytes), parts.length + 1));
    }
    await s3.completeMultipartUpload(key, uploadId, parts);
  } catch (error) {
    await s3.abortMultipartUpload(key, uploadId).catch(() => undefined);
    throw error;
  }
}

function nullWhereMissing(error: unknown): null {
  if (error instanceof S3ServiceError && error.status === NOT_FOUND) return null;
  return unavailable(error);
}

function unavailable(error: unknown): never {
  throw new BlobsUnavailableError(error);
}
