/** One send at a time per Mac: whoever shares the lane waits, in the order of asking. */

export interface SendLane {
  run<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Resolves when nothing is under way or waiting. */
  idle(): Promise<void>;
}

export function createSendLane(): SendLane {
  let last: Promise<unknown> = Promise.resolve();
  return {
    run: (work) => {
      const done = last.then(work);
      // Whoever asked hears of an error; the next in the lane does not.
      last = done.catch(() => null);
      return done;
    },
    idle: async () => {
      for (let seen: unknown = null; seen !== last; ) {
        seen = last;
        await last;
      }
    },
  };
}
