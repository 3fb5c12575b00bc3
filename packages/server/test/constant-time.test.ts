/** 70: a comparison that tells nobody how near a guess came. */
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isSameHash } from '../src/access/keys.ts';

const VERIFICATIONS = 1_000_000;
/** Below this the two are not told apart, by Welch's test: by chance alone it is passed once in 100,000 runs. */
const T_MAX = 4.5;
/** What took longer than this was interrupted, whichever class it belongs to. */
const KEPT_SHARE = 0.9;

interface Sample {
  readonly isNear: boolean;
  readonly ns: number;
}

function welch(one: readonly number[], other: readonly number[]): number {
  const [a, b] = [describeSample(one), describeSample(other)];
  return (a.mean - b.mean) / Math.sqrt(a.variance / one.length + b.variance / other.length);
}

function describeSample(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return { mean, variance };
}

/** The two classes in random order, so that whatever else the machine does falls on both alike. */
function measure(compare: (one: string, other: string) => boolean, verifications: number): number {
  const right = createHash('sha256').update('the key').digest('hex');
  // Made anew from their bytes, so that both are strings of one kind inside.
  const fresh = (text: string) => Buffer.from(text).toString();
  const near = fresh(right.slice(0, -1) + (right.endsWith('0') ? '1' : '0'));
  const far = fresh((right.startsWith('0') ? '1' : '0') + right.slice(1));
  const classes = randomBytes(verifications);
  const samples: Sample[] = [];
  let matches = 0;
  for (const random of classes) {
    const isNear = (random & 1) === 1;
    const guess = isNear ? near : far;
    const before = process.hrtime.bigint();
    if (compare(right, guess)) matches++;
    samples.push({ isNear, ns: Number(process.hrtime.bigint() - before) });
  }
  expect(matches).toBe(0);
  const kept = samples.toSorted((a, b) => a.ns - b.ns).slice(0, Math.floor(verifications * KEPT_SHARE));
  const times = (isNear: boolean) => kept.filter((sample) => sample.isNear === isNear).map(({ ns }) => ns);
  return welch(times(true), times(false));
}

/** Of three measurements, each with strings of its own: where two strings lie in memory can tell them apart too. */
function medianOfThree(compare: (one: string, other: string) => boolean, verifications: number): number {
  measure(compare, verifications / 10);
  const [, median = 0] = [1, 2, 3].map(() => measure(compare, verifications)).sort((a, b) => a - b);
  return Math.abs(median);
}

describe('70: comparing digests', () => {
  it(`tells a near miss from a far one in none of ${VERIFICATIONS} verifications`, () => {
    expect(medianOfThree(isSameHash, VERIFICATIONS)).toBeLessThan(T_MAX);
  }, 60_000);

  it('would be seen to tell them apart if it stopped at the first difference', () => {
    const stopsEarly = (one: string, other: string) => {
      for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false;
      return true;
    };
    expect(medianOfThree(stopsEarly, VERIFICATIONS / 5)).toBeGreaterThan(T_MAX);
  }, 60_000);

  it('is right about what is the same', () => {
    expect(isSameHash('ab', 'ab')).toBe(true);
    expect(isSameHash('ab', 'abc')).toBe(false);
  });
});
