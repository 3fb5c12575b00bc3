/**
 * Puts a file where the sandboxed Messages may read it. It reads it some time after it was told to send it, and refers to
 * it for as long as the message is there, so that staged files stay for a while.
 */
import { createWriteStream } from 'node:fs';
import { lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { DriverFiles, OutgoingFile } from '../../line-driver.ts';

export interface Staging {
  /** Resolves with the path. Rejects where the bytes cannot be had or written; nothing is left then. */
  stage(file: OutgoingFile, files: Pick<DriverFiles, 'read'>): Promise<string>;
  /** Whether the file that was staged there is still there. */
  has(path: string): Promise<boolean>;
  /** Removes what nobody needs any more. */
  prune(isNeeded: (folder: string) => boolean): Promise<number>;
}

/** Below the home folder: of the few places that Messages may read the one that needs no care of how it is told. */
export const STAGING_FOLDER = 'Library/Messages/Attachments/Trunkline';
const KEPT_MS = 24 * 60 * 60_000;
/** Of what may have gone out nobody knows for ever. */
const KEPT_OPEN_MS = 7 * KEPT_MS;
/** The file systems of macOS allow 255 bytes. */
const NAME_BYTES_MAX = 200;
const EXTENSION_LENGTH_MAX = 12;
/** What has a meaning in a path, and what makes a name look like another one. */
const UNSAFE = /[\p{Cc}/\\:\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
/** What Messages goes by, where a file has no name. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  'image/jpeg': '.jpg',
  'image/png': '.png',
  'image/gif': '.gif',
  'image/heic': '.heic',
  'image/webp': '.webp',
  'video/mp4': '.mp4',
  'video/quicktime': '.mov',
  'audio/mpeg': '.mp3',
  'audio/mp4': '.m4a',
  'application/pdf': '.pdf',
  'text/vcard': '.vcf',
};

export function createStaging({
  home,
  uuid,
  now,
}: {
  readonly home: string;
  readonly uuid: () => string;
  readonly now: () => number;
}): Staging {
  const base = join(home, STAGING_FOLDER);
  return {
    stage: async (file, files) => {
      const bytes = await files.read(file);
      const folder = join(base, uuid().toUpperCase());
      await mkdir(base, { recursive: true, mode: 0o700 });
      if (!(await lstat(base)).isDirectory()) throw new Error(`${base} is no folder.`);
      await mkdir(folder, { mode: 0o700 });
      const path = join(folder, safeName(file));
      try {
        await pipeline(
          Readable.from(bytes, { objectMode: false }),
          countTo(file.size),
          createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }),
        );
      } catch (error) {
        await rm(folder, { recursive: true, force: true });
        throw error;
      }
      return path;
    },
    has: async (path) =>
      lstat(path).then(
        (stats) => stats.isFile(),
        () => false,
      ),
    prune: async (isNeeded) => {
      let pruned = 0;
      for (const name of await listFolders(base)) {
        const folder = join(base, name);
        const age = now() - (await lstat(folder)).mtimeMs;
        if (age < (isNeeded(folder) ? KEPT_OPEN_MS : KEPT_MS)) continue;
        await rm(folder, { recursive: true, force: true });
        pruned += 1;
      }
      return pruned;
    },
  };
}

/** The name that people see: theirs, without what has a meaning in a path. */
export function safeName({ filename, mimeType }: Pick<OutgoingFile, 'filename' | 'mimeType'>): string {
  const plain = (filename ?? '').normalize('NFC').replace(UNSAFE, '_').trim().replace(/^\.+/, '');
  if (plain === '') return `Attachment${EXTENSIONS[mimeType] ?? ''}`;
  const [extension = ''] = /\.[^.]+$/.exec(plain) ?? [];
  const kept = extension.length > EXTENSION_LENGTH_MAX ? '' : extension;
  let stem = [...plain.slice(0, plain.length - kept.length)];
  while (Buffer.byteLength(stem.join('') + kept) > NAME_BYTES_MAX) stem = stem.slice(0, -1);
  return stem.join('') + kept;
}

/** A file that ends early, or does not end, is not the file. */
function countTo(size: number): Transform {
  let counted = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      counted += chunk.length;
      done(counted > size ? new Error('The file is longer than it was said to be.') : null, chunk);
    },
    flush(done) {
      done(counted < size ? new Error('The file is shorter than it was said to be.') : null);
    },
  });
}

async function listFolders(base: string): Promise<string[]> {
  try {
    return (await readdir(base, { withFileTypes: true })).filter((one) => one.isDirectory()).map(({ name }) => name);
  } catch (error) {
    // Nothing was ever staged.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
