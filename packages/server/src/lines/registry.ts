/** The installation's lines, kept in memory: few, read at every request, changed seldom. */
import type { Line } from '../domain/line.ts';
import type { Engine } from '../store/database.ts';
import { LINES_TOPIC, readLines } from '../store/lines.ts';

const REFRESH_MS = 1_000;

export interface LineRegistry {
  all(): readonly Line[];
  byRef(ref: number): Line | undefined;
  /** By its handle or its `ln_` id. Asks the database before it says that there is none. */
  find(handleOrId: string): Promise<Line | undefined>;
  refresh(): Promise<void>;
  onChange(listener: () => void): () => void;
  close(): void;
}

/** `runs` says which kinds of line this process knows how to reach; the others are there and inactive. */
export async function createLineRegistry(engine: Engine, runs: (line: Line) => boolean): Promise<LineRegistry> {
  let lines: readonly Line[] = [];
  let byName = new Map<string, Line>();
  let byRef = new Map<number, Line>();
  const listeners = new Set<() => void>();

  async function load(): Promise<void> {
    const stored = await readLines(engine);
    const fresh = stored.map((line) => (runs(line) ? line : { ...line, isActive: false }));
    const changed = JSON.stringify(fresh) !== JSON.stringify(lines);
    lines = fresh;
    byName = new Map(
      fresh.flatMap((line): [string, Line][] => [
        [line.handle, line],
        [line.id, line],
      ]),
    );
    byRef = new Map(fresh.map((line) => [line.ref, line]));
    if (changed) for (const listener of listeners) listener();
  }

  const refresh = shareReadings(load);

  /** The timer's and the wake-up's refresh: while the database is away, what is known stays. */
  function refreshLater(): void {
    refresh().catch(() => undefined);
  }

  await refresh();
  const stopListening = engine.onWake((topic) => {
    if (topic === LINES_TOPIC) refreshLater();
  });
  const timer = setInterval(refreshLater, REFRESH_MS);
  timer.unref();

  return {
    all: () => lines,
    byRef: (ref) => byRef.get(ref),
    async find(handleOrId) {
      const known = byName.get(handleOrId);
      if (known) return known;
      await refresh();
      return byName.get(handleOrId);
    },
    refresh,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      clearInterval(timer);
      stopListening();
    },
  };
}

/** Concurrent callers share one reading, which begins after they have called: they may know of a newer change. */
function shareReadings(load: () => Promise<void>): () => Promise<void> {
  let loading: Promise<void> | null = null;
  let next: Promise<void> | null = null;

  function begin(): Promise<void> {
    next = null;
    loading = load().finally(() => {
      loading = null;
    });
    return loading;
  }

  return () => {
    if (loading === null) return begin();
    // Whether that reading failed concerns those who asked for it.
    next ??= loading.then(begin, begin);
    return next;
  };
}
