/** The boxes of an m4a file and the tables in them. A box that reaches past the one around it is refused. */
import { AudioRefusal, CUT_SHORT, DAMAGED } from './audio-refusal.ts';
import { nameAt, viewOf } from './byte-chunks.ts';

const BOXES_MAX = 10_000;
const HEAD_BYTES = 8;
const LONG_HEAD_BYTES = 16;

export interface Box {
  readonly name: string;
  readonly start: number;
  readonly body: Uint8Array;
}

/** Gives the boxes in these bytes one after the other; `start` counts from the first of the bytes. */
export function* walkBoxes(bytes: Uint8Array, cutShort: string = DAMAGED): Generator<Box> {
  const view = viewOf(bytes);
  let at = 0;
  for (let count = 0; at + HEAD_BYTES <= bytes.length; count += 1) {
    if (count === BOXES_MAX) throw new AudioRefusal(DAMAGED);
    const short = view.getUint32(at, false);
    const isLong = short === 1;
    if (isLong && at + LONG_HEAD_BYTES > bytes.length) throw new AudioRefusal(cutShort);
    const size = isLong ? Number(view.getBigUint64(at + HEAD_BYTES, false)) : short === 0 ? bytes.length - at : short;
    const head = isLong ? LONG_HEAD_BYTES : HEAD_BYTES;
    if (size < head) throw new AudioRefusal(DAMAGED);
    if (at + size > bytes.length) throw new AudioRefusal(cutShort);
    yield { name: nameAt(bytes, at + 4), start: at, body: bytes.subarray(at + head, at + size) };
    at += size;
  }
}

/** The boxes of the file itself: here, and only here, one that reaches too far tells that the end is missing. */
export function walkFile(bytes: Uint8Array): Generator<Box> {
  return walkBoxes(bytes, CUT_SHORT);
}

/** Follows names from box to box; null where one of them is missing. */
export function findBox(bytes: Uint8Array, ...path: readonly string[]): Uint8Array | null {
  let inside = bytes;
  for (const name of path) {
    const found = [...walkBoxes(inside)].find((box) => box.name === name);
    if (found === undefined) return null;
    inside = found.body;
  }
  return inside;
}

export function needBox(bytes: Uint8Array, ...path: readonly string[]): Uint8Array {
  const found = findBox(bytes, ...path);
  if (found === null) throw new AudioRefusal(DAMAGED);
  return found;
}

/** The rows of a table that begins with version, flags and their number; it has to hold as many as it says. */
export function rowsOf(body: Uint8Array, rowBytes: number, headBytes = 8): { view: DataView; count: number } {
  if (body.length < headBytes) throw new AudioRefusal(DAMAGED);
  const count = viewOf(body).getUint32(headBytes - 4, false);
  if (headBytes + count * rowBytes > body.length) throw new AudioRefusal(DAMAGED);
  return { view: viewOf(body.subarray(headBytes)), count };
}
