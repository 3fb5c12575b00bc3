/** Removing a line: at once for whoever sends or listens; with a purge, what it leaves behind goes too, step by step. */
import type { Clock } from '../clock.ts';
import { PURGE_PARTS, type PurgePart, purgeLines, removeLines } from '../store/line-removal.ts';
import type { Writer } from '../store/writer.ts';

/** Rows that one step of a purge looks at or deletes, so that others need not wait for long. */
const STEP_ROWS = 1_000;

export interface RemoveLineDeps {
  readonly writer: Writer;
  readonly clock: Clock;
}

/** A purge that is cut short goes on when the line is removed once more; one whose line came back ends. */
export async function removeLine(deps: RemoveLineDeps, lineRef: number, purges: boolean): Promise<void> {
  await deps.writer.write(removeLines, { ref: lineRef, cutsOff: purges, now: deps.clock.now() });
  if (!purges) return;
  for (const part of PURGE_PARTS) if (!(await purgePart(deps, lineRef, part))) return;
}

async function purgePart(deps: RemoveLineDeps, lineRef: number, part: PurgePart): Promise<boolean> {
  let after = 0;
  for (;;) {
    const purged = await deps.writer.write(purgeLines, { lineRef, part, after, max: STEP_ROWS });
    if (purged === 'revived') return false;
    if (purged.next === null) return true;
    after = purged.next;
  }
}
