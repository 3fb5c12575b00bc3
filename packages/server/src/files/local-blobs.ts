/**
 * Blobs as files in the data folder. Bytes wait in the spool until their row is committed and move to their place then;
 * whoever reads looks in both, so a crash in between takes nothing away.
 */
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { blobPath, SPOOL_FOLDER } from '../store/blob-names.ts';
import { type Blobs, BlobsUnavailableError } from './blobs.ts';
import { createSpool, flushFolder, makeFolder, nullWhereNone } from './spool.ts';

export function createLocalBlobs(folder: string): Blobs {
  const spool = createSpool(join(folder, SPOOL_FOLDER));
  const place = (name: string) => join(folder, blobPath(name));

  async function keep(name: string): Promise<void> {
    const target = place(name);
    await makeFolder(dirname(target));
    await rename(spool.path(name), target);
    await flushFolder(dirname(target));
  }

  /** It moves in one direction only, so that whoever misses it in its place and in the spool finds it in its place. */
  async function openFile(name: string) {
    for (const path of [place(name), spool.path(name), place(name)]) {
      const handle = await open(path, 'r').catch(nullWhereNone);
      if (handle) return handle;
    }
    return null;
  }

  return {
    put: spool.write,
    keep,
    async open(name, range) {
      const handle = await openFile(name).catch(unavailable);
      return handle?.createReadStream(range ?? {}) ?? null;
    },
    async exists(name) {
      const handle = await openFile(name).catch(unavailable);
      await handle?.close();
      return handle !== null;
    },
    async delete(name) {
      await spool.remove(name);
      await rm(place(name), { force: true });
    },
    async sweep({ known, before }) {
      const names = await spool.list(before);
      const rows = await known(names);
      for (const name of names) await (rows.has(name) ? keep(name) : spool.remove(name));
    },
  };
}

function unavailable(error: unknown): never {
  throw new BlobsUnavailableError(error);
}
