/** The sandbox line's rules: the code that pairs a phone with an account, and the day that its messages count by. */

/** Messages and voice memos that an account may send on the sandbox line in a day. */
export const SANDBOX_DAILY_MAX = 50;
/** How long a code may be texted. */
export const CODE_VALID_MS = 86_400_000;
/** After this many wrong codes in `WRONG_CODES_WITHIN_MS` a phone's codes are ignored. */
export const WRONG_CODES_MAX = 10;
export const WRONG_CODES_WITHIN_MS = 3_600_000;
export const CODE_BYTES = 5;

const DAY_MS = 86_400_000;
const CODE_LENGTH = 8;
/** Crockford's base32: nothing in it is mistaken for something else. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE = new RegExp(`^[${ALPHABET}]{${CODE_LENGTH}}$`);

/** An account's phone on the sandbox line, and the chat with it: null where the line has lost it. */
export interface PairedPhone {
  readonly handle: string;
  readonly chat: { readonly ref: number; readonly id: string } | null;
}

/** Of five random bytes. */
export function makeCode(bytes: Uint8Array): string {
  let rest = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  let code = '';
  for (let index = 0; index < CODE_LENGTH; index++) {
    code = ALPHABET[rest % ALPHABET.length] + code;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return code;
}

/** What looks like a code, as it is stored; null for any other text. Case and spaces around it do not count. */
export function codeIn(text: string | null): string | null {
  const code = text?.trim().toUpperCase() ?? '';
  return CODE.test(code) ? code : null;
}

/** The beginning of a moment's day, in UTC. */
export function dayOf(at: number): number {
  return at - (at % DAY_MS);
}

/** When that day's messages count no longer. */
export function nextDayOf(at: number): number {
  return dayOf(at) + DAY_MS;
}
