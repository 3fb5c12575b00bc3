/**
 * What is wrong with a file that somebody wants to send as a voice memo. It is thrown where a decoder notices it and
 * becomes a value at the job's end; anything else that is thrown is a bug of ours.
 */

/** Its message completes "The 'audio_message' field …". */
export class AudioRefusal extends Error {}

export const NOT_AUDIO = 'names a file that is not m4a, mp3, wav, caf or aiff';
export const CUT_SHORT = 'names a file that cannot be read as audio: it is cut short';
export const DAMAGED = 'names a file that cannot be read as audio: it is damaged';
export const EMPTY = 'names a file that cannot be read as audio: it holds no sound';

const MS_OF_A_SECOND = 1_000;
const MS_OF_A_MINUTE = 60_000;

export function refuseCodec(container: string, codec: string): AudioRefusal {
  // A name of four bytes comes out of the file: only what is printed on a keyboard goes into a sentence.
  const name = codec.replaceAll(/[^\x21-\x7e ]/g, '?').trim();
  return new AudioRefusal(
    `names a file with ${name === '' ? 'an unknown codec' : name} in ${container}, which is not read`,
  );
}

/** Refuses what lasts longer than a voice memo may, before any of it is decoded. */
export function checkLength(frames: number, sampleRate: number, lengthMaxMs: number): void {
  if ((frames / sampleRate) * MS_OF_A_SECOND <= lengthMaxMs) return;
  const minutes = lengthMaxMs / MS_OF_A_MINUTE;
  const limit = Number.isInteger(minutes) ? `${minutes} minutes` : `${lengthMaxMs / MS_OF_A_SECOND} seconds`;
  throw new AudioRefusal(`names a file that is longer than ${limit}`);
}

const RATE_MIN = 4_000;
const RATE_MAX = 192_000;
const CHANNELS_MAX = 8;

/** Refuses rates and numbers of channels that no recording has; a rate of 1 Hz makes hours of a few bytes. */
export function checkSound(sampleRate: number, channels: number): void {
  if (!(sampleRate >= RATE_MIN && sampleRate <= RATE_MAX)) {
    throw new AudioRefusal(`names a file whose sample rate is not between ${RATE_MIN} and ${RATE_MAX} Hz`);
  }
  if (channels < 1 || channels > CHANNELS_MAX) {
    throw new AudioRefusal(`names a file that does not have between 1 and ${CHANNELS_MAX} channels`);
  }
}
