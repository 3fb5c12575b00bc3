/** The head of a caf file: what is in it and how long it lasts. A file in which something is missing is refused. */
import { AudioRefusal, CUT_SHORT, DAMAGED } from './audio-refusal.ts';
import { type ChunkLayout, nameAt, viewOf, walkChunks } from './byte-chunks.ts';

const FILE_HEAD_BYTES = 8;
const DESCRIPTION_BYTES = 32;
/** A number of edits that stands before the sound. */
const EDIT_COUNT_BYTES = 4;
const TABLE_HEAD_BYTES = 24;
/** A length of -1: the sound lasts until the file ends. */
const UNTIL_THE_END = 0xffffffffffffffffn;
const MS_OF_A_SECOND = 1_000;

const CHUNKS: ChunkLayout = {
  headBytes: 12,
  isPadded: false,
  readSize: (view, at) => Number(view.getBigUint64(at, false)),
};

export interface CafHeader {
  /** Four characters: `opus`, `lpcm`, `alac` and so on. */
  readonly codec: string;
  readonly sampleRate: number;
  readonly channels: number;
  /** Frames that are heard, without those that only prime the decoder or fill the last packet. */
  readonly frames: number;
  readonly durationMs: number;
}

export interface CafLayout extends CafHeader {
  readonly flags: number;
  readonly bitsPerChannel: number;
  readonly bytesPerPacket: number;
  readonly framesPerPacket: number;
  readonly at: number;
  readonly byteLength: number;
  /** Null where packets have one size, which needs no table. */
  readonly packets: PacketTable | null;
}

export interface PacketTable {
  readonly count: number;
  readonly frames: number;
  readonly primingFrames: number;
  readonly remainderFrames: number;
  /** The sizes of the packets, as numbers of seven bits a byte. */
  readonly sizes: Uint8Array;
}

export function isCaf(bytes: Uint8Array): boolean {
  return nameAt(bytes, 0) === 'caff';
}

/** Null where the bytes are no caf file, or not a whole one. */
export function readCafHeader(bytes: Uint8Array): CafHeader | null {
  if (!isCaf(bytes)) return null;
  try {
    const { codec, sampleRate, channels, frames, durationMs } = readCaf(bytes);
    return { codec, sampleRate, channels, frames, durationMs };
  } catch (error) {
    if (error instanceof AudioRefusal) return null;
    throw error;
  }
}

export function readCaf(bytes: Uint8Array): CafLayout {
  let description: Uint8Array | null = null;
  let packets: PacketTable | null = null;
  let data: { readonly at: number; readonly byteLength: number } | null = null;
  for (const { name, at, size } of walkChunks(bytes, FILE_HEAD_BYTES, CHUNKS)) {
    const isOpen = name === 'data' && viewOf(bytes).getBigUint64(at - 8, false) === UNTIL_THE_END;
    const end = isOpen ? bytes.length : at + size;
    if (end > bytes.length) throw new AudioRefusal(CUT_SHORT);
    const body = bytes.subarray(at, end);
    if (name === 'desc') description = atLeast(body, DESCRIPTION_BYTES);
    if (name === 'pakt') packets = readTable(atLeast(body, TABLE_HEAD_BYTES));
    if (name !== 'data') continue;
    atLeast(body, EDIT_COUNT_BYTES);
    data = { at: at + EDIT_COUNT_BYTES, byteLength: body.length - EDIT_COUNT_BYTES };
  }
  if (description === null || data === null) throw new AudioRefusal(CUT_SHORT);
  return layOut(description, data, packets);
}

function layOut(
  description: Uint8Array,
  data: { readonly at: number; readonly byteLength: number },
  packets: PacketTable | null,
): CafLayout {
  const view = viewOf(description);
  const sampleRate = view.getFloat64(0, false);
  const bytesPerPacket = view.getUint32(16, false);
  const framesPerPacket = view.getUint32(20, false);
  const fixed = bytesPerPacket === 0 ? 0 : Math.floor(data.byteLength / bytesPerPacket) * framesPerPacket;
  const frames = packets?.frames ?? fixed;
  const layout = {
    codec: nameAt(description, 8),
    sampleRate,
    channels: view.getUint32(24, false),
    frames,
    durationMs: sampleRate > 0 ? Math.round((frames / sampleRate) * MS_OF_A_SECOND) : 0,
    flags: view.getUint32(12, false),
    bytesPerPacket,
    framesPerPacket,
    bitsPerChannel: view.getUint32(28, false),
    packets,
  };
  return { ...layout, ...data };
}

function readTable(body: Uint8Array): PacketTable {
  const view = viewOf(body);
  const count = Number(view.getBigInt64(0, false));
  const frames = Number(view.getBigInt64(8, false));
  const primingFrames = view.getInt32(16, false);
  const remainderFrames = view.getInt32(20, false);
  if (count < 0 || frames < 0 || primingFrames < 0 || remainderFrames < 0) throw new AudioRefusal(DAMAGED);
  return { count, frames, primingFrames, remainderFrames, sizes: body.subarray(TABLE_HEAD_BYTES) };
}

function atLeast(body: Uint8Array, byteLength: number): Uint8Array {
  if (body.length < byteLength) throw new AudioRefusal(DAMAGED);
  return body;
}
