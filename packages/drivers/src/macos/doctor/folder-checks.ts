/** The folders that files come from and go to, and the room on the disk. */
import { join } from 'node:path';
import { STAGING_FOLDER } from '../send/stage-file.ts';
import { codeOf } from './database-checks.ts';
import type { Check } from './doctor-mac.ts';
import { failed, passed, warned } from './finding.ts';
import { grantFullDiskAccess } from './full-disk-access.ts';

const ATTACHMENTS = 'Library/Messages/Attachments';
const NO_FOLDER = 'There is no folder for files yet: Messages makes it with the first one.';
const SEND_A_PICTURE = 'Send this Mac a picture from a phone, and look again.';
const MB = 1024 * 1024;
const FREE_FAILED_MB = 1_024;
const FREE_WARNING_MB = 10_240;

export const checkAttachments: Check = async (mac) => {
  try {
    await mac.files.list(join(mac.home, ATTACHMENTS));
    return passed('attachments', 'The folder of received files can be listed.');
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') {
      return warned('attachments', NO_FOLDER, SEND_A_PICTURE);
    }
    return failed('attachments', `The folder of received files may not be listed (${code}).`, grantFullDiskAccess(mac));
  }
};

export const checkStaging: Check = async (mac) => {
  const folder = join(mac.home, STAGING_FOLDER);
  try {
    await mac.files.tryWriting(folder);
    return passed('staging', 'The folder from which files are sent can be written.');
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return warned('staging', NO_FOLDER, SEND_A_PICTURE);
    return failed('staging', `${folder} cannot be written (${code}).`, grantFullDiskAccess(mac));
  }
};

export const checkDisk: Check = async ({ files, home }) => {
  const megabytes = Math.floor((await files.freeBytes(home)) / MB);
  const found = `${megabytes} MB are free on the disk.`;
  const remedy = 'Make room: with a full disk Messages writes nothing down, and no message is seen.';
  if (megabytes < FREE_FAILED_MB) return failed('disk', found, remedy);
  return megabytes < FREE_WARNING_MB ? warned('disk', found, remedy) : passed('disk', found);
};
