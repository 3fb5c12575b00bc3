import type { Clock } from '../clock.ts';

/** A sleep that a wake-up ends, also one that came after the sleeper last looked and before it lay down. */
export interface Sleeper {
  wake(): void;
  /** Call before looking for work; sleep with what it gives. */
  prepare(): (ms: number) => Promise<void>;
}

export function createSleeper(clock: Clock): Sleeper {
  let wake: () => void = () => undefined;
  return {
    wake: () => wake(),
    prepare() {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      return async (ms) => {
        const cancel = clock.after(ms, wake);
        await woken;
        cancel();
      };
    },
  };
}
