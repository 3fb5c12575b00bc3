/** Latencies in one preallocated array, and their percentiles by sorting. */

export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

export interface Latencies {
  /** Throws when the array is full: a bound that was set too low must not pass for a result. */
  add(milliseconds: number): void;
  clear(): void;
  percentiles(): Percentiles;
}

export function createLatencies(capacity: number): Latencies {
  const values = new Float64Array(capacity);
  let count = 0;
  return {
    add(milliseconds) {
      if (count === capacity) throw new Error(`More than ${capacity} latencies in one measurement.`);
      values[count++] = milliseconds;
    },
    clear() {
      count = 0;
    },
    percentiles() {
      const sorted = values.slice(0, count).sort();
      return { count, p50: rank(sorted, 0.5), p99: rank(sorted, 0.99) };
    },
  };
}

/** The nearest rank. */
function rank(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
