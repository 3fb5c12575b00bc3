/**
 * The reader of typed streams: an object is its class and groups of values, a group is the name of its types and the
 * values. Names and objects that were met before come back as references into two tables, which fill up while reading.
 */
import { ByteCursor, toSignedByte } from './byte-cursor.ts';
import { decodeCharacters } from './characters.ts';
import { parseTypes, type TypeEncoding } from './type-encoding.ts';
import { FIRST_REFERENCE, HEADER, HEADS } from './typed-stream-marks.ts';
import { Unreadable } from './unreadable.ts';

/** Real bodies nest ten deep. */
const NESTING_MAX = 64;
/** The types of a group in real bodies are two letters, or an array of bytes. */
const TYPES_LENGTH_MAX = 10_000;
/** Groups, values and classes together: some of them take no bytes at all, so the end of the bytes bounds nothing. */
const PIECES_MAX = 1_000_000;

export interface TypedClass {
  readonly kind: 'class';
  readonly name: string;
}

export interface TypedObject {
  readonly kind: 'object';
  /** The class itself, without those above it. */
  className: string;
  readonly groups: TypedValue[][];
  /** Its end was read, so nothing of it is missing. */
  isWhole: boolean;
}

export type TypedValue = number | string | Uint8Array | TypedClass | TypedObject | readonly TypedValue[] | null;

/**
 * The first object of the stream; null where there is none. Everything stands in its place before it is filled, so of a
 * stream that breaks off all is there that came before the break.
 */
export function readTypedStream(bytes: Uint8Array): TypedObject | null {
  const groups: TypedValue[][] = [];
  try {
    new TypedStream(bytes).readRoot(groups);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
  }
  const root = groups[0]?.[0];
  return isTypedObject(root) ? root : null;
}

export function isTypedObject(value: TypedValue | undefined): value is TypedObject {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'object';
}

class TypedStream {
  readonly #cursor: ByteCursor;
  readonly #names: string[] = [];
  readonly #typesByName = new Map<string, readonly TypeEncoding[]>();
  /** Objects, classes and C strings are numbered together. */
  readonly #objects: (TypedObject | TypedClass | string)[] = [];
  #depth = 0;
  #piecesLeft = PIECES_MAX;

  constructor(bytes: Uint8Array) {
    this.#cursor = new ByteCursor(bytes);
  }

  /** Whatever follows the first group is nobody's. */
  readRoot(groups: TypedValue[][]): void {
    if (!this.#cursor.takeUpTo(HEADER.length).equals(HEADER)) throw new Unreadable('The header is another one.');
    this.#cursor.readUnsigned();
    this.#readGroup(this.#cursor.nextByte(), groups);
  }

  #readGroup(head: number, groups: TypedValue[][]): void {
    this.#countPiece();
    const group: TypedValue[] = [];
    const types = this.#typesOf(this.#readName(head));
    groups.push(group);
    for (const type of types) this.#readValue(type, group);
  }

  #typesOf(name: string | null): readonly TypeEncoding[] {
    if (name === null || name.length > TYPES_LENGTH_MAX) throw new Unreadable('A group has no types.');
    const known = this.#typesByName.get(name);
    if (known !== undefined) return known;
    const types = parseTypes(name);
    this.#typesByName.set(name, types);
    return types;
  }

  #readValue(type: TypeEncoding, into: TypedValue[]): void {
    this.#countPiece();
    if (type === '@') this.#readObject(into);
    else if (typeof type === 'string') into.push(this.#readSimple(type));
    else if ('count' in type && isByte(type.element)) into.push(this.#cursor.takeUpTo(type.count));
    else this.#readMany(type, into);
  }

  #readMany(type: Exclude<TypeEncoding, string>, into: TypedValue[]): void {
    const values: TypedValue[] = [];
    into.push(values);
    if ('fields' in type) for (const field of type.fields) this.#readValue(field, values);
    else for (let n = 0; n < type.count; n += 1) this.#readValue(type.element, values);
  }

  #readSimple(letter: string): TypedValue {
    const cursor = this.#cursor;
    if ('silq'.includes(letter)) return cursor.readSigned();
    if ('SILQ'.includes(letter)) return cursor.readUnsigned();
    if (letter === 'c') return toSignedByte(cursor.nextByte());
    if (isByte(letter)) return cursor.nextByte();
    if (letter === 'f') return cursor.readReal(4);
    if (letter === 'd') return cursor.readReal(8);
    if (letter === '+') return this.#readCharacters();
    if (letter === '*') return this.#readCString();
    if (letter === ':' || letter === '%') return this.#readName(cursor.nextByte());
    if (letter === '#') return this.#readClass();
    throw new Unreadable('There is no such type.');
  }

  /** A length may promise more than there is: the text that is there counts. */
  #readCharacters(): string | null {
    const head = this.#cursor.nextByte();
    return head === HEADS.nil ? null : decodeCharacters(this.#cursor.takeUpTo(this.#cursor.readUnsigned(head)));
  }

  #readName(head: number): string | null {
    if (head === HEADS.nil) return null;
    if (head === HEADS.literal) {
      const name = this.#cursor.take(this.#cursor.readUnsigned()).toString('latin1');
      this.#names.push(name);
      return name;
    }
    const name = this.#names[this.#cursor.readSigned(head) - FIRST_REFERENCE];
    if (name === undefined) throw new Unreadable('A name was never said.');
    return name;
  }

  #readCString(): string | null {
    const head = this.#cursor.nextByte();
    if (head === HEADS.nil) return null;
    if (head !== HEADS.literal) {
      const known = this.#lookUp(head);
      if (typeof known !== 'string') throw new Unreadable('A reference is to no C string.');
      return known;
    }
    const text = this.#readName(this.#cursor.nextByte());
    if (text !== null) this.#objects.push(text);
    return text;
  }

  #readObject(into: TypedValue[]): void {
    const head = this.#cursor.nextByte();
    if (head === HEADS.nil) into.push(null);
    else if (head === HEADS.literal) this.#readNewObject(into);
    else {
      const known = this.#lookUp(head);
      if (!isTypedObject(known)) throw new Unreadable('A reference is to no object.');
      into.push(known);
    }
  }

  /** An object has its number before its class is read. */
  #readNewObject(into: TypedValue[]): void {
    const object: TypedObject = { kind: 'object', className: '', groups: [], isWhole: false };
    this.#objects.push(object);
    into.push(object);
    this.#depth += 1;
    if (this.#depth > NESTING_MAX) throw new Unreadable('The objects nest too deep.');
    object.className = this.#readClass()?.name ?? '';
    let head = this.#cursor.nextByte();
    while (head !== HEADS.end) {
      this.#readGroup(head, object.groups);
      head = this.#cursor.nextByte();
    }
    object.isWhole = true;
    this.#depth -= 1;
  }

  /** A class, then the classes above it, up to one that was met before or to none. */
  #readClass(): TypedClass | null {
    let lowest: TypedClass | null = null;
    let head = this.#cursor.nextByte();
    while (head === HEADS.literal) {
      this.#countPiece();
      const named: TypedClass = { kind: 'class', name: this.#readName(this.#cursor.nextByte()) ?? '' };
      this.#cursor.readSigned();
      this.#objects.push(named);
      lowest ??= named;
      head = this.#cursor.nextByte();
    }
    if (head === HEADS.nil) return lowest;
    const known = this.#lookUp(head);
    if (typeof known === 'string' || known.kind !== 'class') throw new Unreadable('A reference is to no class.');
    return lowest ?? known;
  }

  #lookUp(head: number): TypedObject | TypedClass | string {
    const known = this.#objects[this.#cursor.readSigned(head) - FIRST_REFERENCE];
    if (known === undefined) throw new Unreadable('A reference is to nothing.');
    return known;
  }

  #countPiece(): void {
    this.#piecesLeft -= 1;
    if (this.#piecesLeft < 0) throw new Unreadable('There are too many pieces.');
  }
}

function isByte(type: TypeEncoding): boolean {
  return type === 'c' || type === 'C' || type === 'B';
}
