/**
 * Public ids: TypeIDs, that is a prefix, `_`, and a UUIDv7 in Crockford base32 in lower case, so that they sort by time.
 * Inside the store a row is referred to by an integer, its `Ref`.
 */

export const ID_PREFIXES = {
  account: 'acc',
  key: 'key',
  device: 'dev',
  line: 'ln',
  chat: 'cht',
  message: 'msg',
  reaction: 'rxn',
  typing: 'ind',
  receipt: 'rcp',
  file: 'file',
  outbox: 'obx',
  webhook: 'wh',
  delivery: 'dlv',
  event: 'evt',
  request: 'req',
} as const;
export type IdKind = keyof typeof ID_PREFIXES;

export interface Ids {
  make(kind: IdKind): string;
  /** A UUIDv7 in lower case: neighbours in time are neighbours in an index. */
  uuid(): string;
}

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const RANDOM_BYTES_PER_ID = 10;
const POOL_BYTES = 8_000;

export function createIds(now: () => number, randomBytes: (size: number) => Uint8Array): Ids {
  let pool: Uint8Array = new Uint8Array(0);
  let used = 0;
  let stampedAt = -1;
  let stamp = '';

  /** The random part of a UUIDv7, with its version and variant. */
  function takeRandom(): Uint8Array {
    if (used + RANDOM_BYTES_PER_ID > pool.length) {
      pool = randomBytes(POOL_BYTES);
      used = 0;
    }
    used += RANDOM_BYTES_PER_ID;
    const bytes = pool.subarray(used - RANDOM_BYTES_PER_ID, used);
    bytes[0] = 0x70 | ((bytes[0] ?? 0) & 0x0f);
    bytes[2] = 0x80 | ((bytes[2] ?? 0) & 0x3f);
    return bytes;
  }

  return {
    make(kind) {
      const at = now();
      if (at !== stampedAt) {
        stampedAt = at;
        stamp = encodeTime(at);
      }
      const bytes = takeRandom();
      return `${ID_PREFIXES[kind]}_${stamp}${encodeBytes(bytes)}`;
    },
    uuid() {
      const time = now().toString(16).padStart(12, '0');
      const hex = Buffer.from(takeRandom()).toString('hex');
      return `${time.slice(0, 8)}-${time.slice(8)}-${hex.slice(0, 4)}-${hex.slice(4, 8)}-${hex.slice(8)}`;
    },
  };
}

/** Whether the text claims to be an id of that kind; it may still name nothing. */
export function hasPrefix(kind: IdKind, text: string): boolean {
  return text.startsWith(`${ID_PREFIXES[kind]}_`);
}

/** 48 bits of milliseconds behind two zero bits: ten characters. */
function encodeTime(at: number): string {
  let text = '';
  let rest = at;
  for (let index = 0; index < 10; index++) {
    text = ALPHABET[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

/** 80 bits: sixteen characters. */
function encodeBytes(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let width = 0;
  for (const byte of bytes) {
    bits = (bits << 8) | byte;
    width += 8;
    while (width >= 5) {
      width -= 5;
      text += ALPHABET[(bits >> width) & 31];
    }
    bits &= (1 << width) - 1;
  }
  return text;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const BITS_PER_CHARACTER = 5n;
const ENCODED_LENGTH = 26;

/** The UUID behind an id's prefix, in lower case; null for what no `Ids` has made. */
export function uuidOfId(id: string): string | null {
  let bits = 0n;
  for (const character of id.slice(id.indexOf('_') + 1)) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) return null;
    bits = (bits << BITS_PER_CHARACTER) | BigInt(value);
  }
  const hex = bits.toString(16).padStart(32, '0');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** The id of that kind with this UUID, in whatever case; null for what is no UUID. */
export function idOfUuid(kind: IdKind, uuid: string): string | null {
  const plain = uuid.toLowerCase();
  if (!UUID.test(plain)) return null;
  let bits = BigInt(`0x${plain.replaceAll('-', '')}`);
  let text = '';
  for (let index = 0; index < ENCODED_LENGTH; index++) {
    text = ALPHABET.charAt(Number(bits & 31n)) + text;
    bits >>= BITS_PER_CHARACTER;
  }
  return `${ID_PREFIXES[kind]}_${text}`;
}
