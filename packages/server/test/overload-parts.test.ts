/** What the admission decides by: how many writes may be in flight, and when the heap is kept small. */
import { describe, expect, it } from 'vitest';
import { createConcurrencyLimit } from '../src/http/concurrency-limit.ts';
import { createHeapSaver } from '../src/http/heap-saver.ts';
import { createFakeClock } from './fake-clock.ts';

describe('how many writes may be in flight', () => {
  /** Writes that took so long, a window after another. */
  async function after(windows: readonly number[], max = 1_000): Promise<number> {
    const clock = createFakeClock();
    const limit = createConcurrencyLimit(clock, max);
    for (const ms of windows) {
      await clock.advance(100);
      limit.took(ms);
    }
    return limit.current();
  }

  it('is the most of it at first, and stays so while writes are quick', async () => {
    expect(await after([])).toBe(1_000);
    expect(await after([1, 5, 40])).toBe(1_000);
  });

  it('falls by a share for each window in which they are slow, and never below a twentieth', async () => {
    expect(await after([41])).toBeCloseTo(700);
    expect(await after([41, 500])).toBeCloseTo(490);
    expect(await after(Array.from({ length: 50 }, () => 900))).toBe(50);
  });

  it('comes back step by step', async () => {
    expect(await after([41, 10])).toBeCloseTo(750);
    expect(await after([...Array.from({ length: 50 }, () => 900), ...Array.from({ length: 19 }, () => 5)])).toBe(1_000);
  });

  it('goes by the mean of a window', async () => {
    const clock = createFakeClock();
    const limit = createConcurrencyLimit(clock, 100);
    limit.took(10);
    for (const ms of [10, 10, 10]) limit.took(ms);
    await clock.advance(100);
    limit.took(90);
    expect(limit.current()).toBe(100);
  });
});

describe('the heap', () => {
  it('is kept small from the first flood until five seconds after the last', async () => {
    const clock = createFakeClock();
    const flags: string[] = [];
    const heap = createHeapSaver(clock, (flag) => void flags.push(flag));
    heap.flooded();
    await clock.advance(4_000);
    heap.flooded();
    await clock.advance(4_000);
    expect(flags).toEqual(['--heap-growing-percent=40']);
    await clock.advance(1_000);
    expect(flags).toEqual(['--heap-growing-percent=40', '--heap-growing-percent=0']);
    heap.flooded();
    expect(flags).toHaveLength(3);
  });
});
