/** The head of an aiff file: AIFF, and AIFF-C where what is in it is not compressed, A-law or mu-law. */
import { AudioRefusal, CUT_SHORT, DAMAGED, refuseCodec } from './audio-refusal.ts';
import { type ChunkLayout, nameAt, viewOf, walkChunks } from './byte-chunks.ts';
import type { PcmLayout } from './pcm.ts';

const COMMON_BYTES = 18;
const COMMON_BYTES_OF_AIFC = 22;
/** Two numbers, an offset and a block size, before the samples. */
const SOUND_HEAD_BYTES = 8;

const IFF: ChunkLayout = { headBytes: 8, isPadded: true, readSize: (view, at) => view.getUint32(at, false) };

export function isAiff(bytes: Uint8Array): boolean {
  return nameAt(bytes, 0) === 'FORM' && ['AIFF', 'AIFC'].includes(nameAt(bytes, 8));
}

interface Common extends Omit<PcmLayout, 'at' | 'byteLength'> {
  readonly frames: number;
}

export function readAiff(bytes: Uint8Array): PcmLayout {
  let common: Common | null = null;
  let sound: { readonly at: number; readonly byteLength: number } | null = null;
  for (const { name, at, size } of walkChunks(bytes, 12, IFF)) {
    if (name !== 'COMM' && name !== 'SSND') continue;
    if (at + size > bytes.length) throw new AudioRefusal(CUT_SHORT);
    if (name === 'COMM') common = readCommon(bytes.subarray(at, at + size), nameAt(bytes, 8) === 'AIFC');
    else sound = readSound(bytes, at, size);
  }
  if (common === null || sound === null) throw new AudioRefusal(CUT_SHORT);
  const { frames, ...format } = common;
  const byteLength = frames * format.channels * format.sampleBytes;
  if (byteLength > sound.byteLength) throw new AudioRefusal(CUT_SHORT);
  return { ...format, at: sound.at, byteLength };
}

function readSound(bytes: Uint8Array, at: number, size: number): { at: number; byteLength: number } {
  if (size < SOUND_HEAD_BYTES) throw new AudioRefusal(DAMAGED);
  const head = SOUND_HEAD_BYTES + viewOf(bytes).getUint32(at, false);
  if (head > size) throw new AudioRefusal(DAMAGED);
  return { at: at + head, byteLength: size - head };
}

function readCommon(body: Uint8Array, isCompressed: boolean): Common {
  if (body.length < (isCompressed ? COMMON_BYTES_OF_AIFC : COMMON_BYTES)) throw new AudioRefusal(DAMAGED);
  const view = viewOf(body);
  const codec = isCompressed ? nameAt(body, 18) : 'NONE';
  const { encoding, sampleBytes, isLittleEndian } = formatOf(codec, Math.ceil(view.getUint16(6, false) / 8));
  const channels = view.getUint16(0, false);
  const sampleRate = readExtended(view, 8);
  const frames = view.getUint32(2, false);
  return { container: 'aiff', encoding, sampleBytes, isLittleEndian, channels, sampleRate, frames };
}

function formatOf(codec: string, sampleBytes: number): Pick<PcmLayout, 'encoding' | 'sampleBytes' | 'isLittleEndian'> {
  const isLittleEndian = false;
  switch (codec) {
    case 'NONE':
    case 'twos':
      return { encoding: 'signed', sampleBytes, isLittleEndian };
    case 'sowt':
      return { encoding: 'signed', sampleBytes, isLittleEndian: true };
    case 'raw ':
      return { encoding: 'unsigned', sampleBytes, isLittleEndian };
    case 'fl32':
    case 'FL32':
      return { encoding: 'float', sampleBytes: 4, isLittleEndian };
    case 'fl64':
    case 'FL64':
      return { encoding: 'float', sampleBytes: 8, isLittleEndian };
    case 'alaw':
    case 'ALAW':
      return { encoding: 'alaw', sampleBytes: 1, isLittleEndian };
    case 'ulaw':
    case 'ULAW':
      return { encoding: 'ulaw', sampleBytes: 1, isLittleEndian };
    default:
      throw refuseCodec('aiff', codec);
  }
}

/** A number of 80 bits: sign and exponent in two bytes, then 64 bits of fraction whose first one is written. */
function readExtended(view: DataView, at: number): number {
  const exponent = view.getUint16(at, false) - 16_383;
  return (view.getUint32(at + 2, false) + view.getUint32(at + 6, false) / 2 ** 32) * 2 ** (exponent - 31);
}
