/** API keys: making them, and what of one is kept. */
import { hash, timingSafeEqual } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 43 characters of 62 carry just over 256 bits. */
const RANDOM_CHARACTERS = 43;
const SHOWN_CHARACTERS = 'sk_live_'.length + 4;
/** Bytes from here on would make some characters likelier than others. */
const FAIR_BELOW = 248;

export function makeKey(randomBytes: (size: number) => Uint8Array): string {
  let key = '';
  while (key.length < RANDOM_CHARACTERS) {
    for (const byte of randomBytes(RANDOM_CHARACTERS)) {
      if (byte < FAIR_BELOW && key.length < RANDOM_CHARACTERS) key += ALPHABET[byte % ALPHABET.length];
    }
  }
  return `sk_live_${key}`;
}

/** A fast hash is right here: a key is random, so there is nothing to guess. */
export function hashKey(key: string): string {
  return hash('sha256', key, 'hex');
}

/** Takes as long for a near miss as for any other. */
export function isSameHash(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

export function displayPrefix(key: string): string {
  return key.slice(0, SHOWN_CHARACTERS);
}
