/** The transcoder itself: its threads, its limits, and what comes out for sound that is made by hand. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCafHeader } from '../src/files/audio/caf-header.ts';
import { createTranscoder, type Transcoder, type Transcoding } from '../src/files/audio/transcoder.ts';
import { loudnessAt, loudnessOf, makeWav, readCafIndependently, tone } from './audio-media.ts';

const RATES = [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000];
const thread = (text: string): URL => new URL(`data:text/javascript,${encodeURIComponent(text)}`);
const FOREVER = thread('for (;;) {}');

let transcoder: Transcoder;
beforeEach(() => {
  transcoder = createTranscoder();
});
afterEach(() => transcoder.close());

async function transcode(bytes: Uint8Array): Promise<Extract<Transcoding, { state: 'transcoded' }>> {
  const outcome = await transcoder.transcode(bytes);
  if (outcome.state !== 'transcoded') throw new Error(JSON.stringify(outcome));
  return outcome;
}

describe('a voice memo', () => {
  it.each(RATES)('of %i Hz becomes Opus in caf, 24,000 Hz, one channel, and lasts as long', async (rate) => {
    const { bytes, durationMs } = await transcode(makeWav({ rate, seconds: 1 }));
    const facts = readCafIndependently(bytes);
    expect(facts).toMatchObject({ codec: 'opus', rate: 24_000, channels: 1, framesPerPacket: 480 });
    expect(facts.chunks).toEqual(['desc', 'chan', 'pakt', 'data']);
    expect(facts.validFrames).toBe(24_000);
    expect(facts.primingFrames + facts.validFrames + facts.remainderFrames).toBe(480 * facts.packetSizes.length);
    expect(facts.packetSizes.reduce((sum, size) => sum + size, 0)).toBe(facts.soundBytes);
    expect(durationMs).toBe(1_000);
  });

  it.each([0.001, 0.1, 1, 60])('of %f seconds has no packet too many', async (seconds) => {
    const { bytes, durationMs } = await transcode(makeWav({ rate: 16_000, seconds }));
    const facts = readCafIndependently(bytes);
    expect(facts.validFrames).toBe(24_000 * seconds);
    expect(facts.remainderFrames).toBeGreaterThanOrEqual(0);
    expect(facts.remainderFrames).toBeLessThan(480);
    expect(durationMs).toBe(1_000 * seconds);
  });

  it('that is one already goes through untouched', async () => {
    const { bytes } = await transcode(makeWav({ rate: 48_000, seconds: 2 }));
    const again = await transcode(bytes.slice());
    expect(Buffer.compare(again.bytes, bytes)).toBe(0);
    expect(again.durationMs).toBe(2_000);
  });

  it('is made of a wav that was written into a pipe, which cannot know its length', async () => {
    const wav = makeWav({ rate: 16_000, seconds: 1 });
    wav.fill(0xff, 4, 8).fill(0xff, 40, 44);
    expect((await transcode(wav)).durationMs).toBe(1_000);
  });

  it('is made of a rate that is no whole number of anything', async () => {
    expect((await transcode(makeWav({ rate: 12_347, seconds: 2 }))).durationMs).toBe(2_000);
  });

  it('tells by its head what it is', async () => {
    const { bytes } = await transcode(makeWav({ rate: 48_000, seconds: 2 }));
    const memo = { codec: 'opus', sampleRate: 24_000, channels: 1, frames: 48_000, durationMs: 2_000 };
    expect(readCafHeader(bytes)).toEqual(memo);
    expect(readCafHeader(bytes.subarray(0, bytes.length - 1))).toBeNull();
    expect(readCafHeader(makeWav({ rate: 8_000, seconds: 1 }))).toBeNull();
  });
});

describe('the threads', () => {
  it('take the bytes and give their memory back', async () => {
    const wav = makeWav({ rate: 8_000, seconds: 1 });
    await transcode(wav);
    expect(wav.length).toBe(0);
    const pooled = Buffer.from(makeWav({ rate: 8_000, seconds: 0.05 }));
    await transcode(pooled);
    expect(pooled.length).toBe(844);
  });

  it('are ended when the time is over, and the file is refused', async () => {
    const slow = createTranscoder({ timeMaxMs: 300 }, FOREVER);
    expect(await slow.transcode(Uint8Array.of(1))).toEqual({
      state: 'refused',
      why: 'names a file that takes too long to decode',
    });
    // Were the thread still there, it would not end.
    await slow.close();
  });

  it('let files wait, turn further ones away, and blame none that has waited', async () => {
    const slow = createTranscoder({ timeMaxMs: 400, runningMax: 1, waitingMax: 1 }, FOREVER);
    const outcomes = await Promise.all([1, 2, 3].map((byte) => slow.transcode(Uint8Array.of(byte))));
    expect(outcomes.map(({ state }) => state)).toEqual(['refused', 'busy', 'busy']);
    await slow.close();
  });

  it('take the next file when one is done', async () => {
    const narrow = createTranscoder({ runningMax: 1 });
    const files = [1, 2, 3, 4].map(() => makeWav({ rate: 8_000, seconds: 0.1 }));
    const outcomes = await Promise.all(files.map((file) => narrow.transcode(file)));
    expect(outcomes.map(({ state }) => state)).toEqual(Array(4).fill('transcoded'));
    await narrow.close();
  });

  it('that need too much memory end alone, and the file is refused', async () => {
    const greedy = thread('const kept = []; for (;;) kept.push(Array.from({ length: 1000 }, () => ({})));');
    const small = createTranscoder({ heapMaxMb: 32 }, greedy);
    expect(await small.transcode(Uint8Array.of(1))).toEqual({
      state: 'refused',
      why: 'names a file that takes too much memory to decode',
    });
    await small.close();
  });

  it.each([
    ['throws', 'throw new Error("A bug.");', 'A bug.'],
    ['rejects', 'await Promise.reject(new Error("A bug."));', 'A bug.'],
    ['ends without an answer', 'process.exit(3);', "The transcoder's thread ended with 3 and without an answer."],
  ])('fail the call when one %s, and the next call is served', async (_what, text, message) => {
    const broken = createTranscoder({ runningMax: 1 }, thread(text));
    await expect(broken.transcode(Uint8Array.of(1))).rejects.toThrow(message);
    await expect(broken.transcode(Uint8Array.of(1))).rejects.toThrow(message);
    await broken.close();
  });

  it('see no environment but their own', async () => {
    const tell = thread(
      'import { parentPort } from "node:worker_threads"; parentPort.postMessage({ state: "refused", why: Object.keys(process.env).join() });',
    );
    const open = createTranscoder({}, tell);
    expect(await open.transcode(Uint8Array.of(1))).toEqual({ state: 'refused', why: 'OPUS_FORCE_WASM' });
    await open.close();
  });

  it('end with close, and what was under way is busy', async () => {
    const slow = createTranscoder({ runningMax: 1, waitingMax: 5 }, FOREVER);
    const outcomes = [1, 2, 3].map((byte) => slow.transcode(Uint8Array.of(byte)));
    await slow.close();
    expect((await Promise.all(outcomes)).map(({ state }) => state)).toEqual(['busy', 'busy', 'busy']);
    expect(await slow.transcode(Uint8Array.of(4))).toEqual({ state: 'busy' });
    await slow.close();
  });
});

describe('the tests themselves', () => {
  it('hear how loud a tone is', () => {
    const sound = tone(1_000, 0.25);
    const samples = Float32Array.from({ length: 48_000 }, (_, index) => sound(index / 48_000));
    expect(loudnessAt(samples, 1_000)).toBeCloseTo(0.25, 3);
    expect(loudnessAt(samples, 1_500)).toBeLessThan(0.01);
    expect(loudnessOf(samples)).toBeCloseTo(0.25 / Math.SQRT2, 3);
  });
});
