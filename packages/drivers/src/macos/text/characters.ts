/** The characters of a text as Messages stores them. */

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });
const UTF16 = new TextDecoder('utf-16le');

/** UTF-8, with U+FFFD for what is none; UTF-16 where the bytes begin with its mark, with which no UTF-8 begins. */
export function decodeCharacters(bytes: Uint8Array): string {
  return isUtf16(bytes) ? UTF16.decode(bytes) : UTF8.decode(bytes);
}

export function isUtf16(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xfe;
}
