/** The machine's monotonic clock in milliseconds, with fractions: the same in every process, so that stamps compare. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
