/** What clients send by mistake or on purpose: texts, JSON and encodings that have broken servers before. */
import fc from 'fast-check';
import { ID_PREFIXES } from '../src/domain/ids.ts';

const HUGE_LENGTHS = [511, 512, 513, 2_049, 20_000, 20_001, 100_000, 300_000];
const DEEP_LEVELS = [31, 33, 127, 129, 1_000, 50_000];

const ODD_TEXTS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  '\udc00\ud800',
  'half \ud83d',
  '\u202etxet\u202c',
  '\u2066\u2069\u200f',
  '\u200b\u200d\ufeff\u2060',
  'e\u0301\u0323\u0308',
  'Z\u0351\u036b\u0343\u036a\u0302'.repeat(20),
  '\ufffc\ufffd\uffff',
  '👩‍👩‍👧‍👦🏳️‍🌈🇺🇳',
  '\r\n\r\nHTTP/1.1 200 OK',
  '\u2028\u2029\u0085',
  "'; drop table messages; --",
  '%00%ZZ',
  '../../etc/passwd',
  '__proto__',
  'null',
  'NaN',
  '-1',
  '+15550100091\n',
  '+1 (555) 010-0091',
  '＋１５５５０１０００９１',
  'PEER@EXAMPLE.COM',
  'ﷺ@example.com',
  '9223372036854775808',
];

const ODD_JSON = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '-1',
  '1.5',
  '1e999',
  '-1e999',
  '1e-999',
  '9007199254740993',
  '9223372036854775807',
  '9223372036854775808',
  '1e300',
  '[]',
  '{}',
  '[null]',
  '[[]]',
  '["x"]',
  '[1]',
  '{"__proto__":{"x":1}}',
  '{"constructor":{"prototype":{"x":1}}}',
  '{"toString":null,"length":1}',
  '"\\ud800"',
  '"\\u0000"',
];

const BROKEN_JSON = [
  '',
  ' ',
  '{',
  '}',
  '{"from":',
  '{"from":"x",}',
  "{'from':'x'}",
  '{from:1}',
  '{"a":01}',
  '{"a":NaN}',
  '{"a":undefined}',
  '{"a":"\n"}',
  '{"a":"\\x"}',
  '{"a":"\\ud8"}',
  '[]',
  '"text"',
  'null',
  '1',
  '{}{}',
  '{}//',
  '\ufeff{}',
  '{"__proto__":{"x":1}}',
];
const NOT_UTF8 = [
  '7b22612261223a22ff227d',
  '7b2261223a22eda080227d',
  'c328',
  'fffe7b007d00',
  '7b2261223a22f4908080227d',
];

const BAD_ENCODINGS = [
  '%',
  '%Z',
  '%ZZ',
  '%ff',
  '%00',
  '%c0%80',
  '%E0%A4%A',
  '%ED%A0%80',
  '%F4%90%80%80',
  '%u0041',
  '%25%32%35',
  '+',
  '++15550100091',
  '\u00e9\u00ff',
  '=',
  '[]',
  ';',
];

/** Any text that a JSON string can carry. */
export const oddText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...ODD_TEXTS) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 200 }) },
  { weight: 2, arbitrary: fc.array(fc.nat(0xffff), { maxLength: 30 }).map((units) => String.fromCharCode(...units)) },
  { weight: 2, arbitrary: idLike() },
  { weight: 1, arbitrary: fc.constantFrom(...HUGE_LENGTHS).map((length) => 'x'.repeat(length)) },
  { weight: 1, arbitrary: fc.constantFrom(...HUGE_LENGTHS).map((length) => '😀'.repeat(length / 8)) },
);

/** An id with the right prefix and any suffix. */
function idLike(): fc.Arbitrary<string> {
  const prefix = fc.constantFrom(...Object.values(ID_PREFIXES), 'file', 'rxn');
  const suffix = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(...'0123456789abcdefghjkmnpqrstvwxyz'), minLength: 26, maxLength: 26 }),
  );
  return fc.tuple(prefix, suffix).map(([name, rest]) => `${name}_${rest}`);
}

/** A value as it stands in a JSON text. */
export const oddJson: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: oddText.map((text) => JSON.stringify(text)) },
  { weight: 4, arbitrary: fc.constantFrom(...ODD_JSON) },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: fc.array(oddText, { maxLength: 3 }).map((texts) => JSON.stringify(texts)) },
  { weight: 1, arbitrary: fc.oneof(fc.integer(), fc.double(), fc.maxSafeInteger()).map((number) => `${number}`) },
  { weight: 1, arbitrary: fc.constantFrom(...DEEP_LEVELS).map((levels) => '['.repeat(levels) + ']'.repeat(levels)) },
);

/** Bytes that are no JSON object, or are one by a hair. */
export const oddBytes: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...BROKEN_JSON).map((text) => Buffer.from(text)) },
  { weight: 2, arbitrary: fc.constantFrom(...NOT_UTF8).map((hex) => Buffer.from(hex, 'hex')) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.constantFrom(...DEEP_LEVELS).map((levels) => Buffer.from('{"a":'.repeat(levels))) },
  { weight: 1, arbitrary: oddJson.map((text) => Buffer.from(text)) },
);

/** A part of a path or of a query, as it stands in a URL. */
export const oddUrlPart: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: oddText.map((text) => encodeURIComponent(text.toWellFormed().slice(0, 3_000))) },
  { weight: 4, arbitrary: fc.constantFrom(...BAD_ENCODINGS) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...BAD_ENCODINGS), fc.constantFrom(...BAD_ENCODINGS)).map(join) },
);

/** What HTTP lets a header's value be. */
export const oddHeaderValue: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'\t !"%+,/;=aZ09~\u0080\u00e9\u00ff'), maxLength: 40 }),
  fc.constantFrom('', ' ', 'x'.repeat(255), 'x'.repeat(256), 'x'.repeat(4_000), '__proto__', 'null', '-1', '1.1'),
);

export const oddContentType: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    'application/json; charset=utf-16',
    'application/json;charset=iso-8859-1',
    'application/json; charset="',
    'application/json;',
    'application/json ; ;;',
    'APPLICATION/JSON',
    'application/json, application/json',
    'application/vnd.api+json',
    'text/plain',
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'application',
    '/',
    '*/*',
    ';',
    '',
  ),
  oddHeaderValue,
);

function join(parts: readonly string[]): string {
  return parts.join('');
}
