import { NSAttributedString, Unarchiver } from '@parseaple/typedstream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AttributedRun, decodeAttributedBody } from '../src/macos/text/attributed-body.ts';
import { encodeAttributedBody, encodeAttributedRuns } from '../src/macos/text/encode-attributed-body.ts';
import { plainText } from '../src/macos/text/plain-text.ts';
import { HEADER, MIXED_BODY, MIXED_TEXT, PHOTO_BODY, PLAIN_HEAD, plainBody, toBody } from './apple-bodies.ts';

const NO_ATTRIBUTES = { part: null, transferGuid: null, filename: null, mention: null, link: null };
const MIXED_RUNS: readonly AttributedRun[] = [
  { ...NO_ATTRIBUTES, start: 0, length: 1, part: 0, transferGuid: 'at_0_PHOTO' },
  { ...NO_ATTRIBUTES, start: 1, length: 3, part: 1 },
  { ...NO_ATTRIBUTES, start: 4, length: 3, part: 1, mention: '+15550101234' },
  { ...NO_ATTRIBUTES, start: 7, length: 4, part: 1 },
  { ...NO_ATTRIBUTES, start: 11, length: 1, part: 2, transferGuid: 'at_2_FILE', filename: 'tides.pdf' },
  { ...NO_ATTRIBUTES, start: 12, length: 3, part: 3 },
  { ...NO_ATTRIBUTES, start: 15, length: 18, part: 3, link: 'https://t.example/' },
];
const REAL_BODIES = [
  { name: 'a plain text', body: plainBody('Wave 👋🏽', '0d', '09') },
  { name: 'a photo', body: PHOTO_BODY },
  { name: 'a text with everything', body: MIXED_BODY },
];
/** Where the form of a length changes, or where a decoder might think so. */
const EDGES = [0, 1, 109, 110, 127, 128, 145, 146, 255, 256, 32_767, 32_768, 65_535, 65_536, 70_000, 200_000];
/** The heads, references near and far, types, and numbers at either end. */
const TELLING_BYTES = toBody('81 82 83 84 85 86 92 93 95 9b a4', '=@+i[{', '00 01 7f ff');
const LETTERS = [
  { name: 'letters of one byte', letter: 'a', bytes: 1 },
  { name: 'letters of two bytes', letter: 'é', bytes: 2 },
  { name: 'letters of three bytes', letter: '水', bytes: 3 },
  { name: 'letters of two UTF-16 units and four bytes', letter: '🌊', bytes: 4 },
];

/** What an independent decoder makes of a body. It does not tell links. */
function decodeElsewhere(body: Uint8Array) {
  const root: unknown = Unarchiver.open(Buffer.from(body), Unarchiver.BinaryDecoding.none).decodeSingleRoot();
  if (!(root instanceof NSAttributedString)) throw new Error('The other decoder found no attributed string.');
  return {
    text: root.string,
    runs: root.runs.map(({ range, attributes }) => ({
      start: range[0],
      length: range[1],
      part: attributes['__kIMMessagePartAttributeName'] ?? null,
      transferGuid: attributes['__kIMFileTransferGUIDAttributeName'] ?? null,
      filename: attributes['__kIMFilenameAttributeName'] ?? null,
      mention: attributes['__kIMMentionConfirmedMention'] ?? null,
    })),
  };
}

function withoutLinks(body: Uint8Array) {
  const decoded = decodeAttributedBody(body);
  return decoded && { text: decoded.text, runs: decoded.runs.map(({ link: _, ...run }) => run) };
}

function onePart(text: string) {
  const runs = text === '' ? [] : [{ ...NO_ATTRIBUTES, start: 0, length: text.length, part: 0 }];
  return { text, runs };
}

/** Texts of all code points that UTF-8 can carry. */
const anyText = (maxLength: number) => fc.string({ unit: 'binary', maxLength });
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });

/** A text in stretches of any attributes. */
const anyRuns = fc
  .array(
    fc.record({
      words: fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
      part: optional(fc.nat({ max: 2 ** 31 - 1 })),
      transferGuid: optional(anyText(60)),
      filename: optional(anyText(200)),
      mention: optional(anyText(40)),
      link: optional(anyText(300)),
    }),
    { maxLength: 12 },
  )
  .map((pieces) => {
    const runs: AttributedRun[] = [];
    let text = '';
    for (const { words, ...attributes } of pieces) {
      runs.push({ start: text.length, length: words.length, ...attributes });
      text += words;
    }
    return { text, runs };
  });

describe('decodeAttributedBody', () => {
  it('reads a text with its attachments, mentions and links in the order of its runs', () => {
    expect(decodeAttributedBody(MIXED_BODY)).toEqual({ text: MIXED_TEXT, runs: MIXED_RUNS });
  });

  it.each(REAL_BODIES)('agrees with another decoder about $name', ({ body }) => {
    expect(withoutLinks(body)).toEqual(decodeElsewhere(body));
  });

  it('reads lengths of 32,768 to 65,535 in the form of two bytes', () => {
    for (const { length, digits } of [
      { length: 32_768, digits: '81 00 80' },
      { length: 40_000, digits: '81 40 9c' },
      { length: 65_535, digits: '81 ff ff' },
    ]) {
      const text = 'x'.repeat(length);
      const body = plainBody(text, digits, digits);
      expect(decodeAttributedBody(body)).toEqual(onePart(text));
      expect(decodeElsewhere(body).text).toBe(text);
    }
  });

  it('reads short lengths in the long forms', () => {
    for (const digits of ['05', '81 05 00', '82 05 00 00 00']) {
      expect(decodeAttributedBody(plainBody('tides', digits, digits))).toEqual(onePart('tides'));
    }
  });

  it('takes what is there where a length is larger than the file', () => {
    for (const digits of ['7f', '81 ff 7f', '81 ff ff', '82 ff ff ff 7f', '82 ff ff ff ff']) {
      expect(decodeAttributedBody(toBody(...PLAIN_HEAD, digits, '=what is there'))).toEqual({
        text: 'what is there',
        runs: [],
      });
    }
  });

  it('keeps the text where the runs cannot be read', () => {
    for (const broken of [
      '',
      'ff',
      '86',
      '84',
      '84 02 69',
      '84 02 69 49 01',
      '84 01 21 00',
      '84 02 69 49 01 05 92 95',
    ]) {
      const body = toBody(...PLAIN_HEAD, '05', '=tides', '86', broken);
      expect(decodeAttributedBody(body)).toEqual({ text: 'tides', runs: [] });
    }
  });

  it('reads on behind values of every type', () => {
    const values = [
      ...['84 04', '=[3i]', '01 81 00 01 ff', '84 09', '={p=f[2C]}', '83 00 00 80 3f 01 02'],
      ...[
        '84 09',
        '=silqSILQB',
        '01 02 03 04 05 06 07 82 ff ff ff ff 81',
        '84 02',
        '=fd',
        '01 83 00 00 00 00 00 00 f0 3f',
      ],
      ...['84 05', '=:%#*@', '84 02', '=go', '85 93 85 85'],
    ];
    const body = toBody(
      ...[...PLAIN_HEAD, '05', '=tides', '86 84 02 69 49 01 05'],
      ...[
        '92 84 84 84 0c',
        '=NSDictionary',
        '00 94 84 01 69 02 92 84 96 96 01',
        '=k',
        '86 92 84 84 84 03',
        '=Odd',
        '00 94',
      ],
      ...[...values, '86', '92 84 96 96 1d', '=__kIMMessagePartAttributeName', '86 92 84 84 84 08', '=NSNumber', '00'],
      ...['84 84 07', '=NSValue', '00 94 84 01 2a 84 84 01 71 a4 07 86 86 86'],
    );
    expect(decodeAttributedBody(body)?.runs).toEqual([{ ...NO_ATTRIBUTES, start: 0, length: 5, part: 7 }]);
  });

  it('knows no part where its number is none', () => {
    const body = plainBody('tides', '05', '05');
    body[body.length - 4] = 0xff;
    expect(decodeAttributedBody(body)?.runs).toEqual([{ ...NO_ATTRIBUTES, start: 0, length: 5 }]);
  });

  it('ends a run where the text ends', () => {
    expect(decodeAttributedBody(plainBody('tides', '05', '81 ff ff'))).toEqual(onePart('tides'));
  });

  it('reads the first root alone', () => {
    const behind = encodeAttributedBody('another one').subarray(16);
    for (const garbage of [Buffer.alloc(40, 0x84), Buffer.from('NSString'), behind]) {
      expect(decodeAttributedBody(Buffer.concat([MIXED_BODY, garbage]))).toEqual({
        text: MIXED_TEXT,
        runs: MIXED_RUNS,
      });
    }
  });

  it('reads a body that is UTF-16', () => {
    const body = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('Wave 👋🏽', 'utf16le')]);
    expect(decodeAttributedBody(body)).toEqual({ text: 'Wave 👋🏽', runs: [] });
  });

  it('reads no text from what is no typed stream', () => {
    const scrubbed = Buffer.from(plainBody('tides', '05', '05').map((byte) => (byte < 0x80 ? byte : 0x3f)));
    const bigEndian = toBody('04 0b', '=typedstream', '81 03 e8', '84 01 40 85');
    const others = [
      Buffer.alloc(0),
      Buffer.from('bplist00'),
      Buffer.from('tides'),
      scrubbed,
      bigEndian,
      toBody(...HEADER),
    ];
    for (const body of others) expect(decodeAttributedBody(body)).toBeNull();
  });

  it('reads no text from a stream of something else', () => {
    const number = toBody(...HEADER, '84 01 69 05');
    const nil = toBody(...HEADER, '84 01 40 85');
    const nilText = toBody(...PLAIN_HEAD, '85 86 86');
    for (const body of [number, nil, nilText]) expect(decodeAttributedBody(body)).toBeNull();
  });

  it('reads a body that is a piece of other bytes', () => {
    const page = Buffer.concat([Buffer.alloc(7, 0x84), MIXED_BODY, Buffer.alloc(9)]);
    const piece = new Uint8Array(page.buffer, page.byteOffset + 7, MIXED_BODY.length);
    expect(decodeAttributedBody(piece)).toEqual({ text: MIXED_TEXT, runs: MIXED_RUNS });
  });
});

describe('decodeAttributedBody on broken bytes', () => {
  it.each(REAL_BODIES)('reads of $name that is cut anywhere the beginning of what was there', ({ body }) => {
    const whole = decodeAttributedBody(body);
    for (let length = 0; length < body.length; length += 1) {
      const cut = decodeAttributedBody(body.subarray(0, length));
      if (cut === null) continue;
      expect(whole?.text.startsWith(cut.text.replace(/\ufffd$/, ''))).toBe(true);
      expect(cut.runs).toEqual(whole?.runs.slice(0, cut.runs.length));
    }
    expect(decodeAttributedBody(body.subarray(0, -1))).toEqual(whole);
  });

  it.each(REAL_BODIES)('never throws on $name with any one byte changed', ({ body }) => {
    for (let at = 0; at < body.length; at += 1) {
      const changed = Buffer.from(body);
      for (const byte of TELLING_BYTES) {
        changed[at] = byte;
        expectSound(changed);
      }
    }
  });

  it('never throws on random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), expectSound));
  });

  it('never throws on random heads, references and types behind a header', () => {
    const anyPiece = fc.oneof(
      fc.integer({ min: 0x81, max: 0x9c }).map((head) => Buffer.from([head])),
      fc.constantFrom('@', '+', 'i', 'iI', '*', '#', ':', 'c', 'd', '[9c]', '[3@]', '{a=@i}', '{', '[').map(toName),
      fc.uint8Array({ maxLength: 3 }),
    );
    const anyStream = fc
      .array(anyPiece, { maxLength: 80 })
      .map((pieces) => Buffer.concat([toBody(...HEADER), ...pieces]));
    fc.assert(fc.property(anyStream, expectSound), { numRuns: 2000 });
  });

  it('never throws on bodies that several bytes of are changed, left out or said twice', () => {
    const anyChange = fc.record({
      at: fc.nat({ max: MIXED_BODY.length - 1 }),
      bytes: fc.uint8Array({ maxLength: 4 }),
      skipped: fc.nat({ max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(anyChange, { minLength: 1, maxLength: 5 }), (changes) => {
        let body = MIXED_BODY;
        for (const { at, bytes, skipped } of changes) {
          body = Buffer.concat([body.subarray(0, at), bytes, body.subarray(at + skipped)]);
        }
        expectSound(body);
      }),
      { numRuns: 2000 },
    );
  });

  it('comes to an end on objects that nest without an end', () => {
    const head = toBody(...HEADER, '84 01 40 84 84 84 01', '=A', '00 85');
    expect(decodeAttributedBody(Buffer.concat([head, Buffer.alloc(3_000_000, toBody('92 84 93'))]))).toBeNull();
    expect(decodeAttributedBody(toBody(...PLAIN_HEAD, '05', '=tides', '86', '92 84 93 '.repeat(100_000)))?.text).toBe(
      'tides',
    );
  });

  it('comes to an end on types that nest without an end', () => {
    for (const type of ['[1'.repeat(60_000), '{a='.repeat(60_000), `${'[1'.repeat(17)}c${']'.repeat(17)}`]) {
      expect(
        decodeAttributedBody(Buffer.concat([toBody(...PLAIN_HEAD, '05', '=tides', '86'), toName(type)]))?.text,
      ).toBe('tides');
    }
  });

  it('comes to an end on values that take no bytes', () => {
    for (const type of [
      '[4294967295{a=}]',
      '{a=}'.repeat(2000),
      '[65535[65535[65535{a=}]]]',
      `[${'9'.repeat(400)}{a=}]`,
    ]) {
      const again = Buffer.alloc(60_000, 0x97);
      const body = Buffer.concat([toBody(...PLAIN_HEAD, '05', '=tides', '86'), toName(type), again]);
      expect(decodeAttributedBody(body)?.text).toBe('tides');
    }
  });

  it('comes to an end on groups without values and classes without objects', () => {
    const empty = Buffer.concat([toBody(...PLAIN_HEAD, '05', '=tides', '86 84 00'), Buffer.alloc(3_000_000, 0x97)]);
    const classes = Buffer.concat([
      toBody(...PLAIN_HEAD, '05', '=tides', '86 84 01 23'),
      Buffer.alloc(9_000_000, toBody('84 93 00')),
    ]);
    for (const body of [empty, classes]) expect(decodeAttributedBody(body)).toEqual({ text: 'tides', runs: [] });
  });

  it('comes to an end on a large dictionary that is named for each of many runs', () => {
    const pairs = '92 99 92 99'.repeat(60_000);
    const runs = Array.from({ length: 30_000 }, (_, n) => `97 82 ${littleEndian(n + 2)} 01 92 97`).join('');
    const body = toBody(
      ...[...PLAIN_HEAD, '82', littleEndian(30_001), `=${'x'.repeat(30_001)}`, '86 84 02 69 49 01 01'],
      ...['92 84 84 84 0c', '=NSDictionary', '00 94 84 01 69 01 92 84 96 96 01', '=k', '86 92 99'],
      ...[pairs, '86', runs, '86'],
    );
    expect(decodeAttributedBody(body)?.runs).toHaveLength(30_001);
  });

  it('comes to an end on an object that contains itself', () => {
    const body = toBody(
      ...PLAIN_HEAD,
      '05',
      '=tides',
      '86 84 02 69 49 01 05 92 84 84 84 0c',
      '=NSDictionary',
      '00 94',
      '84 01 69 01 92 97 92 97 86 86',
    );
    expect(decodeAttributedBody(body)).toEqual({ text: 'tides', runs: [{ ...NO_ATTRIBUTES, start: 0, length: 5 }] });
  });
});

describe('encodeAttributedBody', () => {
  it('makes of a plain text the bytes that macOS makes', () => {
    expect(encodeAttributedBody('tides')).toEqual(plainBody('tides', '05', '05'));
    expect(encodeAttributedBody('Wave 👋🏽')).toEqual(plainBody('Wave 👋🏽', '0d', '09'));
    expect(encodeAttributedBody('é'.repeat(120))).toEqual(plainBody('é'.repeat(120), '81 f0 00', '78'));
    expect(encodeAttributedBody('x'.repeat(300))).toEqual(plainBody('x'.repeat(300), '81 2c 01', '81 2c 01'));
    expect(encodeAttributedBody('')).toEqual(toBody(...PLAIN_HEAD, '00 86 86'));
  });

  it('makes of a photo the bytes that macOS makes', () => {
    expect(encodeAttributedBody('\ufffc', [{ transferGuid: 'at_0_PHOT' }])).toEqual(PHOTO_BODY);
  });

  it.each(LETTERS)('is read back, by us and by another decoder, at each length of $name', ({ letter, bytes }) => {
    for (const edge of EDGES) {
      const text = letter.repeat(Math.floor(edge / bytes)) + 'z'.repeat(edge % bytes);
      const body = encodeAttributedBody(text);
      expect(decodeAttributedBody(body)).toEqual(onePart(text));
      expect(decodeElsewhere(body)).toEqual(withoutLinks(body));
    }
  });

  it('is read back, by us and by another decoder, for random texts', () => {
    fc.assert(
      fc.property(anyText(2000), fc.nat({ max: 40 }), (text, times) => {
        const long = text.repeat(times);
        const body = encodeAttributedBody(long);
        expect(decodeAttributedBody(body)).toEqual(onePart(long));
        expect(decodeElsewhere(body)).toEqual(withoutLinks(body));
      }),
    );
  });

  it('gives each attachment the next slot, and each slot and each text between them its part', () => {
    const text = '\ufffc\ufffcboth of these\ufffc';
    const body = encodeAttributedBody(text, [
      { transferGuid: 'A' },
      { transferGuid: 'B', filename: 'b.heic' },
      { transferGuid: 'C', filename: null },
    ]);
    expect(decodeAttributedBody(body)).toEqual({
      text,
      runs: [
        { ...NO_ATTRIBUTES, start: 0, length: 1, part: 0, transferGuid: 'A' },
        { ...NO_ATTRIBUTES, start: 1, length: 1, part: 1, transferGuid: 'B', filename: 'b.heic' },
        { ...NO_ATTRIBUTES, start: 2, length: 13, part: 2 },
        { ...NO_ATTRIBUTES, start: 15, length: 1, part: 3, transferGuid: 'C' },
      ],
    });
  });

  it('refuses an attachment without a slot', () => {
    expect(() => encodeAttributedBody('\ufffc', [{ transferGuid: 'A' }, { transferGuid: 'B' }])).toThrow(RangeError);
  });

  it('leaves a slot without an attachment in the text', () => {
    expect(decodeAttributedBody(encodeAttributedBody('a\ufffcb'))).toEqual(onePart('a\ufffcb'));
  });

  it('refers to objects at any distance', () => {
    const stretches = Array.from({ length: 5600 }, (_, n) => ({ part: n, link: 'https://near.example' }));
    const again = stretches.filter(({ part }) => part % 50 === 49).map(({ part }) => ({ part, link: null }));
    const runs = [...stretches, ...again].map((attributes, n) => ({
      ...NO_ATTRIBUTES,
      ...attributes,
      start: n * 2,
      length: 2,
    }));
    const text = 'ab'.repeat(runs.length);
    const body = encodeAttributedRuns(text, runs);
    expect(decodeAttributedBody(body)).toEqual({ text, runs });
    expect(decodeElsewhere(body)).toEqual(withoutLinks(body));
  });

  it('is the reverse of the decoder for runs of any attributes', () => {
    fc.assert(
      fc.property(anyRuns, ({ text, runs }) => {
        const body = encodeAttributedRuns(text, runs);
        expect(decodeAttributedBody(body)).toEqual({ text, runs });
        expect(decodeElsewhere(body)).toEqual(withoutLinks(body));
      }),
    );
  });
});

describe('plainText', () => {
  const bodyOf = (text: string) => decodeAttributedBody(encodeAttributedBody(text));

  it('prefers the body to the column beside it', () => {
    expect(plainText(bodyOf('the whole text'), 'the who')).toBe('the whole text');
    expect(plainText(bodyOf('own message'), null)).toBe('own message');
  });

  it('takes the column where the body says nothing', () => {
    expect(plainText(null, 'an SMS')).toBe('an SMS');
    expect(plainText(bodyOf(''), 'an SMS')).toBe('an SMS');
    expect(plainText(bodyOf('\ufffc'), 'an SMS')).toBe('an SMS');
  });

  it('leaves out the slots of attachments and apps', () => {
    expect(plainText(bodyOf('\ufffc\ufffctwo photos\ufffc'), null)).toBe('two photos');
    expect(plainText(null, '\ufffdan app')).toBe('an app');
  });

  it('is null where slots are all there is', () => {
    expect(plainText(bodyOf('\ufffc\ufffc'), '\ufffc')).toBeNull();
    expect(plainText(bodyOf('\ufffd'), null)).toBeNull();
    expect(plainText(bodyOf(''), '')).toBeNull();
    expect(plainText(null, null)).toBeNull();
  });
});

/** Nothing is thrown, and the runs lie one after another inside the text. */
function expectSound(bytes: Uint8Array): void {
  const body = decodeAttributedBody(bytes);
  let end = 0;
  for (const { start, length } of body?.runs ?? []) {
    if (start !== end || length < 1) throw new Error('A run is out of its place.');
    end += length;
  }
  if (end > (body?.text.length ?? 0)) throw new Error('A run lies outside the text.');
}

/** A name of a type, written for the first time. */
function toName(type: string): Buffer {
  return toBody('84 82', littleEndian(type.length), `=${type}`);
}

function littleEndian(value: number): string {
  return Buffer.from(Uint32Array.of(value).buffer).toString('hex');
}
