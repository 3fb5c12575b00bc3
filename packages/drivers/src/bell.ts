/** A wait that ends at the ring of a bell, or after a time. */
export interface Bell {
  /** Ends every wait; a ring that nobody hears ends the next one. */
  ring(): void;
  /** Ends every wait from now on. */
  close(): void;
  wait(ms: number): Promise<void>;
}

export function createBell(): Bell {
  const waiting = new Set<() => void>();
  let rung = false;
  let closed = false;

  function ring(): void {
    rung = waiting.size === 0;
    for (const wake of [...waiting]) wake();
  }

  return {
    ring,
    close() {
      closed = true;
      ring();
    },
    wait(ms) {
      const passed = closed || rung;
      rung = false;
      if (passed) return Promise.resolve();
      return new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, ms);
        waiting.add(wake);
      });
    },
  };
}
