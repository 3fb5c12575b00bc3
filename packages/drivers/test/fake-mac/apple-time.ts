/** Apple's time: nanoseconds since 2001-01-01 UTC, beyond what a JavaScript number holds exactly (a.6). */

const APPLE_EPOCH_MS = 978_307_200_000;

export function toAppleTime(unixMs: number): bigint {
  return BigInt(Math.round(unixMs) - APPLE_EPOCH_MS) * 1_000_000n;
}

/** From the text that SQL's `CAST(date AS TEXT)` gives. */
export function fromAppleTime(nanoseconds: string): number {
  return Number(BigInt(nanoseconds) / 1_000_000n) + APPLE_EPOCH_MS;
}

/** Seconds since 2001, as `message_summary_info` has them. */
export function toAppleSeconds(unixMs: number): number {
  return (unixMs - APPLE_EPOCH_MS) / 1_000;
}
