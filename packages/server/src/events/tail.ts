/** One reader of the log per process: it feeds every open stream, however many there are. */
import type { Clock } from '../clock.ts';
import type { Engine } from '../store/database.ts';
import { EVENTS_TOPIC, type LoggedEvent, logBounds, readEvents } from '../store/events.ts';

const READ_MAX = 500;
const POLL_MS = 1_000;

export interface Tail {
  /** The number of the newest event that listeners have been given. */
  readonly head: number;
  /** The same, after looking: without listeners the log is not read, so `head` stands still. */
  current(): Promise<number>;
  /** Calls back with every event from now on, in order. */
  listen(listener: (event: LoggedEvent) => void): () => void;
  close(): Promise<void>;
}

export async function startTail(engine: Engine, clock: Clock, onError: (error: unknown) => void): Promise<Tail> {
  const listeners = new Set<(event: LoggedEvent) => void>();
  let { newest: head } = await logBounds(engine);
  let reading: Promise<void> | null = null;
  let again = false;
  let closed = false;
  let cancel: () => void = () => undefined;

  async function readOn(): Promise<void> {
    do {
      again = false;
      const events = await readEvents(engine, head, READ_MAX);
      for (const event of events) {
        head = event.seq;
        for (const listener of listeners) listener(event);
      }
      if (events.length === READ_MAX) again = true;
    } while (again && !closed);
  }

  function wake(): void {
    if (closed || listeners.size === 0) return;
    again = true;
    reading ??= readOn()
      .catch(onError)
      .finally(() => {
        reading = null;
      });
  }

  function poll(): void {
    wake();
    if (!closed) cancel = clock.after(POLL_MS, poll);
  }

  const stopListening = engine.onWake((topic) => {
    if (topic === EVENTS_TOPIC) wake();
  });
  poll();
  return {
    get head() {
      return head;
    },
    async current() {
      if (listeners.size > 0) return head;
      const { newest } = await logBounds(engine);
      // Whoever began to listen meanwhile must be given what lies between: then only the reading moves on.
      if (listeners.size === 0) head = Math.max(head, newest);
      return Math.max(head, newest);
    },
    listen(listener) {
      listeners.add(listener);
      wake();
      return () => listeners.delete(listener);
    },
    async close() {
      closed = true;
      cancel();
      stopListening();
      await reading;
    },
  };
}
