/** Files as other programs write them: what ffmpeg makes is transcoded, and ffmpeg hears the same in what comes out. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countFrom } from '../../../test/counts.ts';
import { createTranscoder, type Transcoder, type Transcoding } from '../src/files/audio/transcoder.ts';
import {
  decodeByFfmpeg,
  hasFfmpeg,
  loudnessAt,
  loudnessOf,
  makeByFfmpeg,
  makeWav,
  probe,
  readCafIndependently,
  tone,
} from './audio-media.ts';

const PART = 'voice memos of files that ffmpeg makes';
const NEAR_MS = 50;
/** Its sine has an eighth of full loudness. */
const LOUDNESS = 0.125;
// Left to itself, ffmpeg makes what it spreads over two channels quieter.
const STEREO = ['-af', 'pan=stereo|c0=c0|c1=c0'];
const FLOAT = ['-c:a', 'pcm_f32le'];

const FORMATS: readonly (readonly [string, string, ...string[]])[] = [
  ['wav, 8 bits', 'wav', '-c:a', 'pcm_u8'],
  ['wav, 16 bits', 'wav', '-c:a', 'pcm_s16le'],
  ['wav, 24 bits', 'wav', '-c:a', 'pcm_s24le', ...STEREO],
  ['wav, 32 bits', 'wav', '-c:a', 'pcm_s32le'],
  ['wav, float', 'wav', ...FLOAT, ...STEREO],
  ['wav, double', 'wav', '-c:a', 'pcm_f64le'],
  ['wav, A-law', 'wav', '-c:a', 'pcm_alaw', '-ar', '8000'],
  ['wav, mu-law', 'wav', '-c:a', 'pcm_mulaw', '-ar', '8000'],
  ['wav of six channels', 'wav', '-af', 'pan=5.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0'],
  ['aiff, 16 bits', 'aiff'],
  ['aiff, 8 bits', 'aiff', '-c:a', 'pcm_s8'],
  ['aiff, 24 bits', 'aiff', '-c:a', 'pcm_s24be', ...STEREO],
  ['aiff-c, the other way round', 'aiff', '-c:a', 'pcm_s16le'],
  ['aiff-c, float', 'aiff', '-c:a', 'pcm_f32be'],
  ['aiff-c, mu-law', 'aiff', '-c:a', 'pcm_mulaw'],
  ['caf, 16 bits', 'caf', '-c:a', 'pcm_s16be'],
  ['caf, 24 bits', 'caf', '-c:a', 'pcm_s24le', ...STEREO],
  ['caf, float', 'caf', ...FLOAT],
  ['caf, A-law', 'caf', '-c:a', 'pcm_alaw'],
  ['caf, mu-law', 'caf', '-c:a', 'pcm_mulaw'],
  ['mp3', 'mp3', ...STEREO],
  ['mp3, variable', 'mp3', '-q:a', '4'],
  ['mp3, mono, 22,050 Hz', 'mp3', '-ar', '22050'],
  ['mp3, 8,000 Hz', 'mp3', '-ar', '8000'],
  ['mp3 with tags on both ends', 'mp3', '-write_id3v1', '1', '-metadata', 'title=A memo'],
  ['m4a', 'm4a'],
  ['m4a, stereo, 48,000 Hz', 'm4a', ...STEREO, '-ar', '48000'],
  ['m4a, 8,000 Hz', 'm4a', '-ar', '8000'],
  ['m4a, 16,000 Hz', 'm4a', '-ar', '16000'],
  ['m4a, 96,000 Hz', 'm4a', '-ar', '96000'],
  ['m4a with its tables in front', 'm4a', '-movflags', '+faststart'],
  ['m4a in fragments', 'm4a', '-movflags', '+frag_keyframe+empty_moov', '-frag_duration', '300000'],
  ['m4a that calls itself mp4', 'mp4'],
  ['m4a, ALAC', 'm4a', '-c:a', 'alac'],
  ['m4a, ALAC, stereo, 24 bits', 'm4a', '-c:a', 'alac', ...STEREO, '-sample_fmt', 's32p'],
];

/** Evenly spread over all of them. */
const SOME_COUNT = Math.min(countFrom('AUDIO_FORMATS'), FORMATS.length);
const SOME = FORMATS.filter((_, place) => (place * SOME_COUNT) % FORMATS.length < SOME_COUNT);

let transcoder: Transcoder;
beforeAll(() => {
  transcoder = createTranscoder();
});
afterAll(() => transcoder.close());

async function transcode(bytes: Uint8Array): Promise<Extract<Transcoding, { state: 'transcoded' }>> {
  const outcome = await transcoder.transcode(bytes);
  if (outcome.state !== 'transcoded') throw new Error(JSON.stringify(outcome));
  return outcome;
}

/** Without the first and the last tenth of a second, where codecs swing in and out. */
const middleOf = (samples: Float32Array): Float32Array => samples.subarray(4_800, samples.length - 4_800);

describe('a file', () => {
  it.each(SOME)('of %s sounds and lasts the same', async (_name, kind, ...options) => {
    if (!hasFfmpeg(PART)) return;
    const { bytes, durationMs } = await transcode(makeByFfmpeg('sine=frequency=1000:duration=2', kind, ...options));
    expect(Math.abs(durationMs - 2_000)).toBeLessThan(NEAR_MS);
    expect(readCafIndependently(bytes)).toMatchObject({ codec: 'opus', rate: 24_000, channels: 1 });
    const seen = probe(bytes);
    expect(seen).toMatchObject({ codec: 'opus', channels: 1 });
    expect(Math.abs(seen.seconds - 2)).toBeLessThan(NEAR_MS / 1_000);
    const heard = middleOf(decodeByFfmpeg(bytes));
    expect(loudnessAt(heard, 1_000)).toBeGreaterThan(LOUDNESS * 0.9);
    expect(loudnessAt(heard, 1_000)).toBeLessThan(LOUDNESS * 1.1);
    // All of it is in the tone: nothing hums, hisses or crackles beside it.
    expect(loudnessOf(heard)).toBeLessThan((LOUDNESS / Math.SQRT2) * 1.15);
  });

  it.each([
    ['aiff', 'aiff'],
    ['mp3', 'mp3'],
    ['m4a', 'm4a'],
  ])('of %s begins when it begins', async (_name, kind) => {
    if (!hasFfmpeg(PART)) return;
    const click = 'aevalsrc=exprs=if(between(t\\,0.5\\,0.6)\\,0.5*sin(6283*t)\\,0):d=1:s=44100';
    const heard = decodeByFfmpeg((await transcode(makeByFfmpeg(click, kind))).bytes);
    const first = heard.findIndex((sample) => Math.abs(sample) > 0.1);
    expect(Math.abs(first / 48 - 500)).toBeLessThan(15);
  });
});

describe('an mp3', () => {
  const mp3 = () =>
    Buffer.from(makeByFfmpeg('sine=frequency=1000:duration=2', 'mp3', '-write_xing', '0', '-id3v2_version', '0'));

  it('may have something else between its frames', async () => {
    if (!hasFfmpeg(PART)) return;
    const whole = mp3();
    // A frame begins where the four bytes of the first one's head stand again.
    const next = whole.indexOf(whole.subarray(0, 4), 10_000);
    expect(next).toBeGreaterThan(0);
    const mixed = Buffer.concat([whole.subarray(0, next), Buffer.alloc(3_000, 0x55), whole.subarray(next)]);
    expect(Math.abs((await transcode(mixed)).durationMs - 2_000)).toBeLessThan(120);
  });

  it('with more of something else than of itself is refused', async () => {
    if (!hasFfmpeg(PART)) return;
    const mixed = Buffer.concat([mp3(), Buffer.alloc(70_000, 0x55)]);
    const why = 'names a file that cannot be read as audio: it is damaged';
    expect(await transcoder.transcode(mixed)).toEqual({ state: 'refused', why });
  });
});

describe('sound', () => {
  it.each([8_000, 16_000, 22_050, 44_100, 48_000, 96_000])('of %i Hz keeps its tones', async (rate) => {
    if (!hasFfmpeg(PART)) return;
    const low = tone(440, 0.3);
    const high = tone(2_500, 0.2);
    const sound = (time: number) => low(time) + high(time);
    const heard = middleOf(decodeByFfmpeg((await transcode(makeWav({ rate, seconds: 1, sound }))).bytes));
    expect(Math.abs(loudnessAt(heard, 440) - 0.3)).toBeLessThan(0.03);
    expect(Math.abs(loudnessAt(heard, 2_500) - 0.2)).toBeLessThan(0.03);
  });

  it('above what 24,000 Hz can hold is cut off and not folded back', async () => {
    if (!hasFfmpeg(PART)) return;
    const wav = makeWav({ rate: 96_000, seconds: 1, sound: tone(20_000) });
    expect(loudnessOf(middleOf(decodeByFfmpeg((await transcode(wav)).bytes)))).toBeLessThan(0.005);
  });

  it('of two channels is mixed', async () => {
    if (!hasFfmpeg(PART)) return;
    const sounds = [tone(440, 0.4), tone(1_500, 0.4)];
    const sound = (time: number, channel: number) => sounds[channel]?.(time) ?? 0;
    const wav = makeWav({ rate: 44_100, seconds: 1, channels: 2, sound });
    const heard = middleOf(decodeByFfmpeg((await transcode(wav)).bytes));
    expect(Math.abs(loudnessAt(heard, 440) - 0.2)).toBeLessThan(0.03);
    expect(Math.abs(loudnessAt(heard, 1_500) - 0.2)).toBeLessThan(0.03);
  });

  it('of silence stays silent', async () => {
    if (!hasFfmpeg(PART)) return;
    const heard = decodeByFfmpeg((await transcode(makeWav({ rate: 44_100, seconds: 1, sound: () => 0 }))).bytes);
    expect(heard.length).toBe(48_000);
    expect(loudnessOf(heard)).toBeLessThan(0.0005);
  });

  it('of a minute lasts a minute', async () => {
    if (!hasFfmpeg(PART)) return;
    const { bytes, durationMs } = await transcode(makeByFfmpeg('sine=frequency=440:duration=60', 'm4a'));
    expect(Math.abs(durationMs - 60_000)).toBeLessThan(NEAR_MS);
    expect(Math.abs(probe(bytes).seconds - 60)).toBeLessThan(NEAR_MS / 1_000);
  });
});
