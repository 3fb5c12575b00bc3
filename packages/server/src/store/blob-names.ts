/** Where a file's bytes are, below the data folder or in a bucket. */

/** In a data folder, and in it what came in and has no row yet. */
export const BLOBS_FOLDER = 'blobs';
export const SPOOL_FOLDER = 'incoming';

/** A name that could lead anywhere else is a bug. The end of an id is random, so that the folders fill evenly. */
export function blobPath(name: string): string {
  if (!/^[a-z0-9_]{3,64}$/.test(name)) throw new Error('This is no name of a blob.');
  return `${name.slice(-2)}/${name}`;
}
