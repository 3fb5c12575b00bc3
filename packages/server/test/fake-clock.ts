/** Time that only moves when a test says so. */
import type { Clock } from '../src/clock.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

export interface FakeClock extends Clock {
  /** Moves on, calling back what falls due in order, and lets what that sets off settle before each next step. */
  advance(ms: number): Promise<void>;
  /** Moves the wall clock alone, as an operator or NTP would. */
  jump(ms: number): void;
}

const SETTLE_TURNS = 20;

export function createFakeClock(startAt = 1_750_000_000_000): FakeClock {
  let elapsed = 0;
  let offset = startAt;
  let order = 0;
  const timers = new Set<Timer>();

  function nextTimer(until: number): Timer | undefined {
    return [...timers].filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at || a.order - b.order)[0];
  }

  return {
    now: () => offset + Math.floor(elapsed),
    monotonic: () => elapsed,
    after(ms, callback) {
      const timer = { at: elapsed + Math.max(0, ms), order: order++, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      const until = elapsed + ms;
      await settle();
      for (let timer = nextTimer(until); timer; timer = nextTimer(until)) {
        timers.delete(timer);
        elapsed = timer.at;
        timer.callback();
        await settle();
      }
      elapsed = until;
      await settle();
    },
    jump(ms) {
      offset += ms;
    },
  };
}

/** Real I/O (a database, a socket) goes on in real time: some turns of the event loop let it answer. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}
