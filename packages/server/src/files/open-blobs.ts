/** The blobs of an installation: a bucket where the operator names one, else the data folder. */
import { join } from 'node:path';
import { BLOBS_FOLDER, SPOOL_FOLDER } from '../store/blob-names.ts';
import type { Blobs } from './blobs.ts';
import type { BucketAddress } from './bucket-address.ts';
import { createLocalBlobs } from './local-blobs.ts';

/** `dataDir`: used, and made where it is missing, when the first bytes come. */
export async function openBlobs(dataDir: string, bucket: BucketAddress | null): Promise<Blobs> {
  const folder = join(dataDir, BLOBS_FOLDER);
  if (bucket === null) return createLocalBlobs(folder);
  // Loaded only where it is used.
  const { createS3Blobs } = await import('./s3-blobs.ts');
  return createS3Blobs({ bucket, spoolFolder: join(folder, SPOOL_FOLDER) });
}
