/**
 * Writes the head of an m4a file anew: one track, one run of packets, and nothing that came from outside but the codec's
 * configuration. A decoder that believes every table is given this one.
 */
import type { M4a } from './m4a.ts';

const COPY_TIMES = [0, 0];
/** Sound: 28 bytes of an entry, most of which nothing reads. */
const REFERENCE = 1;
const OBJECT_AAC = 0x40;
const LENGTH_BYTES = 4;

type Part = number | string | Uint8Array;

/** The packets, one after the other, have to follow. */
export function writeM4aHead({ codec, packets, heard }: M4a): Uint8Array {
  const total = packets.reduce((sum, packet) => sum + packet.byteLength, 0);
  const head = (soundAt: number): Uint8Array => {
    const { sampleRate, packetFrames } = codec;
    const tables = box(
      'stbl',
      box('stsd', 0, 1, entryOf(codec)),
      box('stts', 0, 1, packets.length, packetFrames),
      box('stsc', 0, 1, 1, packets.length, 1),
      box('stsz', 0, 0, packets.length, sizesOf(packets)),
      box('stco', 0, 1, soundAt),
    );
    const media = box(
      'mdia',
      box('mdhd', 0, ...COPY_TIMES, sampleRate, 0, 0),
      box('hdlr', 0, 0, 'soun'),
      box('minf', tables),
    );
    const edits = heard === null ? [] : [box('edts', editOf(heard, sampleRate, packets.length * packetFrames))];
    const movie = box('moov', box('mvhd', 0, ...COPY_TIMES, sampleRate, 0), box('trak', ...edits, media));
    return concat([box('ftyp', 'M4A ', 0), movie, concat([total + 8, 'mdat'])]);
  };
  // Where the sound begins does not change how long the head is.
  return head(head(0).length);
}

function sizesOf(packets: M4a['packets']): Uint8Array {
  const view = new DataView(new ArrayBuffer(packets.length * 4));
  for (const [index, packet] of packets.entries()) view.setUint32(index * 4, packet.byteLength, false);
  return new Uint8Array(view.buffer);
}

function editOf({ startS, lengthS }: { startS: number; lengthS: number }, rate: number, frames: number): Uint8Array {
  const start = Math.min(frames, Math.round(startS * rate));
  const length = Math.max(0, Math.min(frames - start, Math.round(lengthS * rate)));
  return box('elst', 0, 1, length, start, 0x10000);
}

function entryOf({ name, config, channels }: M4a['codec']): Uint8Array {
  const sound = [0, REFERENCE, 0, 0, (channels << 16) | 16, 0, 0];
  if (name === 'alac') return box('alac', ...sound, box('alac', 0, config));
  const decoder = descriptor(4, concat([Uint8Array.of(OBJECT_AAC, 0x15, 0, 0, 0), 0, 0]), descriptor(5, config));
  return box('mp4a', ...sound, box('esds', 0, descriptor(3, Uint8Array.of(0, 0, 0), decoder)));
}

function box(name: string, ...parts: readonly Part[]): Uint8Array {
  const body = concat(parts);
  return concat([body.length + 8, name, body]);
}

function descriptor(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = concat(parts);
  const length = Array.from({ length: LENGTH_BYTES }, (_, index) => {
    const rest = LENGTH_BYTES - 1 - index;
    return ((body.length >> (7 * rest)) & 127) | (rest > 0 ? 128 : 0);
  });
  return concat([Uint8Array.of(tag, ...length), body]);
}

/** Numbers are written in four bytes, names as they are. */
function concat(parts: readonly Part[]): Uint8Array {
  const sizeOf = (part: Part): number => (typeof part === 'number' ? 4 : part.length);
  const bytes = new Uint8Array(parts.reduce<number>((sum, part) => sum + sizeOf(part), 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const part of parts) {
    if (typeof part === 'number') view.setUint32(at, part, false);
    else if (typeof part === 'string') bytes.set(Buffer.from(part, 'latin1'), at);
    else bytes.set(part, at);
    at += sizeOf(part);
  }
  return bytes;
}
