/** Turns entries into a report, and spoils it in the ways that the line's faults ask for. */
import type { LineEvent } from '../line-events.ts';
import type { Faults } from './faults.ts';
import type { Entry } from './feed.ts';

/**
 * Each event's cursor says how far everything up to and including that event has been told, and the last one's is the
 * greatest: a reader that stops after any of them resumes there without a loss.
 */
export function toReport(
  entries: readonly Entry[],
  position: number,
  faults: Pick<Faults, 'duplicateRate' | 'reorder'>,
  random: () => number,
): LineEvent[] {
  const events: LineEvent[] = [];
  let told = position;
  const tell = (entry: Entry): void => {
    const event = toEvent(entry, told);
    events.push(event);
    if (random() < faults.duplicateRate) events.push(event);
  };
  for (const pair of inPairs(entries, faults.reorder)) {
    // While the earlier entry of a swapped pair is still to come, the cursor stays before both.
    const [first, second] = pair;
    if (second === undefined) told = first.seq;
    tell(first);
    if (second === undefined) continue;
    told = first.seq;
    tell(second);
  }
  return events;
}

/** Swapped pairs of neighbours from different chats; whatever stays in place is alone. */
function inPairs(entries: readonly Entry[], reorder: boolean): (readonly [Entry, Entry?])[] {
  const pairs: (readonly [Entry, Entry?])[] = [];
  for (let index = 0; index < entries.length; index += 1) {
    const entry = entries[index];
    const next = entries[index + 1];
    if (entry === undefined) break;
    if (reorder && next !== undefined && next.chat !== entry.chat) {
      pairs.push([next, entry]);
      index += 1;
    } else {
      pairs.push([entry]);
    }
  }
  return pairs;
}

function toEvent({ body, visible }: Entry, cursor: number): LineEvent {
  return visible ? { ...body, cursor: String(cursor) } : { kind: 'cursor', cursor: String(cursor) };
}
