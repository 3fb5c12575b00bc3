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

/** Gives the outbox items, by id, whose echo was in the report. */
export async function ingest(
  deps: IngestDeps,
  line: Line,
  lease: HeldLease,
  events: readonly LineEvent[],
): Promise<readonly string[]> {
  if (events.length === 0) return [];
  await deps.failpoint('echo.before_commit');
  const report = { claim: lease.claim, line, events, now: deps.clock.now() };
  const result = await deps.writer.write(recordSightings, report);
  if (result.state === 'fenced') {
    lease.lose();
    throw new LineTakenOverError();
  }
  await deps.failpoint('echo.committed');
  return result.sent;
}
