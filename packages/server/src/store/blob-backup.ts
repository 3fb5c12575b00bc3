/**
 * The blobs of a backup. A blob is there before its row and never changed, so whatever rows the copy of the database has,
 * their bytes are there when it has been made; what was uploaded since is of no row in it, and is left out.
 */
import { copyFile, link, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BLOBS_FOLDER, blobPath, SPOOL_FOLDER } from './blob-names.ts';

const PRIVATE_FOLDER = 0o700;

export interface BlobCopies {
  /** The folders and files that were made. */
  readonly made: readonly string[];
  /** How many files have no bytes in the data folder. */
  readonly missing: number;
}

/** Takes no room where both are on one disk: the copy is the same file under a second name. */
export async function copyBlobs(dataDir: string, folder: string, names: readonly string[]): Promise<BlobCopies> {
  const from = join(dataDir, BLOBS_FOLDER);
  const to = join(folder, BLOBS_FOLDER);
  const made = new Set<string>();
  let missing = 0;
  for (const name of names) {
    const copy = join(to, blobPath(name));
    if (!made.has(dirname(copy))) await mkdir(dirname(copy), { recursive: true, mode: PRIVATE_FOLDER });
    // One that is moved to its place meanwhile is found there.
    const places = [blobPath(name), join(SPOOL_FOLDER, name), blobPath(name)].map((path) => join(from, path));
    if (await copyFirst(places, copy)) for (const path of [to, dirname(copy), copy]) made.add(path);
    else missing++;
  }
  return { made: [...made], missing };
}

async function copyFirst(places: readonly string[], copy: string): Promise<boolean> {
  for (const place of places) {
    if (await copyOne(place, copy)) return true;
  }
  return false;
}

async function copyOne(from: string, to: string): Promise<boolean> {
  try {
    // Another disk, or one that knows no second names.
    await link(from, to).catch(() => copyFile(from, to));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
