/** What comes of a look at a row: what is told, and what is remembered once it was told. */
import type { ReaderMemory, Waiting } from './reader-memory.ts';
import type { EventBody } from './to-events.ts';

export interface Outcome {
  readonly events: readonly EventBody[];
  /** Called when the events are with the server. */
  keep(memory: ReaderMemory): void;
}

/** Gaps grow with the time that something has been waited for. */
const GAP_MS_MIN = 200;
const GAP_MS_MAX = 30_000;
const GAPS = 4;

export function nextLookAt(since: number, now: number): number {
  return now + Math.min(Math.max(Math.round((now - since) / GAPS), GAP_MS_MIN), GAP_MS_MAX);
}

/** What is known of a row that is looked at, whether it has waited or not. */
export interface Sighting<Row> {
  readonly row: Row;
  readonly firstSeen: number;
  readonly waiting: Waiting | null;
}

export function nothing(guid: string): Outcome {
  return { events: [], keep: (memory) => memory.dropWaiting(guid) };
}

export function waitFor(
  { row, firstSeen, waiting }: Sighting<{ readonly guid: string; readonly rowid: number }>,
  why: string,
  now: number,
): Outcome {
  const since = waiting?.why === why ? waiting.since : now;
  const { guid, rowid } = row;
  const wait = { guid, rowid, why, firstSeen, since, dueAt: nextLookAt(since, now) };
  return { events: [], keep: (memory) => memory.keepWaiting(wait) };
}

/** Parts of at most so many events; one outcome's events stay together. */
export function partsOf(outcomes: readonly Outcome[], eventsMax: number): Outcome[][] {
  const parts: Outcome[][] = [[]];
  let events = 0;
  for (const outcome of outcomes) {
    events += outcome.events.length;
    if (events > eventsMax) {
      parts.push([]);
      events = outcome.events.length;
    }
    parts.at(-1)?.push(outcome);
  }
  return parts;
}
