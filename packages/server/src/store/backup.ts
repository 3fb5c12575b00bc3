/**
 * A backup of a data folder, taken by another process while the server runs on it.
 *
 * The server's database is copied before the simulated network's: the place up to which a line was heard is then never
 * beyond the network's newest entry, and what the network did in between is heard when the copy starts. What the server
 * did in between it does not know any more. So in the copy all items that are due count as handed over without an
 * outcome: the line is asked about each before anything is sent, and nothing is sent a second time.
 * The files' bytes come after the database, whose rows name them.
 */

import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { copyBlobs } from './blob-backup.ts';
import { BLOBS_FOLDER } from './blob-names.ts';
import { copySqlite, finishCopy, readFileIds } from './dialects/sqlite-backup.ts';
import { SECRET_KEY_FILE, SERVER_FILE, SIMULATOR_FILE } from './open.ts';

const OWNER_ONLY = 0o600;

/** More than the hand-overs of any item between the copy of the one database and that of the other. */
const HAND_OVERS_AHEAD = 1_000;

/**
 * What a server that starts on an older state of its database must find, on either engine. A new epoch, for its numbers
 * of events will be given a second time; no item that would be sent without a question, however often it was handed
 * over since; and no piece of a file that an agent was bringing, for its bytes may be gone since: the agent begins anew.
 */
export const RESTORED_STATEMENTS: readonly string[] = [
  "delete from installation where name = 'epoch'",
  `insert into leases (name, holder, fence, expires_at)
   select 'line ' || ref, '', 0, 0 from lines where true on conflict (name) do nothing`,
  `update outbox set hand_overs = hand_overs + ${HAND_OVERS_AHEAD},
   attempts = attempts + case when state = 'sending' then 0 else 1 end, state = 'sending'
   where state in ('fetching', 'pending', 'waiting', 'sending')`,
  'delete from upload_parts',
];

export interface BackupOptions {
  readonly dataDir: string;
  /** A folder that is made; it may be there already if it is empty. */
  readonly to: string;
  /** The configuration's: an installation on PostgreSQL is backed up by PostgreSQL's own means. */
  readonly databaseUrl?: string | null;
  /** Files are in a bucket, which has a backup of its own. */
  readonly hasBucket?: boolean;
  /** Told of each file once its copy is there. */
  readonly onCopied?: (name: string) => Promise<void> | void;
}

export interface Backup {
  /** The files' paths. */
  readonly files: readonly string[];
  /** How many files have rows and no bytes, in the data folder as in the copy. */
  readonly missing: number;
}

/** Resolves when the copies are sound and on disk. Throws a sentence, and leaves nothing behind, where that fails. */
export async function backupDataFolder(options: BackupOptions): Promise<Backup> {
  const to = resolve(options.to);
  await refuse(options, to);
  const unfinished = await mkdtemp(`${to}.unfinished-`);
  try {
    const names = await copyAll(options, unfinished);
    const ids = options.hasBucket === true ? [] : readFileIds(join(unfinished, SERVER_FILE));
    const { made, missing } = await copyBlobs(options.dataDir, unfinished, ids);
    for (const path of made) await flush(path);
    if (made.length > 0) names.push(BLOBS_FOLDER);
    await flush(unfinished);
    await rename(unfinished, to);
    await flush(dirname(to));
    return { files: names.map((name) => join(to, name)), missing };
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

async function refuse({ dataDir, databaseUrl }: BackupOptions, to: string): Promise<void> {
  if (typeof databaseUrl === 'string') {
    throw new Error(
      'This installation is on PostgreSQL: back it up with pg_dump, as docs/guides/backup-and-restore.md says.',
    );
  }
  if (!existsSync(join(dataDir, SERVER_FILE))) {
    throw new Error(
      `There is no database in ${dataDir}. Set TRUNKLINE_DATA_DIR to the server's data folder; ` +
        'an installation on PostgreSQL is backed up with pg_dump, as docs/guides/backup-and-restore.md says.',
    );
  }
  if (!existsSync(dirname(to)))
    throw new Error(`The folder ${dirname(to)}, in which the backup is to be, does not exist.`);
  if (existsSync(to) && (await readdir(to).catch(() => ['no folder'])).length > 0) {
    throw new Error(`There is something at ${to} already. A backup overwrites nothing: give it a new folder.`);
  }
}

/** The order is the point: see above. The key comes last, for what is sealed in a copy was sealed with a key that is there. */
async function copyAll({ dataDir, onCopied }: BackupOptions, folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const name of [SERVER_FILE, SIMULATOR_FILE, SECRET_KEY_FILE]) {
    const from = join(dataDir, name);
    const copy = join(folder, name);
    if (!existsSync(from)) continue;
    if (name === SECRET_KEY_FILE) await copyFile(from, copy);
    else await copySqlite(from, copy);
    await chmod(copy, OWNER_ONLY);
    names.push(name);
    await onCopied?.(name);
  }
  for (const name of names) {
    const copy = join(folder, name);
    if (name !== SECRET_KEY_FILE) finishCopy(copy, name === SERVER_FILE ? RESTORED_STATEMENTS : []);
    await flush(copy);
  }
  return names;
}

/** Resolves when a file's content, or a folder's list of files, would survive a power cut. */
async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
