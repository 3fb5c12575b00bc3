/** Writes a binary property list: what `message_summary_info`, `user_info` and `payload_data` hold (a.4, b.5, b.6). */

/** A whole number is an integer, every other one a real; `Real` makes a real of a whole one. */
export type PlistValue =
  | string
  | number
  | boolean
  | Uint8Array
  | Real
  | Uid
  | readonly PlistValue[]
  | { readonly [key: string]: PlistValue };

export class Real {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** A reference inside a keyed archive. */
export class Uid {
  readonly index: number;
  constructor(index: number) {
    this.index = index;
  }
}

const OFFSET_BYTES = 4;
const REFERENCE_BYTES = 2;

export function encodeBinaryPlist(root: PlistValue): Buffer {
  const objects: Uint8Array[] = [];
  const top = addObject(objects, root);
  const body: Uint8Array[] = [Buffer.from('bplist00')];
  const offsets: number[] = [];
  let offset = 8;
  for (const object of objects) {
    offsets.push(offset);
    body.push(object);
    offset += object.length;
  }
  const trailer = Buffer.alloc(32);
  trailer[6] = OFFSET_BYTES;
  trailer[7] = REFERENCE_BYTES;
  trailer.writeBigUInt64BE(BigInt(objects.length), 8);
  trailer.writeBigUInt64BE(BigInt(top), 16);
  trailer.writeBigUInt64BE(BigInt(offset), 24);
  return Buffer.concat([...body, ...offsets.map((one) => bigEndian(one, OFFSET_BYTES)), trailer]);
}

/** Puts the value and all it holds into the table; returns its place there. */
function addObject(objects: Uint8Array[], value: PlistValue): number {
  const place = objects.length;
  objects.push(Buffer.alloc(0));
  objects[place] = encodeObject(objects, value);
  return place;
}

function encodeObject(objects: Uint8Array[], value: PlistValue): Buffer {
  if (typeof value === 'boolean') return Buffer.from([value ? 0x09 : 0x08]);
  if (typeof value === 'number') return Number.isInteger(value) ? encodeInteger(value) : encodeReal(value);
  if (typeof value === 'string') return encodeText(value);
  if (value instanceof Real) return encodeReal(value.value);
  if (value instanceof Uid) return Buffer.from([0x81, value.index >> 8, value.index & 0xff]);
  if (value instanceof Uint8Array) return Buffer.concat([head(0x40, value.length), value]);
  if (isList(value)) {
    const references = value.map((one) => addObject(objects, one));
    return Buffer.concat([head(0xa0, references.length), ...references.map(reference)]);
  }
  const keys = Object.keys(value).map((key) => addObject(objects, key));
  const values = Object.values(value).map((one) => addObject(objects, one));
  return Buffer.concat([head(0xd0, keys.length), ...[...keys, ...values].map(reference)]);
}

function isList(value: PlistValue): value is readonly PlistValue[] {
  return Array.isArray(value);
}

function encodeInteger(value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = 0x13;
  bytes.writeBigInt64BE(BigInt(value), 1);
  return bytes;
}

function encodeReal(value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = 0x23;
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

function encodeText(text: string): Buffer {
  const isAscii = Buffer.byteLength(text) === text.length;
  if (isAscii) return Buffer.concat([head(0x50, text.length), Buffer.from(text, 'latin1')]);
  return Buffer.concat([head(0x60, text.length), Buffer.from(text, 'utf16le').swap16()]);
}

function head(kind: number, count: number): Buffer {
  if (count < 15) return Buffer.from([kind | count]);
  return Buffer.concat([Buffer.from([kind | 0x0f]), encodeInteger(count)]);
}

function reference(place: number): Buffer {
  return bigEndian(place, REFERENCE_BYTES);
}

function bigEndian(value: number, bytes: number): Buffer {
  const written = Buffer.alloc(bytes);
  written.writeUIntBE(value, 0, bytes);
  return written;
}
