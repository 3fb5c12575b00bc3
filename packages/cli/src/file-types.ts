/** The media type that a file's name stands for: what is claimed when a file is uploaded without a word about it. */
import { extname } from 'node:path';

const TYPE_DEFAULT = 'application/octet-stream';

const TYPES: ReadonlyMap<string, string> = new Map([
  ['.aiff', 'audio/aiff'],
  ['.aif', 'audio/aiff'],
  ['.caf', 'audio/x-caf'],
  ['.csv', 'text/csv'],
  ['.gif', 'image/gif'],
  ['.heic', 'image/heic'],
  ['.html', 'text/html'],
  ['.ics', 'text/calendar'],
  ['.jpeg', 'image/jpeg'],
  ['.jpg', 'image/jpeg'],
  ['.json', 'application/json'],
  ['.m4a', 'audio/mp4'],
  ['.mov', 'video/quicktime'],
  ['.mp3', 'audio/mpeg'],
  ['.mp4', 'video/mp4'],
  ['.pdf', 'application/pdf'],
  ['.png', 'image/png'],
  ['.svg', 'image/svg+xml'],
  ['.txt', 'text/plain'],
  ['.vcf', 'text/vcard'],
  ['.wav', 'audio/wav'],
  ['.webp', 'image/webp'],
  ['.zip', 'application/zip'],
]);

export function typeOfFile(name: string): string {
  return TYPES.get(extname(name).toLowerCase()) ?? TYPE_DEFAULT;
}
