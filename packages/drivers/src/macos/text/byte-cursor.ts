/** Bytes that are read from the front, with the number forms of a typed stream. */
import { HEADS } from './typed-stream-marks.ts';
import { Unreadable } from './unreadable.ts';

export class ByteCursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  nextByte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new Unreadable('The bytes end early.');
    this.#at += 1;
    return byte;
  }

  take(count: number): Buffer {
    const taken = this.takeUpTo(count);
    if (taken.length < count) throw new Unreadable('The bytes end early.');
    return taken;
  }

  /** What is there, where less is there than was promised. */
  takeUpTo(count: number): Buffer {
    const taken = this.#bytes.subarray(this.#at, this.#at + count);
    this.#at += taken.length;
    return taken;
  }

  readSigned(head = this.nextByte()): number {
    if (head === HEADS.int16) return this.take(2).readInt16LE();
    if (head === HEADS.int32) return this.take(4).readInt32LE();
    return toSignedByte(refuseHead(head));
  }

  /** Lengths and counts: the form of two bytes goes up to 65,535, whatever a signed reading would make of it. */
  readUnsigned(head = this.nextByte()): number {
    if (head === HEADS.int16) return this.take(2).readUInt16LE();
    if (head === HEADS.int32) return this.take(4).readUInt32LE();
    return refuseHead(head);
  }

  /** A number with a fraction; a whole one may be written as an integer. */
  readReal(width: 4 | 8): number {
    const head = this.nextByte();
    if (head !== HEADS.real) return this.readSigned(head);
    const digits = this.take(width);
    return width === 4 ? digits.readFloatLE() : digits.readDoubleLE();
  }
}

function refuseHead(head: number): number {
  const isHead = head >= HEADS.real && head <= HEADS.end;
  if (isHead) throw new Unreadable('A number was expected.');
  return head;
}

export function toSignedByte(byte: number): number {
  return byte < 0x80 ? byte : byte - 0x100;
}
