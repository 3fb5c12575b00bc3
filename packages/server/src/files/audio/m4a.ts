/**
 * The one track of sound in an m4a file: its codec and where its packets lie. The tables are read here and checked
 * against the file, so that no decoder ever sees a table that somebody else wrote.
 */
import { AudioRefusal, CUT_SHORT, checkLength, checkSound, DAMAGED, EMPTY, NOT_AUDIO } from './audio-refusal.ts';
import { nameAt, viewOf } from './byte-chunks.ts';
import { findBox, needBox, rowsOf, walkBoxes, walkFile } from './m4a-boxes.ts';
import { type M4aCodec, readCodec } from './m4a-codec.ts';
import { readFragments } from './m4a-fragments.ts';

/** What files with sound alone call themselves; in such a file a picture is a cover, in others it is a film. */
const SOUND_BRANDS = ['M4A ', 'M4B '];
/** A packet of AAC has some hundred bytes, one of ALAC is as large as its PCM at most. */
const PACKET_BYTES_MAX = 524_288;

export interface Packet {
  readonly at: number;
  readonly byteLength: number;
}

/** The part of the track that is to be heard, in seconds. */
export interface Heard {
  readonly startS: number;
  readonly lengthS: number;
}

export interface M4a {
  readonly codec: M4aCodec;
  readonly packets: readonly Packet[];
  readonly heard: Heard | null;
}

export function isM4a(bytes: Uint8Array): boolean {
  return nameAt(bytes, 4) === 'ftyp';
}

export function readM4a(bytes: Uint8Array, lengthMaxMs: number): M4a {
  const boxes = [...walkFile(bytes)];
  const movie = boxes.find((box) => box.name === 'moov')?.body;
  if (movie === undefined) throw new AudioRefusal(CUT_SHORT);
  const tracks = [...walkBoxes(movie)].filter((box) => box.name === 'trak').map((box) => box.body);
  const kinds = tracks.map((track) => nameAt(needBox(track, 'mdia', 'hdlr'), 8));
  const track = tracks[kinds.indexOf('soun')];
  if (track === undefined) throw new AudioRefusal(NOT_AUDIO);
  if (kinds.includes('vide') && !SOUND_BRANDS.includes(nameAt(bytes, 8))) throw new AudioRefusal(NOT_AUDIO);
  const tables = needBox(track, 'mdia', 'minf', 'stbl');
  const codec = readCodec(needBox(tables, 'stsd'));
  checkSound(codec.sampleRate, codec.channels === 0 ? 1 : codec.channels);
  const check = (count: number): void => checkLength(count * codec.packetFrames, codec.sampleRate, lengthMaxMs);
  const fragments = findBox(movie, 'mvex') === null ? [] : readFragments(boxes, movie, track, check);
  const packets = [...readPackets(tables, check), ...fragments].filter((packet) => packet.byteLength > 0);
  if (packets.length === 0) throw new AudioRefusal(EMPTY);
  check(packets.length);
  for (const packet of packets) checkPacket(bytes, packet, codec);
  const total = packets.reduce((sum, packet) => sum + packet.byteLength, 0);
  if (total > bytes.length) throw new AudioRefusal(DAMAGED);
  return { codec, packets, heard: readHeard(movie, track) };
}

/** Spreads the packets over the chunks that the tables name. */
function readPackets(tables: Uint8Array, check: (count: number) => void): Packet[] {
  const { sizeOf, count } = readSizes(needBox(tables, 'stsz'));
  check(count);
  if (count === 0) return [];
  const short = findBox(tables, 'stco');
  const { view: offsets, count: chunks } = rowsOf(short ?? needBox(tables, 'co64'), short === null ? 8 : 4);
  const { view: runs, count: runCount } = rowsOf(needBox(tables, 'stsc'), 12);
  const packets: Packet[] = [];
  let run = 0;
  for (let chunk = 0; chunk < chunks && packets.length < count; chunk += 1) {
    while (run + 1 < runCount && runs.getUint32((run + 1) * 12, false) <= chunk + 1) run += 1;
    const perChunk = runCount === 0 ? 0 : runs.getUint32(run * 12 + 4, false);
    let at = short === null ? Number(offsets.getBigUint64(chunk * 8, false)) : offsets.getUint32(chunk * 4, false);
    for (let index = 0; index < perChunk && packets.length < count; index += 1) {
      const byteLength = sizeOf(packets.length);
      packets.push({ at, byteLength });
      at += byteLength;
    }
  }
  if (packets.length < count) throw new AudioRefusal(DAMAGED);
  return packets;
}

function readSizes(body: Uint8Array): { sizeOf: (index: number) => number; count: number } {
  if (body.length < 12) throw new AudioRefusal(DAMAGED);
  const size = viewOf(body).getUint32(4, false);
  const { view, count } = rowsOf(body, size === 0 ? 4 : 0, 12);
  return { sizeOf: (index) => (size === 0 ? view.getUint32(index * 4, false) : size), count };
}

function checkPacket(bytes: Uint8Array, { at, byteLength }: Packet, codec: M4aCodec): void {
  if (at + byteLength > bytes.length) throw new AudioRefusal(CUT_SHORT);
  if (byteLength > PACKET_BYTES_MAX) throw new AudioRefusal(DAMAGED);
  if (codec.name === 'alac') checkAlacPacket(bytes.subarray(at, at + byteLength), codec);
}

/**
 * A packet of ALAC may say itself how many frames it has, in 32 bits, and a decoder makes room for them. It begins with the
 * element of its channels: 3 bits of kind (0 for one channel, 1 for two), 16 of no interest, then the flag and the number.
 */
function checkAlacPacket(packet: Uint8Array, { channels, packetFrames }: M4aCodec): void {
  if (packet.length < 7 || (packet[0] ?? 0) >> 5 !== channels - 1) throw new AudioRefusal(DAMAGED);
  const hasCount = ((packet[2] ?? 0) & 16) !== 0;
  if (!hasCount) return;
  const head = viewOf(packet);
  // The number begins one bit before the end of the third byte.
  const frames = ((head.getUint8(2) & 1) * 2 ** 32 + head.getUint32(3, false)) / 2;
  if (Math.floor(frames) > packetFrames) throw new AudioRefusal(DAMAGED);
}

/** From the one edit that says where the sound begins and ends; null where there is none, or where it was cut together. */
function readHeard(movie: Uint8Array, track: Uint8Array): Heard | null {
  const list = findBox(track, 'edts', 'elst');
  if (list === null) return null;
  const isLong = list[0] === 1;
  const { view, count } = rowsOf(list, isLong ? 20 : 12);
  const edits = Array.from({ length: Math.min(count, 100) }, (_, index) => {
    const at = index * (isLong ? 20 : 12);
    return isLong
      ? { length: Number(view.getBigUint64(at, false)), start: Number(view.getBigInt64(at + 8, false)) }
      : { length: view.getUint32(at, false), start: view.getInt32(at + 4, false) };
  }).filter(({ start }) => start >= 0);
  const [edit, second] = edits;
  const trackRate = timescaleOf(needBox(track, 'mdia', 'mdhd'));
  const movieRate = timescaleOf(needBox(movie, 'mvhd'));
  if (edit === undefined || second !== undefined || trackRate === 0 || movieRate === 0) return null;
  // Movies count in coarser steps and cut off the last one.
  const lengthS = edit.length === 0 ? Number.POSITIVE_INFINITY : (edit.length + 1) / movieRate;
  return { startS: edit.start / trackRate, lengthS };
}

function timescaleOf(body: Uint8Array): number {
  const at = body[0] === 1 ? 20 : 12;
  if (body.length < at + 4) throw new AudioRefusal(DAMAGED);
  return viewOf(body).getUint32(at, false);
}
