/** Decodes mp3 and m4a a few packets at a time, so that what a packet unfolds into is bounded at every moment. */
import decode, { type AudioData, type StreamDecoder } from 'audio-decode';
import { AudioRefusal, DAMAGED } from './audio-refusal.ts';
import type { M4a } from './m4a.ts';
import { writeM4aHead } from './m4a-writer.ts';
import type { Mp3 } from './mp3.ts';
import type { SoundBlock } from './pcm.ts';

/** A packet of AAC may become 2,048 frames of 64 channels: a megabyte for a few bytes. */
const M4A_PACKETS_AT_ONCE = 16;
const MP3_FRAMES_AT_ONCE = 64;
/** Decoders leave out what they cannot read and say nothing; this much has to come out at least. */
const DECODED_SHARE_MIN = 0.9;
/** What a decoder keeps for itself at the beginning and at the end, and what players are to cut off. */
const UNHEARD_S = 0.35;

export async function* decodeMp3(bytes: Uint8Array, mp3: Mp3): AsyncGenerator<SoundBlock> {
  const decoder = await decode.mp3();
  const groups = inGroups(mp3.pieces, MP3_FRAMES_AT_ONCE);
  const pieces = groups.map((group) => group.map(([from, to]) => bytes.subarray(from, to)));
  yield* decodePieces(decoder, pieces, mp3.frames / mp3.sampleRate);
}

export async function* decodeM4a(bytes: Uint8Array, m4a: M4a): AsyncGenerator<SoundBlock> {
  const decoder = await decode.m4a();
  const groups = inGroups(m4a.packets, M4A_PACKETS_AT_ONCE);
  const pieces = groups.map((group) => group.map(({ at, byteLength }) => bytes.subarray(at, at + byteLength)));
  const { packetFrames, sampleRate } = m4a.codec;
  const allS = (m4a.packets.length * packetFrames) / sampleRate;
  const heardS = m4a.heard === null ? allS : Math.min(allS - m4a.heard.startS, m4a.heard.lengthS);
  yield* decodePieces(decoder, [[writeM4aHead(m4a)], ...pieces], heardS);
}

async function* decodePieces(
  decoder: StreamDecoder,
  pieces: readonly (readonly Uint8Array[])[],
  expectedS: number,
): AsyncGenerator<SoundBlock> {
  let decodedS = 0;
  try {
    for (const piece of [...pieces, null]) {
      const sound = await decodeOnce(decoder, piece === null ? undefined : Buffer.concat(piece));
      const frames = sound.channelData[0]?.length ?? 0;
      if (frames === 0) continue;
      decodedS += frames / sound.sampleRate;
      yield { channels: sound.channelData, sampleRate: sound.sampleRate };
    }
  } finally {
    decoder.free();
  }
  if (decodedS < expectedS * DECODED_SHARE_MIN - UNHEARD_S) throw new AudioRefusal(DAMAGED);
}

/** What a decoder throws is about the file: it is the only thing that the decoder was given. */
async function decodeOnce(decoder: StreamDecoder, piece: Uint8Array | undefined): Promise<AudioData> {
  try {
    return await decoder(piece);
  } catch (error) {
    throw new AudioRefusal(DAMAGED, { cause: error });
  }
}

function inGroups<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
