/**
 * How many writes may be in flight, by how long they take: what a queue holds is waited for, and a client that has given
 * up is served for nothing. Additive increase, multiplicative decrease, as TCP finds its window.
 */
import type { Clock } from '../clock.ts';

/** A write that takes longer from the queue to its commit says that too many are in flight. */
const TARGET_MS = 40;
const WINDOW_MS = 100;
const DECREASE = 0.7;
/** A share of the most that there may be. */
const INCREASE = 0.05;
/** The least of it: a disk that is slow, and not full, is to be kept busy. */
const LEAST = 0.05;

export interface ConcurrencyLimit {
  current(): number;
  /** In milliseconds. */
  took(ms: number): void;
}

/** Begins at the most that it may be, so that a burst is taken whole. */
export function createConcurrencyLimit(clock: Clock, max: number): ConcurrencyLimit {
  const min = Math.max(1, Math.ceil(max * LEAST));
  let limit = max;
  let windowEndsAt = 0;
  let sum = 0;
  let count = 0;
  return {
    current: () => limit,
    took(ms) {
      sum += ms;
      count++;
      const now = clock.monotonic();
      if (now < windowEndsAt) return;
      limit = sum / count > TARGET_MS ? Math.max(min, limit * DECREASE) : Math.min(max, limit + max * INCREASE);
      windowEndsAt = now + WINDOW_MS;
      sum = 0;
      count = 0;
    },
  };
}
