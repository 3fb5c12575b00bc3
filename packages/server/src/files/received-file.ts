/** A file whose bytes are safe while nobody knows of them yet: what is known of it, and what may become of it. */
import type { Log } from '../log.ts';
import type { Blobs } from './blobs.ts';

const TYPE_DEFAULT = 'application/octet-stream';
const TYPE_MAX = 255;
const TYPE = /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/;

export interface FileFacts {
  /** The file's id that is to be, and the name of its blob. */
  readonly id: string;
  readonly filename: string | null;
  readonly mimeType: string;
  readonly contentType: string | null;
  readonly size: number;
  /** SHA-256, in hex: what makes two uploads the same. */
  readonly hash: string;
}

/** Whoever has it calls `release` in the end. */
export interface ReceivedFile extends FileFacts {
  /** The file's row is committed. */
  keep(): Promise<void>;
  /** Whether there is a row will be known at the next start. */
  leave(): void;
  /** Removes the bytes of a file that was neither kept nor left. */
  release(): Promise<void>;
}

export function holdFile<Facts extends FileFacts>(
  { blobs, log }: { readonly blobs: Blobs; readonly log: Log },
  facts: Facts,
): Facts & ReceivedFile {
  const { id } = facts;
  let isSettled = false;
  return {
    ...facts,
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
}

/** A claimed type without its parameters. */
export function mimeTypeOf(claimed: string | undefined): string {
  const essence = claimed?.split(';')[0]?.trim().toLowerCase() ?? '';
  return essence.length <= TYPE_MAX && TYPE.test(essence) ? essence : TYPE_DEFAULT;
}
