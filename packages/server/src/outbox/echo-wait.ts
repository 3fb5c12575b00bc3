/**
 * Between a hand-over and its echo. Most echoes come within milliseconds and make the item `sent`; writing
 * `handed_over` first would only be overwritten, so it is written for those whose echo is slow. A crash meanwhile
 * leaves `sending`, about which the far end is asked.
 */
import type { Clock } from '../clock.ts';
import type { ClaimedItem } from '../store/outbox-lane.ts';

const GRACE_MS = 500;

export interface EchoWait {
  /** Before the hand-over: an echo may be faster than the answer to it. */
  expect(id: string): void;
  forget(id: string): void;
  handedOver(item: ClaimedItem, guid: string | null): void;
  arrived(ids: readonly string[]): void;
  /** When the item's hand-over was answered, in Unix milliseconds, while its echo is awaited. */
  handedOverAt(id: string): number | null;
  /** Writes down all that still wait. */
  close(): Promise<void>;
}

interface Waiting {
  readonly item: ClaimedItem;
  readonly guid: string | null;
  readonly since: number;
  readonly at: number;
}

export function createEchoWait(
  clock: Clock,
  writeHandedOver: (item: ClaimedItem, guid: string | null, at: number) => Promise<void>,
): EchoWait {
  /** Null: handed over, not answered yet. `echoed`: the echo came before the answer. */
  const waits = new Map<string, Waiting | 'expected' | 'echoed'>();
  let cancel: (() => void) | null = null;

  function sweepLater(): void {
    if (cancel || waits.size === 0) return;
    cancel = clock.after(GRACE_MS, () => {
      cancel = null;
      const before = clock.monotonic() - GRACE_MS;
      flush((wait) => wait.since <= before).then(sweepLater, sweepLater);
    });
  }

  async function flush(isDue: (wait: Waiting) => boolean): Promise<void> {
    const due: Waiting[] = [];
    for (const [id, wait] of waits) {
      if (typeof wait === 'string' || !isDue(wait)) continue;
      waits.delete(id);
      due.push(wait);
    }
    await Promise.all(due.map(({ item, guid, at }) => writeHandedOver(item, guid, at)));
  }

  return {
    expect: (id) => void waits.set(id, 'expected'),
    forget: (id) => void waits.delete(id),
    handedOver(item, guid) {
      if (waits.get(item.id) === 'echoed') {
        waits.delete(item.id);
        return;
      }
      waits.set(item.id, { item, guid, since: clock.monotonic(), at: clock.now() });
      sweepLater();
    },
    arrived(ids) {
      for (const id of ids) {
        const wait = waits.get(id);
        if (wait === 'expected') waits.set(id, 'echoed');
        else if (wait !== undefined) waits.delete(id);
      }
    },
    handedOverAt(id) {
      const wait = waits.get(id);
      return typeof wait === 'object' ? wait.at : null;
    },
    async close() {
      cancel?.();
      cancel = null;
      await flush(() => true);
    },
  };
}
