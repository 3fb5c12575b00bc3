/** Requests without a valid key, limited per address. A valid key is never held up by its neighbours' wrong ones. */
import { isIPv6 } from 'node:net';
import type { Clock } from '../clock.ts';

/** An address that sends more wrong keys than this in a minute hears of it once more and is told when to come back. */
export const FAILED_ATTEMPTS_PER_MINUTE = 1_000;
const MINUTE_MS = 60_000;
const ADDRESSES_MAX = 10_000;
/** An IPv6 customer has at least a /64: its first four groups. */
const IPV6_GROUPS = 4;

export interface FailedAttempts {
  /** Notes one. Gives the seconds to wait where there were too many, else null. */
  note(address: string): number | null;
}

export function createFailedAttempts(clock: Clock): FailedAttempts {
  let minuteAt = 0;
  let counts = new Map<string, number>();
  return {
    note(address) {
      const now = clock.monotonic();
      if (now - minuteAt >= MINUTE_MS || counts.size >= ADDRESSES_MAX) {
        minuteAt = now;
        counts = new Map();
      }
      const network = networkOf(address);
      const count = (counts.get(network) ?? 0) + 1;
      counts.set(network, count);
      return count > FAILED_ATTEMPTS_PER_MINUTE ? Math.ceil((minuteAt + MINUTE_MS - now) / 1_000) : null;
    },
  };
}

function networkOf(address: string): string {
  return isIPv6(address) && !address.includes('.') ? address.split(':').slice(0, IPV6_GROUPS).join(':') : address;
}
