/** Writes a voice memo as iMessage has it: a caf file with packets of Opus, 24,000 Hz, one channel, 20 ms each. */

export const VOICE_RATE = 24_000;
export const PACKET_FRAMES = 480;

/** Apple's number for one channel. */
const LAYOUT_MONO = (100 << 16) | 1;

export interface Voice {
  readonly packets: readonly Uint8Array[];
  /** What is heard: the frames of all packets without the first and the last ones that are not. */
  readonly frames: number;
  /** What the decoder gives before the sound begins. */
  readonly primingFrames: number;
}

export function writeCaf({ packets, frames, primingFrames }: Voice): Uint8Array<ArrayBuffer> {
  const remainderFrames = packets.length * PACKET_FRAMES - primingFrames - frames;
  if (remainderFrames < 0) throw new Error('A voice has fewer packets than it has frames.');
  const sizes = packets.flatMap((packet) => sevenBits(packet.length));
  const parts = [
    fields('caff', [2, 1], [2, 0]),
    chunk('desc', describe()),
    chunk('chan', fields('', [4, LAYOUT_MONO], [4, 0], [4, 0])),
    chunk(
      'pakt',
      fields('', [8, packets.length], [8, frames], [4, primingFrames], [4, remainderFrames]),
      Uint8Array.from(sizes),
    ),
    chunk('data', fields('', [4, 0]), ...packets),
  ];
  return join(parts);
}

function describe(): Uint8Array {
  const rate = new Uint8Array(8);
  new DataView(rate.buffer).setFloat64(0, VOICE_RATE, false);
  // Flags, the size of a packet, its frames, channels, bits: what differs from packet to packet is 0.
  return join([rate, fields('opus', [4, 0], [4, 0], [4, PACKET_FRAMES], [4, 1], [4, 0])]);
}

function chunk(name: string, ...body: readonly Uint8Array[]): Uint8Array {
  const length = body.reduce((sum, part) => sum + part.length, 0);
  return join([fields(name, [8, length]), ...body]);
}

/** A name and numbers of so many bytes, the first byte first. */
function fields(name: string, ...numbers: readonly (readonly [2 | 4 | 8, number])[]): Uint8Array {
  const bytes = new Uint8Array(name.length + numbers.reduce((sum, [size]) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  for (const [index, character] of [...name].entries()) bytes[index] = character.charCodeAt(0);
  let at = name.length;
  for (const [size, value] of numbers) {
    if (size === 2) view.setUint16(at, value, false);
    else if (size === 4) view.setUint32(at, value, false);
    else view.setBigUint64(at, BigInt(value), false);
    at += size;
  }
  return bytes;
}

/** A number in bytes of seven bits, the highest first; all but the last have their upper bit set. */
function sevenBits(value: number): number[] {
  return value < 128 ? [value] : [...sevenBits(value >> 7).map((byte) => byte | 128), value & 127];
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
