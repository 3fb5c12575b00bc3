/** What can be done with a caf file: PCM is read, a voice memo is taken as it is, the rest is refused. */
import { AudioRefusal, CUT_SHORT, checkLength, DAMAGED, EMPTY, refuseCodec } from './audio-refusal.ts';
import type { CafLayout } from './caf-header.ts';
import { VOICE_RATE } from './caf-writer.ts';
import type { PcmLayout } from './pcm.ts';

const IS_FLOAT = 1;
const IS_LITTLE_ENDIAN = 2;
const PACKET_BYTES_MAX = 0xffff;
/** Before the sound and after it: a second, where encoders have some milliseconds. */
const UNHEARD_FRAMES_MAX = VOICE_RATE;
/** How many frames of 48,000 Hz a packet's frame has, by its kind: 10, 20, 40, 60 ms, 10, 20 ms, and 2.5, 5, 10, 20 ms. */
const SILK_FRAMES = [480, 960, 1_920, 2_880];
const HYBRID_FRAMES = [480, 960];
const CELT_FRAMES = [120, 240, 480, 960];
const OPUS_RATE = 48_000;

export function pcmOfCaf(caf: CafLayout): PcmLayout {
  const { codec, sampleRate, channels, flags, bitsPerChannel, bytesPerPacket, at, byteLength } = caf;
  if (codec === 'opus') throw refuseCodec('caf', `opus of ${sampleRate} Hz and ${channels} channels`);
  if (codec !== 'lpcm' && codec !== 'alaw' && codec !== 'ulaw') throw refuseCodec('caf', codec);
  const sampleBytes = codec === 'lpcm' ? bitsPerChannel / 8 : 1;
  const isOdd = channels === 0 || bytesPerPacket !== channels * sampleBytes || caf.framesPerPacket !== 1;
  if (isOdd) throw refuseCodec('caf', `${bitsPerChannel}-bit ${codec}`);
  return {
    container: 'caf',
    encoding: codec === 'lpcm' ? (flags & IS_FLOAT ? 'float' : 'signed') : codec,
    sampleBytes,
    isLittleEndian: (flags & IS_LITTLE_ENDIAN) !== 0,
    channels,
    sampleRate,
    at,
    byteLength,
  };
}

export function isVoiceMemo({ codec, sampleRate, channels }: CafLayout): boolean {
  return codec === 'opus' && sampleRate === VOICE_RATE && channels === 1;
}

/** Holds the packets of a voice memo against its table: what passes here is sent on as it came. */
export function checkVoiceMemo(bytes: Uint8Array, caf: CafLayout, lengthMaxMs: number): void {
  const { packets, framesPerPacket, byteLength, at } = caf;
  if (packets === null || framesPerPacket === 0) throw new AudioRefusal(DAMAGED);
  const total = packets.count * framesPerPacket;
  if (packets.frames + packets.primingFrames + packets.remainderFrames !== total) throw new AudioRefusal(DAMAGED);
  if (packets.frames === 0) throw new AudioRefusal(EMPTY);
  if (total - packets.frames > UNHEARD_FRAMES_MAX) throw new AudioRefusal(DAMAGED);
  checkLength(packets.frames, VOICE_RATE, lengthMaxMs);
  let next = at;
  let read = 0;
  for (const size of readSizes(packets.sizes)) {
    if (read === packets.count) break;
    if (size === 0) throw new AudioRefusal(DAMAGED);
    if (next + size > at + byteLength) throw new AudioRefusal(CUT_SHORT);
    if (framesOfPacket(bytes.subarray(next, next + size)) !== framesPerPacket) throw new AudioRefusal(DAMAGED);
    next += size;
    read += 1;
  }
  if (read < packets.count) throw new AudioRefusal(CUT_SHORT);
}

function* readSizes(bytes: Uint8Array): Generator<number> {
  let size = 0;
  for (const byte of bytes) {
    size = size * 128 + (byte & 127);
    if (size > PACKET_BYTES_MAX) throw new AudioRefusal(DAMAGED);
    if (byte & 128) continue;
    yield size;
    size = 0;
  }
}

/** The first byte of a packet tells the length of a frame and how many there are (RFC 6716, 3.1). */
function framesOfPacket(packet: Uint8Array): number {
  const [head = 0, second = 0] = packet;
  const kind = head >> 3;
  const table = kind < 12 ? SILK_FRAMES : kind < 16 ? HYBRID_FRAMES : CELT_FRAMES;
  const code = head & 3;
  const count = code === 0 ? 1 : code === 3 ? second & 63 : 2;
  return ((table[kind % table.length] ?? 0) * count * VOICE_RATE) / OPUS_RATE;
}
