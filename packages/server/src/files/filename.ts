/** A file's name as a client's header has it: decoded as it was meant, and cleaned so that it can lead nowhere. */

const NAME_MAX_BYTES = 255;
/** Of a name that is cut, what stands behind its last dot is kept where it is no longer than this. */
const EXTENSION_MAX = 20;

/** Invisible characters, and those that turn the direction of text, so that a name reads as another one. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff]/gu;
/** What some systems take for a device, whatever its extension. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;
const EXTENDED = /^([A-Za-z0-9_-]+)'[A-Za-z0-9-]*'(.*)$/s;
const ENCODED_WORD = /=\?([A-Za-z0-9_-]+)\?([BbQq])\?([^?\s]*)\?=/g;

/** `header`: as Node gives it, a character for each byte. Null where nothing is left of it. */
export function filenameFrom(header: string | undefined): string | null {
  if (header === undefined) return null;
  return cleanFilename(decodeFilename(header.trim()));
}

/** Cleans a name from anywhere. Null where nothing is left of it. */
export function cleanFilename(name: string): string | null {
  const bare = name.toWellFormed().normalize('NFC').replaceAll('\ufffd', '').replace(UNSEEN, '');
  const last = bare.split(/[/\\]/).at(-1) ?? '';
  const clean = last
    .replace(/^[.\s-]+/, '')
    .replace(/[.\s]+$/, '')
    .replace(DEVICE, '_$&');
  return clean === '' ? null : shortened(clean);
}

/** Tells whether one of the names, or paths, has an ending, whatever its case. */
export function endsAs(names: readonly (string | null | undefined)[]): (extension: string) => boolean {
  const lower = names.map((name) => name?.toLowerCase() ?? '');
  return (extension) => lower.some((name) => name.endsWith(extension));
}

/** UTF-8, Latin-1, percent-encoded, or one of the two ways of other headers: `UTF-8''n%C3%A4me`, `=?utf-8?q?n=C3=A4me?=`. */
function decodeFilename(header: string): string {
  const text = textOf(Buffer.from(header, 'latin1'));
  const unquoted = /^"(.*)"$/s.exec(text)?.[1] ?? text;
  const [, charset = '', encoded = ''] = EXTENDED.exec(unquoted) ?? [];
  if (isCharset(charset)) return percentDecoded(encoded);
  if (unquoted.includes('=?')) return encodedWords(unquoted);
  return percentDecoded(unquoted);
}

/** UTF-8 where the bytes are that. */
function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString('latin1');
  }
}

/** As it is where it is no encoding: a name may hold a per cent sign. */
function percentDecoded(text: string): string {
  if (!text.includes('%') || /%(?![0-9a-f]{2})/i.test(text)) return text;
  const bytes = Buffer.from(
    text.replace(/%([0-9a-f]{2})|[^%]+/gi, (part, hex?: string) => hex ?? Buffer.from(part).toString('hex')),
    'hex',
  );
  return textOf(bytes);
}

function encodedWords(text: string): string {
  // White space between two encoded words is not part of the text.
  return text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(ENCODED_WORD, (word, charset: string, how: string, encoded: string) => {
      if (!isCharset(charset)) return word;
      if (how.toLowerCase() === 'b') return textOf(Buffer.from(encoded, 'base64'));
      return percentDecoded(
        encoded
          .replaceAll('_', ' ')
          .replaceAll('%', '%25')
          .replace(/=([0-9a-f]{2})/gi, '%$1'),
      );
    });
}

function isCharset(name: string): boolean {
  return /^(?:utf-?8|iso-8859-1|us-ascii|latin-?1)$/i.test(name);
}

/** Cut at a whole character, its extension kept. */
function shortened(name: string): string {
  if (Buffer.byteLength(name) <= NAME_MAX_BYTES) return name;
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 && name.length - dot <= EXTENSION_MAX ? name.slice(dot) : '';
  let rest = NAME_MAX_BYTES - Buffer.byteLength(extension);
  let kept = '';
  for (const character of name) {
    rest -= Buffer.byteLength(character);
    if (rest < 0) break;
    kept += character;
  }
  return kept + extension;
}
