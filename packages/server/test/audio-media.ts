/** Sound for the transcoder's tests: made by hand or by ffmpeg, and looked at by readers that know nothing of the product. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordLeftOut } from '../../../test/left-out.ts';

const OUTPUT_MAX_BYTES = 256_000_000;
/** What ffmpeg decodes Opus to, always. */
const DECODED_RATE = 48_000;

const HAS_FFMPEG = ['ffmpeg', 'ffprobe'].every((name) => !spawnSync(name, ['-version']).error);

/** Whether there is an ffmpeg; where there is none, the part of the tests is named as left out. */
export function hasFfmpeg(part: string): boolean {
  if (!HAS_FFMPEG) recordLeftOut(part, 'ffmpeg is not installed');
  return HAS_FFMPEG;
}

export interface Wav {
  readonly rate: number;
  readonly seconds: number;
  readonly channels?: number;
  /** One for each channel, from -1 to 1, at a time in seconds. */
  readonly sound?: (time: number, channel: number) => number;
}

export const tone =
  (hertz: number, loudness = 0.5) =>
  (time: number): number =>
    loudness * Math.sin(2 * Math.PI * hertz * time);

/** 16 bits a sample. */
export function makeWav({ rate, seconds, channels = 1, sound = tone(440) }: Wav): Uint8Array<ArrayBuffer> {
  const frames = Math.round(rate * seconds);
  const bytes = new Uint8Array(44 + frames * channels * 2);
  const view = new DataView(bytes.buffer);
  const put = (at: number, text: string): void => bytes.set(Buffer.from(text, 'latin1'), at);
  put(0, 'RIFF');
  view.setUint32(4, bytes.length - 8, true);
  put(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * channels * 2, true);
  view.setUint16(32, channels * 2, true);
  view.setUint16(34, 16, true);
  put(36, 'data');
  view.setUint32(40, bytes.length - 44, true);
  for (let frame = 0; frame < frames; frame += 1) {
    for (let channel = 0; channel < channels; channel += 1) {
      view.setInt16(44 + (frame * channels + channel) * 2, Math.round(32_767 * sound(frame / rate, channel)), true);
    }
  }
  return bytes;
}

/** Has ffmpeg make a file of the given kind out of one of its sources, such as `sine=frequency=440:duration=1`. */
export function makeByFfmpeg(source: string, kind: string, ...options: readonly string[]): Uint8Array<ArrayBuffer> {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-audio-'));
  try {
    const file = join(folder, `made.${kind}`);
    run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', source, ...options, file]);
    return new Uint8Array(readFileSync(file));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export interface Probe {
  readonly codec: string;
  readonly channels: number;
  readonly seconds: number;
}

export function probe(caf: Uint8Array): Probe {
  const text = withFile(caf, (file) =>
    run('ffprobe', ['-v', 'error', '-of', 'json', '-show_streams', '-show_format', file]),
  );
  const { streams, format } = JSON.parse(text.toString());
  return { codec: streams[0].codec_name, channels: streams[0].channels, seconds: Number(format.duration) };
}

/** What is heard of a voice memo, at 48,000 Hz: what primes the decoder and what fills the last packet is cut off here. */
export function decodeByFfmpeg(caf: Uint8Array): Float32Array {
  const raw = withFile(caf, (file) => run('ffmpeg', ['-v', 'error', '-i', file, '-f', 'f32le', '-ac', '1', '-']));
  const { primingFrames, validFrames, rate } = readCafIndependently(caf);
  const times = DECODED_RATE / rate;
  const samples = new Float32Array(new Uint8Array(raw).buffer);
  return samples.subarray(primingFrames * times, (primingFrames + validFrames) * times);
}

/** How loud one frequency is, from 0 to 1 (Goertzel). */
export function loudnessAt(samples: Float32Array, hertz: number): number {
  const turn = (2 * Math.PI * hertz) / DECODED_RATE;
  let real = 0;
  let imaginary = 0;
  for (const [index, sample] of samples.entries()) {
    real += sample * Math.cos(turn * index);
    imaginary += sample * Math.sin(turn * index);
  }
  return (2 * Math.hypot(real, imaginary)) / samples.length;
}

/** The mean of the squares, and its root. */
export function loudnessOf(samples: Float32Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
}

export interface CafFacts {
  readonly chunks: readonly string[];
  readonly rate: number;
  readonly codec: string;
  readonly channels: number;
  readonly framesPerPacket: number;
  readonly packetSizes: readonly number[];
  readonly validFrames: number;
  readonly primingFrames: number;
  readonly remainderFrames: number;
  readonly soundBytes: number;
}

/** Reads a caf file by Apple's description of the format, with nothing taken from the product. */
export function readCafIndependently(bytes: Uint8Array): CafFacts {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < file.length; ) {
    const end = at + 12 + Number(file.readBigInt64BE(at + 4));
    if (end > file.length) throw new Error('A chunk reaches past the end.');
    chunks.set(file.toString('latin1', at, at + 4), file.subarray(at + 12, end));
    at = end;
  }
  const [description, table, data] = ['desc', 'pakt', 'data'].map((name) => chunks.get(name));
  if (!description || !table || !data || file.toString('latin1', 0, 4) !== 'caff') throw new Error('No caf file.');
  const packetSizes: number[] = [];
  let size = 0;
  for (const byte of table.subarray(24)) {
    size = (size << 7) | (byte & 0x7f);
    if (byte >= 0x80) continue;
    packetSizes.push(size);
    size = 0;
  }
  if (packetSizes.length !== Number(table.readBigInt64BE(0))) throw new Error('The table is not as long as it says.');
  return {
    chunks: [...chunks.keys()],
    rate: description.readDoubleBE(0),
    codec: description.toString('latin1', 8, 12),
    channels: description.readUInt32BE(24),
    framesPerPacket: description.readUInt32BE(20),
    packetSizes,
    validFrames: Number(table.readBigInt64BE(8)),
    primingFrames: table.readInt32BE(16),
    remainderFrames: table.readInt32BE(20),
    soundBytes: data.length - 4,
  };
}

function withFile<T>(bytes: Uint8Array, use: (file: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-audio-'));
  try {
    const file = join(folder, 'memo.caf');
    writeFileSync(file, bytes);
    return use(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(program: string, words: readonly string[]): Buffer {
  const { error, status, stdout, stderr } = spawnSync(program, words, { maxBuffer: OUTPUT_MAX_BYTES });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program}: ${stderr.toString()}`);
  return stdout;
}
