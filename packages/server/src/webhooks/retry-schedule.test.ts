import { describe, expect, it } from 'vitest';
import { JITTER, nextWaitMs, parseRetryAfter, RETRY_WAITS_MS } from './retry-schedule.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const MIDDLE = 0.5;
const plain = { attempt: 1, status: 500, timedOut: false, retryAfterMs: null };

describe('the waits', () => {
  it('are eleven, so that there are twelve attempts, over about 76 hours', () => {
    const waits = Array.from({ length: 12 }, (_, index) => nextWaitMs({ ...plain, attempt: index + 1 }, MIDDLE));
    const minutes = waits.slice(0, 11).map((wait) => Number(wait) / 60_000);
    expect(minutes).toEqual([1 / 12, 0.5, 2, 10, 30, 120, 300, 600, 840, 1_200, 1_440]);
    expect(waits[11]).toBeNull();
    const hours = minutes.reduce((sum, wait) => sum + wait, 0) / 60;
    expect(hours).toBeGreaterThan(75);
    expect(hours).toBeLessThan(77);
  });

  it.each(RETRY_WAITS_MS.map((wait, index) => [index + 1, wait] as const))(
    'after attempt %i lie within a fifth of %i ms',
    (attempt, wait) => {
      const at = (random: number) => Number(nextWaitMs({ ...plain, attempt }, random));
      expect(JITTER).toBe(0.2);
      expect(at(0)).toBe(Math.round(wait * 0.8));
      expect(at(0.999_999)).toBeGreaterThan(wait * 1.19);
      expect(at(0.999_999)).toBeLessThanOrEqual(wait * 1.2);
    },
  );
});

describe('a receiver that is busy', () => {
  it.each([
    ['a time-out', { status: null, timedOut: true }],
    ['429', { status: 429 }],
    ['502', { status: 502 }],
    ['504', { status: 504 }],
  ])('is left alone for a minute at least: %s', (_name, failed) => {
    for (const random of [0, MIDDLE, 0.999]) {
      expect(nextWaitMs({ ...plain, ...failed }, random)).toBe(60_000);
      expect(nextWaitMs({ ...plain, ...failed, attempt: 2 }, random)).toBe(60_000);
    }
    expect(nextWaitMs({ ...plain, ...failed, attempt: 3 }, MIDDLE)).toBe(120_000);
  });

  it.each([301, 404, 500, 503])('is not what %i says', (status) => {
    expect(nextWaitMs({ ...plain, status }, MIDDLE)).toBe(5_000);
  });

  it('gets no thirteenth attempt either', () => {
    expect(nextWaitMs({ ...plain, attempt: 12, status: 429, retryAfterMs: 1_000 }, MIDDLE)).toBeNull();
  });
});

describe('Retry-After', () => {
  it.each([
    ['shorter than the wait changes nothing', 1, 1_000, 5_000],
    ['up to two minutes is always followed', 1, 120_000, 120_000],
    ['over two minutes is capped while the wait is short', 1, 3_600_000, 120_000],
    ['up to twice the wait is followed', 5, 3_000_000, 3_000_000],
    ['over twice the wait is capped', 5, 36_000_000, 3_600_000],
  ])('%s', (_name, attempt, retryAfterMs, wait) => {
    expect(nextWaitMs({ ...plain, attempt, retryAfterMs }, MIDDLE)).toBe(wait);
  });

  it.each([
    ['120', 120_000],
    ['0', 0],
    ['99999999999', 99_999_999_999_000],
    ['Thu, 01 Jan 2026 00:02:00 GMT', 120_000],
    ['Thursday, 01-Jan-26 00:02:00 GMT', 120_000],
    ['Wed, 31 Dec 2025 23:00:00 GMT', 0],
    ['', null],
    ['-5', null],
    ['1.5', null],
    ['soon', null],
    ['in 2099', null],
    ['5 minutes', null],
    ['2099', 2_099_000],
    ['Thu, 99 Foo 2026 00:00:00 GMT', null],
  ])('of "%s" is read as %s ms', (header, wait) => {
    expect(parseRetryAfter(header, NOW)).toBe(wait);
  });

  it('may be absent', () => {
    expect(parseRetryAfter(undefined, NOW)).toBeNull();
  });
});
