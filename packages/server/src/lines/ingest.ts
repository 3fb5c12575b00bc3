/**
 * Where what a driver saw becomes the server's: the only caller of the write that makes message rows. A report is one
 * transaction with the driver's cursor, so it is acknowledged after its commit and never before.
 */
import type { LineEvent } from '@trunkline/drivers';
import type { Clock } from '../clock.ts';
import type { ReachFailpoint } from '../domain/failpoint.ts';
import type { Line } from '../domain/line.ts';
import type { HeldLease } from '../leases/held-lease.ts';
import { recordSightings } from '../store/sightings.ts';
import type { Writer } from '../store/writer.ts';

/** The line belongs to another process now: this one's driver must stop. */
export class LineTakenOverError extends Error {
  constructor() {
    super('Another process owns this line now.');
    this.name = 'LineTakenOverError';
  }
}

export interface IngestDeps {
  readonly writer: Writer;
  readonly clock: Clock;
  readonly failpoint: ReachFailpoint;
}

/** `handedOverAt` says when an own message was handed over, where that is known. Gives the items, by id, that it echoes. */
export async function ingest(
  deps: IngestDeps,
  line: Line,
  lease: HeldLease,
  events: readonly LineEvent[],
  handedOverAt: (outboxId: string) => number | null,
): Promise<readonly string[]> {
  if (events.length === 0) return [];
  await deps.failpoint('echo.before_commit');
  const report = {
    claim: lease.claim,
    line,
    events,
    handedOver: handedOver(events, handedOverAt),
    now: deps.clock.now(),
  };
  const result = await deps.writer.write(recordSightings, report);
  if (result.state === 'fenced') {
    lease.lose();
    throw new LineTakenOverError();
  }
  await deps.failpoint('echo.committed');
  return result.sent;
}

function handedOver(
  events: readonly LineEvent[],
  handedOverAt: (outboxId: string) => number | null,
): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const event of events) {
    if (event.kind !== 'message' || event.reference === null) continue;
    const at = handedOverAt(event.reference);
    if (at !== null) times.set(event.reference, at);
  }
  return times;
}
