/**
 * While thousands of requests wait, garbage survives its first collections, and V8 left to itself lets the old heap grow
 * to more than twice what is in use: 490 MB where 360 do. Collecting sooner costs a quarter of the speed, so it is done
 * only while a flood lasts.
 */
import { setFlagsFromString } from 'node:v8';
import type { Clock } from '../clock.ts';

/** How much the old heap may grow from one collection to the next; 0 leaves it to V8. */
const FLOODED = '--heap-growing-percent=40';
const CALM = '--heap-growing-percent=0';
const CALM_AFTER_MS = 5_000;

export interface HeapSaver {
  /** A flood goes on. */
  flooded(): void;
}

export function createHeapSaver(clock: Clock, setFlags: (flags: string) => void = setFlagsFromString): HeapSaver {
  let isSaving = false;
  let floodedAt = 0;

  function look(): void {
    const calmAt = floodedAt + CALM_AFTER_MS;
    const now = clock.monotonic();
    if (now < calmAt) {
      clock.after(calmAt - now, look);
      return;
    }
    isSaving = false;
    setFlags(CALM);
  }

  return {
    flooded() {
      floodedAt = clock.monotonic();
      if (isSaving) return;
      isSaving = true;
      setFlags(FLOODED);
      clock.after(CALM_AFTER_MS, look);
    },
  };
}
