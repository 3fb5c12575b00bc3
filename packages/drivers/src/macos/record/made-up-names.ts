/**
 * Made-up names in the place of real ones: the same name for the same thing in the whole record, counted up in the order
 * of appearance, so that nothing of the real one is in it.
 */
import { fillText } from './filler-text.ts';

export interface MadeUpNames {
  /** A phone number, a short code, an e-mail address, or what stands for a business. */
  handle(handle: string): string;
  /** The third part of a chat's GUID: a handle, or the name of a room. */
  identifier(identifier: string): string;
  guid(guid: string): string;
  /** A GUID with what stands before it (`p:0/...`, `iMessage;-;...`). */
  reference(reference: string): string;
  /** `P:+1555...`, `E:...`. */
  account(account: string): string;
}

const GUID_DIGITS = 12;
const ROOM_DIGITS = 18;
const HEX_ROOM_DIGITS = 32;
/** Numbers that are nobody's. */
const FIRST_PHONE = 15550100000;
const FIRST_SHORT_CODE = 10_000;

export function createMadeUpNames(): MadeUpNames {
  const handle = namer((original, count) => {
    if (original.includes('@')) return `person${count}@example.org`;
    if (/^urn:/.test(original)) return `urn:biz:00000000-0000-4000-8000-${digits(count, GUID_DIGITS)}`;
    if (original.startsWith('+')) return `+${FIRST_PHONE + count}`;
    return /^\d+$/.test(original) ? String(FIRST_SHORT_CODE + count) : `handle${count}`;
  });
  const guid = namer((original, count) => {
    const made = `00000000-0000-4000-8000-${digits(count, GUID_DIGITS)}`;
    return /[a-f]/.test(original) && !/[A-F]/.test(original) ? made.toLowerCase() : made;
  });
  const hexRoom = namer((_, count) => digits(count, HEX_ROOM_DIGITS));
  const room = namer((_, count) => `chat${digits(count, ROOM_DIGITS)}`);
  const identifier = (original: string): string => {
    if (/^chat\d+$/.test(original)) return room(original);
    return /^[0-9a-f]{32}$/i.test(original) ? hexRoom(original) : handle(original);
  };
  return {
    handle,
    identifier,
    guid,
    reference: (original) => {
      const [, before = '', rest = original] = /^(p:\d+\/|bp:|at_\d+_|\w*;[-+];)?(.*)$/s.exec(original) ?? [];
      return before.includes(';') ? before + identifier(rest) : before + guid(rest);
    },
    account: (original) => {
      const [, before = '', rest = original] = /^([A-Za-z]:)?(.*)$/s.exec(original) ?? [];
      return rest === '' ? before : before + handle(rest);
    },
  };
}

/** The same answer for the same original; the empty one stays empty. */
function namer(make: (original: string, count: number) => string): (original: string) => string {
  const known = new Map<string, string>();
  return (original) => {
    if (original === '') return '';
    const before = known.get(original);
    if (before !== undefined) return before;
    const made = make(original, known.size + 1);
    known.set(original, made);
    return made;
  };
}

function digits(count: number, length: number): string {
  return String(count).padStart(length, '0');
}

const EXTENSIONS: ReadonlySet<string> = new Set(
  'heic heif jpg jpeg png gif webp tiff mov mp4 m4v m4a caf amr mp3 pdf txt vcf ics zip pluginpayloadattachment'.split(
    ' ',
  ),
);

/** The ending stays where it is one that everybody's files have. */
export function fillFilename(name: string): string {
  const at = name.lastIndexOf('.');
  const isKnown = at > 0 && EXTENSIONS.has(name.slice(at + 1).toLowerCase());
  return isKnown ? fillText(name.slice(0, at)) + name.slice(at) : fillText(name);
}

/** `~/Library/Messages/Attachments/ab/12/GUID/name`: of the folders only those that every Mac has stay. */
export function fillPath(path: string): string {
  const [, known = '', rest = path] = /^(~\/Library\/Messages\/(?:Attachments|StickerCache)\/)?(.*)$/s.exec(path) ?? [];
  const parts = rest.split('/');
  return known + [...parts.slice(0, -1).map(fillText), fillFilename(parts.at(-1) ?? '')].join('/');
}
