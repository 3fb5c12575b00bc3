/** What an m4a file says about its codec: AAC or ALAC, its configuration, its rate, the frames of a packet. */
import { AudioRefusal, DAMAGED, refuseCodec } from './audio-refusal.ts';
import { viewOf } from './byte-chunks.ts';
import { type Box, walkBoxes } from './m4a-boxes.ts';

const ENTRY_BYTES = 28;
const EXTRA_BYTES_OF_VERSION_1 = 16;
const AAC_PACKET_FRAMES = 1_024;
/** Main, LC, LTP, then LC with what doubles its rate (SBR) and with what makes it stereo (PS). */
const AAC_KINDS = [1, 2, 4, 5, 29];
const AAC_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];
const OBJECT_AAC = [0x40, 0x66, 0x67, 0x68];
const CONFIG_BYTES_MAX = 64;
const ALAC_CONFIG_BYTES = 24;
/** Encoders make packets of 4,096; of one frame each there would be more packets than a table should have. */
const ALAC_PACKET_FRAMES_MIN = 256;
const ALAC_PACKET_FRAMES_MAX = 16_384;

export interface M4aCodec {
  readonly name: 'mp4a' | 'alac';
  readonly config: Uint8Array;
  readonly sampleRate: number;
  readonly channels: number;
  readonly packetFrames: number;
}

/** Reads the one entry of a sample description (`stsd`). */
export function readCodec(description: Uint8Array): M4aCodec {
  const [entry] = walkBoxes(description.subarray(8));
  if (entry === undefined || entry.body.length < ENTRY_BYTES) throw new AudioRefusal(DAMAGED);
  if (entry.name !== 'mp4a' && entry.name !== 'alac') throw refuseCodec('m4a', entry.name);
  const version = viewOf(entry.body).getUint16(8, false);
  if (version > 1) throw refuseCodec('m4a', `${entry.name} of QuickTime`);
  const inside = entry.body.subarray(ENTRY_BYTES + version * EXTRA_BYTES_OF_VERSION_1);
  const boxes = [...walkBoxes(inside)];
  const wrapped = boxes.find((box) => box.name === 'wave');
  const all = wrapped === undefined ? boxes : [...boxes, ...walkBoxes(wrapped.body)];
  return entry.name === 'alac' ? readAlac(all) : readAac(all);
}

function readAlac(boxes: readonly Box[]): M4aCodec {
  const body = boxes.find((box) => box.name === 'alac')?.body;
  if (body === undefined || body.length < 4 + ALAC_CONFIG_BYTES) throw new AudioRefusal(DAMAGED);
  const config = body.slice(4, 4 + ALAC_CONFIG_BYTES);
  const view = viewOf(config);
  const packetFrames = view.getUint32(0, false);
  const [bits = 0, , , , channels = 0] = config.subarray(5);
  // With one or two channels a packet begins with its one element, so that its length can be seen.
  if (channels !== 1 && channels !== 2) throw refuseCodec('m4a', `alac of ${channels} channels`);
  if (![16, 20, 24, 32].includes(bits)) throw new AudioRefusal(DAMAGED);
  const isUsual = packetFrames >= ALAC_PACKET_FRAMES_MIN && packetFrames <= ALAC_PACKET_FRAMES_MAX;
  if (!isUsual) throw new AudioRefusal(DAMAGED);
  return { name: 'alac', config, sampleRate: view.getUint32(20, false), channels, packetFrames };
}

function readAac(boxes: readonly Box[]): M4aCodec {
  const body = boxes.find((box) => box.name === 'esds')?.body;
  if (body === undefined) throw new AudioRefusal(DAMAGED);
  const config = readDescriptor(body.subarray(4));
  const readBits = bitReader(config);
  const escaped = readBits(5);
  const kind = escaped === 31 ? 32 + readBits(6) : escaped;
  if (!AAC_KINDS.includes(kind)) throw refuseCodec('m4a', `aac of kind ${kind}`);
  const index = readBits(4);
  const sampleRate = index === 15 ? readBits(24) : (AAC_RATES[index] ?? 0);
  const channels = readBits(4);
  return { name: 'mp4a', config, sampleRate, channels: channels === 7 ? 8 : channels, packetFrames: AAC_PACKET_FRAMES };
}

/** The decoder's configuration stands in a descriptor (5) within one (4) within one (3). */
function readDescriptor(bytes: Uint8Array): Uint8Array {
  const stream = descriptor(bytes, 3);
  const flags = stream[2] ?? 0;
  if (flags & 0xe0) throw new AudioRefusal(DAMAGED);
  const decoder = descriptor(stream.subarray(3), 4);
  const object = decoder[0] ?? 0;
  if (!OBJECT_AAC.includes(object)) throw refuseCodec('m4a', `mp4a of kind 0x${object.toString(16)}`);
  const config = descriptor(decoder.subarray(13), 5);
  if (config.length < 2 || config.length > CONFIG_BYTES_MAX) throw new AudioRefusal(DAMAGED);
  return config.slice();
}

function descriptor(bytes: Uint8Array, tag: number): Uint8Array {
  if (bytes[0] !== tag) throw new AudioRefusal(DAMAGED);
  let size = 0;
  for (let at = 1; at <= 4; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) break;
    size = size * 128 + (byte & 127);
    if (byte & 128) continue;
    const body = bytes.subarray(at + 1, at + 1 + size);
    if (body.length === size) return body;
    break;
  }
  throw new AudioRefusal(DAMAGED);
}

function bitReader(bytes: Uint8Array): (count: number) => number {
  let at = 0;
  return (count) => {
    let value = 0;
    for (let bit = 0; bit < count; bit += 1, at += 1) {
      value = value * 2 + (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
    }
    return value;
  };
}
