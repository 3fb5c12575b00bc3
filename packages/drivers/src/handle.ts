/** Handles: how a person is reached on a line. A phone number in E.164, or an Apple ID e-mail in lower case. */
import { parsePhoneNumberFromString } from 'libphonenumber-js/min';

const HANDLE_LENGTH_MAX = 254;
const REMEMBERED_MAX = 10_000;

/** North American numbers in E.164 have one possible length and no prefix to strip, so nothing is left to parse. */
const NORTH_AMERICAN = /^\+1[2-9]\d{9}$/;
const PHONE_SPELLING = /^\+[\d\s().\-/\u2010-\u2015\u00a0]+$/;
const EMAIL = /^[^\s\p{Cc}@<>"(),:;]+@[^\s\p{Cc}@<>"(),:;]+\.[^\s\p{Cc}@<>"(),:;.]+$/u;

/** Parsing one number takes 28 µs and every request does it, so the latest spellings are remembered. */
const remembered = new Map<string, string | null>();

/**
 * The one spelling under which a handle is stored and compared; null when the text is neither a phone number with its
 * country code nor an e-mail. Numbers need to be possible, not assigned: new ranges must work before our tables know.
 */
export function normaliseHandle(raw: string): string | null {
  if (NORTH_AMERICAN.test(raw)) return raw;
  if (raw.length > HANDLE_LENGTH_MAX) return null;
  const known = remembered.get(raw);
  if (known !== undefined) return known;
  const handle = parseHandle(raw);
  if (remembered.size >= REMEMBERED_MAX) remembered.clear();
  remembered.set(raw, handle);
  return handle;
}

function parseHandle(raw: string): string | null {
  const text = raw.trim();
  if (text.includes('@')) return EMAIL.test(text) ? text.toLowerCase() : null;
  // A raw `+` in a query string arrives as a space.
  const spelling = /^ \d/.test(raw) ? `+${text}` : text;
  return PHONE_SPELLING.test(spelling) ? parsePhone(spelling) : null;
}

function parsePhone(spelling: string): string | null {
  const phone = parsePhoneNumberFromString(spelling, { extract: false });
  if (!phone?.isPossible()) return null;
  // A number that would be read as yet another one (zeros taken for a prefix) is nobody's.
  return parsePhoneNumberFromString(phone.number, { extract: false })?.number === phone.number ? phone.number : null;
}
