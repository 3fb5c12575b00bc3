/** The head of a wav file (RIFF): PCM, float, A-law and mu-law, also behind the extensible format. */
import { AudioRefusal, CUT_SHORT, DAMAGED, refuseCodec } from './audio-refusal.ts';
import { type ChunkLayout, nameAt, viewOf, walkChunks } from './byte-chunks.ts';
import type { PcmLayout } from './pcm.ts';

/** Who writes into a pipe cannot come back to write the length: it lasts until the file ends. */
const UNTIL_THE_END = 0xffffffff;
const EXTENSIBLE = 0xfffe;
const FORMAT_BYTES_MIN = 16;
const EXTENSIBLE_BYTES_MIN = 26;

const RIFF: ChunkLayout = { headBytes: 8, isPadded: true, readSize: (view, at) => view.getUint32(at, true) };

export function isWav(bytes: Uint8Array): boolean {
  return nameAt(bytes, 0) === 'RIFF' && nameAt(bytes, 8) === 'WAVE';
}

export function readWav(bytes: Uint8Array): PcmLayout {
  let format: Omit<PcmLayout, 'at' | 'byteLength'> | null = null;
  for (const { name, at, size } of walkChunks(bytes, 12, RIFF)) {
    if (name === 'fmt ') format = readFormat(bytes, at, size);
    if (name !== 'data') continue;
    if (format === null) throw new AudioRefusal(DAMAGED);
    const present = bytes.length - at;
    if (size > present && size !== UNTIL_THE_END) throw new AudioRefusal(CUT_SHORT);
    return { ...format, at, byteLength: Math.min(size, present) };
  }
  throw new AudioRefusal(CUT_SHORT);
}

function readFormat(bytes: Uint8Array, at: number, size: number): Omit<PcmLayout, 'at' | 'byteLength'> {
  if (at + size > bytes.length) throw new AudioRefusal(CUT_SHORT);
  const view = viewOf(bytes.subarray(at, at + size));
  if (size < FORMAT_BYTES_MIN) throw new AudioRefusal(DAMAGED);
  const tag = view.getUint16(0, true);
  if (tag === EXTENSIBLE && size < EXTENSIBLE_BYTES_MIN) throw new AudioRefusal(DAMAGED);
  const channels = view.getUint16(2, true);
  const frameBytes = view.getUint16(12, true);
  const sampleBytes = Math.ceil(view.getUint16(14, true) / 8);
  const encoding = encodingOf(tag === EXTENSIBLE ? view.getUint16(24, true) : tag, sampleBytes);
  // A sample of 20 bits stands at the upper end of its 3 bytes.
  if (channels === 0 || frameBytes !== channels * sampleBytes) throw new AudioRefusal(DAMAGED);
  const sampleRate = view.getUint32(4, true);
  return { container: 'wav', encoding, sampleBytes, isLittleEndian: true, channels, sampleRate };
}

function encodingOf(tag: number, sampleBytes: number): PcmLayout['encoding'] {
  switch (tag) {
    case 1:
      return sampleBytes === 1 ? 'unsigned' : 'signed';
    case 3:
      return 'float';
    case 6:
      return 'alaw';
    case 7:
      return 'ulaw';
    default:
      throw refuseCodec('wav', `codec 0x${tag.toString(16)}`);
  }
}
