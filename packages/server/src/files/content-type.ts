/**
 * What a file is, by its first bytes, and what it may be served as. Whoever uploads a page and calls it a picture is not
 * believed, and nothing is served as a type that a browser runs.
 */

/** Kept as the type of what reads as text. */
export const PLAIN_TEXT = 'text/plain';
export const CONTACT_CARD_TYPE = 'text/vcard';
const UNKNOWN = 'application/octet-stream';
/** Shown in place; all else is offered for saving. */
const SHOWN: ReadonlySet<string> = new Set([
  ...['image/jpeg', 'image/png', 'image/apng', 'image/gif', 'image/webp', 'image/avif', 'image/bmp', 'image/tiff'],
  ...['image/heic', 'image/heif', 'image/heic-sequence', 'image/heif-sequence', 'image/jxl'],
  ...['audio/mpeg', 'audio/mp4', 'audio/x-m4a', 'audio/aac', 'audio/wav', 'audio/aiff', 'audio/x-caf', 'audio/flac'],
  ...['audio/ogg', 'audio/ogg; codecs=opus', 'audio/amr', 'audio/midi'],
  ...['video/mp4', 'video/quicktime', 'video/x-m4v', 'video/webm', 'video/3gpp', 'video/3gpp2', 'video/mpeg'],
  ...['video/ogg', 'video/vnd.avi', 'video/matroska'],
]);
/** But for white space, they tell bytes from text. */
const CONTROL = /\p{Cc}/u;
const OFFERED: ReadonlySet<string> = new Set([CONTACT_CARD_TYPE, 'text/calendar']);

/** Null where the bytes show nothing that is known. */
export async function sniffContentType(head: Uint8Array): Promise<string | null> {
  // Loaded when the first file comes: a start is not to wait for it.
  const { fileTypeFromBuffer } = await import('file-type');
  // What cannot be read to its end shows nothing either.
  const found = await fileTypeFromBuffer(head).catch(() => undefined);
  if (found) return found.mime;
  return isPlainText(head) ? PLAIN_TEXT : null;
}

/** By its ending where its content does not say otherwise: few cards begin in a way that tells them from text. */
export function isContactCard(contentType: string | null, endsIn: (extension: string) => boolean): boolean {
  return endsIn('.vcf') && [null, PLAIN_TEXT, CONTACT_CARD_TYPE].includes(contentType);
}

export interface ServedAs {
  readonly type: string;
  readonly disposition: 'inline' | 'attachment';
}

export function servedAs(contentType: string | null): ServedAs {
  if (contentType === null) return { type: UNKNOWN, disposition: 'attachment' };
  if (SHOWN.has(contentType)) return { type: contentType, disposition: 'inline' };
  if (contentType === PLAIN_TEXT) return { type: `${PLAIN_TEXT}; charset=utf-8`, disposition: 'attachment' };
  return { type: OFFERED.has(contentType) ? contentType : UNKNOWN, disposition: 'attachment' };
}

/** UTF-8 without control characters that does not begin like markup: the last character may be cut in two. */
function isPlainText(head: Uint8Array): boolean {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
  } catch {
    return false;
  }
  return !CONTROL.test(text.replace(/[\t\n\r\f]/g, '')) && !/^\s*</.test(text);
}
