/** The message database: each of its three files by itself, for a grant may cover one and not the others. */
import { join } from 'node:path';
import type { Check, DoctorMac } from './doctor-mac.ts';
import { type Finding, failed, passed, warned } from './finding.ts';
import { grantFullDiskAccess } from './full-disk-access.ts';

const SIGN_IN = 'Open Messages and sign in, as the user whom the agent runs as.';

/** As the reader opens it. Never as an immutable file, which would leave out what is still in the log. */
export const checkDatabase: Check = async (mac) => {
  const path = pathOf(mac, '');
  try {
    await mac.files.readDatabase(path);
    return passed('chat.db', 'The message database can be read.');
  } catch (error) {
    return explain(mac, path, codeOf(error), await isThere(mac, path));
  }
};

export const checkLog: Check = (mac) => checkCompanion(mac, '-wal');
export const checkLogIndex: Check = (mac) => checkCompanion(mac, '-shm');

async function checkCompanion(mac: DoctorMac, suffix: string): Promise<Finding> {
  const name = `chat.db${suffix}`;
  try {
    await mac.files.open(pathOf(mac, suffix));
    return passed(name, `${name} can be read.`);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') {
      return warned(
        name,
        `There is no ${name}: Messages does not have its database open.`,
        'Open Messages and leave it open.',
      );
    }
    const found = `${name} may not be read (${code}), so the newest messages stay hidden.`;
    return failed(name, found, grantFullDiskAccess(mac));
  }
}

/** SQLite's numbers: 14 cannot open, 23 authorization denied. */
function explain(mac: DoctorMac, path: string, code: string, isFileThere: boolean): Finding {
  if (!isFileThere) {
    const found = `There is no message database at ${path}, or it may not be seen.`;
    return failed('chat.db', found, `${SIGN_IN} If you have: ${grantFullDiskAccess(mac)}`);
  }
  if (code.startsWith('SQLITE_CANTOPEN')) {
    const found =
      'The message database is there and SQLite may not open it (14): the grant is missing, or does not cover the whole folder.';
    return failed('chat.db', found, grantFullDiskAccess(mac));
  }
  if (code.startsWith('SQLITE_AUTH') || code === 'EPERM' || code === 'EACCES') {
    const found = 'macOS denies reading the message database (23): Full Disk Access is missing or stale.';
    return failed('chat.db', found, grantFullDiskAccess(mac));
  }
  const remedy = 'Quit Messages and open it again. If this stays, start the Mac again, and report this line.';
  return failed('chat.db', `The message database cannot be read (${code}).`, remedy);
}

async function isThere({ files }: DoctorMac, path: string): Promise<boolean> {
  try {
    await files.open(path);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ENOENT';
  }
}

export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}

function pathOf({ home }: DoctorMac, suffix: string): string {
  return join(home, `Library/Messages/chat.db${suffix}`);
}
