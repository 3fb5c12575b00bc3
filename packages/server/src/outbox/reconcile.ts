/**
 * After a crash or a takeover: items that were committed as `sending` and whose outcome nobody knows. The driver's far
 * end is asked; nothing is ever sent again on a guess.
 */
import type { LineDriver, LookUp } from '@trunkline/drivers';
import type { Clock } from '../clock.ts';
import type { HeldLease } from '../leases/held-lease.ts';
import { LineTakenOverError } from '../lines/ingest.ts';
import type { Engine } from '../store/database.ts';
import { type Outcome, settleItems } from '../store/outbox-lane.ts';
import { type SendingItem, sendingItems } from '../store/outbox-under-way.ts';
import type { Writer } from '../store/writer.ts';

const ASK_MAX = 200;

export interface ReconcileDeps {
  readonly engine: Engine;
  readonly writer: Writer;
  readonly clock: Clock;
}

/** Gives how many items were asked about. */
export async function reconcile(
  deps: ReconcileDeps,
  lineRef: number,
  lease: HeldLease,
  driver: LineDriver,
): Promise<number> {
  const items = await sendingItems(deps.engine, lineRef);
  for (let start = 0; start < items.length; start += ASK_MAX) {
    const asked = items.slice(start, start + ASK_MAX);
    const answers = await driver.find(asked.map((item) => ({ reference: item.id, attempt: item.handOver })));
    const results = await Promise.all(
      asked.map((item) =>
        deps.writer.write(settleItems, {
          claim: lease.claim,
          lineRef,
          ref: item.ref,
          handOver: item.handOver,
          outcome: outcomeOf(item, answers.get(item.id)),
          now: deps.clock.now(),
        }),
      ),
    );
    if (results.includes('fenced')) throw new LineTakenOverError();
  }
  return items.length;
}

/** That nothing was begun, only the agent can say that was asked to: another one's journal knows nothing of it either way. */
function outcomeOf({ isAnothers }: SendingItem, answer: LookUp | undefined): Outcome {
  if (answer?.state === 'done') return { state: 'done' };
  if (answer?.state === 'found') return { state: 'handed_over', guid: answer.guid };
  if (answer?.state === 'not_started' && !isAnothers) return { state: 'returned' };
  return { state: 'unknown', reason: 'The server stopped during the hand-over, and the line cannot tell its outcome.' };
}
