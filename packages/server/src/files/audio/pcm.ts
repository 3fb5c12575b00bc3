/** Uncompressed sound, as wav, aiff and caf hold it: where it lies, what a sample looks like, and its samples as numbers. */
import { AudioRefusal, checkLength, checkSound, EMPTY, refuseCodec } from './audio-refusal.ts';
import { viewOf } from './byte-chunks.ts';

const BLOCK_FRAMES = 4_096;

export interface PcmLayout {
  readonly container: string;
  readonly encoding: 'signed' | 'unsigned' | 'float' | 'alaw' | 'ulaw';
  readonly sampleBytes: number;
  readonly isLittleEndian: boolean;
  readonly channels: number;
  readonly sampleRate: number;
  readonly at: number;
  readonly byteLength: number;
}

export interface SoundBlock {
  readonly channels: readonly Float32Array[];
  readonly sampleRate: number;
}

/** Gives how many frames there are. */
export function checkPcm(layout: PcmLayout, lengthMaxMs: number): number {
  checkSound(layout.sampleRate, layout.channels);
  if (readerOf(layout) === null)
    throw refuseCodec(layout.container, `${8 * layout.sampleBytes}-bit ${layout.encoding}`);
  const frames = Math.floor(layout.byteLength / (layout.sampleBytes * layout.channels));
  if (frames === 0) throw new AudioRefusal(EMPTY);
  checkLength(frames, layout.sampleRate, lengthMaxMs);
  return frames;
}

export function* readPcm(bytes: Uint8Array, layout: PcmLayout, frames: number): Generator<SoundBlock> {
  const read = readerOf(layout);
  if (read === null) throw new Error('readPcm was called for a layout that checkPcm refuses.');
  const view = viewOf(bytes.subarray(layout.at, layout.at + layout.byteLength));
  let at = 0;
  for (let done = 0; done < frames; done += BLOCK_FRAMES) {
    const length = Math.min(BLOCK_FRAMES, frames - done);
    const channels = Array.from({ length: layout.channels }, () => new Float32Array(length));
    for (let frame = 0; frame < length; frame += 1) {
      for (const channel of channels) {
        channel[frame] = read(view, at);
        at += layout.sampleBytes;
      }
    }
    yield { channels, sampleRate: layout.sampleRate };
  }
}

type ReadSample = (view: DataView, at: number) => number;

function readerOf({ encoding, sampleBytes, isLittleEndian }: PcmLayout): ReadSample | null {
  switch (`${encoding} ${sampleBytes}`) {
    case 'unsigned 1':
      return (view, at) => (view.getUint8(at) - 128) / 128;
    case 'signed 1':
      return (view, at) => view.getInt8(at) / 128;
    case 'signed 2':
      return (view, at) => view.getInt16(at, isLittleEndian) / 32_768;
    case 'signed 3':
      return isLittleEndian
        ? (view, at) => (view.getInt8(at + 2) * 65_536 + view.getUint16(at, true)) / 8_388_608
        : (view, at) => (view.getInt16(at, false) * 256 + view.getUint8(at + 2)) / 8_388_608;
    case 'signed 4':
      return (view, at) => view.getInt32(at, isLittleEndian) / 2_147_483_648;
    case 'float 4':
      return (view, at) => view.getFloat32(at, isLittleEndian);
    case 'float 8':
      return (view, at) => view.getFloat64(at, isLittleEndian);
    case 'alaw 1':
      return (view, at) => expandALaw(view.getUint8(at));
    case 'ulaw 1':
      return (view, at) => expandULaw(view.getUint8(at));
    default:
      return null;
  }
}

/** ITU-T G.711, A-law: even bits are inverted, a set sign bit is positive, and the first segment has no leading one. */
function expandALaw(code: number): number {
  const bits = code ^ 0x55;
  const segment = (bits >> 4) & 7;
  const step = ((bits & 15) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 256) << (segment - 1);
  return (bits & 128 ? magnitude : -magnitude) / 32_768;
}

/** ITU-T G.711, mu-law: all bits are inverted, and 132 is what the coder had added. */
function expandULaw(code: number): number {
  const bits = ~code & 255;
  const magnitude = ((((bits & 15) << 3) + 132) << ((bits >> 4) & 7)) - 132;
  return (bits & 128 ? -magnitude : magnitude) / 32_768;
}
