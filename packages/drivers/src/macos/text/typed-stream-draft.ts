/** A typed stream that is being written. What was written before is referred to, as Apple's own archiver does. */
import { FIRST_REFERENCE, HEADER, HEADS, SMALLEST_INT8 } from './typed-stream-marks.ts';

/** The version of the system in every archive that macOS writes. */
const SYSTEM_VERSION = 1000;

/** A class with those above it, lowest first. */
export type ClassChain = readonly { readonly name: string; readonly version: number }[];

export class TypedStreamDraft {
  readonly #chunks: Uint8Array[] = [HEADER];
  readonly #names = new Map<string, number>();
  readonly #classes = new Map<string, number>();
  readonly #cStrings = new Map<string, number>();
  #objectCount = 0;

  constructor() {
    this.writeInteger(SYSTEM_VERSION);
  }

  toBytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }

  /** A group begins with the name of its types; its values are written next. */
  beginGroup(types: string): void {
    this.#writeName(types);
  }

  /** Answers the number by which the object can be referred to. Its groups are written next. */
  beginObject(chain: ClassChain): number {
    this.writeByte(HEADS.literal);
    const number = this.#takeNumber();
    this.#writeClass(chain);
    return number;
  }

  endObject(): void {
    this.writeByte(HEADS.end);
  }

  writeReference(number: number): void {
    this.writeInteger(number + FIRST_REFERENCE);
  }

  writeCharacters(text: string): void {
    const bytes = Buffer.from(text, 'utf8');
    this.writeInteger(bytes.length);
    this.#chunks.push(bytes);
  }

  writeCString(text: string): void {
    const known = this.#cStrings.get(text);
    if (known !== undefined) {
      this.writeReference(known);
      return;
    }
    this.writeByte(HEADS.literal);
    this.#cStrings.set(text, this.#takeNumber());
    this.#writeName(text);
  }

  /** The shortest form in which the number keeps its sign. */
  writeInteger(value: number): void {
    if (value >= SMALLEST_INT8 && value <= 0x7f) this.writeByte(value & 0xff);
    else if (value >= -0x8000 && value <= 0x7fff) this.#chunks.push(toLittleEndian(HEADS.int16, value, 2));
    else this.#chunks.push(toLittleEndian(HEADS.int32, value, 4));
  }

  writeByte(byte: number): void {
    this.#chunks.push(Uint8Array.of(byte));
  }

  #writeName(name: string): void {
    const known = this.#names.get(name);
    if (known !== undefined) {
      this.writeReference(known);
      return;
    }
    this.#names.set(name, this.#names.size);
    this.writeByte(HEADS.literal);
    this.writeCharacters(name);
  }

  #writeClass(chain: ClassChain): void {
    for (const { name, version } of chain) {
      const known = this.#classes.get(name);
      if (known !== undefined) {
        this.writeReference(known);
        return;
      }
      this.#classes.set(name, this.#takeNumber());
      this.writeByte(HEADS.literal);
      this.#writeName(name);
      this.writeInteger(version);
    }
    this.writeByte(HEADS.nil);
  }

  #takeNumber(): number {
    const number = this.#objectCount;
    this.#objectCount += 1;
    return number;
  }
}

function toLittleEndian(head: number, value: number, width: 2 | 4): Uint8Array {
  const bytes = Buffer.alloc(1 + width);
  bytes.writeUInt8(head);
  bytes.writeIntLE(value, 1, width);
  return bytes;
}
