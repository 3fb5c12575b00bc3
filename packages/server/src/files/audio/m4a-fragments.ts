/** Packets of an m4a file that was written while it was recorded, as browsers do: each piece (`moof`) lists its own. */
import { AudioRefusal, DAMAGED } from './audio-refusal.ts';
import { viewOf } from './byte-chunks.ts';
import type { Packet } from './m4a.ts';
import { type Box, needBox, walkBoxes } from './m4a-boxes.ts';

const HAS_BASE = 0x1;
const HAS_DESCRIPTION = 0x2;
const HAS_DEFAULT_DURATION = 0x8;
const HAS_DEFAULT_SIZE = 0x10;
const HAS_OFFSET = 0x1;
const HAS_FIRST_FLAGS = 0x4;
const HAS_DURATION = 0x100;
const HAS_SIZE = 0x200;
const HAS_FLAGS = 0x400;
const HAS_TIME = 0x800;
const HEAD_BYTES = 8;

/** `check` hears how many packets there are before any of them is read. */
export function readFragments(
  boxes: readonly Box[],
  movie: Uint8Array,
  track: Uint8Array,
  check: (count: number) => void,
): Packet[] {
  const head = needBox(track, 'tkhd');
  const trackId = fieldAt(head, head[0] === 1 ? 20 : 12);
  const defaults = [...walkBoxes(needBox(movie, 'mvex'))].filter((box) => box.name === 'trex');
  const own = defaults.find((box) => fieldAt(box.body, 4) === trackId);
  const defaultSize = own === undefined ? 0 : fieldAt(own.body, 16);
  const packets: Packet[] = [];
  for (const { name, start, body } of boxes) {
    if (name !== 'moof') continue;
    for (const part of walkBoxes(body)) {
      if (part.name !== 'traf') continue;
      const fragment = readHead(needBox(part.body, 'tfhd'), start, defaultSize);
      if (fragment.trackId === trackId) addRuns(part.body, fragment, packets, check);
    }
  }
  return packets;
}

interface FragmentHead {
  readonly trackId: number;
  readonly base: number;
  readonly size: number;
}

function readHead(body: Uint8Array, start: number, defaultSize: number): FragmentHead {
  const flags = fieldAt(body, 0) & 0xffffff;
  let at = HEAD_BYTES;
  let base = start;
  if (flags & HAS_BASE) {
    base = fieldAt(body, at) * 2 ** 32 + fieldAt(body, at + 4);
    at += 8;
  }
  if (flags & HAS_DESCRIPTION) at += 4;
  if (flags & HAS_DEFAULT_DURATION) at += 4;
  return { trackId: fieldAt(body, 4), base, size: flags & HAS_DEFAULT_SIZE ? fieldAt(body, at) : defaultSize };
}

function addRuns(part: Uint8Array, head: FragmentHead, packets: Packet[], check: (count: number) => void): void {
  let next = head.base;
  for (const { name, body } of walkBoxes(part)) {
    if (name !== 'trun') continue;
    const flags = fieldAt(body, 0) & 0xffffff;
    const count = fieldAt(body, 4);
    check(packets.length + count);
    let at = HEAD_BYTES;
    if (flags & HAS_OFFSET) {
      next = head.base + (fieldAt(body, at) | 0);
      at += 4;
    }
    if (flags & HAS_FIRST_FLAGS) at += 4;
    for (let index = 0; index < count; index += 1) {
      if (flags & HAS_DURATION) at += 4;
      const byteLength = flags & HAS_SIZE ? fieldAt(body, at) : head.size;
      if (flags & HAS_SIZE) at += 4;
      if (flags & HAS_FLAGS) at += 4;
      if (flags & HAS_TIME) at += 4;
      if (next < 0) throw new AudioRefusal(DAMAGED);
      packets.push({ at: next, byteLength });
      next += byteLength;
    }
  }
}

function fieldAt(body: Uint8Array, at: number): number {
  if (at + 4 > body.length) throw new AudioRefusal(DAMAGED);
  return viewOf(body).getUint32(at, false);
}
