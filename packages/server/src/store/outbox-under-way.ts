/** What the owner of a line's lane asks of its items: which were under way when a predecessor ended, and when the next is due. */
import { type Engine, statement } from './database.ts';

const sendingOfLine = statement(
  { line_ref: 'int' },
  `select ref, id, hand_overs from outbox where line_ref = i.line_ref
     and state in ('sending', 'handed_over', 'unknown') and state = 'sending' order by ref`,
);

/** What a predecessor had committed as `sending` without its outcome: to be asked about, never resent. */
export async function sendingItems(
  engine: Engine,
  lineRef: number,
): Promise<readonly { ref: number; id: string; handOver: number }[]> {
  const rows = await engine.read(sendingOfLine, { line_ref: lineRef });
  return rows.map((row) => ({
    ref: Number(row['ref']),
    id: String(row['id']),
    handOver: Number(row['hand_overs']),
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
