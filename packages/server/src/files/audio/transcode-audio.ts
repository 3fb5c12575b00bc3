/** From the bytes of a file to a voice memo. It takes its time: the worker's thread is the place to call it. */

import { isAiff, readAiff } from './aiff.ts';
import { AudioRefusal, CUT_SHORT, checkLength, checkSound, EMPTY, NOT_AUDIO } from './audio-refusal.ts';
import { checkVoiceMemo, isVoiceMemo, pcmOfCaf } from './caf.ts';
import { isCaf, readCaf } from './caf-header.ts';
import { VOICE_RATE, writeCaf } from './caf-writer.ts';
import { decodeM4a, decodeMp3 } from './decode-packets.ts';
import { createVoiceEncoder, type VoiceEncoder } from './encode-voice.ts';
import { isM4a, readM4a } from './m4a.ts';
import { isMp3, readMp3 } from './mp3.ts';
import { checkPcm, type PcmLayout, readPcm, type SoundBlock } from './pcm.ts';
import { isWav, readWav } from './wav.ts';

const MS_OF_A_SECOND = 1_000;

export interface VoiceMemo {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly durationMs: number;
}

export async function transcodeAudio(bytes: Uint8Array<ArrayBuffer>, lengthMaxMs: number): Promise<VoiceMemo> {
  const memo = readHead(() => findVoiceMemo(bytes, lengthMaxMs));
  if (memo !== null) return memo;
  const sound = readHead(() => openSound(bytes, lengthMaxMs));
  return encode(sound, lengthMaxMs);
}

/** Heads are read at places that a file that was cut short does not have. */
function readHead<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof RangeError ? new AudioRefusal(CUT_SHORT, { cause: error }) : error;
  }
}

function findVoiceMemo(bytes: Uint8Array<ArrayBuffer>, lengthMaxMs: number): VoiceMemo | null {
  if (!isCaf(bytes)) return null;
  const caf = readCaf(bytes);
  if (!isVoiceMemo(caf)) return null;
  checkVoiceMemo(bytes, caf, lengthMaxMs);
  return { bytes, durationMs: caf.durationMs };
}

type Sound = Iterable<SoundBlock> | AsyncIterable<SoundBlock>;

function openSound(bytes: Uint8Array, lengthMaxMs: number): Sound {
  if (isWav(bytes)) return openPcm(bytes, readWav(bytes), lengthMaxMs);
  if (isAiff(bytes)) return openPcm(bytes, readAiff(bytes), lengthMaxMs);
  if (isCaf(bytes)) return openPcm(bytes, pcmOfCaf(readCaf(bytes)), lengthMaxMs);
  if (isM4a(bytes)) return decodeM4a(bytes, readM4a(bytes, lengthMaxMs));
  if (isMp3(bytes)) return decodeMp3(bytes, readMp3(bytes, lengthMaxMs));
  throw new AudioRefusal(NOT_AUDIO);
}

function openPcm(bytes: Uint8Array, layout: PcmLayout, lengthMaxMs: number): Sound {
  return readPcm(bytes, layout, checkPcm(layout, lengthMaxMs));
}

/** The length is counted once more as sound comes out, whatever the heads of files have said. */
async function encode(sound: Sound, lengthMaxMs: number): Promise<VoiceMemo> {
  let encoder: VoiceEncoder | null = null;
  let frames = 0;
  for await (const block of sound) {
    if (encoder === null) checkSound(block.sampleRate, block.channels.length);
    encoder ??= await createVoiceEncoder(block.sampleRate);
    frames += block.channels[0]?.length ?? 0;
    checkLength(frames, block.sampleRate, lengthMaxMs + MS_OF_A_SECOND);
    encoder.push(block);
  }
  if (encoder === null) throw new AudioRefusal(EMPTY);
  const voice = encoder.finish();
  return { bytes: writeCaf(voice), durationMs: Math.round((voice.frames / VOICE_RATE) * MS_OF_A_SECOND) };
}
