/** Makes the column `attributedBody` of a text, byte for byte as macOS makes it: for Macs that are played. */
import { ATTRIBUTES } from './attribute-names.ts';
import type { AttributedRun, RunAttributes } from './attributed-body.ts';
import { type ClassChain, TypedStreamDraft } from './typed-stream-draft.ts';

const ATTACHMENT_SLOT = '\ufffc';
const NO_ATTRIBUTES = { transferGuid: null, filename: null, mention: null, link: null };

const OBJECT = { name: 'NSObject', version: 0 };
const STRING: ClassChain = [{ name: 'NSString', version: 1 }, OBJECT];
const ATTRIBUTED_STRING: ClassChain = [{ name: 'NSAttributedString', version: 0 }, OBJECT];
const DICTIONARY: ClassChain = [{ name: 'NSDictionary', version: 0 }, OBJECT];
const NUMBER: ClassChain = [{ name: 'NSNumber', version: 0 }, { name: 'NSValue', version: 0 }, OBJECT];
const ADDRESS: ClassChain = [{ name: 'NSURL', version: 0 }, OBJECT];

export interface BodyAttachment {
  readonly transferGuid: string;
  readonly filename?: string | null;
}

/**
 * Each attachment takes the next slot (U+FFFC) of the text, which becomes a part of its own, as does the text between
 * two of them. A text without attachments is one part, slots and all.
 */
export function encodeAttributedBody(text: string, attachments: readonly BodyAttachment[] = []): Uint8Array {
  return encodeAttributedRuns(text, splitIntoParts(text, attachments));
}

/** The reverse of the decoder. The runs cover the text, one after another; half a surrogate pair becomes U+FFFD. */
export function encodeAttributedRuns(text: string, runs: readonly AttributedRun[]): Uint8Array {
  const draft = new TypedStreamDraft();
  draft.beginGroup('@');
  draft.beginObject(ATTRIBUTED_STRING);
  writeString(draft, text);
  const writeAttributes = createAttributesWriter(draft);
  for (const { start: _, length, ...attributes } of runs) writeAttributes(attributes, length);
  draft.endObject();
  return draft.toBytes();
}

function splitIntoParts(text: string, attachments: readonly BodyAttachment[]): AttributedRun[] {
  const runs: AttributedRun[] = [];
  let start = 0;
  const endPart = (end: number, attributes: Partial<RunAttributes>): void => {
    if (end === start) return;
    runs.push({ ...NO_ATTRIBUTES, ...attributes, part: runs.length, start, length: end - start });
    start = end;
  };
  for (const { transferGuid, filename = null } of attachments) {
    const slot = text.indexOf(ATTACHMENT_SLOT, start);
    if (slot === -1) throw new RangeError('The text has fewer slots than there are attachments.');
    endPart(slot, {});
    endPart(slot + 1, { transferGuid, filename });
  }
  endPart(text.length, {});
  return runs;
}

/** Attributes that were written before are named by their number, and an equal number is the object of before. */
function createAttributesWriter(draft: TypedStreamDraft): (attributes: RunAttributes, length: number) => void {
  const numbers = new Map<string, number>();
  const parts = new Map<number, number>();
  return (attributes, length) => {
    const entries = toEntries(attributes);
    const key = JSON.stringify(entries);
    const known = numbers.get(key);
    const number = known ?? numbers.size + 1;
    draft.beginGroup('iI');
    draft.writeInteger(number);
    draft.writeInteger(length);
    if (known !== undefined) return;
    numbers.set(key, number);
    writeDictionary(draft, entries, parts);
  };
}

type Entry = readonly [name: keyof RunAttributes, value: string | number];

function toEntries({ transferGuid, filename, mention, link, part }: RunAttributes): Entry[] {
  const all = [
    ['transferGuid', transferGuid],
    ['filename', filename],
    ['mention', mention],
    ['link', link],
    ['part', part],
  ] as const;
  return all.flatMap(([name, value]): Entry[] => (value === null ? [] : [[name, value]]));
}

function writeDictionary(draft: TypedStreamDraft, entries: readonly Entry[], parts: Map<number, number>): void {
  draft.beginGroup('@');
  draft.beginObject(DICTIONARY);
  draft.beginGroup('i');
  draft.writeInteger(entries.length);
  for (const [name, value] of entries) {
    writeString(draft, ATTRIBUTES[name]);
    if (typeof value === 'number') writeNumber(draft, value, parts);
    else if (name === 'link') writeAddress(draft, value);
    else writeString(draft, value);
  }
  draft.endObject();
}

function writeString(draft: TypedStreamDraft, text: string): void {
  draft.beginGroup('@');
  draft.beginObject(STRING);
  draft.beginGroup('+');
  draft.writeCharacters(text);
  draft.endObject();
}

function writeNumber(draft: TypedStreamDraft, value: number, written: Map<number, number>): void {
  draft.beginGroup('@');
  const known = written.get(value);
  if (known !== undefined) {
    draft.writeReference(known);
    return;
  }
  written.set(value, draft.beginObject(NUMBER));
  draft.beginGroup('*');
  draft.writeCString('i');
  draft.beginGroup('i');
  draft.writeInteger(value);
  draft.endObject();
}

function writeAddress(draft: TypedStreamDraft, address: string): void {
  draft.beginGroup('@');
  draft.beginObject(ADDRESS);
  draft.beginGroup('c');
  draft.writeByte(0);
  writeString(draft, address);
  draft.endObject();
}
