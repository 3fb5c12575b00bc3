/** Time, as everything that waits is given it. */
export interface Clock {
  /** Unix milliseconds, for stamps and schedules. */
  now(): number;
  /** Milliseconds that never jump, for leases and time-outs. */
  monotonic(): number;
  /** Calls back once after the delay; the returned function cancels. */
  after(ms: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
