/**
 * Waits until a line has heard what a phone did: its driver has reported the entry and the server has committed it. All
 * who wait for one line share one look at its cursor, so that many waiting requests cost no more than one.
 */
import type { Clock } from '../clock.ts';
import type { Engine } from '../store/database.ts';
import { readLineCursor } from '../store/lines.ts';

const LOOK_EVERY_MS = 3;

export interface Heard {
  /** Resolves when the line has heard its entry `seq`, or when waiting for it has taken too long. */
  wait(lineRef: number, seq: number, withinMs: number): Promise<void>;
}

interface Waiter {
  readonly seq: number;
  readonly deadline: number;
  readonly resolve: () => void;
}

export function createHeard(engine: Engine, clock: Clock): Heard {
  const waiting = new Map<number, Set<Waiter>>();

  async function look(lineRef: number, waiters: Set<Waiter>): Promise<void> {
    const heard = await heardSoFar(engine, lineRef);
    const now = clock.monotonic();
    for (const waiter of waiters) {
      if (waiter.seq > heard && waiter.deadline > now) continue;
      waiters.delete(waiter);
      waiter.resolve();
    }
  }

  function lookLater(lineRef: number, waiters: Set<Waiter>): void {
    clock.after(LOOK_EVERY_MS, () => {
      void look(lineRef, waiters).then(() => {
        if (waiters.size > 0) lookLater(lineRef, waiters);
        else waiting.delete(lineRef);
      });
    });
  }

  return {
    wait(lineRef, seq, withinMs) {
      return new Promise((resolve) => {
        const waiter = { seq, deadline: clock.monotonic() + withinMs, resolve };
        const known = waiting.get(lineRef);
        if (known) {
          known.add(waiter);
          return;
        }
        const waiters = new Set<Waiter>([waiter]);
        waiting.set(lineRef, waiters);
        lookLater(lineRef, waiters);
      });
    },
  };
}

/** While the database is away nothing has been heard, and the deadlines still hold. */
async function heardSoFar(engine: Engine, lineRef: number): Promise<number> {
  try {
    return Number((await readLineCursor(engine, lineRef)) ?? 0);
  } catch {
    return 0;
  }
}
