/** The text of a message with what its stretches are, decoded from the column `attributedBody`. */
import { ATTRIBUTES } from './attribute-names.ts';
import { decodeCharacters, isUtf16 } from './characters.ts';
import { isTypedObject, readTypedStream, type TypedObject, type TypedValue } from './typed-stream.ts';

/** Hundreds of times the longest body seen. Of a longer one the beginning is read. */
const BODY_BYTES_MAX = 16 * 1024 * 1024;
/** Real dictionaries have up to five pairs. A large one, named for each of many runs, would be gone through each time. */
const PAIRS_MAX = 100;
/** `NSString`, `NSMutableString`, and those that older systems archive. */
const STRING_CLASS = /String$/;
const DICTIONARY_CLASS = /Dictionary$/;

/** What a stretch of the text is. */
export interface RunAttributes {
  /** Which part of the message it belongs to: what replies and tapbacks point at. */
  readonly part: number | null;
  /** Which attachment has its slot here. */
  readonly transferGuid: string | null;
  /** The name of that attachment's file. */
  readonly filename: string | null;
  /** The handle that is mentioned. */
  readonly mention: string | null;
  readonly link: string | null;
}

/** A stretch of the text. Where it starts and how long it is, is counted in UTF-16 units, as in a JavaScript string. */
export interface AttributedRun extends RunAttributes {
  readonly start: number;
  readonly length: number;
}

export interface AttributedBody {
  readonly text: string;
  /** One after another from the start of the text, as far as they can be read. */
  readonly runs: readonly AttributedRun[];
}

/** Never throws: null where the bytes hold no text, and the text alone where nothing else can be read. */
export function decodeAttributedBody(bytes: Uint8Array): AttributedBody | null {
  const body = bytes.subarray(0, BODY_BYTES_MAX);
  if (isUtf16(body)) return { text: decodeCharacters(body), runs: [] };
  const [first, ...others] = readTypedStream(body)?.groups ?? [];
  const text = stringOf(first?.[0]);
  return text === null ? null : { text, runs: readRuns(others, text.length) };
}

/**
 * A run is the number of its attributes and its length. The attributes follow where their number is new; where they
 * break off, so do the runs.
 */
function readRuns(groups: readonly (readonly TypedValue[])[], textLength: number): AttributedRun[] {
  const attributesByNumber = new Map<number, RunAttributes>();
  const runs: AttributedRun[] = [];
  let start = 0;
  for (let at = 0; at < groups.length && start < textLength; at += 1) {
    const [number, length] = groups[at] ?? [];
    if (!isCount(number) || !isCount(length)) break;
    if (!attributesByNumber.has(number)) {
      at += 1;
      const dictionary = groups[at]?.[0];
      if (!isTypedObject(dictionary) || !dictionary.isWhole || !DICTIONARY_CLASS.test(dictionary.className)) break;
      attributesByNumber.set(number, readAttributes(dictionary));
    }
    const attributes = attributesByNumber.get(number);
    if (attributes === undefined) break;
    runs.push({ start, length: Math.min(length, textLength - start), ...attributes });
    start += length;
  }
  return runs;
}

function isCount(value: TypedValue | undefined): value is number {
  return Number.isInteger(value) && Number(value) > 0;
}

/** After the number of pairs each key and each value is a group of its own. */
function readAttributes(dictionary: TypedObject): RunAttributes {
  const entries = dictionary.groups.slice(1, 1 + 2 * PAIRS_MAX).map((group) => group[0]);
  const values = new Map<string | null, TypedValue | undefined>();
  for (let at = 0; at < entries.length; at += 2) values.set(stringOf(entries[at]), entries[at + 1]);
  return {
    part: partOf(values.get(ATTRIBUTES.part)),
    transferGuid: stringOf(values.get(ATTRIBUTES.transferGuid)),
    filename: stringOf(values.get(ATTRIBUTES.filename)),
    mention: stringOf(values.get(ATTRIBUTES.mention)),
    link: linkOf(values.get(ATTRIBUTES.link)),
  };
}

function stringOf(value: TypedValue | undefined): string | null {
  if (!isTypedObject(value) || !STRING_CLASS.test(value.className)) return null;
  const text = value.groups[0]?.[0];
  return typeof text === 'string' ? text : null;
}

/** A number is the name of its type, then itself. */
function partOf(value: TypedValue | undefined): number | null {
  if (!isTypedObject(value) || value.className !== 'NSNumber') return null;
  const number = value.groups[1]?.[0];
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 ? number : null;
}

/** An address ends with its string; what comes before says whether another address is its base. */
function linkOf(value: TypedValue | undefined): string | null {
  if (!isTypedObject(value) || value.className !== 'NSURL') return stringOf(value);
  return stringOf(value.groups.at(-1)?.[0]);
}
