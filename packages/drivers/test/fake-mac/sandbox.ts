/** Which files the sandboxed Messages may read (d.3). */
import { lstatSync, realpathSync } from 'node:fs';
import { sep } from 'node:path';

const READABLE = [
  'Library/Messages',
  'Media',
  'Library/SMS',
  'Library/Caches/com.apple.MobileSMS',
  'Library/Containers/com.apple.MobileSMS/Data',
];
/** Readable only for a file that is handed over as an alias. */
const READABLE_AS_ALIAS = ['Pictures'];

export function mayMessagesRead(home: string, path: string, isAlias: boolean): boolean {
  const real = realPathOf(path);
  if (real === null) return false;
  const homeFolder = realpathSync(home);
  const folders = isAlias ? [...READABLE, ...READABLE_AS_ALIAS] : READABLE;
  return folders.some((folder) => real.startsWith(`${homeFolder}${sep}${folder}${sep}`));
}

/** A link, a pipe or a folder is no file to send, wherever it points. */
function realPathOf(path: string): string | null {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile() || stats.nlink > 1) return null;
  return realpathSync(path);
}
