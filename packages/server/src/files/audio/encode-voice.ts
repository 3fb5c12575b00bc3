/** Makes a voice of any sound: one channel, 24,000 Hz, Opus. Sound goes in block by block, so that none of it piles up. */
import resampling from '@alexanderolsen/libsamplerate-js';
import { Encoder } from '@evan/opus';
import { AudioRefusal, DAMAGED, EMPTY } from './audio-refusal.ts';
import { PACKET_FRAMES, VOICE_RATE, type Voice } from './caf-writer.ts';
import type { SoundBlock } from './pcm.ts';

const BITS_PER_SECOND = 32_000;
/** Of 10: the ones above take up to twice the time, which nobody hears in a voice. */
const COMPLEXITY = 5;
/** Opus's own number for the question how many frames its answer lags behind. */
const GET_LOOKAHEAD = 4027;
const RESAMPLE_FRAMES_MAX = 8_192;
const PEAK = 32_767;

export interface VoiceEncoder {
  push(block: SoundBlock): void;
  finish(): Voice;
}

export async function createVoiceEncoder(sampleRate: number): Promise<VoiceEncoder> {
  const resampler = await createResampler(sampleRate);
  const packer = createPacker();
  let frames = 0;
  return {
    push(block) {
      if (block.sampleRate !== sampleRate) throw new AudioRefusal(DAMAGED);
      const mono = mixDown(block.channels);
      frames += mono.length;
      for (let at = 0; at < mono.length; at += RESAMPLE_FRAMES_MAX) {
        packer.push(resampler.resample(mono.subarray(at, at + RESAMPLE_FRAMES_MAX)));
      }
    },
    finish() {
      const heard = Math.round((frames * VOICE_RATE) / sampleRate);
      if (heard === 0) throw new AudioRefusal(EMPTY);
      const wanted = Math.ceil((packer.primingFrames + heard) / PACKET_FRAMES) * PACKET_FRAMES;
      // The resampler keeps back half of its filter and the encoder its look-ahead: silence drives both out.
      while (packer.frames < wanted) packer.push(resampler.resample(new Float32Array(RESAMPLE_FRAMES_MAX)));
      resampler.close();
      const packets = packer.packets.slice(0, wanted / PACKET_FRAMES);
      return { packets, frames: heard, primingFrames: packer.primingFrames };
    },
  };
}

/** The mean of all channels. What is no number is silence, and what is too loud is cut off. */
function mixDown(channels: readonly Float32Array[]): Float32Array {
  const mono = new Float32Array(channels[0]?.length ?? 0);
  for (const channel of channels) {
    for (let frame = 0; frame < mono.length; frame += 1) {
      const sample = channel[frame] ?? 0;
      mono[frame] = (mono[frame] ?? 0) + (Number.isNaN(sample) ? 0 : Math.max(-1, Math.min(1, sample)));
    }
  }
  for (let frame = 0; frame < mono.length; frame += 1) mono[frame] = (mono[frame] ?? 0) / channels.length;
  return mono;
}

interface Resampler {
  resample(mono: Float32Array): Float32Array;
  close(): void;
}

async function createResampler(sampleRate: number): Promise<Resampler> {
  if (sampleRate === VOICE_RATE) return { resample: (mono) => mono, close: () => undefined };
  const converterType = resampling.ConverterType.SRC_SINC_FASTEST;
  const converter = await resampling.create(1, sampleRate, VOICE_RATE, { converterType });
  return { resample: (mono) => converter.full(mono), close: () => converter.destroy() };
}

interface Packer {
  readonly packets: Uint8Array[];
  readonly frames: number;
  readonly primingFrames: number;
  push(mono: Float32Array): void;
}

function createPacker(): Packer {
  const encoder = new Encoder({ channels: 1, sample_rate: VOICE_RATE, application: 'audio' });
  encoder.bitrate = BITS_PER_SECOND;
  encoder.complexity = COMPLEXITY;
  const packets: Uint8Array[] = [];
  const waiting = new Int16Array(PACKET_FRAMES);
  let filled = 0;
  return {
    packets,
    primingFrames: encoder.ctl(GET_LOOKAHEAD),
    get frames() {
      return packets.length * PACKET_FRAMES;
    },
    push(mono) {
      for (const sample of mono) {
        waiting[filled] = Math.round(Math.max(-1, Math.min(1, sample)) * PEAK);
        filled += 1;
        if (filled < PACKET_FRAMES) continue;
        packets.push(encoder.encode(waiting));
        filled = 0;
      }
    },
  };
}
