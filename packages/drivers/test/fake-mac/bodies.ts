/** What stands in `attributedBody` (b.2, b.3), and what a row's `text` says of the same parts (b.1, b.6). */

/** A message's parts in their order, each a bubble: a text, or the place of an attachment. */
export type Part = { readonly text: string } | { readonly attachment: string; readonly filename?: string };

/** The character that holds an attachment's place (b.6). */
export const ATTACHMENT_SLOT = '\uFFFC';

export function textOfParts(parts: readonly Part[]): string {
  return parts.map((part) => ('text' in part ? part.text : ATTACHMENT_SLOT)).join('');
}

/**
 * A typed stream with one attributed string whose runs are the parts. `places` are the parts' own numbers, where some
 * of them were taken back.
 */
export function encodeBody(parts: readonly Part[], places: readonly number[] = [...parts.keys()]): Buffer {
  const stream = new TypedStream();
  stream.group('@');
  stream.object('NSAttributedString', () => {
    stream.group('@');
    stream.string(textOfParts(parts));
    for (const [index, part] of parts.entries()) encodeRun(stream, part, { index, place: places[index] ?? index });
  });
  return stream.bytes();
}

function encodeRun(
  stream: TypedStream,
  part: Part,
  { index, place }: { readonly index: number; readonly place: number },
): void {
  const length = textOfParts([part]).length;
  if (length === 0) return;
  const strings: readonly (readonly [string, string])[] =
    'attachment' in part
      ? [
          ['__kIMFileTransferGUIDAttributeName', part.attachment],
          ...(part.filename === undefined ? [] : [['__kIMFilenameAttributeName', part.filename] as const]),
        ]
      : [];
  stream.group('iI');
  stream.integer(index + 1);
  stream.integer(length);
  stream.group('@');
  stream.object('NSDictionary', () => {
    stream.group('i');
    stream.integer(strings.length + 1);
    stream.group('@');
    stream.key('__kIMMessagePartAttributeName');
    stream.group('@');
    stream.number(place);
    for (const [key, value] of strings) {
      stream.group('@');
      stream.key(key);
      stream.group('@');
      stream.string(value);
    }
  });
}

const NEW = 0x84;
const NIL = 0x85;
const END = 0x86;
/** Back-references count from here. */
const FIRST_REFERENCE = -110;
const VERSIONS: Readonly<Record<string, number>> = { NSString: 1 };
const PARENTS: Readonly<Record<string, string>> = { NSNumber: 'NSValue' };

/** Keeps the two tables of the format: shared strings, and objects with classes and C strings (b.2). */
class TypedStream {
  readonly #chunks: Buffer[] = [Buffer.from([4, 11]), Buffer.from('streamtyped'), Buffer.from([0x81, 0xe8, 3])];
  readonly #strings = new Map<string, number>();
  readonly #named = new Map<string, number>();
  #objects = 0;

  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Begins a group of values of this type encoding. */
  group(encoding: string): void {
    this.#shared(encoding);
  }

  integer(value: number): void {
    this.#chunks.push(encodeInteger(value));
  }

  object(name: string, writeGroups: () => void): void {
    this.#byte(NEW);
    this.#objects += 1;
    this.#class(name);
    writeGroups();
    this.#byte(END);
  }

  string(text: string): void {
    const utf8 = Buffer.from(text);
    this.object('NSString', () => {
      this.#shared('+');
      this.integer(utf8.length);
      this.#chunks.push(utf8);
    });
  }

  /** A string that is the same object wherever it stands. */
  key(text: string): void {
    const name = `key ${text}`;
    if (this.#refer(name)) return;
    this.#named.set(name, this.#objects);
    this.string(text);
  }

  number(value: number): void {
    this.object('NSNumber', () => {
      this.#shared('*');
      if (!this.#refer('C string i')) {
        this.#byte(NEW);
        this.#named.set('C string i', this.#objects);
        this.#objects += 1;
        this.#shared('i');
      }
      this.#shared('i');
      this.integer(value);
    });
  }

  #class(name: string): void {
    if (this.#refer(`class ${name}`)) return;
    this.#byte(NEW);
    this.#shared(name);
    this.integer(VERSIONS[name] ?? 0);
    this.#named.set(`class ${name}`, this.#objects);
    this.#objects += 1;
    if (name === 'NSObject') this.#byte(NIL);
    else this.#class(PARENTS[name] ?? 'NSObject');
  }

  #refer(name: string): boolean {
    const index = this.#named.get(name);
    if (index === undefined) return false;
    this.#chunks.push(encodeInteger(index + FIRST_REFERENCE));
    return true;
  }

  #shared(text: string): void {
    const index = this.#strings.get(text);
    if (index !== undefined) {
      this.#chunks.push(encodeInteger(index + FIRST_REFERENCE));
      return;
    }
    this.#strings.set(text, this.#strings.size);
    this.#byte(NEW);
    this.integer(text.length);
    this.#chunks.push(Buffer.from(text, 'latin1'));
  }

  #byte(value: number): void {
    this.#chunks.push(Buffer.from([value]));
  }
}

function encodeInteger(value: number): Buffer {
  if (value >= FIRST_REFERENCE && value < 0x80) return Buffer.from([value & 0xff]);
  const isShort = value >= -0x8000 && value < 0x8000;
  const bytes = Buffer.alloc(isShort ? 3 : 5);
  bytes[0] = isShort ? 0x81 : 0x82;
  if (isShort) bytes.writeInt16LE(value, 1);
  else bytes.writeInt32LE(value, 1);
  return bytes;
}
