/** What the owner of a line's lane asks of its items: which were under way when a predecessor ended, and when the next is due. */
import { type Engine, statement } from './database.ts';

export interface SendingItem {
  readonly ref: number;
  readonly id: string;
  readonly handOver: number;
  /** It was handed to another agent than the one that has the line now, and that one knows nothing of it. */
  readonly isAnothers: boolean;
}

const sendingOfLine = statement(
  { line_ref: 'int' },
  `select outbox.ref, outbox.id, outbox.hand_overs,
     outbox.claimed_by like 'agent %' and outbox.claimed_by <> leases.holder as is_anothers
   from outbox left join leases on leases.name = 'line ' || outbox.line_ref where outbox.line_ref = i.line_ref
     and outbox.state in ('sending', 'handed_over', 'unknown') and outbox.state = 'sending' order by outbox.ref`,
);

/** What a predecessor had committed as `sending` without its outcome: to be asked about, never resent. */
export async function sendingItems(engine: Engine, lineRef: number): Promise<readonly SendingItem[]> {
  const rows = await engine.read(sendingOfLine, { line_ref: lineRef });
  return rows.map((row) => ({
    ref: Number(row['ref']),
    id: String(row['id']),
    handOver: Number(row['hand_overs']),
    isAnothers: Boolean(row['is_anothers']),
  }));
}

const nextWaiting = statement(
  { line_ref: 'int' },
  `select min(not_before) as at from outbox where line_ref = i.line_ref and state = 'waiting'`,
);

/** When the line's next item that waits for another try is due. Unix milliseconds, or null. */
export async function nextRetryAt(engine: Engine, lineRef: number): Promise<number | null> {
  const [row] = await engine.read(nextWaiting, { line_ref: lineRef });
  return typeof row?.['at'] === 'number' ? row['at'] : null;
}
