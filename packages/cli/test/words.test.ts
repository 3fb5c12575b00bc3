/** What people and servers write, read piece by piece. */
import { SEND_STYLES, TAPBACKS } from '@trunkline/drivers';
import { describe, expect, it } from 'vitest';
import { parseExpiry } from '../src/moment.ts';
import { SEND_STYLES as OFFERED_STYLES } from '../src/send-styles.ts';
import { createSseParser } from '../src/sse-parser.ts';
import { TAPBACKS as OFFERED_TAPBACKS } from '../src/tapbacks.ts';

const NOW = Date.UTC(2026, 10, 21);
const DAY_MS = 86_400_000;

it('the words that the command offers are those that the server takes', () => {
  expect(OFFERED_STYLES).toEqual(SEND_STYLES);
  expect(OFFERED_TAPBACKS).toEqual(TAPBACKS);
});

describe('--expires', () => {
  it.each([
    ['30d', NOW + 30 * DAY_MS],
    ['12h', NOW + DAY_MS / 2],
    ['2w', NOW + 14 * DAY_MS],
    ['90s', NOW + 90_000],
    ['2027-01-31', Date.UTC(2027, 0, 31)],
    ['2027-01-31T12:00:00Z', Date.UTC(2027, 0, 31, 12)],
  ])('takes %s', (text, at) => {
    expect(parseExpiry(text, NOW)).toBe(at);
  });

  it.each(['', '30', 'd', '-1d', '1.5h', 'tomorrow', '2027-13-01', '30 d'])('does not take "%s"', (text) => {
    expect(() => parseExpiry(text, NOW)).toThrow(/takes a duration/);
  });
});

describe('the reader of server-sent events', () => {
  const TEXT =
    ': connected\n\nid: a.1\ndata: {"x":1}\n\n: heartbeat\n\nid: a.2\r\ndata: one\r\ndata:two\r\n\r\ndata: no id\n\nid: a.3\n';
  const EVENTS = [
    { id: 'a.1', data: '{"x":1}' },
    { id: 'a.2', data: 'one\ntwo' },
    { id: null, data: 'no id' },
  ];

  it.each([1, 2, 7, 1_000])('finds the same events in pieces of %i characters', (size) => {
    const parse = createSseParser();
    const pieces = TEXT.match(new RegExp(`.{1,${size}}`, 'gs')) ?? [];
    expect(pieces.flatMap((piece) => parse(piece))).toEqual(EVENTS);
  });
});
