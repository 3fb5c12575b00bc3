/** Files that are broken, cut short, or made to do harm: each is refused with a sentence, and nothing else happens. */
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countFrom } from '../../../test/counts.ts';
import { readM4a } from '../src/files/audio/m4a.ts';
import { writeM4aHead } from '../src/files/audio/m4a-writer.ts';
import { createTranscoder, TRANSCODER_LIMITS, type Transcoder } from '../src/files/audio/transcoder.ts';
import { hasFfmpeg, makeByFfmpeg, makeWav } from './audio-media.ts';

const PART = 'broken and hostile files of the kinds that ffmpeg makes';
const SEED = 20_261_121;
const MUTATIONS_OF_EACH = countFrom('AUDIO_CHANGES');
const RANDOM_FILES = 4 * MUTATIONS_OF_EACH;
const PREFIXES = 12;
/** How finely the places of changes are spread over a file. */
const PARTS = 10_000;
const MB = 1_000_000;
const RSS_GROWTH_MAX = 300 * MB;
const POLL_MS = 10;
/** The full counts of the soak take their time. */
const MANY_FILES_MS = 240_000 * Math.ceil(MUTATIONS_OF_EACH / 60);

const NOT_AUDIO = 'names a file that is not m4a, mp3, wav, caf or aiff';
const CUT_SHORT = 'names a file that cannot be read as audio: it is cut short';
const DAMAGED = 'names a file that cannot be read as audio: it is damaged';
const EMPTY = 'names a file that cannot be read as audio: it holds no sound';
const TOO_LONG = 'names a file that is longer than 5 minutes';

type Bytes = Uint8Array<ArrayBuffer>;

let transcoder: Transcoder;
beforeAll(() => {
  transcoder = createTranscoder();
});
afterAll(() => transcoder.close());

const wav = (): Bytes => makeWav({ rate: 8_000, seconds: 0.3 });
const text = (words: string): Bytes => new Uint8Array(Buffer.from(words, 'latin1'));

function patch(bytes: Bytes, at: number, ...values: readonly number[]): Bytes {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
}

/** Patches what stands so many bytes behind a name of four characters. */
function patchAfter(bytes: Bytes, name: string, by: number, ...values: readonly number[]): Bytes {
  const at = Buffer.from(bytes).indexOf(name, 0, 'latin1');
  if (at < 0) throw new Error(`There is no ${name}.`);
  return patch(bytes, at + by, ...values);
}

const MAX = [0xff, 0xff, 0xff, 0xff];

const BROKEN: readonly (readonly [string, () => Bytes, string])[] = [
  ['nothing at all', () => new Uint8Array(), NOT_AUDIO],
  ['one byte', () => Uint8Array.of(0xff), NOT_AUDIO],
  ['a text', () => text('#EXTM3U\nfile:///etc/passwd\n'.repeat(100)), NOT_AUDIO],
  ['a picture', () => text(`\x89PNG\r\n\x1a\n${'\0'.repeat(1_000)}`), NOT_AUDIO],
  ['an Ogg file', () => text(`OggS${'\0'.repeat(1_000)}`), NOT_AUDIO],
  ['a FLAC file with a tag', () => text(`ID3\x03\0\0\0\0\0\0fLaC${'\0'.repeat(70_000)}`), NOT_AUDIO],
  ['a wav that is cut short', () => wav().slice(0, -1), CUT_SHORT],
  ['the first bytes of a wav', () => wav().slice(0, 20), CUT_SHORT],
  ['a wav that claims 4 GB', () => patch(wav(), 40, 0xf0, 0xff, 0xff, 0xff), CUT_SHORT],
  ['a wav whose sound comes before its format', () => patch(wav(), 12, ...text('data')), DAMAGED],
  ['a wav without a sample', () => patch(wav(), 40, 0, 0, 0, 0), EMPTY],
  ['a wav with codec 2', () => patch(wav(), 20, 2), 'names a file with codec 0x2 in wav, which is not read'],
  ['a wav of no channel', () => patch(wav(), 22, 0), DAMAGED],
  ['a wav whose frames have an odd size', () => patch(wav(), 32, 3), DAMAGED],
  [
    'a wav of one sample a second',
    () => patch(wav(), 24, 1, 0, 0, 0),
    'names a file whose sample rate is not between 4000 and 192000 Hz',
  ],
  [
    'a wav of sixteen channels',
    () => makeWav({ rate: 8_000, seconds: 0.1, channels: 16 }),
    'names a file that does not have between 1 and 8 channels',
  ],
  ['a wav of five minutes and a sample', () => makeWav({ rate: 4_000, seconds: 300.001, sound: () => 0 }), TOO_LONG],
  ['a wav of nothing but empty chunks', () => text(`RIFF....WAVE${'LIST\0\0\0\0'.repeat(50_000)}`), DAMAGED],
  ['a caf head', () => text('caff\0\x01\0\0'), CUT_SHORT],
  ['an aiff head', () => text('FORM\0\0\0\x04AIFF'), CUT_SHORT],
  ['an m4a head', () => text('\0\0\0\x0cftypM4A '), CUT_SHORT],
  ['a tag of 256 MB', () => text('ID3\x03\0\0\x7f\x7f\x7f\x7f'), CUT_SHORT],
];

const sine = (kind: string, ...options: readonly string[]): Bytes =>
  makeByFfmpeg('sine=frequency=440:duration=0.5', kind, ...options);
const moovFirst = (...options: readonly string[]): Bytes => sine('m4a', '-movflags', '+faststart', ...options);

const BROKEN_BY_FFMPEG: readonly (readonly [string, () => Bytes, string])[] = [
  ['an aiff that claims more frames', () => patchAfter(sine('aiff'), 'COMM', 10, ...MAX), CUT_SHORT],
  [
    'an aiff with a codec of its own',
    () => patchAfter(sine('aiff', '-c:a', 'pcm_mulaw'), 'ulaw', 0, ...text('ima4')),
    'names a file with ima4 in aiff, which is not read',
  ],
  ['a caf with ALAC', () => sine('caf', '-c:a', 'alac'), 'names a file with alac in caf, which is not read'],
  [
    'a caf with Opus of 48,000 Hz',
    () => sine('caf', '-c:a', 'libopus', '-ar', '48000'),
    'names a file with opus of 48000 Hz and 1 channels in caf, which is not read',
  ],
  ['an mp3 that claims more frames', () => patchAfter(sine('mp3'), 'Info', 8, ...MAX), CUT_SHORT],
  ['an AAC stream without a container', () => sine('aac'), NOT_AUDIO],
  ['an m4a whose table has 4 billion packets', () => patchAfter(moovFirst(), 'stsz', 12, ...MAX), DAMAGED],
  ['the same, of one size', () => patchAfter(moovFirst(), 'stsz', 8, 0, 0, 0, 1, ...MAX), TOO_LONG],
  ['an m4a whose table has no packet', () => patchAfter(moovFirst(), 'stsz', 12, 0, 0, 0, 0), EMPTY],
  ['an m4a with a packet beyond its end', () => patchAfter(moovFirst(), 'stco', 12, 0x7f), CUT_SHORT],
  ['an m4a whose chunk table claims 4 billion rows', () => patchAfter(moovFirst(), 'stco', 8, ...MAX), DAMAGED],
  ['an m4a with a box of no size', () => patchAfter(moovFirst(), 'mdia', -4, 0, 0, 0, 3), DAMAGED],
  [
    'an m4a with another codec',
    () => patchAfter(moovFirst(), 'mp4a', 0, ...text('Opus')),
    'names a file with Opus in m4a, which is not read',
  ],
  [
    'an m4a whose packets of ALAC have 4 billion frames each',
    () => patchAfter(moovFirst('-c:a', 'alac'), 'mdat', 6, 0x10, ...MAX),
    DAMAGED,
  ],
  [
    'a film',
    () => makeByFfmpeg('testsrc=duration=0.5:size=64x64[out0];sine=duration=0.5[out1]', 'mp4', '-c:v', 'mpeg4'),
    NOT_AUDIO,
  ],
];

describe('what is refused', () => {
  it.each(BROKEN)('is %s', async (_name, make, why) => {
    expect(await transcoder.transcode(make())).toEqual({ state: 'refused', why });
  });

  it.each(BROKEN_BY_FFMPEG)('is %s, made of a whole one', async (_name, make, why) => {
    if (!hasFfmpeg(PART)) return;
    expect(await transcoder.transcode(make())).toEqual({ state: 'refused', why });
  });

  it('is a file larger than 64 MB, before it is looked at', async () => {
    const why = 'names a file that is larger than 64 MB';
    const bytes = new Uint8Array(TRANSCODER_LIMITS.inputMaxBytes + 1);
    expect(await transcoder.transcode(bytes)).toEqual({ state: 'refused', why });
    expect(bytes.length).toBe(64_000_001);
  });

  it('is a voice memo whose table does not fit its packets', async () => {
    const made = await transcoder.transcode(wav());
    if (made.state !== 'transcoded') throw new Error(made.state);
    const memo = made.bytes;
    const broken = [
      patchAfter(memo, 'pakt', 19, 255),
      patchAfter(memo, 'pakt', 27, 1),
      patchAfter(memo, 'pakt', 36, 127),
      patchAfter(memo, 'pakt', 36, 0),
      patchAfter(memo, 'data', 16, 0xff),
      memo.slice(0, -1),
    ];
    for (const bytes of broken) expect((await transcoder.transcode(bytes)).state).toBe('refused');
  });
});

/** Kinds of files to break, short ones. */
function wholeFiles(): Bytes[] {
  if (!hasFfmpeg(PART)) return [wav()];
  return [
    wav(),
    sine('aiff', '-ar', '8000'),
    sine('caf', '-ar', '8000'),
    sine('mp3'),
    sine('m4a'),
    moovFirst('-ar', '16000'),
    sine('m4a', '-c:a', 'alac'),
    sine('m4a', '-movflags', '+frag_keyframe+empty_moov'),
  ];
}

/** What becomes of each file, in a thread that has to stay alive until the last one. */
async function tryAll(files: readonly Bytes[]): Promise<string[]> {
  const outcomes: string[] = [];
  const thread = new Worker(new URL('./audio-case-thread.ts', import.meta.url), {
    workerData: { files, lengthMaxMs: TRANSCODER_LIMITS.lengthMaxMs },
    env: { OPUS_FORCE_WASM: '1' },
    execArgv: [],
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: TRANSCODER_LIMITS.heapMaxMb },
  });
  thread.stderr.resume();
  await new Promise<void>((resolve, reject) => {
    thread.on('message', ({ outcome }) => outcomes.push(outcome));
    thread.on('error', reject);
    thread.on('exit', () => resolve());
  });
  expect(outcomes.length).toBe(files.length);
  return outcomes;
}

const isExpected = (outcome: string): boolean => outcome === 'transcoded' || outcome.startsWith('names a file ');

describe('a thread survives', () => {
  it('whole files cut off anywhere, and none of them passes', { timeout: MANY_FILES_MS }, async () => {
    const files = wholeFiles().flatMap((file) =>
      Array.from({ length: PREFIXES }, (_, index) => file.slice(0, Math.floor((file.length * index) / PREFIXES))),
    );
    const outcomes = await tryAll(files);
    expect(outcomes.filter((outcome) => outcome === 'transcoded' || !isExpected(outcome))).toEqual([]);
  });

  it('whole files with bytes changed, left out and doubled', { timeout: MANY_FILES_MS }, async () => {
    const change = fc.record({
      kind: fc.constantFrom('set', 'set', 'set', 'fill', 'fill', 'fill', 'remove', 'double'),
      // Heads are where the numbers are: half of the changes fall there.
      place: fc.oneof(fc.nat({ max: PARTS }), fc.nat({ max: PARTS / 25 })).map((part) => part / PARTS),
      length: fc.integer({ min: 1, max: 64 }),
      value: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)),
    });
    const changes = fc.array(change, { minLength: 1, maxLength: 3 });
    const files = wholeFiles().flatMap((file, index) =>
      fc
        .sample(changes, { seed: SEED + index, numRuns: MUTATIONS_OF_EACH })
        .map((list) => list.reduce((bytes, one) => applyChange(bytes, one), file)),
    );
    const outcomes = await tryAll(files);
    expect(outcomes.filter((outcome) => !isExpected(outcome))).toEqual([]);
    // They are not all thrown out at the door.
    expect(outcomes.filter((outcome) => outcome === 'transcoded').length).toBeGreaterThan(files.length / 5);
  });

  it('random bytes behind the heads of known kinds', { timeout: MANY_FILES_MS }, async () => {
    const heads = [
      '',
      'RIFF\0\0\0\0WAVE',
      'FORM\0\0\0\0AIFF',
      'caff\0\x01\0\0',
      '\0\0\0\x0cftypM4A ',
      'ID3\x03\0\0\0\0\0\0',
      '\xff\xfb\x90\x44',
    ];
    const arbitrary = fc.tuple(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 4_096 }));
    const files = fc
      .sample(arbitrary, { seed: SEED, numRuns: RANDOM_FILES })
      .map(([head, tail]) => new Uint8Array(Buffer.concat([text(head), tail])));
    const outcomes = await tryAll(files);
    expect(outcomes.filter((outcome) => outcome === 'transcoded' || !isExpected(outcome))).toEqual([]);
  });
});

interface Change {
  readonly kind: string;
  readonly place: number;
  readonly length: number;
  readonly value: number;
}

function applyChange(bytes: Bytes, { kind, place, length, value }: Change): Bytes {
  const at = Math.floor(place * Math.max(0, bytes.length - 1));
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(at + length);
  if (kind === 'remove') return new Uint8Array(Buffer.concat([before, after]));
  if (kind === 'double')
    return new Uint8Array(Buffer.concat([before, bytes.subarray(at, at + length), bytes.subarray(at)]));
  if (kind === 'set') return patch(bytes, Math.min(at, Math.max(0, bytes.length - 1)), value);
  return new Uint8Array(
    Buffer.concat([before, new Uint8Array(Math.min(length, bytes.length - at)).fill(value), after]),
  );
}

describe('memory is bounded', () => {
  /** One packet of eight silent channels, so often that it lasts as many seconds. */
  function silence(seconds: number): Bytes {
    const made = makeByFfmpeg('anullsrc=channel_layout=7.1:sample_rate=48000', 'm4a', '-t', '1');
    const m4a = readM4a(made, TRANSCODER_LIMITS.lengthMaxMs);
    const packet = m4a.packets[10];
    if (packet === undefined) throw new Error('The file has fewer packets than a second should.');
    const packets = Array<typeof packet>(Math.floor((seconds * 48_000) / 1_024)).fill(packet);
    const sound = made.subarray(packet.at, packet.at + packet.byteLength);
    return new Uint8Array(Buffer.concat([writeM4aHead({ ...m4a, packets }), ...packets.map(() => sound)]));
  }

  async function growthDuring(work: () => Promise<unknown>): Promise<number> {
    const before = process.memoryUsage.rss();
    let peak = before;
    const timer = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss());
    }, POLL_MS);
    await work();
    clearInterval(timer);
    return peak - before;
  }

  it('for a small file that would unfold into 440 MB', { timeout: MANY_FILES_MS }, async () => {
    if (!hasFfmpeg(PART)) return;
    const patient = createTranscoder({ timeMaxMs: 120_000 });
    const file = silence(290);
    expect(file.length).toBeLessThan(MB);
    const growth = await growthDuring(async () => {
      expect((await patient.transcode(file)).state).toBe('transcoded');
    });
    expect(growth).toBeLessThan(RSS_GROWTH_MAX);
    await patient.close();
  });

  it('for a file of hours, which is refused before it is decoded', async () => {
    if (!hasFfmpeg(PART)) return;
    const file = silence(20_000);
    const growth = await growthDuring(async () => {
      expect(await transcoder.transcode(file)).toEqual({ state: 'refused', why: TOO_LONG });
    });
    expect(growth).toBeLessThan(RSS_GROWTH_MAX);
  });
});
